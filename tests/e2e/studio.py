# SPDX-License-Identifier: MIT
"""What the tests of sound share: samples as numpy arrays, projects made of them, rendered by the real command.

A test's first two arguments are LOOPHOLE and LOOPHOLE-SIGNAL. Samples are float64 arrays of (frames, channels).
"""
import json
import os
import struct
import sys

import numpy as np

from tap import environment, run

LOOPHOLE, SIGNAL = (os.path.abspath(path) for path in sys.argv[1:3])
RATE = 48000
FLOAT = {"bitDepth": 32}  # a deliverable in which gains can be read
FORMAT_PCM, FORMAT_FLOAT = 1, 3


def columns(samples):
    """One channel may be given as a plain row of samples."""
    samples = np.asarray(samples)
    return samples[:, None] if samples.ndim == 1 else samples


def pack(samples, bits):
    """The bytes of samples in -1..1: little-endian PCM of 16 or 24 bits, rounded, or 32 bits of float."""
    samples = columns(samples)
    if bits == 32:
        return samples.astype("<f4").tobytes()
    full = 1 << (bits - 1)
    whole = np.clip(np.rint(samples * full), -full, full - 1).astype("<i4")
    return whole.reshape(-1, 1).view("u1")[:, : bits // 8].tobytes()


def save(path, samples, rate=RATE, bits=32):
    """Writes a WAV."""
    channels = columns(samples).shape[1]
    data = pack(samples, bits)
    frame_bytes = channels * bits // 8
    fmt = struct.pack(
        "<HHIIHH", FORMAT_FLOAT if bits == 32 else FORMAT_PCM, channels, rate, rate * frame_bytes, frame_bytes, bits
    )
    if bits == 32:
        fmt += struct.pack("<H", 0)  # all but PCM says how long the rest of the format is
    body = (
        b"WAVEfmt "
        + struct.pack("<I", len(fmt))
        + fmt
        + b"data"
        + struct.pack("<I", len(data))
        + data
        + b"\0" * (len(data) % 2)
    )
    with open(path, "wb") as file:
        file.write(b"RIFF" + struct.pack("<I", len(body)) + body)


def load(path):
    """The samples of a WAV of 16 or 24 bits or floats, exactly, in -1..1."""
    with open(path, "rb") as file:
        data = file.read()
    at, fmt = 12, None
    while at < len(data):
        name, size = data[at : at + 4], struct.unpack("<I", data[at + 4 : at + 8])[0]
        chunk = data[at + 8 : at + 8 + size]
        if name == b"fmt ":
            fmt = struct.unpack("<HHIIHH", chunk[:16])
        elif name == b"data":
            return unpack(chunk, fmt[5]).reshape(-1, fmt[1])
        at += 8 + size + size % 2
    raise AssertionError(f"{path} has no data chunk")


def unpack(data, bits):
    if bits == 32:
        return np.frombuffer(data, "<f4").astype(float)
    words = np.zeros((len(data) * 8 // bits, 4), "u1")
    words[:, 4 - bits // 8 :] = np.frombuffer(data, "u1").reshape(-1, bits // 8)
    return words.view("<i4")[:, 0] / 2.0**31


class Rendered:
    """The report of a render, and its deliverables (WAVs) by name."""

    def __init__(self, folder, report):
        self.folder = folder
        self.report = report

    def __getitem__(self, name):
        return load(os.path.join(self.folder, name + ".wav"))

    def of(self, name):
        """What the report says of one file."""
        return next(entry for entry in self.report["deliverables"] if os.path.basename(entry["file"]) == name)


def render_file(path, out, *options, launcher=(), **changes):
    """Renders a project file; `launcher` goes before the command, `changes` into its environment."""
    done = run(
        [*launcher, LOOPHOLE, "render", path, "-o", out, "--progress", "none", "--report", "-", *options],
        env=environment(LOOPHOLE_SIGNAL=SIGNAL, LOOPHOLE_CACHE="", **changes),
    )
    if done.returncode != 0:
        raise AssertionError(f"exit status {done.returncode}: {done.talk}")
    return Rendered(out, json.loads(done.stdout))


def render(folder, sounds, tracks, deliverables=(("mix", {}),), options=(), **project):
    """Renders a project made of `sounds` (id: samples, or a row of samples, at the project's rate, as float WAVs).

    Deliverables are (name, members) and float unless they say otherwise."""
    media = {}
    for name, samples in sounds.items():
        save(os.path.join(folder, name + ".wav"), samples, project.get("sampleRate", RATE))
        media[name] = {"file": name + ".wav"}
    document = {
        "loophole": 1,
        "name": "test",
        "media": {**media, **project.pop("media", {})},
        "tracks": tracks,
        "deliverables": [{"name": name, **FLOAT, **members} for name, members in deliverables],
        **project,
    }
    path = os.path.join(folder, "project.json")
    with open(path, "w") as file:
        json.dump(document, file)
    return render_file(path, os.path.join(folder, "out"), *options)


def track(name, *clips, **members):
    """An audio track; a clip is a medium's id or a full object."""
    return {
        "id": name,
        "type": "audio",
        "clips": [{"media": clip} if isinstance(clip, str) else clip for clip in clips],
        **members,
    }


def gain(db):
    return 10.0 ** (np.asarray(db, float) / 20)


def decibels(level):
    return 20 * np.log10(np.abs(level))


def within(actual, expected, bound, what):
    """Every element of `actual` is within `bound` of `expected`; -> the largest difference."""
    actual, expected = np.asarray(actual, float), np.asarray(expected, float)
    if actual.shape != expected.shape:
        raise AssertionError(f"{what}: shape {actual.shape}, expected {expected.shape}")
    excess = np.abs(actual - expected) - bound
    if not np.all(excess <= 0):  # so that NaN fails
        worst = (
            np.unravel_index(np.argmax(np.where(np.isnan(excess), np.inf, excess)), excess.shape) if excess.ndim else ()
        )
        raise AssertionError(
            f"{what}: {actual[worst]!r} at {worst}, expected {expected[worst]!r} within "
            f"{np.broadcast_to(bound, excess.shape)[worst]}"
        )
    return float(np.max(np.abs(actual - expected), initial=0.0))


def tell(text):
    """A line of diagnosis, which TAP lets pass."""
    print("# " + text, flush=True)
