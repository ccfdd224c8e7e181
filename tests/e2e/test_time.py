# SPDX-License-Identifier: MIT
"""Where things sound: tempo maps, clips, ranges, tails. test_time.py LOOPHOLE LOOPHOLE-SIGNAL"""
import sys

import numpy as np

from studio import RATE, render, track, within
from tap import equal, run_tests

IMPULSE = np.array([1.0])
PANELS = 4000  # of the numeric integration, a beat


def seconds_at(tempo, beat):
    """The integral of 60/bpm over beats, by Simpson's rule from point to point. Tempo: (beat, bpm, curve)."""
    seconds = 0.0
    for i, (start, bpm, curve) in enumerate(tempo):
        end = tempo[i + 1][0] if i + 1 < len(tempo) else np.inf
        if beat <= start:
            break
        last = tempo[i + 1][1] if curve == "ramp" and i + 1 < len(tempo) else bpm
        slope = (last - bpm) / (end - start) if last != bpm else 0.0
        until = min(beat, end)
        x = np.linspace(start, until, 2 * max(1, int(np.ceil((until - start) * PANELS))) + 1)
        y = 60.0 / (bpm + slope * (x - start))
        seconds += (x[1] - x[0]) / 3 * (y[0] + y[-1] + 4 * y[1::2].sum() + 2 * y[2:-1:2].sum())
    return seconds


def points(tempo):
    return [{"at": {"beats": beat}, "bpm": bpm, "curve": curve} for beat, bpm, curve in tempo]


def clip(media, **members):
    return {"media": media, **members}


def at(frames):
    return {"frames": frames}


def nonzero(samples):
    return np.flatnonzero(samples[:, 0]).tolist()


def played(folder, sound, *clips, **more):
    """What clips of one mono sound play, before the pan."""
    return render(
        folder, {"m": sound}, [track("t", *clips)], [("x", {"source": {"track": "t", "tap": "pre"}, **more})]
    )["x"]


def test_clips_start_where_the_tempo_map_says(folder):
    beats = [0, 0.5, 1, 3.999, 4, 6.25, 8, 11.1, 12, 12.001, 15, 16, 17.75, 20, 31, 40.125]
    for tempo in (
        [(0, 120, "step")],
        [(0, 97.3, "step"), (4, 131.7, "step"), (12, 40, "step")],
        [(0, 60, "ramp"), (8, 180, "ramp"), (12, 33.3, "step"), (16, 120, "ramp"), (24, 120.001, "step")],
        [(0, 999, "ramp"), (16, 1, "ramp"), (17, 240, "step")],
    ):
        expected = [int(np.rint(seconds_at(tempo, beat) * RATE)) for beat in beats]
        clips = [clip("m", start={"beats": beat}) for beat in beats]
        done = render(folder, {"m": IMPULSE}, [track("t", *clips)], tempo=points(tempo))
        equal(nonzero(done["mix"]), sorted(set(expected)), f"frames of clips under {tempo}")
        equal(len(done["mix"]), expected[-1] + 1, "the end of the last clip ends the mix")


def test_lengths_in_beats_are_measured_where_they_begin(folder):
    tempo = [(0, 60, "ramp"), (8, 180, "step")]
    done = render(
        folder,
        {"m": np.ones(10 * RATE)},
        [track("t", clip("m", start={"beats": 2}, duration={"beats": 3}))],
        tempo=points(tempo),
    )
    start, end = (int(np.rint(seconds_at(tempo, beat) * RATE)) for beat in (2, 5))
    equal(nonzero(done["mix"]), list(range(start, end)), "frames heard")


def test_seconds_and_frames_round_to_even(folder):
    rate = 1000  # where half frames are exact in seconds
    done = render(
        folder,
        {"m": IMPULSE},
        [track("t", *[clip("m", start={"seconds": s}) for s in (0.0625, 0.1875, 0.3, 1.0, 2.0004)])],
        sampleRate=rate,
    )
    equal(nonzero(done["mix"]), [62, 188, 300, 1000, 2000], "62.5, 187.5, ...")


def test_offsets_loops_and_reverse(folder):
    m = np.arange(1, 1001) / 1024
    cases = [
        (dict(offset=at(900)), m[900:]),
        (dict(offset=at(100), duration=at(50)), m[100:150]),
        (dict(offset=at(900), duration=at(150)), np.append(m[900:], np.zeros(50))),
        (dict(offset=at(5000), duration=at(5)), np.zeros(5)),
        (dict(reverse=True), m[::-1]),
        (dict(offset=at(300), duration=at(100), reverse=True), m[300:400][::-1]),
        (dict(offset=at(900), duration=at(150), reverse=True), np.append(np.zeros(50), m[900:][::-1])),
        (dict(offset=at(600), duration=at(1500), loop=True), np.tile(m[600:], 4)[:1500]),
        (dict(offset=at(600), duration=at(1500), loop=True, reverse=True), np.tile(m[600:], 4)[:1500][::-1]),
        (dict(offset=at(999), duration=at(7), loop=True), np.tile(m[999:], 7)),
        (dict(duration=at(300), loop=True), m[:300]),
        (dict(offset={"seconds": 0.01}, duration={"seconds": 0.005}), m[480:720]),
    ]
    tracks = [track(f"t{i}", clip("m", start=at(10 * i), **members)) for i, (members, _) in enumerate(cases)]
    done = render(folder, {"m": m}, tracks, [("x", {"source": {"each": [t["id"] for t in tracks], "tap": "pre"}})])
    for i, (members, sound) in enumerate(cases):
        heard = done[f"x-t{i}"][:, 0]
        expected = np.zeros(len(heard))
        expected[10 * i : 10 * i + len(sound)] = sound
        within(heard, expected, 0, str(members))


def test_clips_overlap_and_add(folder):
    m = np.arange(1, 101) / 128
    heard = played(
        folder,
        m,
        clip("m"),
        clip("m", start=at(30)),
        clip("m", start=at(30), reverse=True),
        clip("m", mute=True, start=at(500)),
    )
    expected = np.zeros(600)  # a muted clip still counts for the end
    for start, sound in ((0, m), (30, m), (30, m[::-1])):
        expected[start : start + 100] += sound
    within(heard[:, 0], expected, 0, "sum")


def test_ranges_cut_both_ends(folder):
    m = np.arange(1, 4001) / 4096
    half = np.concatenate([np.zeros(500), m])[:, None]
    for members, expected in [
        (dict(start=at(1000), end=at(3000)), half[1000:3000]),
        (dict(start=at(200)), half[200:]),
        (dict(end=at(6000)), np.concatenate([half, np.zeros((1500, 1))])),
        (dict(end=at(3000), tail={"seconds": 0.01}), np.concatenate([half[:3000], np.zeros((480, 1))])),
        (dict(start=at(1000), end=at(3000), preroll=at(700)), half[1000:3000]),
        (
            dict(start=at(1000), end=at(3000), tail={"untilDb": -60, "holdSeconds": 0.5, "maxSeconds": 5}),
            half[1000:3000],
        ),
    ]:
        heard = played(folder, m, clip("m", start=at(500)), range=members)
        within(heard, expected, 0, f"range {members}")


def test_curves_do_not_know_of_ranges(folder):
    sounds = {"m": np.ones(20000)}
    tracks = [
        track(
            "t",
            clip("m", fadeIn={"duration": at(15000), "shape": "sCurve"}),
            automation=[
                {"parameter": "gainDb", "points": [{"at": at(1000), "value": -40}, {"at": at(19000), "value": 0}]}
            ],
        )
    ]
    done = render(
        folder,
        sounds,
        tracks,
        [
            ("all", {}),
            ("part", {"range": {"start": at(7777), "end": at(9999)}}),
            ("rolled", {"range": {"start": at(7777), "end": at(9999), "preroll": at(3000)}}),
        ],
    )
    within(done["part"], done["all"][7777:9999], 0, "part")
    within(done["rolled"], done["all"][7777:9999], 0, "part with pre-roll")


if __name__ == "__main__":
    sys.exit(
        run_tests(
            [
                test_clips_start_where_the_tempo_map_says,
                test_lengths_in_beats_are_measured_where_they_begin,
                test_seconds_and_frames_round_to_even,
                test_offsets_loops_and_reverse,
                test_clips_overlap_and_add,
                test_ranges_cut_both_ends,
                test_curves_do_not_know_of_ranges,
            ]
        )
    )
