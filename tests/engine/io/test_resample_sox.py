#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Rate conversion against `sox rate -v`: a tone and a sweep must null, away from the ends.

By default sox lets the top of the pass band fall by up to 0.01 dB when a rate of 44.1 kHz and its like is met; with -f it
does not, as we do not. The tone nulls against both, the sweep to the last bits against -f and to that fall against the
default.
"""
import os
import subprocess
import sys
import tempfile

import numpy

EDGE = 0.1  # seconds left out at both ends: the filters of both ring on the cut signal
PAIRS = [(44100, 48000), (48000, 44100), (48000, 96000), (96000, 48000), (44100, 96000), (96000, 44100)]
REFERENCES = [(("-v",), {"997 Hz": -130.0, "sweep": -85.0}), (("-v", "-f"), {"997 Hz": -130.0, "sweep": -130.0})]


def signals(rate, lowest):
    seconds = 3
    time = numpy.arange(rate * seconds) / rate
    yield "997 Hz", 0.5 * numpy.sin(2 * numpy.pi * 997 * time)
    # Up to where both pass bands are flat: sox's begins to fall at 0.9 of half the lower rate.
    top = 0.43 * lowest
    phase = 2 * numpy.pi * (20 * time + (top - 20) * time * time / (2 * seconds))
    yield "sweep", 0.5 * numpy.sin(phase)


def null_db(ours, theirs, rate):
    edge = int(EDGE * rate)
    count = min(len(ours), len(theirs))
    difference = ours[edge:count - edge].astype(float) - theirs[edge:count - edge].astype(float)
    return 20 * numpy.log10(max(numpy.abs(difference).max(), 1e-12))


def convert(tool, rate, target, folder):
    """Yields what was compared, how deep it nulls, and whether that is deep enough."""
    source, ours, theirs = (os.path.join(folder, name) for name in ("source.wav", "ours.f32", "theirs.f32"))
    for name, signal in signals(rate, min(rate, target)):
        subprocess.run(["sox", "-t", "f32", "-r", str(rate), "-c", "1", "-", "-t", "wav", "-e", "float", "-b", "32", source],
                       input=signal.astype("<f4").tobytes(), check=True)
        results = {}
        for resampler in ("soxr", "samplerate"):
            subprocess.run([tool, "convert", resampler, str(target), source, ours], check=True)
            results[resampler] = numpy.fromfile(ours, dtype="<f4")
        for options, bounds in REFERENCES:
            subprocess.run(["sox", source, "-t", "f32", theirs, "rate", *options, str(target)], check=True)
            reference = numpy.fromfile(theirs, dtype="<f4")
            for resampler, result in results.items():
                level = null_db(result, reference, target)
                what = "%s %d -> %d, %s against sox rate %s" % (name, rate, target, resampler, " ".join(options))
                yield what, level, level < bounds[name] and abs(len(result) - len(reference)) <= 1


def main():
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for rate, target in PAIRS:
            for what, level, good in convert(sys.argv[1], rate, target, folder):
                failures += not good
                print("%s: %.1f dB%s" % (what, level, "" if good else "  FAILED"))
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
