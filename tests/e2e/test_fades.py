# SPDX-License-Identifier: MIT
"""Every frame of fades against the formulas of the project format. test_fades.py LOOPHOLE LOOPHOLE-SIGNAL"""
import sys

import numpy as np

from studio import gain, render, track, within
from tap import equal, run_tests

BOUND = 2.0**-19  # of full scale
SHAPES = {
    "linear": lambda x: x,
    "constantPower": lambda x: np.sin(x * np.pi / 2),
    "sCurve": lambda x: (1 - np.cos(x * np.pi)) / 2,
    "exponential": lambda x: (10.0 ** (3 * x) - 1) / 999,
}
LENGTHS = [1, 2, 3, 64, 255, 1000, 4801, 48000]


def fade_in(shape, fade, frames):
    """Frame i of k is at i/k."""
    return np.where(np.arange(frames) < fade, SHAPES[shape](np.minimum(np.arange(frames) / fade, 1)), 1.0)


def fade_out(shape, fade, frames):
    """Frame i of the last k is at (k-i)/k."""
    left = frames - np.arange(frames)
    return np.where(left <= fade, SHAPES[shape](np.minimum(left / fade, 1)), 1.0)


def clip(media="one", **members):
    return {"media": media, **members}


def fade(frames, shape):
    return {"duration": {"frames": frames}, "shape": shape}


def pre(tracks):
    """Deliverables that show what is before pan and fader."""
    return [("x", {"source": {"each": [t["id"] for t in tracks], "tap": "pre"}})]


def test_every_shape_length_and_frame(folder):
    frames = max(LENGTHS) + 100
    tracks, expected = [], {}
    for shape in SHAPES:
        for length in LENGTHS:
            name = f"{shape}-{length}"
            tracks += [
                track("in-" + name, clip(fadeIn=fade(length, shape))),
                track("out-" + name, clip(fadeOut=fade(length, shape))),
            ]
            expected["in-" + name] = fade_in(shape, length, frames)
            expected["out-" + name] = fade_out(shape, length, frames)
    done = render(folder, {"one": np.ones(frames)}, tracks, pre(tracks))
    for name, curve in expected.items():
        within(done["x-" + name][:, 0], curve, BOUND, name)


def test_overlapping_fades_multiply(folder):
    frames = 3000
    tracks, expected = [], {}
    for i, (shape, other) in enumerate(
        [("linear", "sCurve"), ("constantPower", "constantPower"), ("exponential", "linear")]
    ):
        tracks.append(track(f"t{i}", clip(gainDb=-2, fadeIn=fade(2000, shape), fadeOut=fade(2500, other))))
        expected[f"t{i}"] = fade_in(shape, 2000, frames) * fade_out(other, 2500, frames) * gain(-2)
    done = render(folder, {"one": np.ones(frames)}, tracks, pre(tracks))
    for name, curve in expected.items():
        within(done["x-" + name][:, 0], curve, 2 * BOUND, name)


def test_fades_are_capped_at_the_clip(folder):
    frames = 1000
    tracks = [
        track("in", clip(fadeIn=fade(5000, "sCurve"))),
        track("out", clip(fadeOut=fade(5000, "linear"))),
        track("short", clip(duration={"frames": 10}, fadeIn=fade(11, "linear"), fadeOut=fade(10, "linear"))),
    ]
    done = render(folder, {"one": np.ones(frames)}, tracks, pre(tracks))
    within(done["x-in"][:, 0], fade_in("sCurve", frames, frames), BOUND, "fade-in")
    within(done["x-out"][:, 0], fade_out("linear", frames, frames), BOUND, "fade-out")
    within(done["x-short"][:10, 0], fade_in("linear", 10, 10) * fade_out("linear", 10, 10), BOUND, "both")
    equal(not done["x-short"][10:].any(), True, "silence after the clip")


def test_fades_act_after_loop_and_reverse(folder):
    ramp = np.arange(1, 501) / 512
    tracks = [
        track(
            "t",
            clip(
                "ramp",
                start={"frames": 77},
                offset={"frames": 100},
                duration={"frames": 1000},
                loop=True,
                reverse=True,
                fadeIn=fade(300, "constantPower"),
                fadeOut=fade(150, "linear"),
            ),
        )
    ]
    done = render(folder, {"ramp": ramp}, tracks, pre(tracks))
    played = np.tile(ramp[100:], 3)[:1000][::-1]
    within(
        done["x-t"][77:, 0], played * fade_in("constantPower", 300, 1000) * fade_out("linear", 150, 1000), BOUND, "clip"
    )
    equal(not done["x-t"][:77].any(), True, "silence before the clip")


def test_fades_in_seconds_and_beats(folder):
    frames = 96000  # two seconds; at 100 bpm half a beat is 0.3 s
    tracks = [
        track(
            "s", clip(fadeIn={"duration": {"seconds": 0.25}}, fadeOut={"duration": {"seconds": 0.1}, "shape": "sCurve"})
        ),
        track("b", clip(fadeIn={"duration": {"beats": 0.5}}, fadeOut={"duration": {"beats": 1}, "shape": "sCurve"})),
    ]
    done = render(folder, {"one": np.ones(frames)}, tracks, pre(tracks), tempo=[{"at": {"beats": 0}, "bpm": 100}])
    within(done["x-s"][:, 0], fade_in("linear", 12000, frames) * fade_out("sCurve", 4800, frames), BOUND, "seconds")
    within(done["x-b"][:, 0], fade_in("linear", 14400, frames) * fade_out("sCurve", 28800, frames), BOUND, "beats")


def test_constant_power_crossfade_keeps_the_power(folder):
    frames, cross = 20000, 4800
    tracks = [
        track("a", clip(duration={"frames": 10000}, fadeOut=fade(cross, "constantPower"))),
        track(
            "b", clip(start={"frames": 10000 - cross}, duration={"frames": 10000}, fadeIn=fade(cross, "constantPower"))
        ),
    ]
    done = render(folder, {"one": np.ones(frames)}, tracks, pre(tracks))
    power = done["x-a"][:15000, 0] ** 2 + done["x-b"][:15000, 0] ** 2
    within(power, np.ones(15000), 4 * BOUND, "power")


if __name__ == "__main__":
    sys.exit(
        run_tests(
            [
                test_every_shape_length_and_frame,
                test_overlapping_fades_multiply,
                test_fades_are_capped_at_the_clip,
                test_fades_act_after_loop_and_reverse,
                test_fades_in_seconds_and_beats,
                test_constant_power_crossfade_keeps_the_power,
            ]
        )
    )
