#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The meter against ffmpeg's ebur128 filter, which shares no code with it.

check_loudness.py METER_TOOL
"""
import json
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np

LOUDNESS_TOLERANCE = 0.1  # LU; ffmpeg prints one decimal
RANGE_TOLERANCE = 0.5
PEAK_TOLERANCE = 0.2  # dB: the two oversample with different filters


def programme(rng, rate, channels, seconds):
    """Noise with the spectrum and the ups and downs of music, silence in it, and a different level in each channel."""
    frames = rate * seconds
    spectrum = np.fft.rfft(rng.standard_normal((channels, frames)), axis=1)
    hertz = np.fft.rfftfreq(frames, 1 / rate)
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 20)), frames, axis=1)
    noise /= np.abs(noise).max()
    level = np.repeat(10 ** (rng.uniform(-30, 0, seconds) / 20), rate)
    level[3 * rate:5 * rate] = 0
    balance = 10 ** (rng.uniform(-6, 0, channels) / 20)
    return (noise * level * balance[:, None]).T.astype("<f4")


def ffmpeg_says(path, rate, channels):
    layout = {1: "mono", 2: "stereo", 5: "5.0", 6: "5.1"}[channels]
    run = subprocess.run(["ffmpeg", "-hide_banner", "-nostats", "-f", "f32le", "-ar", str(rate), "-ac", str(channels),
                          "-channel_layout", layout, "-i", path, "-af", "ebur128=peak=true+sample", "-f", "null", "-"],
                         capture_output=True, text=True, check=True)
    summary = run.stderr[run.stderr.rindex("Summary:"):]
    peaks = re.findall(r"Peak:\s+(\S+) dBFS", summary)
    return {"integrated": float(re.search(r"I:\s+(\S+) LUFS", summary)[1]),
            "range": float(re.search(r"LRA:\s+(\S+) LU", summary)[1]),
            "samplePeak": float(peaks[0]), "truePeak": float(peaks[1])}


def main():
    if shutil.which("ffmpeg") is None:
        print("skipped: ffmpeg is not installed")
        return 77
    rng = np.random.default_rng(3341)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/programme.raw"
        for rate, channels in [(48000, 1), (48000, 2), (44100, 2), (96000, 2), (48000, 5), (48000, 6)]:
            programme(rng, rate, channels, 40).tofile(path)
            done = subprocess.run([sys.argv[1], path, str(channels), str(rate)], capture_output=True, check=True)
            ours = json.loads(done.stdout)
            theirs = ffmpeg_says(path, rate, channels)
            for key, tolerance in [("integrated", LOUDNESS_TOLERANCE), ("range", RANGE_TOLERANCE),
                                   ("truePeak", PEAK_TOLERANCE), ("samplePeak", 0.06)]:
                agrees = abs(ours[key] - theirs[key]) <= tolerance
                failures += not agrees
                verdict = "ok" if agrees else "FAILED"
                print(f"{verdict} {rate} Hz, {channels} channels, {key}: {ours[key]} and {theirs[key]}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
