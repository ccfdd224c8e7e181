# SPDX-License-Identifier: MIT
"""Right sound: what lilv's own program, lv2apply, makes of a file is what a render with the plugin gives.

lv2apply runs a plugin frame by frame, with its defaults and without any feature, so it can be compared with where a plugin gives
the same bits for runs of any length; each of these does. The input is float. A delivered bus completes on the grid of 2^-40: no
sample may differ by more.
"""
import os
import subprocess
import sys

import numpy as np

from studio import load, render
from tap import run_tests

FRAMES = 12000
GRID = 2.0**-40

FAMILIES = {
    "http://drobilla.net/plugins/mda/": (2, "Ambience Bandisto Combo DeEss Delay Detune Dither DubDelay Dynamics Image Limiter "
                                         "Loudness MultiBand Overdrive RezFilter RingMod Shepard Stereo SubSynth ThruZero"),
    "http://plugin.org.uk/swh-plugins/": (1, "alias allpass_c comb_c comb_l delay_c delay_l diode dysonCompress flanger fmOsc "
                                          "foldover gate giantFlange hermesFilter lfoPhaser multivoiceChorus sc1 svf valve"),
    "http://calf.sourceforge.net/plugins/": (2, "Compressor Crusher Equalizer5Band Exciter Flanger Gate MultiChorus Phaser Reverb "
                                             "Saturator StereoTools VintageDelay"),
    "http://lsp-plug.in/plugins/lv2/": (1, "dyna_processor_mono gate_mono para_equalizer_x16_mono mb_expander_mono"),
    "http://invadarecords.com/plugins/lv2/": (1, "compressor/mono filter/hpf/mono tube/mono"),
}
PLUGINS = [(stem + name, channels) for stem, (channels, names) in FAMILIES.items() for name in names.split()]
LEAST = 30  # of them have to be installed


def compare(folder, uri, channels):
    """The largest difference, and the largest sample."""
    noise = np.random.default_rng(5).uniform(-0.25, 0.25, (FRAMES, channels)).astype(np.float32)
    tracks = [{"id": "t", "type": "audio", "channels": channels, "clips": [{"media": "noise"}],
               "nodes": [{"id": "n", "plugin": "lv2:" + uri}]},
              {"id": "master", "type": "master", "channels": channels}]
    taps = (("direct", {"source": {"track": "t", "tap": "pre"}, "bitDepth": 32}),)
    ours = render(folder, {"noise": noise}, tracks, deliverables=taps)["direct"]
    theirs = os.path.join(folder, "theirs.wav")
    subprocess.run(["lv2apply", "-i", os.path.join(folder, "noise.wav"), "-o", theirs, uri], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    theirs = load(theirs)
    if ours.shape != theirs.shape:
        raise AssertionError(f"{uri}: {ours.shape} is not {theirs.shape}")
    return np.abs(ours - theirs).max(), np.abs(theirs).max()


def installed():
    listed = subprocess.run(["lv2ls"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return [plugin for plugin in PLUGINS if plugin[0] in listed]


def test_plugins_sound_as_in_lv2apply(folder):
    there = installed()
    if len(there) < LEAST:
        raise AssertionError(f"{len(there)} of the plugins are installed, {LEAST} are needed")
    wrong, loud = [], 0
    for uri, channels in there:
        difference, peak = compare(folder, uri, channels)
        loud += peak > 0.01
        if not difference <= GRID:
            wrong.append(f"{uri}: {difference:g}")
    print(f"# {len(there)} plugins compared, {loud} of them audible")
    if wrong or loud < LEAST:
        raise AssertionError(f"{loud} audible; differ: " + "; ".join(wrong))


if __name__ == "__main__":
    sys.exit(run_tests([test_plugins_sound_as_in_lv2apply]))
