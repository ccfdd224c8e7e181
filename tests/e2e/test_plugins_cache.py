# SPDX-License-Identifier: MIT
"""What a cache keeps of plugins on the way to files: test_plugins_cache.py LOOPHOLE LOOPHOLE-SIGNAL BUNDLES"""
import json
import os
import sys

from plugged import OWN, command, hold, node, noise, row
from studio import FLOAT, RATE, render_file, save
from tap import equal, run_tests

FRAMES = 12 * RATE
TRACKS = 6
PROVEN = ("gain", "latent", "tail", "latent2")


def probe(*plugins):
    for plugin in plugins:
        done = command("plugins", "probe", f"lv2:urn:loophole:test:{plugin}")
        equal(done.returncode, 0, done.talk)


class Studio:
    """A project on disk, and renders of it with and without its cache."""

    def __init__(self, folder, **changes):
        self.folder, self.cache = folder, f"{folder}/cache"
        self.path = f"{folder}/project.json"
        for index in range(TRACKS):
            save(f"{folder}/m{index}.wav", noise(FRAMES, index + 1, 2))
        document = {
            "loophole": 1, "name": "cached", "media": {f"m{index}": {"file": f"m{index}.wav"} for index in range(TRACKS)},
            "tracks": [row(f"t{index}", [node("gain", parameters={"gain": 0.5 + index / 10}), node("tail", parameters={"time": 999})],
                           f"m{index}", channels=2) for index in range(TRACKS)],
            "deliverables": [{"name": "mix", **FLOAT}], **changes,
        }
        with open(self.path, "w") as file:
            json.dump(document, file)

    def plain(self, *options):
        return render_file(self.path, f"{self.folder}/plain", *options).report

    def cached(self, *options, **changes):
        """Our plugins cost next to nothing, and what is learned of that would keep none of them."""
        if os.path.exists(f"{self.cache}/costs"):
            os.unlink(f"{self.cache}/costs")
        return render_file(self.path, f"{self.folder}/out", "--cache", self.cache, *options, **changes).report

    def agree(self, *options):
        """A render with the cache, held against one without."""
        report = self.cached(*options)
        equal([one["fileSha256"] for one in report["deliverables"]],
              [one["fileSha256"] for one in self.plain(*options)["deliverables"]], f"the files of {options}")
        return report

    def stored(self):
        return sorted(name for name in os.listdir(f"{self.cache}/stored") if not name.endswith(".facts"))


def ran(report):
    """The tracks whose plugins ran."""
    return sorted({plugin["track"] for plugin in report["plugins"] if "latencyFrames" in plugin})


def everyone(*others):
    return sorted([f"t{index}" for index in range(TRACKS)] + list(others))


def test_only_what_changed_runs(folder):
    probe(*PROVEN)
    studio = Studio(folder)
    cold = studio.agree()
    equal((ran(cold), cold["cache"]["storedRead"], cold["cache"]["storedKept"] >= TRACKS), (everyone(), 0, True), "cold")
    equal(cold["cache"]["storedKept"], len(studio.stored()), "kept")
    equal(cold["cache"]["bytesKept"] >= TRACKS * FRAMES * 8, True, "bytes")
    warm = studio.agree()
    equal((ran(warm), warm["cache"]["deliverables"], warm["cache"]["renderedFrames"]), ([], 1, 0), "unchanged")
    for change, tracks in ((("--set", "/tracks/2/nodes/0/parameters/gain=0.9"), ["t2"]),
                           (("--set", "/tracks/4/gainDb=-3"), []),
                           (("--set", "/deliverables/0/bitDepth=16"), []),
                           (("--set", "/tracks/1/mute=true"), [])):
        changed = studio.agree(*change)
        equal((ran(changed), changed["cache"]["storedRead"] > 0), (tracks, True), change)
        equal((ran(studio.agree(*change)), studio.cached(*change)["cache"]["deliverables"]), ([], 1), (change, "again"))
    equal(ran(studio.agree("--threads", "1", "--block", "2048", "--set", "/tracks/0/gainDb=-9")), [], "threads and blocks")


def test_latency_downstream(folder):
    """Tracks are stored as far as a plugin on the master looks ahead, with tails, pre-rolls and ranges."""
    probe(*PROVEN)
    studio = Studio(folder)
    with open(studio.path) as file:
        document = json.load(file)
    document["tracks"] += [{"id": "master", "type": "master", "nodes": [node("latent2", parameters={"delay": 5000})]}]
    document["deliverables"] += [
        {"name": "part", "range": {"start": {"seconds": 3}, "end": {"seconds": 9}, "preroll": {"seconds": 1}}, **FLOAT},
        {"name": "tail", "range": {"tail": {"seconds": 1.5}}, **FLOAT},
        {"name": "end", "range": {"tail": {"untilDb": -60, "maxSeconds": 3, "holdSeconds": 0.1}}, **FLOAT},
    ]
    with open(studio.path, "w") as file:
        json.dump(document, file)
    cold = studio.agree()
    equal(ran(cold), everyone("master"), "cold")
    equal(len(os.listdir(f"{studio.cache}/latencies")) >= 1, True, "the master's latency is known")
    changed = studio.agree("--set", "/tracks/3/gainDb=-20")
    equal(ran(changed), ["master"], "a fader")
    changed = studio.agree("--set", "/tracks/3/nodes/0/parameters/gain=0.1")
    equal(ran(changed), ["master", "t3"], "a track")
    studio.agree("--set", f"/tracks/{TRACKS}/nodes/0/parameters/delay=100")


def test_damage(folder):
    probe(*PROVEN)
    studio = Studio(folder)
    cold = studio.agree()
    names = studio.stored()
    equal(len(names), cold["cache"]["storedKept"], "names")
    spoils = lambda file: file.write(b"\1\2\3\4"), lambda file: file.truncate(1000), lambda file: file.seek(0, 2) and file.write(b"more")
    for number, spoil in enumerate(spoils):
        change = "--set", f"/tracks/0/gainDb=-{20 + number}"
        for name in studio.stored():
            with open(f"{studio.cache}/stored/{name}", "r+b") as file:
                file.seek(4000)
                spoil(file)
        equal(ran(studio.agree(*change)), everyone(), "damaged")
        equal(ran(studio.agree(*change, "--set", "/tracks/1/gainDb=-20")), [], "replaced")


def test_what_is_not_proven_is_not_kept(folder):
    probe(*PROVEN)
    studio = Studio(folder)
    with open(studio.path) as file:
        document = json.load(file)
    document["tracks"][3]["nodes"].append(node("stepped"))  # nobody has probed it
    with open(studio.path, "w") as file:
        json.dump(document, file)
    studio.agree()
    equal(ran(studio.agree()), ["t3"], "again")
    equal(ran(studio.agree("--set", "/tracks/1/gainDb=-20")), ["t3"], "a fader")


def test_the_cache_has_a_size(folder):
    probe(*PROVEN)
    studio = Studio(folder)
    most = 4 * FRAMES * 8
    gib = f"{most / 2**30:.9f}"
    studio.cached("--cache-max", gib)
    size = lambda: sum(os.path.getsize(f"{at}/{name}") for at, _, names in os.walk(studio.cache) for name in names if "." not in name and len(name) == 64)
    equal(0 < size() <= most * 1.01, True, f"{size()} of {most} bytes")
    changed = studio.cached("--set", "/tracks/5/gainDb=-20", LOOPHOLE_CACHE_MAX=gib)
    equal(len(ran(changed)) < TRACKS, True, "some were there")
    equal(size() <= most * 1.01, True, "size after another")
    done = command("render", studio.path, "--cache", studio.cache, "--cache-max", "-1")
    equal(done.returncode, 2, done.talk)
    studio.cached("--cache-max", "0", "--set", "/tracks/5/gainDb=-21")
    equal(size() > most, True, "no limit")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
