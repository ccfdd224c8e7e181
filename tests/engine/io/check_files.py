#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the encoder writes, read by programs that share no code with it: sox, ffmpeg, flac, libsndfile, mediainfo,
opusinfo, ogginfo.

check_files.py ENCODE_TOOL
"""
import hashlib
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import numpy as np

TOOLS = ["sox", "soxi", "ffmpeg", "ffprobe", "flac", "metaflac", "sndfile-info", "mediainfo", "opusinfo", "ogginfo"]
FRAMES = 48017
MARKERS = [(0, "Intro"), (24000, "Refrain äöü"), (48016, "End")]
LOOP = (12000, 36000)
TAGS = {"title": "Nähe", "artist": "Somebody Else"}
# WAV's names for our layouts, and the same for ffmpeg.
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}

failures = 0


def expect(what, condition, *details):
    global failures
    if not condition:
        failures += 1
        print("FAILED", what, *details)


def run(*command, binary=False):
    done = subprocess.run(command, capture_output=True, check=False)
    out, err = done.stdout, done.stderr.decode(errors="replace")
    expect(" ".join(map(str, command[:2])), done.returncode == 0, done.returncode, err[-400:])
    return out if binary else out.decode(errors="replace") + err


def signal(channels, rate):
    """A different tone in each channel, low enough for an LFE, a little noise, two samples that clip."""
    rng = np.random.default_rng(7)
    t = np.arange(FRAMES)[:, None] / rate
    x = 0.4 * np.sin(2 * np.pi * 20 * (np.arange(channels) + 2) * t) + 1e-3 * rng.standard_normal((FRAMES, channels))
    x[100, 0], x[200, 0] = 1.2, -1.2
    return x.astype("<f4")


def quantised(x, bits):
    scale = 2.0 ** (bits - 1)
    return np.clip(np.rint(x.astype("f8") * scale), -scale, scale - 1).astype("i4")


def packed(integers, bits):
    return np.ascontiguousarray(integers.astype("<i4")[..., None].view("u1")[..., :bits // 8]).tobytes()


def encode(tool, folder, x, rate, **options):
    raw, out = folder + "/in.raw", folder + "/out." + options["ending"]
    x.tofile(raw)
    arguments = [f"{k}={v}" for k, v in options.items() if k != "ending"]
    arguments += [f"marker={frame}:{name}" for frame, name in MARKERS] + [f"tag={k}:{v}" for k, v in TAGS.items()]
    arguments += [f"channels={x.shape[1]}", f"rate={rate}", f"project={rate}", f"loop={LOOP[0]}:{LOOP[1]}"]
    result = json.loads(run(tool, out, raw, *arguments, binary=True))  # what libraries print is not the result
    return out, result


def probe(path):
    return json.loads(run("ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", path))


def decode_int(path, channels):
    """ffmpeg's samples, left-aligned in 32 bits."""
    out = run("ffmpeg", "-v", "error", "-i", path, "-f", "s32le", "-c:a", "pcm_s32le", "-", binary=True)
    return np.frombuffer(out, "<i4").reshape(-1, channels)


def decode_float(path, channels):
    out = run("ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-c:a", "pcm_f32le", "-", binary=True)
    return np.frombuffer(out, "<f4").reshape(-1, channels)


def sox_int(path, channels):
    out = run("sox", "-V1", "-D", path, "-t", "s32", "-L", "-", binary=True)
    return np.frombuffer(out, "<i4").reshape(-1, channels)


def check_samples(name, path, result, x, bits, dither, use_sox):
    channels = x.shape[1]
    if bits == 32:
        got = decode_float(path, channels)
        expect(name + " float samples", np.array_equal(got, x))
        expect(name + " digest", result["samples"] == "sha256:" + hashlib.sha256(x.tobytes()).hexdigest())
        return
    got = decode_int(path, channels)
    expect(name + " low bits are zero", not np.any(got & ((1 << (32 - bits)) - 1)))
    got = got >> (32 - bits)
    exact = quantised(x, bits)
    if dither:
        error = got - x.astype("f8") * 2.0 ** (bits - 1)
        error[[100, 200], 0] = 0
        expect(name + " dithered within 1.5 LSB", np.abs(error).max() <= 1.5, np.abs(error).max())
        expect(name + " is dithered", not np.array_equal(got, exact))
    else:
        expect(name + " samples", np.array_equal(got, exact))
        expect(name + " clipped", result["clipped"] == 2, result)
    expect(name + " digest", result["samples"] == "sha256:" + hashlib.sha256(packed(got, bits)).hexdigest())
    if use_sox:
        expect(name + " sox reads the same", np.array_equal(sox_int(path, channels) >> (32 - bits), got))


def chunks(data):
    """The chunks of a RIFF file, strictly: sizes must lead exactly to the end."""
    found, offset = [], 12
    while offset < len(data):
        size = struct.unpack_from("<I", data, offset + 4)[0]
        found.append((data[offset:offset + 4].decode(), data[offset + 8:offset + 8 + size]))
        offset += 8 + size + (size & 1)
    expect("RIFF ends where its chunks end", offset == len(data), offset, len(data))
    return found


def check_wav_marks(name, path):
    parts = chunks(open(path, "rb").read())
    by_id = dict(parts)
    cue = by_id["cue "]
    positions = [struct.unpack_from("<I", cue, 4 + 24 * i + 20)[0] for i in range(struct.unpack_from("<I", cue)[0])]
    expect(name + " cue positions", positions == [frame for frame, _ in MARKERS], positions)
    labels = next(body for kind, body in parts if kind == "LIST" and body[:4] == b"adtl")
    for _, label in MARKERS:
        expect(name + " label " + label, label.encode() + b"\0" in labels)
    info = run("sndfile-info", path)
    expect(name + " sndfile-info loop", re.search(rf"{LOOP[0]}\b.*\b{LOOP[1] - 1}\b", info.replace("\n", " ")), info)
    expect(name + " sndfile-info cues", re.search(r"Cue.*3|Count\s*:\s*3", info), info)
    soxi = run("soxi", path)
    expect(name + " soxi loop", re.search(r"Loop", soxi) is None or str(LOOP[0]) in soxi, soxi)


def check_pcm(tool, folder, kind, ending, codec, bits, channels, dither, known):
    rate = 48000
    name = f"{kind} {bits} bit {channels} ch dither={dither} known={known}"
    x = signal(channels, rate)
    path, result = encode(tool, folder, x, rate, ending=ending, format=kind, bits=bits, dither=dither, known=known)
    streams = probe(path)
    stream = streams["streams"][0]
    expect(name + " codec", stream["codec_name"] == codec, stream)
    expect(name + " rate and channels", (stream["sample_rate"], stream["channels"]) == (str(rate), channels), stream)
    expect(name + " length", int(stream["duration_ts"]) == FRAMES == result["frames"], stream)
    if kind != "aiff":
        expect(name + " layout", stream.get("channel_layout", LAYOUTS[channels]).startswith(LAYOUTS[channels]), stream)
    tags = {k.lower(): v for k, v in streams["format"].get("tags", {}).items()}
    expect(name + " title", tags.get("title") == TAGS["title"], tags)
    expect(name + " artist", TAGS["artist"] in (tags.get("artist"), tags.get("author")), tags)
    info = json.loads(run("mediainfo", "--Output=JSON", path))["media"]["track"]
    audio = next(t for t in info if t["@type"] == "Audio")
    expect(name + " mediainfo", (audio["Channels"], audio["SamplingRate"]) == (str(channels), str(rate)), audio)
    # mediainfo rounds the length of AIFF with an odd number of bytes (ffmpeg's as well).
    if kind != "aiff" or FRAMES * channels * bits // 8 % 2 == 0:
        expect(name + " mediainfo length", audio["SamplingCount"] == str(FRAMES), audio)
    check_samples(name, path, result, x, bits, dither, use_sox=True)
    listing = run("sndfile-info", path)
    expect(name + " sndfile-info length", re.search(rf"Frames\s*:\s*{FRAMES}\b", listing), listing)
    expect(name + " no PEAK", "PEAK" not in listing)
    if kind in ("wav", "bwf"):
        check_wav_marks(name, path)
    if kind == "bwf":
        history = f"A=PCM,F={rate},W={bits},M={LAYOUTS.get(channels) if channels < 3 else '6 channels'},T=Loophole"
        expect(name + " bext", (tags.get("encoded_by"), tags.get("time_reference"), tags.get("coding_history", "").strip()) ==
               ("Loophole", "0", history), tags)
    if kind == "flac":
        run("flac", "-t", "-s", path)
        expect(name + " metaflac",
               run("metaflac", "--show-total-samples", "--show-bps", path).split() == [str(FRAMES), str(bits)])
        md5 = hashlib.md5(packed(decode_int(path, channels) >> (32 - bits), bits)).hexdigest()
        expect(name + " MD5", run("metaflac", "--show-md5sum", path).strip() == md5)


def snr_db(x, got):
    error = got.astype("f8") - x
    return min(10 * np.log10((x.astype("f8") ** 2).sum(0) / (error ** 2).sum(0)))


def check_codec(tool, folder, kind, ending, channels, rate, least_snr, **options):
    name = f"{kind} {channels} ch {rate} Hz {options}"
    x = np.clip(signal(channels, rate), -0.7, 0.7)
    path, result = encode(tool, folder, x, rate, ending=ending, format=kind, **options)
    streams = probe(path)
    stream = streams["streams"][0]
    expect(name + " codec", stream["codec_name"] == kind, stream)
    expect(name + " channels", stream["channels"] == channels, stream)
    expect(name + " layout", stream.get("channel_layout") == LAYOUTS[channels], stream)
    tags = {k.lower(): v for k, v in {**streams["format"].get("tags", {}), **stream.get("tags", {})}.items()}
    expect(name + " tags", (tags.get("title"), tags.get("artist")) == (TAGS["title"], TAGS["artist"]), tags)
    got = decode_float(path, channels)
    if kind == "opus" and rate != 48000:
        expect(name + " length", abs(len(got) - FRAMES * 48000 // rate) <= 48000 // rate, len(got))
    else:
        expect(name + " length", len(got) == FRAMES, len(got))
        expect(name + " signal", snr_db(x, got) > least_snr, snr_db(x, got))
    expect(name + " digest", result["samples"] == "sha256:" + hashlib.sha256(x.tobytes()).hexdigest())
    expect(name + " notes", "holds no loop points" in result["notes"] and "holds no markers" in result["notes"], result)
    if kind == "vorbis":
        listing = run("ogginfo", path)
        expect(name + " ogginfo", "WARNING" not in listing and "EOF" not in listing, listing)
    if kind == "opus":
        listing = run("opusinfo", path)
        expect(name + " opusinfo", "WARNING" not in listing, listing)
    if "kbps" in options and kind == "mp3":
        expect(name + " bit rate", int(stream["bit_rate"]) == options["kbps"] * 1000, stream)


def main():
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print("skipped:", ", ".join(missing), "not installed")
        return 77
    tool = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        for bits, coding in [(16, "pcm_s16"), (24, "pcm_s24"), (32, "pcm_f32")]:
            for channels in (1, 2, 6):
                dither, known = int(channels == 2 and bits < 32), int(channels != 1)
                for kind, ending, codec in [("wav", "wav", coding + "le"), ("bwf", "wav", coding + "le"),
                                            ("aiff", "aiff", coding + "be"), ("flac", "flac", "flac")]:
                    if kind != "flac" or bits < 32:
                        check_pcm(tool, folder, kind, ending, codec, bits, channels, dither, known)
        for channels in (1, 2, 6):
            check_codec(tool, folder, "vorbis", "ogg", channels, 48000, 10)
            check_codec(tool, folder, "opus", "opus", channels, 48000, 10)
        check_codec(tool, folder, "vorbis", "ogg", 2, 44100, 15, kbps=160)
        check_codec(tool, folder, "opus", "opus", 2, 24000, 10, quality=0.8)
        for channels in (1, 2):
            check_codec(tool, folder, "mp3", "mp3", channels, 48000, 15, kbps=128)
        check_codec(tool, folder, "mp3", "mp3", 2, 44100, 15, quality=1.0)
    print("ok" if failures == 0 else f"{failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
