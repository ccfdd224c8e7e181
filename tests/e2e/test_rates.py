# SPDX-License-Identifier: MIT
"""Rate conversion through the command, of media and of deliverables, against `sox rate -v`.

test_rates.py LOOPHOLE LOOPHOLE-SIGNAL

sox runs with -f, which keeps its pass band flat to the end; the converters alone are compared in tests/engine/io."""
import os
import shutil
import subprocess
import sys

import numpy as np

from studio import render, save, tell, track, within
from tap import Skip, equal, run_tests

SECONDS, EDGE = 3, 0.1  # what is left out at both ends, where every filter rings on the cut signal
NULL_DB = -130
RESAMPLERS = ("soxr", "samplerate")


def tone(rate):
    return 0.5 * np.sin(2 * np.pi * 997 * np.arange(SECONDS * rate) / rate)


def sweep(rate, lowest):
    """From 20 Hz to where both pass bands are flat."""
    time = np.arange(SECONDS * rate) / rate
    top = 0.43 * lowest
    return 0.5 * np.sin(2 * np.pi * (20 * time + (top - 20) * time * time / (2 * SECONDS)))


def sox(path, rate):
    if shutil.which("sox") is None:
        raise Skip("sox is not installed")
    raw = subprocess.run(
        ["sox", path, "-t", "f32", "-", "rate", "-v", "-f", str(rate)], check=True, stdout=subprocess.PIPE
    ).stdout
    return np.frombuffer(raw, "<f4").astype(float)


def null_db(ours, theirs, rate):
    edge = int(EDGE * rate)
    count = min(len(ours), len(theirs))
    return 20 * np.log10(max(np.abs(ours[edge : count - edge] - theirs[edge : count - edge]).max(), 1e-12))


def compare(ours, theirs, rate, what):
    equal(abs(len(ours) - len(theirs)) <= 1, True, f"{what}: {len(ours)} and {len(theirs)} frames")
    level = null_db(ours, theirs, rate)
    tell(f"{what}: {level:.1f} dB")
    equal(level < NULL_DB, True, f"{what} nulls")


def test_media_at_other_rates(folder):
    for rate in (44100, 96000):
        for what, sound in (("997 Hz", tone(rate)), ("sweep", sweep(rate, min(rate, 48000)))):
            save(os.path.join(folder, "m.wav"), sound, rate)
            expected = sox(os.path.join(folder, "m.wav"), 48000)
            for resampler in RESAMPLERS:
                done = render(
                    folder,
                    {},
                    [track("t", "m")],
                    [("x", {"source": {"track": "t", "tap": "pre"}})],
                    media={"m": {"file": "m.wav", "resampler": resampler}},
                )
                equal(len(done["x"]), round(len(sound) * 48000 / rate), "length")
                compare(done["x"][:, 0], expected, 48000, f"media at {rate} Hz, {what}, {resampler}")


def test_deliverables_at_other_rates(folder):
    for rate in (44100, 96000):
        for what, sound in (("997 Hz", tone(48000)), ("sweep", sweep(48000, min(rate, 48000)))):
            for resampler in RESAMPLERS:
                done = render(
                    folder,
                    {"m": sound},
                    [track("t", "m", channels=2)],
                    [("x", {"sampleRate": rate})],
                    resampler=resampler,
                )
                equal(done.of("x.wav")["sampleRate"], rate, "the report's rate")
                equal(len(done["x"]), round(len(sound) * rate / 48000), "length")
                equal(np.array_equal(done["x"][:, 0], done["x"][:, 1]), True, "both channels")
                compare(
                    done["x"][:, 0],
                    sox(os.path.join(folder, "m.wav"), rate),
                    rate,
                    f"deliverable at {rate} Hz, {what}, {resampler}",
                )


def test_there_and_back_again(folder):
    sound = sweep(44100, 44100)
    save(os.path.join(folder, "m.wav"), sound, 44100)
    for resampler in RESAMPLERS:
        done = render(
            folder,
            {},
            [track("t", "m", channels=2)],
            [("x", {"sampleRate": 44100})],
            media={"m": {"file": "m.wav"}},
            resampler=resampler,
        )
        compare(done["x"][:, 0], sound, 44100, f"44100 to 48000 and back, {resampler}")


def test_conversion_does_not_know_of_clips(folder):
    rate = 44100
    save(os.path.join(folder, "m.wav"), np.random.default_rng(8).uniform(-0.5, 0.5, (2 * rate, 2)), rate)
    clips = {
        "whole": {},
        "part": {"offset": {"frames": 12345}, "duration": {"frames": 4321}, "start": {"frames": 777}},
        "back": {"offset": {"frames": 50000}, "duration": {"frames": 999}, "reverse": True},
    }
    done = render(
        folder,
        {},
        [track(name, {"media": "m", **members}) for name, members in clips.items()],
        [("x", {"source": {"each": list(clips)}})],
        media={"m": {"file": "m.wav"}},
    )
    whole = done["x-whole"]
    equal(len(whole), 96000, "length")
    within(done["x-part"][777 : 777 + 4321], whole[12345 : 12345 + 4321], 0, "part")
    within(done["x-back"][:999], whole[50000:50999][::-1], 0, "backwards")


def test_silence_and_level_survive(folder):
    """A constant keeps its level and an impulse its place and area."""
    rate = 96000
    impulse = np.zeros(rate)
    impulse[48000] = 1.0
    save(os.path.join(folder, "i.wav"), impulse, rate)
    save(os.path.join(folder, "c.wav"), np.full(rate, 0.5), rate)
    save(os.path.join(folder, "z.wav"), np.zeros(rate), rate)
    for resampler in RESAMPLERS:
        done = render(
            folder,
            {},
            [track(name, name) for name in "icz"],
            [("x", {"source": {"each": list("icz"), "tap": "pre"}})],
            media={name: {"file": name + ".wav"} for name in "icz"},
            resampler=resampler,
        )
        equal(int(np.argmax(done["x-i"][:, 0])), 24000, f"{resampler}: the impulse's place")
        within(done["x-i"].sum(), 0.5, 1e-5, f"{resampler}: the impulse's area")
        within(done["x-c"][4800:-4800], np.full((38400, 1), 0.5), 1e-6, f"{resampler}: a constant")
        equal(not done["x-z"].any(), True, f"{resampler}: silence")


if __name__ == "__main__":
    sys.exit(
        run_tests(
            [
                test_media_at_other_rates,
                test_deliverables_at_other_rates,
                test_there_and_back_again,
                test_conversion_does_not_know_of_clips,
                test_silence_and_level_survive,
            ]
        )
    )
