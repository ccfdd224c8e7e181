# SPDX-License-Identifier: MIT
"""Dither as it is in files: floor, colour, shape, independence. test_dither.py LOOPHOLE LOOPHOLE-SIGNAL

Levels are relative to a sine of full scale, whose mean square is 1/2. TPDF dither has a variance of 1/6 LSB^2 and the
rounding one of 1/12: together 1/4 LSB^2, which for 16 bits is 10 lg(1/4 * 2^-30 / (1/2)) = -93.3 dB."""
import sys

import numpy as np

from studio import RATE, render, tell, track, within
from tap import equal, run_tests

FRAMES = 10 * RATE
FLOOR_DB = {16: -93.32, 24: -141.48}
CONFIDENCE = 5.0  # standard deviations; of the few hundred figures below none should pass by chance
TIME = np.arange(FRAMES)[:, None] / RATE


def sine(db, hertz=997.0):
    """Stereo, in quadrature: were the noise tied to the signal, the channels would show it."""
    return 10 ** (db / 20) * np.sin(2 * np.pi * hertz * TIME + [0, np.pi / 2])


SIGNALS = {
    "sine": sine(-20),
    "noise": np.random.default_rng(7).uniform(-0.1, 0.1, (FRAMES, 2)),
    "tiny": sine(-100),
    "third": np.full((FRAMES, 2), 1 / 3 / 2**15),
}


def errors(folder, sound, bits, **members):
    """What the format added, in LSB, and the signal that it was added to."""
    done = render(
        folder, {"m": SIGNALS[sound]}, [track("t", "m")], [("exact", {}), ("short", {"bitDepth": bits, **members})]
    )
    lsb = 2.0 ** (1 - bits)
    return (done["short"] - done["exact"]) / lsb, done["exact"] / lsb


def test_noise_floor(folder):
    for bits in (16, 24):
        for sound in SIGNALS:
            error, _ = errors(folder, sound, bits)
            level = 10 * np.log10(np.mean(error**2) * 2.0 ** (2 - 2 * bits) / 0.5)
            tell(f"{bits} bits, {sound}: {level:.3f} dB")
            within(level, FLOOR_DB[bits], 0.1, f"floor of {bits} bits under {sound}")
            within(error.mean(axis=0), [0, 0], CONFIDENCE * 0.5 / np.sqrt(FRAMES), "offset")


def test_noise_is_white(folder):
    bands = 32
    for sound in SIGNALS:
        error, _ = errors(folder, sound, 16)
        for channel in error.T:
            power = np.abs(np.fft.rfft(channel)[1:]) ** 2
            levels = power[: len(power) // bands * bands].reshape(bands, -1).mean(axis=1) / (0.25 * FRAMES)
            within(
                levels,
                np.ones(bands),
                CONFIDENCE * np.sqrt(bands / len(power)),
                f"spectrum under {sound}, band by band",
            )
            lags = np.fft.irfft(np.abs(np.fft.rfft(channel, 2 * FRAMES)) ** 2)[1:257] / (0.25 * FRAMES)
            within(lags, np.zeros(256), CONFIDENCE / np.sqrt(FRAMES), f"autocorrelation under {sound}")


def spline(x):
    """The density of triangular in (-1, 1) plus uniform in (-1/2, 1/2)."""
    x = np.abs(x)
    return np.where(x < 0.5, 0.75 - x * x, np.where(x < 1.5, (1.5 - x) ** 2 / 2, 0.0))


def test_noise_is_triangular_plus_rounding(folder):
    error, _ = errors(folder, "noise", 16)  # a sine lies longer at its peaks: not everywhere alike between two steps
    equal(np.abs(error).max() < 1.5, True, "never past one and a half steps")
    edges = np.linspace(-1.5, 1.5, 61)
    counts, _ = np.histogram(error, edges)
    middles, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    expected = error.size * width * (spline(edges[1:]) + 4 * spline(middles) + spline(edges[:-1])) / 6
    within(counts, expected, CONFIDENCE * np.sqrt(expected) + 1, "histogram")


def test_noise_on_a_constant(folder):
    """x is 1/3 of a step: rounding (1/3 + triangular) gives -1, 0, 1 with the probabilities that its density says."""
    error, _ = errors(folder, "third", 16)
    expected = {-1: (1 - 0.5 - 1 / 3) ** 2 / 2, 1: (1 - 0.5 + 1 / 3) ** 2 / 2}
    expected[0] = 1 - expected[-1] - expected[1]
    for step, share in expected.items():
        found = np.mean(np.rint(error + 1 / 3) == step)
        within(found, share, CONFIDENCE * np.sqrt(share / error.size), f"share of {step}")


def test_noise_does_not_depend_on_the_signal(folder):
    bound = CONFIDENCE / np.sqrt(FRAMES)
    for sound in ("sine", "tiny"):
        error, signal = errors(folder, sound, 16)
        for side in (0, 1):
            figures = [("error", error[:, side]), ("its square", error[:, side] ** 2)]
            if (
                sound == "sine"
            ):  # TPDF makes two moments independent; of a signal below a step, the size is not one of them
                figures.append(("its size", np.abs(error[:, side])))
            for what, figure in figures:
                for other, against in (
                    ("signal", signal[:, side]),
                    ("the other channel's signal", signal[:, 1 - side]),
                    ("size of the signal", np.abs(signal[:, side])),
                ):
                    within(
                        np.corrcoef(figure, against)[0, 1], 0, bound, f"correlation of {what} and {other} under {sound}"
                    )
        # The mean and the power of the error are the same wherever the sample lies between two steps.
        between = np.floor(16 * (signal % 1)).astype(int)
        for place in range(16):
            here = error[between == place]
            if len(here) > 1000:
                within(
                    here.mean(), 0, CONFIDENCE * 0.5 / np.sqrt(len(here)), f"mean at {place}/16 of a step under {sound}"
                )
                within(
                    np.mean(here**2),
                    0.25,
                    CONFIDENCE * 0.33 / np.sqrt(len(here)),
                    f"power at {place}/16 under {sound}",
                )


def test_channels_and_deliverables_have_their_own(folder):
    names = ["a", "b", "a1", "b1"]
    mono = SIGNALS["sine"][:, 0]
    done = render(
        folder,
        {"m": np.column_stack([mono, mono])},
        [track("t", "m")],
        [("exact", {})] + [(name, {"bitDepth": 16}) for name in names],
    )
    noises = np.column_stack([(done[name] - done["exact"]) * 2**15 for name in names])
    matrix = np.corrcoef(noises, rowvar=False) - np.eye(2 * len(names))
    within(matrix, np.zeros(matrix.shape), CONFIDENCE / np.sqrt(FRAMES), "correlation between channels and files")
    spectra = np.fft.rfft(noises, axis=0)  # nor is any a shifted copy of another
    for i in range(noises.shape[1]):
        for k in range(i):
            shifted = np.fft.irfft(spectra[:, i] * spectra[:, k].conj()) / (0.25 * FRAMES)
            within(np.abs(shifted).max(), 0, 7 / np.sqrt(FRAMES), f"channels {i} and {k} at any shift")


def test_without_dither_it_is_rounding(folder):
    for bits in (16, 24):
        for sound in ("sine", "third"):
            error, signal = errors(folder, sound, bits, dither="none")
            within(error, np.rint(signal) - signal, 1e-9, f"{bits} bits, {sound}: rounded to the nearest")
            equal(np.abs(error).max() <= 0.5, True, "at most half a step")


if __name__ == "__main__":
    sys.exit(
        run_tests(
            [
                test_noise_floor,
                test_noise_is_white,
                test_noise_is_triangular_plus_rounding,
                test_noise_on_a_constant,
                test_noise_does_not_depend_on_the_signal,
                test_channels_and_deliverables_have_their_own,
                test_without_dither_it_is_rounding,
            ]
        )
    )
