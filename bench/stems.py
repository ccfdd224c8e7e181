# SPDX-License-Identifier: MIT
"""Makes stems for the benchmarks: stereo 24-bit WAV (44-byte header) of coloured noise and tones, and their gains."""
import json
import os
import struct
import numpy


def write_wav24(path, frames, rate, seed, chunk=1 << 20):
    generator = numpy.random.default_rng(seed)
    with open(path, "wb") as out:
        size = frames * 6
        out.write(struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 2, rate, rate * 6, 6, 24, b"data", size))
        for at in range(0, frames, chunk):
            count = min(chunk, frames - at)
            time = (at + numpy.arange(count)) / rate
            tone = 0.1 * numpy.sin(2 * numpy.pi * (60 + 13 * (seed % 64)) * time)
            noise = 0.05 * generator.standard_normal((count, 2), dtype=numpy.float32)
            value = numpy.clip((tone[:, None] + noise) * 8388608, -8388608, 8388607).astype("<i4")
            out.write(value.reshape(-1, 1).view("u1").reshape(-1, 4)[:, :3].tobytes())


def make(folder, count, seconds, rate=48000):
    """Returns [(path, left gain, right gain, gain in dB, pan)] and writes LIST (mix.tsv) and a project (mix.json) for them."""
    os.makedirs(folder, exist_ok=True)
    stems = []
    for i in range(count):
        path = os.path.join(folder, f"stem_{i:03d}.wav")
        if not os.path.exists(path) or os.path.getsize(path) != 44 + seconds * rate * 6:
            write_wav24(path, seconds * rate, rate, 100 + i)
        gain_db = -12 - (i % 7)
        pan = round(-0.9 + 1.8 * i / max(1, count - 1), 3)
        gain = 10 ** (gain_db / 20)
        stems.append((path, gain * min(1, 1 - pan), gain * min(1, 1 + pan), gain_db, pan))
    with open(os.path.join(folder, "mix.tsv"), "w") as out:
        for path, left, right, _, _ in stems:
            out.write(f"{path}\t{left:.9f}\t{right:.9f}\n")
    write_project(os.path.join(folder, "mix.json"), stems, rate, [{"name": "mix", "source": "master", "format": "wav", "bitDepth": 24, "dither": "none"}])
    return stems


def write_project(path, stems, rate, deliverables):
    project = {"loophole": 1, "name": "bench", "sampleRate": rate,
               "media": {f"s{i}": {"file": os.path.basename(s[0])} for i, s in enumerate(stems)},
               "tracks": [{"id": f"t{i}", "type": "audio", "gainDb": s[3], "pan": s[4],
                           "clips": [{"media": f"s{i}", "start": {"frames": 0}}]} for i, s in enumerate(stems)],
               "deliverables": deliverables}
    with open(path, "w") as out:
        json.dump(project, out)
