# SPDX-License-Identifier: MIT
"""Automation, frame by frame, against the formulas of the project format.

test_automation.py LOOPHOLE LOOPHOLE-SIGNAL"""
import sys

import numpy as np

from studio import gain, render, track, within
from tap import equal, run_tests

FRAMES = 30000
ONE = np.ones(FRAMES)
TABLE = 2.0**-20  # how far a table may be from the curve: absolute to a gain of 1, relative above
ROUNDING = 2.0**-23  # relative: gain and product become floats


def point(frame, value, curve=None):
    return {"at": {"frames": frame}, "value": value, **({"curve": curve} if curve else {})}


def automation(parameter, *points):
    return [{"parameter": parameter, "points": list(points)}]


def close(actual, expected, what):
    within(actual, expected, np.maximum(np.abs(expected), 1) * TABLE + np.abs(expected) * ROUNDING, what)


def stems(*names, tap="post"):
    return [("x", {"source": {"each": list(names), "tap": tap}})]


def ramp(frames, points):
    """Linear between (frame, value) pairs, held outside."""
    at, values = zip(*points)
    return np.interp(np.arange(frames), at, values)


def mono(name, **members):
    """A track without pan, which shows its fader alone."""
    return track(name, "one", output="narrow", **members)


NARROW = {"id": "narrow", "type": "group", "channels": 1}


def test_gain_is_linear_in_decibels_at_every_frame(folder):
    cases = {
        "long": [(100, -60), (20000, 0), (20001, 6), (29000, -144)],
        "steep": [(0, -200), (7, 24), (50, -3)],
        "loud": [(0, 60), (5000, 0), (10000, 60)],
        "early": [(10000, -12), (10001, -6)],
        "tiny": [(0, -0.001), (29999, 0.001)],
    }
    tracks = [NARROW] + [
        mono(name, gainDb=-30, automation=automation("gainDb", *[point(*p) for p in points]))
        for name, points in cases.items()
    ]
    done = render(folder, {"one": ONE}, tracks, stems(*cases))
    for name, points in cases.items():
        close(done["x-" + name][:, 0], gain(ramp(FRAMES, points)), name)


def test_hold_steps_and_silence(folder):
    tracks = [
        NARROW,
        mono("hold", automation=automation("gainDb", point(0, -6, "hold"), point(1000, 0, "hold"), point(2000, -12))),
        mono("step", automation=automation("gainDb", point(0, 0), point(1000, -6), point(1000, -20), point(2000, -20))),
        mono("last", automation=automation("gainDb", point(1000, -3, "hold"), point(1000, -9, "hold"))),
        mono(
            "silence",
            automation=automation("gainDb", point(0, 0), point(1000, "-inf"), point(2000, -6), point(3000, -12)),
        ),
        mono("unsorted", automation=automation("gainDb", point(2000, -12), point(0, 0))),
        mono("empty", gainDb=-5, automation=[{"parameter": "gainDb", "points": []}]),
    ]
    done = render(folder, {"one": ONE}, tracks, stems(*[t["id"] for t in tracks[1:]]))
    n = np.arange(FRAMES)
    expected = {
        "hold": gain(np.select([n < 1000, n < 2000], [-6, 0], -12)),
        "step": gain(np.where(n < 1000, -6 * n / 1000, -20)),
        "last": gain(np.where(n < 1000, -3, -9)),
        "silence": np.select([n < 1000, n < 2000], [1, 0], gain(np.interp(n, [2000, 3000], [-6, -12]))),
        "unsorted": gain(np.interp(n, [0, 2000], [0, -12])),
        "empty": np.full(FRAMES, gain(-5)),
    }
    for name, curve in expected.items():
        close(done["x-" + name][:, 0], curve, name)
    equal(not done["x-silence"][1000:2000].any(), True, "-inf is silence, not little")


def law_gains(law, pan):
    p = (pan + 1) / 2
    linear, power = np.column_stack([1 - p, p]), np.column_stack([np.cos(p * np.pi / 2), np.sin(p * np.pi / 2)])
    return {"constantPower": power, "linear": linear, "compromise": np.sqrt(linear * power)}[law]


def test_pan_moves_through_the_law(folder):
    points = [(500, -1), (15000, 1), (15001, 0.25), (25000, -0.5)]
    pan = ramp(FRAMES, points)
    automated = automation("pan", *[point(*p) for p in points])
    for law in ("constantPower", "linear", "compromise"):
        done = render(
            folder,
            {"one": ONE, "two": np.ones((FRAMES, 2))},
            [track("mono", "one", pan=1, automation=automated), track("stereo", "two", automation=automated)],
            stems("mono", "stereo"),
            panLaw=law,
        )
        close(done["x-mono"], law_gains(law, pan), law)
        close(done["x-stereo"], np.column_stack([np.minimum(1, 1 - pan), np.minimum(1, 1 + pan)]), "balance")


def test_gain_and_pan_move_together(folder):
    levels, pans = [(0, -20), (20000, 6)], [(5000, -0.8), (12345, 0.8), (29000, 0)]
    done = render(
        folder,
        {"one": ONE},
        [
            track(
                "t",
                "one",
                automation=automation("gainDb", *[point(*p) for p in levels])
                + automation("pan", *[point(*p) for p in pans]),
            )
        ],
        stems("t"),
    )
    close(
        done["x-t"],
        gain(ramp(FRAMES, levels))[:, None] * law_gains("constantPower", ramp(FRAMES, pans)),
        "gain and pan",
    )


def test_mute_holds_and_silences_the_pre_tap(folder):
    points = automation("mute", point(1000, True), point(2000, 0), point(5000, 1), point(6000, False))
    done = render(
        folder,
        {"one": ONE},
        [
            NARROW,
            mono("t", mute=True, automation=points, sends=[{"to": "r", "tap": "pre"}]),
            {"id": "r", "type": "return", "channels": 1, "output": "narrow"},
        ],
        [("post", {"source": "t"}), ("pre", {"source": {"track": "t", "tap": "pre"}}), ("sent", {"source": "r"})],
    )
    n = np.arange(FRAMES)
    heard = np.where((n >= 2000) & (n < 5000) | (n >= 6000), 1.0, 0.0)
    for name in ("post", "pre", "sent"):
        equal(np.array_equal(done[name][:, 0], heard), True, f"the mute gate in {name}")


def test_sends_move_by_themselves(folder):
    points = [(1000, -40), (20000, 3)]
    send = automation("sends/wet/gainDb", *[point(*p) for p in points])
    fader = automation("gainDb", point(0, 0), point(29999, -30))
    done = render(
        folder,
        {"one": ONE},
        [
            NARROW,
            {"id": "wet", "type": "return", "channels": 1, "output": "narrow"},
            mono("t", automation=send + fader, sends=[{"to": "wet", "gainDb": -99, "tap": "post"}]),
        ],
        stems("t", "wet"),
    )
    dry = gain(ramp(FRAMES, [(0, 0), (29999, -30)]))
    close(done["x-t"][:, 0], dry, "the track")
    close(done["x-wet"][:, 0], dry * gain(ramp(FRAMES, points)), "the send")


def test_points_in_beats_fall_on_the_tempo_map(folder):
    done = render(
        folder,
        {"one": ONE},
        [
            NARROW,
            mono(
                "t",
                automation=[
                    {
                        "parameter": "gainDb",
                        "points": [{"at": {"beats": 0.5}, "value": -24}, {"at": {"seconds": 0.5}, "value": 0}],
                    }
                ],
            ),
        ],
        stems("t"),
        tempo=[{"at": {"beats": 0}, "bpm": 240}, {"at": {"beats": 0.25}, "bpm": 120}],
    )
    close(done["x-t"][:, 0], gain(ramp(FRAMES, [(9000, -24), (24000, 0)])), "a ramp from beats to seconds")


if __name__ == "__main__":
    sys.exit(
        run_tests(
            [
                test_gain_is_linear_in_decibels_at_every_frame,
                test_hold_steps_and_silence,
                test_pan_moves_through_the_law,
                test_gain_and_pan_move_together,
                test_mute_holds_and_silences_the_pre_tap,
                test_sends_move_by_themselves,
                test_points_in_beats_fall_on_the_tempo_map,
            ]
        )
    )
