#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes broken media, and odd ones that are whole, into a folder, with a manifest.

    broken_media.py FOLDER

FOLDER/manifest.tsv has a line for each file: name, status, words.
status  ok      it is read to its end
        format  it is refused, or reading it fails; the message holds the words
        fault   a sample is not a finite number; the message holds the words
Compressed files come from ffmpeg; everything else is written by hand.
"""
import math
import os
import random
import struct
import subprocess
import sys

FRAMES = 4000
RATE = 48000


def tone(frames=FRAMES, channels=1):
    return [int(12000 * math.sin(2 * math.pi * 440 * i / RATE)) for i in range(frames) for _ in range(channels)]


def pcm16(big=False, **kinds):
    samples = tone(**kinds)
    return struct.pack(("%s%dh") % (">" if big else "<", len(samples)), *samples)


SOUND = pcm16()
SOUND_BIG = pcm16(big=True)


# --- WAV and its family -----------------------------------------------------------------------------------------------

def fmt(tag=1, channels=1, rate=RATE, align=None, bits=16, extra=b""):
    if align is None:
        align = channels * ((bits + 7) // 8)
    body = struct.pack("<HHIIHH", tag, channels, rate, (rate * align) & 0xFFFFFFFF, align & 0xFFFF, bits) + extra
    return chunk(b"fmt ", body)


def chunk(name, body, size=None):
    return name + struct.pack("<I", len(body) if size is None else size) + body + b"\0" * (len(body) & 1)


def wav(*chunks, magic=b"RIFF", riff_size=None):
    body = b"WAVE" + b"".join(chunks)
    return magic + struct.pack("<I", len(body) if riff_size is None else riff_size) + body


def data(body=SOUND, size=None):
    return chunk(b"data", body, size)


def rf64(riff_size, data_size, body=SOUND):
    ds64 = chunk(b"ds64", struct.pack("<QQQI", riff_size, data_size, len(body) // 2, 0))
    return wav(ds64, fmt(), data(body, 0xFFFFFFFF), magic=b"RF64", riff_size=0xFFFFFFFF)


def floats(values, wide=False):
    return struct.pack("<%d%s" % (len(values), "d" if wide else "f"), *values)


def float_wav(bad, at, wide=False):
    values = [0.25] * FRAMES
    values[at] = bad
    bits = 64 if wide else 32
    return wav(fmt(tag=3, bits=bits), data(floats(values, wide)))


def extensible(sub_tag=1, guid_end=b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"):
    return struct.pack("<HHIH", 22, 16, 4, sub_tag) + guid_end


def wav_files():
    good = wav(fmt(), data())
    yield "wav-one-byte-short.wav", good[:-1], "format", "truncated"
    yield "wav-cut-in-half.wav", good[:len(good) // 2], "format", "truncated"
    yield "wav-cut-in-header.wav", good[:30], "format", "truncated"
    yield "wav-riff-only.wav", good[:12], "format", "truncated"
    yield "wav-magic-only.wav", b"RIFF", "format", "not a sound file"
    yield "wav-is-avi.wav", b"RIFF\x24\0\0\0AVI " + SOUND, "format", "not a sound file"
    yield "wav-no-fmt.wav", wav(data()), "format", "does not say what it holds"
    yield "wav-short-fmt.wav", wav(chunk(b"fmt ", b"\1\0\1\0"), data()), "format", "does not say what it holds"
    yield "wav-no-data.wav", wav(fmt()), "format", "before its sound"
    yield "wav-data-before-fmt.wav", wav(data(), fmt()), "format", "does not say what it holds"
    yield "wav-0-hz.wav", wav(fmt(rate=0), data()), "format", "0 Hz"
    yield "wav-1-hz.wav", wav(fmt(rate=1), data()), "format", "1 Hz"
    yield "wav-4-ghz.wav", wav(fmt(rate=0xFFFFFFFF), data()), "format", "4294967295 Hz"
    yield "wav-0-channels.wav", wav(fmt(channels=0, align=2), data()), "format", "0 channels"
    yield "wav-17-channels.wav", wav(fmt(channels=17), data(SOUND[:3400])), "format", "17 channels"
    yield "wav-1024-channels.wav", wav(fmt(channels=1024), data(SOUND[:6144])), "format", "1024 channels"
    yield "wav-65535-channels.wav", wav(fmt(channels=65535), data()), "format", "65535 channels"
    yield "wav-align-lies.wav", wav(fmt(align=6), data()), "format", "contradicts itself"
    yield "wav-stereo-align-of-mono.wav", wav(fmt(channels=2, align=2), data()), "format", "contradicts itself"
    yield "wav-0-bits.wav", wav(fmt(bits=0, align=2), data()), "format", "0 bits"
    yield "wav-65535-bits.wav", wav(fmt(bits=65535, align=2), data()), "format", "65535 bits"
    yield "wav-48-bits.wav", wav(fmt(bits=48), data()), "format", "export it again"
    yield "wav-unknown-codec.wav", wav(fmt(tag=0x1234), data()), "format", "export it again"
    yield "wav-size-past-the-end.wav", wav(fmt(), data(size=0x10000000)), "format", "promises 268435456 bytes"
    yield "wav-size-almost-4-gib.wav", wav(fmt(), data(size=0xFFFFFFFE)), "format", "promises 4294967294 bytes"
    yield "wav-no-frames.wav", wav(fmt(), data(b"")), "format", "no sound"
    yield "wav-half-a-frame.wav", wav(fmt(channels=2), data(b"\1\2")), "format", "no sound"
    yield "wav-never-finished.wav", wav(fmt(), data(size=0), riff_size=36), "format", "never finished"
    yield "wav-streamed-and-empty.wav", wav(fmt(), data(b"", 0xFFFFFFFF)), "format", "no sound"
    yield "wav-junk-past-the-end.wav", wav(fmt(), chunk(b"junk", b"1234", 1 << 30), data()), "format", "before its sound"
    yield "wav-endless-chunks.wav", wav(*([chunk(b"junk", b"")] * 50000)), "format", "damaged"
    yield "wav-unknown-guid.wav", wav(fmt(tag=0xFFFE, extra=extensible(1, b"\xAA" * 14)), data()), "format", "export it again"
    yield "wav-extensible-cut.wav", wav(fmt(tag=0xFFFE), data()), "format", "export it again"
    yield "wav-ms-adpcm-of-nothing.wav", wav(fmt(tag=2, bits=4, align=0, extra=struct.pack("<HHH", 4, 0, 0)), data()), "format", ""
    yield "wav-ima-adpcm-of-nothing.wav", wav(fmt(tag=0x11, bits=4, align=0, extra=struct.pack("<HH", 2, 0)), data()), "format", ""
    yield "wav-nan.wav", float_wav(math.nan, 1234), "fault", "frame 1234 "
    yield "wav-inf.wav", float_wav(math.inf, 0), "fault", "frame 0 "
    yield "wav-minus-inf.wav", float_wav(-math.inf, FRAMES - 1), "fault", "frame %d " % (FRAMES - 1)
    yield "wav-double-nan.wav", float_wav(math.nan, 77, wide=True), "fault", "frame 77 "
    yield "wav-double-past-float.wav", float_wav(1e300, 78, wide=True), "fault", "frame 78 "
    yield "rf64-truncated.wav", rf64(1 << 33, 1 << 33), "format", "promises 8589934592 bytes"
    yield "rf64-of-2-to-63.wav", rf64(1 << 63, 1 << 63), "format", "truncated"
    yield "rf64-cut-in-header.wav", rf64(0, len(SOUND))[:30], "format", "truncated"
    # whole, if odd
    yield "odd-streamed.wav", wav(fmt(), data(size=0xFFFFFFFF), riff_size=0xFFFFFFFF), "ok", ""
    yield "odd-streamed-by-sox.wav", wav(fmt(), data(size=0x7FFFF000), riff_size=0x7FFFF024), "ok", ""
    yield "odd-chunks.wav", wav(chunk(b"odd ", b"123"), fmt(), chunk(b"LIST", b"INFO"), data(), chunk(b"tail", b"x")), "ok", ""
    yield "odd-16-channels.wav", wav(fmt(channels=16), data(SOUND[:3200])), "ok", ""
    yield "odd-one-frame.wav", wav(fmt(), data(b"\1\2")), "ok", ""
    yield "odd-rf64.wav", rf64(len(SOUND) + 72, len(SOUND)), "ok", ""


# --- other uncompressed containers ------------------------------------------------------------------------------------

W64_TAIL = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"


def w64(sound_size=None, channels=1, rate=RATE, frames=SOUND):
    def part(name, body, size=None):
        whole = len(body) + 24 if size is None else size
        return name + W64_TAIL + struct.pack("<Q", whole) + body + b"\0" * (-len(body) % 8)
    body = part(b"fmt ", struct.pack("<HHIIHH", 1, channels, rate, rate * 2, channels * 2, 16))
    body += part(b"data", frames, sound_size)
    head = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
    return head + struct.pack("<Q", len(body) + 40) + b"wave" + W64_TAIL + body


def w64_files():
    yield "w64-cut-in-half.w64", w64()[:4000], "format", "truncated"
    yield "w64-size-past-the-end.w64", w64(sound_size=1 << 50), "format", "truncated"
    yield "w64-chunk-of-no-size.w64", w64(sound_size=0), "format", "before its sound"
    yield "w64-0-hz.w64", w64(rate=0), "format", "0 Hz"
    yield "w64-0-channels.w64", w64(channels=0), "format", "0 channels"
    yield "w64-no-frames.w64", w64(frames=b""), "format", "no sound"
    yield "odd-whole.w64", w64(), "ok", ""


def extended(rate):
    if rate == 0:
        return b"\0" * 10
    exponent = rate.bit_length() - 1
    return struct.pack(">HQ", 16383 + exponent, rate << (63 - exponent))


def big_chunk(name, body, size=None):
    return name + struct.pack(">I", len(body) if size is None else size) + body + b"\0" * (len(body) & 1)


def aiff(channels=1, frames=FRAMES, bits=16, rate=None, sound=SOUND_BIG, size=None, kind=None, common=True, sounds=True):
    body = b"AIFF" if kind is None else b"AIFC"
    if common:
        description = struct.pack(">HIH", channels, frames, bits) + (extended(RATE) if rate is None else rate)
        body += big_chunk(b"COMM", description + (b"" if kind is None else kind + b"\0\0"))
    if sounds:
        body += big_chunk(b"SSND", struct.pack(">II", 0, 0) + sound, size)
    return b"FORM" + struct.pack(">I", len(body)) + body


def aiff_files():
    yield "aiff-cut-in-half.aiff", aiff()[:4000], "format", "truncated"
    yield "aiff-size-past-the-end.aiff", aiff(size=1 << 28), "format", "truncated"
    yield "aiff-0-hz.aiff", aiff(rate=extended(0)), "format", "0 Hz"
    yield "aiff-nan-hz.aiff", aiff(rate=b"\x7f\xff\xc0" + b"\0" * 7), "format", "0 Hz"
    yield "aiff-0-channels.aiff", aiff(channels=0), "format", "0 channels"
    yield "aiff-300-channels.aiff", aiff(channels=300), "format", "300 channels"
    yield "aiff-0-bits.aiff", aiff(bits=0), "format", "0 bits"
    yield "aiff-too-many-frames.aiff", aiff(frames=0xFFFFFFFF), "format", "contradicts itself"
    yield "aiff-no-comm.aiff", aiff(common=False), "format", "does not say what it holds"
    yield "aiff-no-ssnd.aiff", aiff(sounds=False), "format", "before its sound"
    yield "aiff-no-frames.aiff", aiff(frames=0, sound=b""), "format", "no sound"
    yield "aifc-unknown-codec.aiff", aiff(kind=b"QDM2"), "format", "export it again"
    yield "odd-whole.aiff", aiff(), "ok", ""
    yield "odd-little-endian.aiff", aiff(kind=b"sowt", sound=SOUND), "ok", ""


def caf(rate=float(RATE), channels=1, bits=16, packet=None, size=None, sound=SOUND_BIG, description=True, kind=b"lpcm"):
    body = b"caff" + struct.pack(">HH", 1, 0)
    if description:
        packet = channels * bits // 8 if packet is None else packet
        fields = struct.pack(">d4sIIIII", rate, kind, 0, packet, 1, channels, bits)
        body += b"desc" + struct.pack(">q", len(fields)) + fields
    if sound is not None:
        body += b"data" + struct.pack(">q", len(sound) + 4 if size is None else size) + b"\0\0\0\0" + sound
    return body


def caf_files():
    yield "caf-cut-in-half.caf", caf()[:4000], "format", "truncated"
    yield "caf-size-past-the-end.caf", caf(size=1 << 40), "format", "truncated"
    yield "caf-0-hz.caf", caf(rate=0.0), "format", "0 Hz"
    yield "caf-nan-hz.caf", caf(rate=math.nan), "format", "nan Hz"
    yield "caf-1e300-hz.caf", caf(rate=1e300), "format", "1e+300 Hz"
    yield "caf-0-channels.caf", caf(channels=0, packet=2), "format", "0 channels"
    yield "caf-4-billion-channels.caf", caf(channels=0xFFFFFFFF, packet=2), "format", "4294967295 channels"
    yield "caf-no-desc.caf", caf(description=False), "format", "does not say what it holds"
    yield "caf-no-data.caf", caf(sound=None), "format", "before its sound"
    yield "caf-no-frames.caf", caf(sound=b""), "format", "no sound"
    yield "caf-unknown-codec.caf", caf(kind=b"QDM2"), "format", "export it again"
    yield "caf-alac-of-pcm.caf", caf(kind=b"alac"), "format", ""
    yield "odd-whole.caf", caf(), "ok", ""
    yield "caf-streamed.caf", caf(size=-1), "format", "leaves its length open"


def au(offset=24, size=None, encoding=3, rate=RATE, channels=1, sound=SOUND_BIG):
    return b".snd" + struct.pack(">IIIII", offset, len(sound) if size is None else size, encoding, rate, channels) + sound


def au_files():
    yield "au-cut-in-half.au", au()[:4000], "format", "truncated"
    yield "au-header-cut.au", au()[:20], "format", "truncated"
    yield "au-0-channels.au", au(channels=0), "format", "0 channels"
    yield "au-0-hz.au", au(rate=0), "format", "0 Hz"
    yield "au-unknown-codec.au", au(encoding=9999), "format", "export it again"
    yield "au-offset-past-the-end.au", au(offset=1 << 30), "format", "no sound"
    yield "odd-whole.au", au(), "ok", ""
    yield "odd-streamed.au", au(size=0xFFFFFFFF), "ok", ""


# --- compressed -------------------------------------------------------------------------------------------------------

def encode(*options, frames=4 * RATE):
    samples = tone(frames=frames, channels=2)
    return subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "s16le", "-ar", str(RATE), "-ac", "2", "-i", "-", *options, "-"],
        input=struct.pack("<%dh" % len(samples), *samples), stdout=subprocess.PIPE, check=True).stdout


def patched(content, at, replacement):
    return content[:at] + replacement + content[at + len(replacement):]


def flac_files():
    # ffmpeg cannot go back in a pipe: the total of samples is put in by hand.
    good = bytearray(encode("-c:a", "flac", "-f", "flac"))
    good[21] &= 0xF0
    good[22:26] = struct.pack(">I", 4 * RATE)
    good = bytes(good)
    middle = len(good) // 2
    yield "flac-cut-in-half.flac", good[:middle], "format", "truncated"
    yield "flac-ten-bytes-short.flac", good[:-10], "format", "truncated"
    yield "flac-header-only.flac", good[:42], "format", ""
    yield "flac-magic-only.flac", good[:4], "format", ""
    yield "flac-damaged-inside.flac", patched(good, middle, bytes(64)), "format", "damaged"
    yield "flac-too-many-samples.flac", patched(good, 21, bytes([good[21] | 0x0F]) + b"\xff" * 4), "format", ""
    yield "flac-0-hz.flac", patched(good, 18, b"\0\0" + bytes([good[20] & 0x0F])), "format", ""
    yield "flac-metadata-past-the-end.flac", patched(good, 5, b"\xff\xff\xff"), "format", ""
    yield "odd-whole.flac", good, "ok", ""
    yield "odd-streamed.flac", patched(good, 21, bytes([good[21] & 0xF0]) + bytes(4)), "ok", ""


def ogg_files():
    vorbis = encode("-c:a", "libvorbis", "-q:a", "3", "-f", "ogg")
    opus = encode("-c:a", "libopus", "-b:a", "96k", "-f", "ogg")
    last = vorbis.rindex(b"OggS")
    yield "vorbis-cut-in-half.ogg", vorbis[:len(vorbis) // 2], "format", "truncated"
    yield "vorbis-last-page-missing.ogg", vorbis[:last], "format", "truncated"
    yield "vorbis-last-page-cut.ogg", vorbis[:-5], "format", "truncated"
    yield "vorbis-header-cut.ogg", vorbis[:40], "format", "truncated"
    yield "vorbis-magic-only.ogg", b"OggS", "format", "truncated"
    yield "vorbis-0-hz.ogg", recrc(patched(vorbis, vorbis.index(b"\x01vorbis") + 12, bytes(4))), "format", ""
    yield "vorbis-0-channels.ogg", recrc(patched(vorbis, vorbis.index(b"\x01vorbis") + 11, b"\0")), "format", ""
    yield "vorbis-absurd-length.ogg", recrc(patched(vorbis, last + 6, struct.pack("<Q", 1 << 60)), last), "format", ""
    inside = vorbis.index(b"OggS", len(vorbis) // 3)
    after = vorbis.index(b"OggS", inside + 4)
    yield "vorbis-page-missing.ogg", vorbis[:inside] + vorbis[after:], "format", "missing pages"
    yield "vorbis-bytes-missing.ogg", vorbis[:len(vorbis) // 3] + vorbis[len(vorbis) * 2 // 3:], "format", "damaged"
    yield "vorbis-damaged-inside.ogg", patched(vorbis, inside + 200, bytes(40)), "format", "damaged"
    yield "vorbis-twice.ogg", vorbis + opus, "format", "several streams"
    yield "odd-trailing-bytes.ogg", vorbis + b"TAG" + bytes(125), "ok", ""
    yield "opus-cut-in-half.opus", opus[:len(opus) // 2], "format", "truncated"
    yield "opus-0-channels.opus", recrc(patched(opus, opus.index(b"OpusHead") + 9, b"\0")), "format", ""
    yield "opus-version-255.opus", recrc(patched(opus, opus.index(b"OpusHead") + 8, b"\xff")), "format", ""
    yield "ogg-of-nothing-known.ogg", recrc(patched(vorbis, vorbis.index(b"\x01vorbis"), b"\x01nobody")), "format", ""
    yield "odd-whole.ogg", vorbis, "ok", ""
    yield "odd-whole.opus", opus, "ok", ""


def recrc(content, at=0):
    """The checksum of the Ogg page at `at`, made right again after a change."""
    segments = content[at + 26]
    size = 27 + segments + sum(content[at + 27:at + 27 + segments])
    page = bytearray(content[at:at + size])
    page[22:26] = bytes(4)
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    page[22:26] = struct.pack("<I", crc)
    return content[:at] + bytes(page) + content[at + size:]


def mp3_files(folder):
    # The tag with the length is written last: ffmpeg needs a file to go back in.
    path = os.path.join(folder, "odd-whole.mp3")
    samples = tone(frames=4 * RATE, channels=2)
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "s16le", "-ar", str(RATE), "-ac", "2", "-i", "-", "-c:a", "libmp3lame",
                    "-id3v2_version", "0", path], input=struct.pack("<%dh" % len(samples), *samples), check=True)
    with open(path, "rb") as file:
        good = file.read()
    yield "odd-whole.mp3", good, "ok", ""
    yield "odd-without-tag.mp3", encode("-c:a", "libmp3lame", "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3"), "ok", ""
    yield "mp3-cut-in-half.mp3", good[:len(good) // 2], "format", "truncated"
    yield "mp3-id3-past-the-end.mp3", b"ID3\4\0\0\x7f\x7f\x7f\x7f" + good, "format", "truncated"
    yield "mp3-id3-only.mp3", b"ID3\4\0\0\0\0\0\0", "format", ""
    yield "mp3-sync-and-noise.mp3", b"\xff\xfb\x90\x00" + random.Random(1).randbytes(3000), "format", ""
    yield "mp3-sync-only.mp3", b"\xff\xfb\x90\x00", "format", ""


# --- not sound at all -------------------------------------------------------------------------------------------------

def other_files():
    yield "other-empty.wav", b"", "format", "empty"
    yield "other-one-byte.wav", b"\0", "format", "not a sound file"
    yield "other-zeros.wav", bytes(5000), "format", "not a sound file"
    yield "other-noise.wav", b"\x01" + random.Random(2).randbytes(5000), "format", "not a sound file"
    yield "other-text.wav", b"Dear aunt,\nthe recording is in the other envelope.\n", "format", "not a sound file"
    yield "other-html.wav", b"<!DOCTYPE html><title>404 Not Found</title>", "format", "not a sound file"
    yield "other-png.wav", b"\x89PNG\r\n\x1a\n" + bytes(100), "format", "not a sound file"
    yield "other-mp4.wav", b"\0\0\0\x20ftypM4A " + bytes(100), "format", "MP4"
    yield "other-wavpack.wav", b"wvpk" + bytes(100), "format", "WavPack"
    yield "other-midi.wav", b"MThd\0\0\0\6\0\1\0\1\0\x60", "format", "MIDI"
    yield "other-zip.wav", b"PK\3\4" + bytes(100), "format", "ZIP"
    yield "other-matroska.wav", b"\x1a\x45\xdf\xa3" + bytes(100), "format", "Matroska"
    yield "other-aac.wav", b"\xff\xf1\x50\x80" + bytes(100), "format", "AAC"


def files(folder):
    for group in (wav_files, w64_files, aiff_files, caf_files, au_files, flac_files, ogg_files, other_files):
        yield from group()
    yield from mp3_files(folder)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: broken_media.py FOLDER")
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "manifest.tsv"), "w", encoding="utf-8") as manifest:
        for name, content, status, words in files(folder):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
            manifest.write("%s\t%s\t%s\n" % (name, status, words))


if __name__ == "__main__":
    main()
