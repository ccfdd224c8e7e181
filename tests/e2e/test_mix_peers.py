# SPDX-License-Identifier: MIT
"""A mix of stems against sox, ffmpeg and numpy in high precision: the same within one step of 24 bits, without dither.

test_mix_peers.py LOOPHOLE LOOPHOLE-SIGNAL"""
import os
import shutil
import subprocess
import sys

import numpy as np

from studio import LOOPHOLE, RATE, SIGNAL, gain, load, render_file, save, tell, track, within
from tap import Skip, environment, equal, run, run_tests, write

STEMS, SECONDS = 16, 4
LSB = 2.0**-23
LEVELS = [-3 - 0.37 * i for i in range(STEMS)]
PANS = [-0.9 + 0.12 * i for i in range(STEMS)]


def stem(index):
    """Noise and a tone, different left and right, as loud as the mix allows."""
    rng = np.random.default_rng(100 + index)
    time = np.arange(SECONDS * RATE) / RATE
    tone = np.sin(2 * np.pi * (55 * (index + 1)) * time[:, None] + [0, 1])
    return 0.08 * tone + rng.uniform(-0.06, 0.06, (len(time), 2))


def side_gains():
    """Fader times balance, left and right, of each stem."""
    return [(gain(db) * min(1, 1 - pan), gain(db) * min(1, 1 + pan)) for db, pan in zip(LEVELS, PANS)]


def make(folder):
    """Stems and project; -> the stems' paths and their sum in float64."""
    paths, total = [], 0.0
    for i, gains in enumerate(side_gains()):
        paths.append(os.path.join(folder, f"s{i}.wav"))
        save(paths[-1], stem(i), bits=24)
        total = total + load(paths[-1]) * gains
    equal(np.abs(total).max() < 1, True, "nothing clips")
    write(
        os.path.join(folder, "p.json"),
        {
            "loophole": 1,
            "media": {f"s{i}": {"file": f"s{i}.wav"} for i in range(STEMS)},
            "tracks": [track(f"s{i}", f"s{i}", gainDb=LEVELS[i], pan=PANS[i]) for i in range(STEMS)],
            "deliverables": [{"name": "mix", "bitDepth": 24, "dither": "none"}, {"name": "float", "bitDepth": 32}],
        },
    )
    return paths, total


def ours(folder):
    return render_file(os.path.join(folder, "p.json"), os.path.join(folder, "out"))


def compare(folder, theirs, what):
    done = ours(folder)
    tell(
        f"{what}: {within(done['mix'], theirs, LSB, what) / LSB:.3f} LSB away in 24 bits, "
        f"{within(done['float'], theirs, LSB, what) / LSB:.3f} in float"
    )


def needs(program):
    if shutil.which(program) is None:
        raise Skip(f"{program} is not installed")


def test_against_a_sum_in_float64(folder):
    _, total = make(folder)
    compare(folder, total, "numpy")


def test_against_sox(folder):
    needs("sox")
    paths, _ = make(folder)
    sides = [
        ",".join(f"{2 * i + 1 + side}v{gains[side]:.17g}" for i, gains in enumerate(side_gains())) for side in (0, 1)
    ]
    out = os.path.join(folder, "sox.wav")
    subprocess.run(["sox", "-D", "-M", *paths, "-b", "32", out, "remix", *sides], check=True)
    raw = subprocess.run(["sox", out, "-t", "s32", "-"], check=True, stdout=subprocess.PIPE).stdout
    compare(folder, np.frombuffer(raw, "<i4").reshape(-1, 2) / 2.0**31, "sox")


def test_against_ffmpeg(folder):
    needs("ffmpeg")
    paths, _ = make(folder)
    chains = "".join(
        f"[{i}:a]aformat=sample_fmts=dblp,pan=stereo|c0={left:.17g}*c0|c1={right:.17g}*c1[s{i}];"
        for i, (left, right) in enumerate(side_gains())
    )
    mixed = (
        "".join(f"[s{i}]" for i in range(STEMS))
        + f"amix=inputs={STEMS}:normalize=0:dropout_transition=0,aformat=sample_fmts=dbl[o]"
    )
    raw = subprocess.run(
        [
            "ffmpeg",
            "-nostdin",
            "-hide_banner",
            "-loglevel",
            "error",
            *sum((["-i", path] for path in paths), []),
            "-filter_complex",
            chains + mixed,
            "-map",
            "[o]",
            "-c:a",
            "pcm_f64le",
            "-f",
            "f64le",
            "-",
        ],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    compare(folder, np.frombuffer(raw, "<f8").reshape(-1, 2), "ffmpeg")


def test_mix_without_a_project_is_the_same_mix(folder):
    paths, _ = make(folder)
    options = sum((["--gain", f"s{i}={LEVELS[i]!r}", "--pan", f"s{i}={PANS[i]!r}"] for i in range(STEMS)), [])
    out = os.path.join(folder, "float.wav")
    done = run(
        [LOOPHOLE, "mix", *paths, "-o", out, "--bit-depth", "32", *options], env=environment(LOOPHOLE_SIGNAL=SIGNAL)
    )
    equal(done.returncode, 0, done.talk)
    within(load(out), ours(folder)["float"], 0, "loophole mix")


if __name__ == "__main__":
    sys.exit(
        run_tests(
            [
                test_against_a_sum_in_float64,
                test_against_sox,
                test_against_ffmpeg,
                test_mix_without_a_project_is_the_same_mix,
            ]
        )
    )
