# SPDX-License-Identifier: MIT
"""A project that uses every native feature, on media of whole numbers: no libm and no random generator of Python
decides over a bit of it, so its digests are the same on every machine."""
import json
import os
import subprocess

import numpy as np

from studio import save

MULTIPLIER, INCREMENT = 6364136223846793005, 1442695040888963407  # Knuth's MMIX generator


def noise(seed, frames, bits):
    """Whole numbers of `bits` bits, white."""
    states = np.empty(frames, np.uint64)
    states[0] = seed
    jump, step, done = np.uint64(MULTIPLIER), np.uint64(INCREMENT), 1  # jump and step go on by `done` states at once
    with np.errstate(over="ignore"):
        while done < frames:
            count = min(done, frames - done)
            states[done : done + count] = states[:count] * jump + step
            jump, step, done = jump * jump, jump * step + step, done + count
    return (states >> np.uint64(64 - bits)).astype(np.int64) - (1 << (bits - 1))


def triangle(frames, period, bits):
    """A triangular wave of whole numbers, a quarter of full scale high."""
    place = np.arange(frames) * 4 % (4 * period)
    wave = np.where(place < 2 * period, place - period, 3 * period - place)
    return wave * (1 << (bits - 3)) // period


def write_media(folder):
    """Float, 24 and 16 bits, mono and stereo, WAV and FLAC; all on the grid of their bits."""

    def scaled(values, bits):
        return np.asarray(values, float) / (1 << (bits - 1))

    stereo = np.column_stack(
        [triangle(150000, 109, 24) + noise(1, 150000, 20), triangle(150000, 73, 24) - noise(2, 150000, 20)]
    )
    save(os.path.join(folder, "stereo.wav"), scaled(stereo, 24), bits=24)
    save(os.path.join(folder, "mono.wav"), scaled(triangle(90001, 301, 16) + noise(3, 90001, 12), 16), bits=16)
    save(os.path.join(folder, "float.wav"), scaled(triangle(70000, 50, 22) + noise(4, 70000, 18), 22), bits=32)
    short = os.path.join(folder, "short.wav")
    save(short, scaled(np.column_stack([noise(5, 5000, 21), triangle(5000, 20, 24)]), 24), bits=24)
    subprocess.run(
        ["flac", "--silent", "-f", short, "-o", os.path.join(folder, "short.flac")],
        check=True,
        stderr=subprocess.DEVNULL,
    )  # it warns of WAVs of 24 bits with the plain header


def frames(count):
    return {"frames": count}


def beats(count):
    return {"beats": count}


def fade(duration, shape):
    return {"duration": duration, "shape": shape}


def audio_tracks():
    return [
        {
            "id": "drums",
            "type": "audio",
            "output": "rhythm",
            "gainDb": -3.3,
            "pan": -0.15,
            "invert": True,
            "clips": [
                {
                    "media": "stereo",
                    "fadeIn": fade(frames(5000), "constantPower"),
                    "fadeOut": fade({"seconds": 0.7}, "exponential"),
                },
                {"media": "short", "start": beats(3.25), "duration": beats(5), "loop": True, "gainDb": -7},
            ],
            "sends": [
                {"to": "hall", "gainDb": -9, "tap": "post"},
                {"to": "room", "gainDb": -12, "tap": "pre", "pan": 0.3},
            ],
        },
        {
            "id": "bass",
            "type": "audio",
            "output": "rhythm",
            "clips": [
                {"media": "mono", "offset": frames(777), "reverse": True, "fadeIn": fade(beats(0.5), "sCurve")},
                {
                    "media": "mono",
                    "start": {"seconds": 1.2345},
                    "duration": frames(123456),
                    "fadeOut": fade(frames(999), "linear"),
                },
            ],
            "automation": [
                {
                    "parameter": "gainDb",
                    "points": [
                        {"at": beats(0), "value": -24},
                        {"at": beats(4), "value": 0.5},
                        {"at": beats(6), "value": -6, "curve": "hold"},
                        {"at": beats(7), "value": "-inf"},
                        {"at": beats(7.5), "value": -3},
                    ],
                },
                {
                    "parameter": "mute",
                    "points": [{"at": {"seconds": 2}, "value": True}, {"at": {"seconds": 2.1}, "value": False}],
                },
            ],
        },
        {
            "id": "lead",
            "type": "audio",
            "gainDb": -4,
            "clips": [
                {
                    "media": "float",
                    "start": beats(1),
                    "loop": True,
                    "duration": beats(6),
                    "offset": frames(10000),
                    "gainDb": -1.5,
                },
                {"media": "short", "start": frames(60001), "reverse": True},
            ],
            "automation": [
                {"parameter": "pan", "points": [{"at": beats(0), "value": -1}, {"at": beats(5), "value": 0.8}]},
                {
                    "parameter": "sends/hall/gainDb",
                    "points": [{"at": beats(1), "value": -40}, {"at": beats(8), "value": -2}],
                },
            ],
            "sends": [{"to": "hall", "gainDb": -20}],
        },
        {"id": "silent", "type": "audio", "mute": True, "clips": [{"media": "mono", "start": {"seconds": 3}}]},
        {"id": "straight", "type": "audio", "clips": [{"media": "stereo", "start": frames(1)}], "gainDb": -18},
    ]


def buses():
    return [
        {
            "id": "main",
            "type": "master",
            "gainDb": -1,
            "automation": [
                {
                    "parameter": "gainDb",
                    "points": [
                        {"at": {"seconds": 0}, "value": -1},
                        {"at": {"seconds": 3.5}, "value": -2},
                        {"at": {"seconds": 4}, "value": -50},
                    ],
                }
            ],
        },
        {"id": "rhythm", "type": "group", "gainDb": 1.25, "pan": 0.05, "sends": [{"to": "room", "gainDb": -15}]},
        {"id": "hall", "type": "return", "gainDb": -2, "sends": [{"to": "room", "gainDb": -3, "tap": "pre"}]},
        {"id": "room", "type": "return", "output": "rhythm2", "pan": -0.4},
        {"id": "rhythm2", "type": "group", "gainDb": 0.1},
    ]


DELIVERABLES = [
    {"name": "mix24", "format": "wav", "bitDepth": 24},
    {"name": "mix16", "format": "flac", "bitDepth": 16},
    {"name": "exact", "format": "aiff", "bitDepth": 24, "dither": "none"},
    {
        "name": "float",
        "format": "wav",
        "bitDepth": 32,
        "range": {"start": {"seconds": 0.5}, "end": beats(7), "tail": {"seconds": 0.25}},
    },
    {
        "name": "loud",
        "format": "bwf",
        "bitDepth": 24,
        "loudness": {"integrated": -16, "truePeak": -1},
        "tags": {"title": "Everything"},
    },
    {
        "name": "held",
        "bitDepth": 16,
        "loudness": {"integrated": -5, "truePeak": -3},
        "range": {
            "start": beats(1),
            "end": beats(6),
            "preroll": beats(1),
            "tail": {"untilDb": -80, "holdSeconds": 0.1, "maxSeconds": 1},
        },
    },
    {"name": "stem", "source": {"each": ["drums", "bass", "lead", "hall"]}, "bitDepth": 24, "gainFrom": "loud"},
    {"name": "raw", "source": {"each": ["drums", "bass", "lead"], "tap": "pre"}, "bitDepth": 32},
    {"name": "part", "source": {"each": ["drums", "bass", "lead", "straight"], "tap": "contribution"}, "bitDepth": 32},
]


def project(**changes):
    return {
        "loophole": 1,
        "name": "Everything",
        "panLaw": "compromise",
        "tempo": [
            {"at": beats(0), "bpm": 97.3, "curve": "ramp"},
            {"at": beats(4), "bpm": 141},
            {"at": beats(6), "bpm": 120, "curve": "ramp"},
            {"at": beats(9), "bpm": 60},
        ],
        "markers": [{"at": beats(2), "name": "Two"}],
        "media": {
            name: {"file": f"{name}.{'flac' if name == 'short' else 'wav'}"}
            for name in ("stereo", "mono", "float", "short")
        },
        "tracks": buses() + audio_tracks(),
        "deliverables": DELIVERABLES,
        **changes,
    }


def write_project(folder, name="project.json", **changes):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        json.dump(project(**changes), file)
    return path
