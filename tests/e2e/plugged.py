# SPDX-License-Identifier: MIT
"""What the tests of plugins share: our own plugins on tracks, in an environment that knows no others.

A test's arguments are LOOPHOLE, LOOPHOLE-SIGNAL and the folder of our bundles. Nothing of the user's is read or kept:
what is known of plugins lies in a folder of this process."""
import atexit
import os
import shutil
import sys
import tempfile

import numpy as np

import studio
from studio import LOOPHOLE, RATE, SIGNAL, render
from tap import environment, run

BUNDLES = os.path.abspath(sys.argv[3])
OWN = tempfile.mkdtemp(prefix="loophole-plugged-")
atexit.register(shutil.rmtree, OWN, ignore_errors=True)
shutil.copytree(f"{BUNDLES}/friendly.lv2", f"{OWN}/lv2/friendly.lv2", ignore=shutil.ignore_patterns("*.p"))
os.environ.update(LV2_PATH=f"{OWN}/lv2", XDG_CACHE_HOME=f"{OWN}/cache", XDG_DATA_HOME=f"{OWN}/data", XDG_DATA_DIRS=f"{OWN}/none",
                  LOOPHOLE_HANG_MS="20000")
QUANTUM = 1024


def node(plugin, name=None, **members):
    """A friendly plugin on a track; parameters are given as `parameters`."""
    return {"id": name or plugin, "plugin": f"lv2:urn:loophole:test:{plugin}", **members}


def noise(frames, seed=1, channels=1):
    """Of full bandwidth at -12 dBFS, exact in 24 bits, never zero."""
    samples = np.random.default_rng(seed).integers(1, 1 << 21, (frames, channels)) / float(1 << 23)
    samples *= np.where(np.random.default_rng(seed + 1000).integers(0, 2, (frames, channels)) == 0, -1.0, 1.0)
    return samples[:, 0] if channels == 1 else samples


def row(name, nodes=(), clip="a", channels=1, **members):
    """An audio track of plugins."""
    return studio.track(name, clip, channels=channels, nodes=list(nodes), **members)


def source(name, track=None, **members):
    """A deliverable of one track as its nodes leave it: before fader and pan."""
    return name, {"source": {"track": track or name, "tap": "pre"}, **members}


def through(folder, nodes, samples, channels=None, options=(), **members):
    """What a track with these nodes makes of the samples, before it reaches anything else."""
    samples = studio.columns(samples)
    track = row("t", nodes, channels=channels or samples.shape[1], **members.pop("track", {}))
    rendered = render(folder, {"a": samples, **members.pop("sounds", {})}, [track, *members.pop("tracks", [])],
                      [source("t", **members.pop("deliverable", {}))], options, **members)
    return rendered["t"]


def hold(parameter, *points):
    return {"parameter": parameter, "points": [{"at": {"frames": frame}, "value": value, "curve": "hold"}
                                               for frame, value in points]}


def ramp(parameter, *points):
    return {"parameter": parameter, "points": [{"at": {"frames": frame}, "value": value} for frame, value in points]}


def command(*arguments, **changes):
    """Any command, as it ends."""
    return run([LOOPHOLE, *arguments], env=environment(LOOPHOLE_SIGNAL=SIGNAL, LOOPHOLE_CACHE="", **changes))


def same(actual, expected, what):
    """Every sample, to the bit."""
    actual, expected = studio.columns(actual), studio.columns(np.asarray(expected, np.float32).astype(float))
    if actual.shape != expected.shape:
        raise AssertionError(f"{what}: shape {actual.shape}, expected {expected.shape}")
    differ = np.flatnonzero(np.any(actual != expected, axis=1))
    if differ.size:
        at = differ[0]
        raise AssertionError(f"{what}: {differ.size} frames differ, the first {at}: {actual[at]} is not {expected[at]}")


def seconds(frames):
    return frames / RATE
