# SPDX-License-Identifier: MIT
"""Levels against analytic values: faders, pan laws, balance, polarity, layouts.

test_levels.py LOOPHOLE LOOPHOLE-SIGNAL"""
import sys

import numpy as np

from studio import decibels, gain, render, track, within
from tap import equal, run_tests

FRAMES = 256
ONE = np.ones(FRAMES)
FLOAT_STEP = 2.0**-23  # relative: a gain is rounded to float once, the product once more
GRID = 2.0**-40  # of the sum
PUBLISHED = 0.0001  # dB: the published figures have four places


def exactly(actual, expected, what):
    return within(actual, expected, np.abs(expected) * FLOAT_STEP + GRID, what)


def law_gains(law, pan):
    p = (pan + 1) / 2
    linear, power = np.array([1 - p, p]), np.array([np.cos(p * np.pi / 2), np.sin(p * np.pi / 2)])
    return {"constantPower": power, "linear": linear, "compromise": np.sqrt(linear * power)}[law]


def test_pan_laws_at_the_published_levels(folder):
    for law, centre, quarter in [
        ("constantPower", -3.0103, (-0.6877, -8.3432)),
        ("linear", -6.0206, (-2.4988, -12.0412)),
        ("compromise", -4.5154, (-1.5932, -10.1922)),
    ]:
        done = render(
            folder,
            {"one": ONE},
            [track("mid", "one"), track("left", "one", pan=-0.5), track("right", "one", pan=0.5)],
            [("stem", {"source": {"each": ["mid", "left", "right"]}})],
            panLaw=law,
        )
        within(decibels(done["stem-mid"][100]), [centre, centre], PUBLISHED, f"{law}, centre")
        within(decibels(done["stem-left"][100]), quarter, PUBLISHED, f"{law}, p = 0.25")
        within(decibels(done["stem-right"][100]), quarter[::-1], PUBLISHED, f"{law}, p = 0.75")


def test_pan_laws_everywhere(folder):
    pans = np.linspace(-1, 1, 41)
    tracks = [track(f"t{i}", "one", pan=float(pan)) for i, pan in enumerate(pans)]
    for law in ("constantPower", "linear", "compromise"):
        done = render(
            folder, {"one": ONE}, tracks, [("s", {"source": {"each": [t["id"] for t in tracks]}})], panLaw=law
        )
        for i, pan in enumerate(pans):
            exactly(done[f"s-t{i}"], np.tile(law_gains(law, pan), (FRAMES, 1)), f"{law} at {pan}")


def test_balance(folder):
    pans = np.linspace(-1, 1, 21)
    stereo = np.column_stack([ONE * 0.5, ONE * -0.25])
    tracks = [track(f"t{i}", "both", pan=float(pan)) for i, pan in enumerate(pans)]
    done = render(folder, {"both": stereo}, tracks, [("s", {"source": {"each": [t["id"] for t in tracks]}})])
    for i, pan in enumerate(pans):
        exactly(done[f"s-t{i}"], stereo * [min(1, 1 - pan), min(1, 1 + pan)], f"balance at {pan}")


def test_faders_clips_and_sends_in_decibels(folder):
    levels = [0, -3, 6, -6.0206, 12.5, -60, -144, -200, 60, "-inf"]
    tracks = []
    for i, level in enumerate(levels):
        tracks += [
            track(f"f{i}", "both", gainDb=level),
            track(f"c{i}", {"media": "both", "gainDb": level}),
            track(f"s{i}", "both", gainDb="-inf", sends=[{"to": f"b{i}", "gainDb": level, "tap": "pre"}]),
            {"id": f"b{i}", "type": "return"},
        ]
    both = np.column_stack([ONE * 0.5, ONE * -0.125])
    names = [t["id"] for t in tracks]
    done = render(folder, {"both": both}, tracks, [("x", {"source": {"each": names}})])
    for i, level in enumerate(levels):
        expected = both * (0 if level == "-inf" else gain(level))
        exactly(done[f"x-f{i}"], expected, f"fader at {level} dB")
        exactly(done[f"x-c{i}"], expected, f"clip at {level} dB")
        exactly(done[f"x-b{i}"], expected, f"send at {level} dB")
        equal(not done[f"x-s{i}"].any(), True, "a fader at -inf silences the post tap")


def test_gains_in_a_row_multiply(folder):
    done = render(
        folder,
        {"one": ONE},
        [
            {"id": "master", "type": "master", "gainDb": -1, "pan": 0.25},
            {"id": "outer", "type": "group", "gainDb": 3, "pan": -0.1},
            {"id": "inner", "type": "group", "gainDb": -7.5, "output": "outer"},
            track("t", {"media": "one", "gainDb": 2}, gainDb=-4, pan=0.5, output="inner"),
        ],
    )
    left, right = law_gains("constantPower", 0.5) * gain(2 - 4 - 7.5 + 3 - 1) * [1, 0.9] * [0.75, 1]
    within(done["mix"], np.tile([left, right], (FRAMES, 1)), 6 * FLOAT_STEP, "five gains")


def test_polarity_nulls(folder):
    noise = np.random.default_rng(1).uniform(-1, 1, (FRAMES, 2))
    done = render(
        folder,
        {"noise": noise},
        [track("a", "noise", gainDb=-2.3, pan=0.2), track("b", "noise", gainDb=-2.3, pan=0.2, invert=True)],
        [("mix", {}), ("x", {"source": {"each": ["a", "b"]}})],
    )
    equal(not done["mix"].any(), True, "a sum with its own inverse is silent")
    equal(done["x-a"].any() and np.array_equal(done["x-a"], -done["x-b"]), True, "the inverse")


def test_layouts(folder):
    noise = np.random.default_rng(2).uniform(-1, 1, (FRAMES, 4)).astype("f4").astype(float)
    sounds = {"mono": noise[:, 0], "stereo": noise[:, :2], "quad": noise}
    done = render(
        folder,
        sounds,
        [
            track("doubled", "mono", channels=2),
            track("panned", "mono"),
            track("both", "mono", "stereo"),
            {"id": "four", "type": "group", "channels": 4},
            track("quad", "quad", channels=4, output="four"),
            {"id": "narrow", "type": "group", "channels": 1},
            track("mono", "mono", output="narrow", pan=-1),
        ],
        [
            ("x", {"source": {"each": ["doubled", "panned", "both", "four", "mono", "narrow"]}}),
            ("pre", {"source": {"track": "panned", "tap": "pre"}}),
        ],
    )
    equal(np.array_equal(done["x-doubled"], noise[:, [0, 0]]), True, "mono on a stereo track: both sides at unity")
    exactly(done["x-panned"], noise[:, [0, 0]] * np.sqrt(0.5), "mono into stereo: the pan law")
    within(done["x-both"], noise[:, :2] + noise[:, [0]], 2.0**-23, "mono and stereo on one track: stereo")
    equal(np.array_equal(done["x-four"], noise), True, "four channels straight through")
    equal(np.array_equal(done["x-mono"], noise[:, :1]), True, "pan does not act into mono")
    equal(np.array_equal(done["pre"], noise[:, :1]), True, "the pre tap is before the pan")
    exactly(done["x-narrow"], noise[:, [0, 0]] * np.sqrt(0.5), "a mono group is panned into the master")


if __name__ == "__main__":
    sys.exit(
        run_tests(
            [
                test_pan_laws_at_the_published_levels,
                test_pan_laws_everywhere,
                test_balance,
                test_faders_clips_and_sends_in_decibels,
                test_gains_in_a_row_multiply,
                test_polarity_nulls,
                test_layouts,
            ]
        )
    )
