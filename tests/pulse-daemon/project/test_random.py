# SPDX-License-Identifier: MIT
"""Random good projects: both the loader and the schema accept them, writing back changes nothing but the order of the
members, and that order does not depend on the order that was read."""
import argparse
import json
import pathlib
import random
import sys
import tempfile

import jsonschema

from test_schema import check_all

COUNT = 150
KEPT = {"media", "parameters", "tags", "ext"}  # whose members keep their order


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def maybe(self, made, name, value, chance=0.5):
        if self.random.random() < chance:
            made[name] = value() if callable(value) else value

    def number(self, low, high):
        return self.random.choice([low, high, self.random.randint(int(low), int(high)),
                                   self.random.uniform(low, high)])

    def time(self, units=("beats", "seconds", "frames"), low=0):
        unit = self.random.choice(units)
        if unit == "frames":
            return {unit: self.random.randint(max(low, 0) + (1 if low else 0), 10**7)}
        return {unit: round(self.random.uniform(low, 300), self.random.choice([0, 3, 12])) + (1 if low else 0)}

    def level(self):
        return self.random.choice(["-inf", 0, self.number(-200, 60)])

    def flag(self):
        return self.random.random() < 0.5

    def pick(self, *words):
        return lambda: self.random.choice(words)

    def ext(self):
        return {"tool": [1, -2.5, None, {"deep": "ä\n"}], "z": 1e-9, "a": 1e20}

    def fade(self):
        made = {"duration": self.time()}
        self.maybe(made, "shape", self.pick("linear", "constantPower", "exponential", "sCurve"))
        return made

    def audio_clip(self, index, media):
        made = {"media": self.random.choice(media)}
        self.maybe(made, "id", f"c{index}")
        self.maybe(made, "start", self.time)
        self.maybe(made, "offset", lambda: self.time(("seconds", "frames")))
        self.maybe(made, "duration", lambda: self.time(low=1), 0.7)
        self.maybe(made, "gainDb", self.level)
        self.maybe(made, "mute", self.flag)
        if "duration" in made:
            self.maybe(made, "loop", self.flag)
        self.maybe(made, "reverse", self.flag)
        self.maybe(made, "fadeIn", self.fade)
        self.maybe(made, "fadeOut", self.fade)
        self.maybe(made, "ext", self.ext, 0.1)
        return made

    def note_clip(self, index):
        if self.flag():
            made = {"midi": f"songs/{index}.mid"}
            self.maybe(made, "midiTrack", lambda: self.random.randint(0, 20))
        else:
            made = {"notes": [{"at": self.time(), "duration": self.time(), "key": self.random.randint(0, 127)}
                              for _ in range(self.random.randint(0, 5))]}
        self.maybe(made, "start", self.time)
        return made

    def points(self, value):
        return [{"at": self.time(), "value": value()} for _ in range(self.random.randint(0, 4))]

    def automation(self, track):
        made = []
        for name, value in (("gainDb", self.level), ("pan", lambda: self.number(-1, 1)), ("mute", self.flag)):
            if self.random.random() < 0.3:
                made.append({"parameter": name, "points": self.points(value)})
        for send in track.get("sends", []):
            made.append({"parameter": f"sends/{send['to']}/gainDb", "points": self.points(self.level)})
        for node in track.get("nodes", []):
            made.append({"parameter": f"nodes/{node['id']}/mix", "points": self.points(lambda: self.number(-9, 9))})
        return made

    def node(self, index, earlier):
        made = {"id": f"n{index}", "plugin": f"lv2:http://example.org/{index}"}
        self.maybe(made, "enabled", self.flag)
        self.maybe(made, "parameters", lambda: {"mix": self.number(-9, 9), "gain": 0.5})
        self.maybe(made, "state", {"file": "states/a.ttl"}, 0.2)
        if earlier:
            self.maybe(made, "sidechain", lambda: {"from": self.random.choice(earlier)}, 0.2)
        self.maybe(made, "ifMissing", self.pick("fail", "bypass"), 0.3)
        return made

    def track(self, index, kind, later, sources, media):
        """Sound goes to later buses only, side chains come from audio tracks that nothing precedes: no cycles."""
        made = {"id": f"t{index}", "type": kind}
        self.maybe(made, "name", f"Track {index}")
        self.maybe(made, "channels", lambda: self.random.randint(1, 16))
        if later:
            self.maybe(made, "output", lambda: self.random.choice(later))
            targets = self.random.sample(later, min(len(later), 2))
            self.maybe(made, "sends", lambda: [{"to": to, "gainDb": self.level()} for to in targets], 0.3)
        self.maybe(made, "gainDb", self.level)
        self.maybe(made, "pan", lambda: self.number(-1, 1))
        for name in ("mute", "solo", "invert"):
            self.maybe(made, name, self.flag, 0.2)
        if kind == "audio" and media:
            made["clips"] = [self.audio_clip(i, media) for i in range(self.random.randint(0, 4))]
        if kind == "instrument":
            made["clips"] = [self.note_clip(i) for i in range(self.random.randint(0, 3))]
        if self.random.random() < 0.3:
            made["nodes"] = [self.node(i, sources) for i in range(self.random.randint(0, 2))]
        self.maybe(made, "automation", lambda: self.automation(made), 0.4)
        return made

    def deliverable(self, index, tracks):
        made = {"name": f"file {index}"}
        kind = self.random.choice(["wav", "bwf", "aiff", "flac", "vorbis", "ogg", "opus", "mp3"])
        made["format"] = kind
        if kind in ("wav", "bwf", "aiff", "flac"):
            self.maybe(made, "bitDepth", self.pick(16, 24))
            self.maybe(made, "dither", self.pick("tpdf", "none"))
        else:
            made["sampleRate"] = 48000
            self.maybe(made, self.random.choice(["quality", "bitrateKbps"]), 1 if self.flag() else 0)
            if "bitrateKbps" in made:
                made["bitrateKbps"] = self.random.randint(32, 320)
        if tracks:
            self.maybe(made, "source", lambda: self.random.choice(
                [self.random.choice(tracks), {"each": self.random.sample(tracks, 1), "tap": "contribution"}]))
        self.maybe(made, "range", lambda: {"start": {"seconds": 1}, "end": {"seconds": self.number(2, 9)},
                                           "tail": {"untilDb": self.number(-120, 0)}})
        self.maybe(made, "loudness", lambda: {"integrated": self.number(-30, -6)}, 0.3)
        self.maybe(made, "tags", {"title": "A", "artist": "B"}, 0.3)
        return made

    def project(self):
        made = {"loophole": 1}
        self.maybe(made, "name", "Random")
        self.maybe(made, "sampleRate", self.pick(44100, 48000, 96000.0))
        self.maybe(made, "quantum", self.pick(64, 256, 8192))
        self.maybe(made, "panLaw", self.pick("constantPower", "linear", "compromise"))
        beats = sorted(self.random.sample(range(1, 99), 3))
        self.maybe(made, "tempo", lambda: [{"at": {"beats": b}, "bpm": self.number(1, 1000)} for b in [0, *beats]])
        self.maybe(made, "markers", lambda: [{"at": self.time(), "name": "m"}])
        media = [f"m{i}" for i in range(self.random.randint(0, 4))]
        self.random.shuffle(media)
        made["media"] = {name: {"file": f"stems/{name}.wav"} for name in media}
        kinds = sorted((self.random.choice(["audio", "instrument", "group", "return"])
                        for _ in range(self.random.randint(0, 8))))
        buses = [f"t{i}" for i, kind in enumerate(kinds) if kind in ("group", "return")]
        sources = [f"t{i}" for i, kind in enumerate(kinds) if kind == "audio"]
        made["tracks"] = []
        for i, kind in enumerate(kinds):
            later = [bus for bus in buses if int(bus[1:]) > i] + ["master"]
            made["tracks"].append(self.track(i, kind, later, sources if kind in ("group", "return") else [], media))
        if self.flag():
            made["tracks"].insert(self.random.randint(0, len(kinds)), {"id": "master", "type": "master"})
        ids = [track["id"] for track in made["tracks"]]
        ids = [name for name in ids if name != "master"]
        self.maybe(made, "deliverables", lambda: [self.deliverable(i, ids) for i in range(self.random.randint(0, 4))])
        self.maybe(made, "ext", self.ext)
        return made

    def shuffled(self, value, name=None):
        if isinstance(value, list):
            return [self.shuffled(item) for item in value] if name != "ext" else value
        if not isinstance(value, dict) or name == "ext":
            return value
        items = list(value.items())
        if name not in KEPT:
            self.random.shuffle(items)
        return {key: self.shuffled(item, key) for key, item in items}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--schema", required=True, type=pathlib.Path)
    parser.add_argument("--count", type=int, default=COUNT)
    arguments = parser.parse_args()
    validator = jsonschema.Draft202012Validator(json.loads(arguments.schema.read_text()))
    failures = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        plain, mixed = [], []
        for seed in range(arguments.count):
            maker = Maker(seed)
            project = maker.project()
            failures += (f"seed {seed}: the schema: {fault.message}" for fault in validator.iter_errors(project))
            plain.append(folder / f"{seed}.json")
            mixed.append(folder / f"{seed}-mixed.json")
            plain[-1].write_text(json.dumps(project))
            mixed[-1].write_text(json.dumps(maker.shuffled(project), ensure_ascii=False, indent=3))
        for path, told in check_all(arguments.program, plain + mixed, "--write").items():
            failures += (f"{path}: {fault}" for fault in told if fault[0] != "done")
        again = []
        for one, other in zip(plain, mixed):
            first, second = (pathlib.Path(str(path) + ".written") for path in (one, other))
            if not (first.exists() and second.exists()):
                continue
            if first.read_bytes() != second.read_bytes():
                failures.append(f"{one.name}: the order of members shows in what is written")
            if json.loads(first.read_text()) != json.loads(one.read_text()):
                failures.append(f"{one.name}: written back differently")
            again.append(first)
        check_all(arguments.program, again, "--write")
        failures += (f"{path.name}: written twice, not the same" for path in again
                     if path.read_bytes() != pathlib.Path(str(path) + ".written").read_bytes())
    for failure in failures[:50]:
        print(failure)
    print(f"{arguments.count} random projects, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
