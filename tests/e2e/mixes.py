# SPDX-License-Identifier: MIT
"""Random mixes with plugins, as project files: what tests/identity/random_mix.c is for graphs. Tracks and instruments
through our own plugins, Calf's, Steve Harris' and LSP's, with moving parameters, latency, side chains, groups, sends,
pre-rolls and tails."""
import os
import random
import shutil

from tap import wav_bytes, write

RATE = 48000
FRAMES = 60000
OWN = "lv2:urn:loophole:test:"
CALF = "lv2:http://calf.sourceforge.net/plugins/"
SWH = "lv2:http://plugin.org.uk/swh-plugins/"
LSP = "lv2:http://lsp-plug.in/plugins/lv2/"
# Stereo all of them: URI, a parameter that may move and between what, whether it has a side chain.
POOL = [
    (OWN + "gain2", ("gain", 0.1, 2), False), (OWN + "latent2", None, False), (OWN + "sidechain-stereo", None, True),
    (CALF + "Equalizer8Band", ("p2_level", 0.25, 4), False), (CALF + "Compressor", ("threshold", 0.01, 1), False),
    (CALF + "Reverb", ("amount", 0.1, 1), False), (CALF + "Flanger", None, False), (CALF + "Filter", ("freq", 100, 9000), False),
    (CALF + "SidechainCompressor", None, True), (CALF + "Limiter", None, False), (CALF + "Saturator", None, False),
    (SWH + "lookaheadLimiter", None, False), (SWH + "gverb", None, False), (SWH + "sc4", None, False),
    (LSP + "compressor_stereo", None, False), (LSP + "sc_compressor_stereo", None, True),
]
DEBIAN = ["calf.lv2", "lsp-plugins.lv2", "lookahead_limiter-swh.lv2", "gverb-swh.lv2", "sc4-swh.lv2"]
PLUGINS = [uri for uri, _, _ in POOL] + [OWN + "click-synth"]


def missing():
    """A bundle that is not installed; None: all are."""
    return next((name for name in DEBIAN if not os.path.exists(f"/usr/lib/lv2/{name}")), None)


def make_bundles(folder, own):
    """A folder with the bundles that the mixes need; `own`: where ours were built."""
    os.makedirs(folder)
    shutil.copytree(f"{own}/friendly.lv2", f"{folder}/friendly.lv2", ignore=shutil.ignore_patterns("*.p"))
    for name in DEBIAN:
        os.symlink(f"/usr/lib/lv2/{name}", f"{folder}/{name}")


def make_media(folder):
    """Bursts of noise between silences, in one channel and in two."""
    for channels in (1, 2):
        dice = random.Random(channels)
        sound = [[0.25 * dice.uniform(-1, 1) if frame % 9000 < 5000 else 0.0 for frame in range(FRAMES)]
                 for _ in range(channels)]
        write(f"{folder}/noise{channels}.wav", wav_bytes(sound, bits=16))


class Mix:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.plugins = 0

    def gain(self):
        return round(self.dice.uniform(-30, 0), 3)

    def at(self, most):
        return {"frames": self.dice.randrange(most)}

    def strip(self):
        return {"gainDb": self.gain(), "pan": round(self.dice.uniform(-1, 1), 3)}

    def chain(self, least, most, key):
        """Nodes, and the automation of what moves in them; `key`: a track for side chains."""
        nodes, automation = [], []
        for _ in range(self.dice.randint(least, most)):
            uri, moves, keyed = self.dice.choice(POOL)
            if keyed and key is None:
                uri, moves, keyed = POOL[0]
            node = {"id": f"n{len(nodes)}", "plugin": uri}
            if keyed:
                node["sidechain"] = {"from": key, "tap": self.dice.choice(["pre", "post"])}
            if moves is not None and self.dice.randrange(2) == 0:
                symbol, low, high = moves
                points = [{"at": {"frames": frame}, "value": round(self.dice.uniform(low, high), 4),
                           **({"curve": "hold"} if self.dice.randrange(3) == 0 else {})}
                          for frame in sorted(self.dice.sample(range(FRAMES), 4))]
                automation.append({"parameter": f"nodes/{node['id']}/{symbol}", "points": points})
            nodes.append(node)
        self.plugins += len(nodes)
        return {"nodes": nodes, "automation": automation}

    def track(self, number, output):
        key = f"t{self.dice.randrange(number)}" if number > 0 else None
        body = {"id": f"t{number}", "type": "audio", **self.strip(), **self.chain(1, 3, key)}
        if self.dice.randrange(4) == 0:
            body["type"] = "instrument"
            body["nodes"] = [{"id": "synth", "plugin": OWN + "click-synth"}, *body["nodes"]]
            body["clips"] = [{"notes": [
                {"at": {"beats": beat / 3}, "duration": {"beats": 0.25}, "key": self.dice.randint(40, 80)}
                for beat in range(self.dice.randint(1, 9))]}]
        else:
            channels = self.dice.randint(1, 2)
            body["channels"] = 2
            body["clips"] = [{"media": f"noise{channels}", "start": self.at(20000), "offset": self.at(9000)}]
        if output is not None:
            body["output"] = output
        if self.dice.randrange(2) == 0:
            body["sends"] = [{"to": "room", "gainDb": self.gain(), "tap": self.dice.choice(["pre", "post"])}]
        return body

    def span(self):
        """Which part is delivered, and how it ends."""
        start = self.dice.choice([0, self.dice.randrange(15000)])
        span = {"start": {"frames": start}, "end": {"frames": start + 1 + self.dice.randrange(60000)}}
        if self.dice.randrange(2) == 0:
            span["tail"] = self.dice.choice([{"seconds": 0.2}, {"untilDb": -80, "holdSeconds": 0.05, "maxSeconds": 0.5}])
        return {"range": span}

    def project(self):
        count = self.dice.randint(3, 6)
        tracks = [self.track(number, "group" if number < count // 2 else None) for number in range(count)]
        span, other = self.span(), self.span()
        return {
            "loophole": 1, "name": "mix", "sampleRate": RATE,
            "media": {f"noise{channels}": {"file": f"noise{channels}.wav"} for channels in (1, 2)},
            "tracks": [{"id": "master", "type": "master", **self.chain(0, 1, "t0")},
                       {"id": "group", "type": "group", **self.strip(), **self.chain(1, 2, f"t{count - 1}")},
                       {"id": "room", "type": "return", **self.strip(), **self.chain(1, 2, None)}, *tracks],
            "deliverables": [
                {"name": "mix", "source": "master", "format": "wav", "bitDepth": 32, **span},
                {"name": "small", "source": "master", "format": "flac", "bitDepth": 16, **span},
                {"name": "loud", "source": "master", "format": "wav", "bitDepth": 24, **other,
                 "loudness": {"integrated": -20, "truePeak": -2}},
                {"name": "group", "source": "group", "format": "wav", "bitDepth": 32, **other},
                {"name": "dry", "source": {"track": f"t{count // 2}", "tap": "pre"}, "format": "wav", "bitDepth": 32, **span},
            ],
        }


def make_mix(folder, seed):
    """-> the path of the project of a seed."""
    return write(f"{folder}/mix-{seed}.json", Mix(seed).project())
