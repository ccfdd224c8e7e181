# SPDX-License-Identifier: MIT
"""Loudness in the report on the signals of EBU Tech 3341 and 3342, and ffmpeg's ebur128 on the files.

The signals that are authentic programmes (3341: 7 and 8, 3342: 5 and 6) cannot be synthesised; all others up to 19 of
3341 are here, made of clips of one tone. test_loudness.py LOOPHOLE LOOPHOLE-SIGNAL"""
import os
import re
import shutil
import subprocess
import sys

import numpy as np

from studio import RATE, gain, render, tell, track, within
from tap import Skip, equal, run_tests

TOLERANCE, RANGE_TOLERANCE = 0.1, 1.0  # LU
PEAK_ABOVE, PEAK_BELOW = 0.2, 0.4  # dB
PRINTED = 0.05  # ffmpeg prints one decimal
LONGEST = 61


def tone(seconds, hertz=1000.0):
    return np.sin(2 * np.pi * hertz * np.arange(int(round(seconds * RATE))) / RATE)


def tone_track(name, parts):
    """Stretches of the tone of (seconds, dBFS) in both channels; None is silence."""
    clips, at = [], 0
    for seconds, level in parts:
        frames = int(round(seconds * RATE))
        if level is not None:
            clips.append(
                {
                    "media": "tone",
                    "start": {"frames": at},
                    "offset": {"frames": at % 48},
                    "duration": {"frames": frames},
                    "gainDb": level,
                }
            )
        at += frames
    return track(name, *clips, channels=2)


def measured(folder, signals, deliverable=None):
    """Renders signals (name: parts), each to a file; -> the render, and what its report measured of each."""
    tracks = [tone_track(name, parts) for name, parts in signals.items()]
    done = render(
        folder,
        {"tone": tone(LONGEST)},
        tracks,
        [("x", {"bitDepth": 24, "source": {"each": list(signals)}, **(deliverable or {})})],
    )
    return done, {name: done.of(f"x-{name}.wav")["loudness"]["measured"] for name in signals}


def loudest(found, member):
    """(signal, its loudest window) where the report tells of it."""
    if any(member not in loudness for loudness in found.values()):
        raise Skip(f"the report has no {member}")
    return [(name, loudness[member]) for name, loudness in found.items()]


def ffmpeg_says(path, peak=False):
    if shutil.which("ffmpeg") is None:
        raise Skip("ffmpeg is not installed")
    told = subprocess.run(
        [
            "ffmpeg",
            "-hide_banner",
            "-nostats",
            "-nostdin",
            "-i",
            path,
            "-af",
            "ebur128=framelog=verbose" + (":peak=true" if peak else ""),
            "-f",
            "null",
            "-",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
    ).stdout.decode()
    summary = told[told.rindex("Summary:") :]
    return {
        "integrated": float(re.search(r"I:\s+(\S+) LUFS", summary)[1]),
        "range": float(re.search(r"LRA:\s+(\S+) LU", summary)[1]),
        "peak": float(re.search(r"Peak:\s+(\S+) dBFS", summary)[1]) if peak else None,
    }


def file_of(done, name):
    return os.path.join(done.folder, f"x-{name}.wav")


def test_3341_integrated(folder):
    signals = {
        "1": [(20, -23)],
        "2": [(20, -33)],
        "3": [(10, -36), (60, -23), (10, -36)],
        "4": [(10, -72), (10, -36), (60, -23), (10, -36), (10, -72)],
        "5": [(20, -26), (20.1, -20), (20, -26)],
    }
    done, found = measured(folder, signals)
    for name, loudness in found.items():
        expected = -33 if name == "2" else -23
        within(loudness["integratedLufs"], expected, TOLERANCE, f"signal {name}")
        within(
            ffmpeg_says(file_of(done, name))["integrated"],
            loudness["integratedLufs"],
            TOLERANCE + PRINTED,
            f"ffmpeg on signal {name}",
        )


def test_3341_surround(folder):
    levels = [-28, -28, -24, -30, -30]
    done = render(
        folder,
        {"m": tone(20)[:, None] * gain(levels)},
        [{"id": "master", "type": "master", "channels": 5}, track("t", "m", channels=5)],
        [("x", {"bitDepth": 24})],
    )
    loudness = done.of("x.wav")["loudness"]["measured"]
    within(loudness["integratedLufs"], -23, TOLERANCE, "signal 6")


def test_3341_short_term(folder):
    signals = {"1": [(20, -23)], "2": [(20, -33)], "9": [(1.34, -20), (1.66, -30)] * 5}
    signals |= {f"10.{i}": [(0.15 * i, None), (3, -23), (1, None)] for i in range(20)}
    signals |= {f"11.{i}": [(0.15 * i, None), (3, -38 + i), (1, None)] for i in range(20)}
    _, found = measured(folder, signals)
    for name, level in loudest(found, "maxShortTermLufs"):
        expected = {"11": -38 + int(name[3:] or 0), "2": -33}.get(name.split(".")[0], -23)
        within(level, expected, TOLERANCE, f"signal {name}")


def test_3341_momentary(folder):
    signals = {"1": [(5, -23)], "2": [(5, -33)], "12": [(0.18, -20), (0.22, -30)] * 25}
    signals |= {f"13.{i}": [(0.02 * i, None), (0.4, -23), (1, None)] for i in range(20)}
    signals |= {f"14.{i}": [(0.02 * i, None), (0.4, -38 + i), (1, None)] for i in range(20)}
    _, found = measured(folder, signals)
    for name, level in loudest(found, "maxMomentaryLufs"):
        expected = {"14": -38 + int(name[3:] or 0), "2": -33}.get(name.split(".")[0], -23)
        within(level, expected, TOLERANCE, f"signal {name}")


def test_3341_true_peak(folder):
    cases = {
        "15": (4, 0.5, 0, -6),
        "16": (4, 0.5, 45, -6),
        "17": (6, 0.5, 60, -6),
        "18": (8, 0.5, 67.5, -6),
        "19": (4, 1.41, 45, 3),
    }
    frames = RATE
    fade = np.minimum(1, np.minimum(np.arange(frames), np.arange(frames)[::-1]) / 480)  # no click at the ends
    sounds = {
        name: fade * amplitude * np.sin(2 * np.pi * np.arange(frames) / period + np.radians(phase))
        for name, (period, amplitude, phase, _) in cases.items()
    }
    done = render(
        folder,
        sounds,
        [track("t" + name, name, channels=2) for name in sounds],
        [("x", {"source": {"each": ["t" + name for name in sounds]}})],
    )
    for name, (_, _, _, expected) in cases.items():
        peak = done.of(f"x-t{name}.wav")["loudness"]["measured"]["truePeakDbtp"]
        equal(-PEAK_BELOW <= peak - expected <= PEAK_ABOVE, True, f"true peak of signal {name}, {peak}")
        within(ffmpeg_says(file_of(done, "t" + name), peak=True)["peak"], peak, 0.3, f"ffmpeg on signal {name}")


def test_3342_range(folder):
    signals = {
        "1": [(20, -20), (20, -30)],
        "2": [(20, -20), (20, -15)],
        "3": [(20, -40), (20, -20)],
        "4": [(20, -50), (20, -35), (20, -20), (20, -35), (20, -50)],
    }
    done, found = measured(folder, signals)
    for name, expected in {"1": 10, "2": 5, "3": 20, "4": 15}.items():
        within(found[name]["rangeLu"], expected, RANGE_TOLERANCE, f"signal {name}")
        within(ffmpeg_says(file_of(done, name))["range"], found[name]["rangeLu"], 0.5, f"ffmpeg on signal {name}")


def programme(seconds, crest):
    """Pink noise whose level moves as music's does, with clicks that reach `crest` times its peak."""
    rng = np.random.default_rng(3341)
    frames = seconds * RATE
    spectrum = np.fft.rfft(rng.standard_normal((2, frames)), axis=1)
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(frames, 1 / RATE), 20)), frames, axis=1)
    noise *= np.repeat(gain(rng.uniform(-12, 0, 2 * seconds)), RATE // 2) / np.abs(noise).max()
    noise[:, ::RATE] *= crest
    return 0.2 * noise.T


def test_targets_are_reached_or_held_by_the_peak(folder):
    sounds = {"smooth": programme(15, 1), "peaky": programme(15, 6)}
    tracks = [track("smooth", "smooth"), track("peaky", "peaky")]
    targets = {
        "quiet": ("smooth", {"integrated": -23, "truePeak": -1}, {"bitDepth": 24}),
        "loud": ("smooth", {"integrated": -14}, {"bitDepth": 16}),
        "flac": ("smooth", {"integrated": -23, "truePeak": -3}, {"format": "flac", "bitDepth": 24}),
        "held": ("peaky", {"integrated": -14, "truePeak": -1}, {"bitDepth": 24}),
        "ceiling": ("peaky", {"truePeak": -9}, {}),
    }
    done = render(
        folder,
        sounds,
        tracks,
        [
            (name, {"source": source, "loudness": loudness, **members})
            for name, (source, loudness, members) in targets.items()
        ],
    )
    for name, (_, target, members) in targets.items():
        file = name + (".flac" if name == "flac" else ".wav")
        report = done.of(file)
        reached, heard = report["loudness"]["reached"], ffmpeg_says(os.path.join(done.folder, file), peak=True)
        tell(
            f"{name}: {report['gainDb']} dB, reached {reached['integratedLufs']:.3f} LUFS and "
            f"{reached['truePeakDbtp']:.3f} dBTP; "
            f"ffmpeg says {heard['integrated']} and {heard['peak']}"
        )
        equal(report["gainDb"], round(report["gainDb"], 3), "a gain is rounded to 0.001 dB")
        within(
            heard["integrated"],
            reached["integratedLufs"],
            TOLERANCE + PRINTED,
            f"{name}: ffmpeg and what the report reached",
        )
        within(heard["peak"], reached["truePeakDbtp"], 0.2 + PRINTED, f"{name}: ffmpeg's true peak and the report's")
        if "truePeak" in target:
            equal(
                reached["truePeakDbtp"] <= target["truePeak"] + 0.001,
                True,
                f"{name}: the ceiling holds, {reached['truePeakDbtp']}",
            )
        if name in ("held", "ceiling"):
            within(reached["truePeakDbtp"], target["truePeak"], 0.002, f"{name}: no lower than the peak needs")
            equal(reached["integratedLufs"] < target.get("integrated", 0), True, f"{name}: below the target")
        else:
            within(reached["integratedLufs"], target["integrated"], 0.001, f"{name}: the report's reached loudness")
            within(heard["integrated"], target["integrated"], TOLERANCE + PRINTED, f"{name}: ffmpeg's loudness")


def test_gain_from_follows_and_nothing_is_squashed(folder):
    sounds = {"a": programme(8, 1), "b": programme(8, 2)[::-1]}
    tracks = [track("a", "a"), track("b", "b", gainDb=-4)]
    done = render(
        folder,
        sounds,
        tracks,
        [
            ("mix", {"loudness": {"integrated": -20, "truePeak": -1}}),
            ("plain", {}),
            ("stem", {"source": {"each": ["a", "b"]}, "gainFrom": "mix"}),
        ],
    )
    applied = gain(done.of("mix.wav")["gainDb"])
    equal(done.of("stem-a.wav")["gainDb"], done.of("mix.wav")["gainDb"], "gain of the stem")
    within(done["mix"], done["plain"] * applied, 2.0**-22, "one gain and nothing else")
    within(done["stem-a"] + done["stem-b"], done["mix"], 2.0**-21, "the stems still add up to the mix")


if __name__ == "__main__":
    sys.exit(
        run_tests(
            [
                test_3341_integrated,
                test_3341_surround,
                test_3341_short_term,
                test_3341_momentary,
                test_3341_true_peak,
                test_3342_range,
                test_targets_are_reached_or_held_by_the_peak,
                test_gain_from_follows_and_nothing_is_squashed,
            ]
        )
    )
