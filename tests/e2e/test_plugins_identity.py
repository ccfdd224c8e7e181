# SPDX-License-Identifier: MIT
"""The same bits of plugins whatever the threads and blocks, and what is kept of them: test_plugins_identity.py LOOPHOLE
LOOPHOLE-SIGNAL BUNDLES"""
import json
import os
import sys

import numpy as np

from plugged import OWN, command, hold, node, noise, ramp, row, same, source, through
from studio import FLOAT, render, save
from tap import equal, run_tests, write

FRAMES = 150000
WAYS = [("--threads", str(threads), "--block", str(block)) for threads in (1, 2, 3, 4) for block in (1024, 4096, 65536)]


def digests(folder, sounds, tracks, deliverables, options=()):
    report = render(folder, sounds, tracks, deliverables, options).report
    return [entry["samplesSha256"] for entry in report["deliverables"]]


def test_block_variant_chains(folder):
    """Everything that depends on how it is called, on every way to call the engine: one digest."""
    automation = [hold("nodes/stepped/gain", (0, 1.0), (30001, 0.25), (90002, 2.0)),
                  ramp("nodes/gain/gain", (10000, 0.1), (70000, 3.0))]
    chain = [node("stepped"), node("latent", parameters={"delay": 3333}), node("gain"),
             node("tail", parameters={"feedback": 0.7, "time": 1234}), node("noise-rand"),
             node("stepped", "again", parameters={"gain": 0.5})]
    tracks = [
        {"id": "room", "type": "return", "nodes": [node("latent2", parameters={"delay": 65536}), node("gain2")]},
        row("t", chain, automation=automation, sends=[{"to": "room", "gainDb": -6}]),
        row("u", [node("sidechain-multiply", sidechain={"from": "t", "tap": "post"}), node("stepped")], "b"),
        {"id": "s", "type": "instrument", "nodes": [node("click-synth"), node("stepped")],
         "clips": [{"notes": [{"at": {"beats": beat / 3}, "duration": {"beats": 0.25}, "key": 50 + beat} for beat in range(15)]}]},
    ]
    sounds = {"a": noise(FRAMES, 1), "b": noise(FRAMES, 2)}
    deliverables = [("mix", {}), source("t"), source("u"), source("s")]
    found = {tuple(digests(folder, sounds, tracks, deliverables, options)) for options in WAYS}
    equal(len(found), 1, "different sounds")


def test_noise_is_the_same_noise(folder):
    """rand() is each instance's own sequence, srand() or not."""
    for plugin in ("noise-rand", "noise-time"):
        sound = np.zeros(FRAMES)
        first = through(folder, [node(plugin)], sound)
        again = through(folder, [node(plugin)], sound, options=("--threads", "1"))
        same(again, first, f"{plugin} again")
        equal(float(np.std(first)) > 0.1, True, f"{plugin} is noise")


def test_instances_do_not_share_their_noise_in_any_order(folder):
    """A second track with the same plugin changes nothing of the first one's noise."""
    alone = through(folder, [node("noise-rand")], np.zeros(FRAMES))
    tracks = [row("u", [node("noise-rand"), node("gain", parameters={"gain": 0.5})], "b")]
    beside = through(folder, [node("noise-rand")], np.zeros(FRAMES), tracks=tracks, sounds={"b": noise(FRAMES, 9)})
    same(beside, alone, "noise beside noise")


def test_fresh_instances(folder):
    """A plugin that counts in a static variable begins anew with every command, for each is a process of its own."""
    counts = {float(through(folder, [node("counter")], np.zeros(3000))[2999, 0]) for _ in range(2)}
    equal(len(counts), 1, f"counts {counts}")


def cached(folder, plugin, cache, **changes):
    """Renders with a cache; -> whether it was used, and the digest."""
    save(f"{folder}/a.wav", noise(FRAMES))
    project = write(f"{folder}/project.json", {
        "loophole": 1, "media": {"a": {"file": "a.wav"}}, "tracks": [row("t", [node(plugin)])],
        "deliverables": [{"name": "t", "source": {"track": "t", "tap": "pre"}, **FLOAT}]})
    done = command("render", project, "-o", f"{folder}/out", "--cache", cache, "--report", "-", "--progress", "none", **changes)
    equal(done.returncode, 0, done.talk)
    entry = json.loads(done.stdout)["deliverables"][0]
    return bool(entry.get("cached")), entry["samplesSha256"]


def test_cache_keeps_nothing_unproven(folder):
    cache = f"{folder}/cache"
    first, second = cached(folder, "noise-clock", cache), cached(folder, "noise-clock", cache)
    equal((first[0], second[0]), (False, False), "taken from the cache")
    equal(first[1] == second[1], False, "a clock that stands still")
    equal([cached(folder, "gain", cache)[0] for _ in range(2)], [False, False], "not proven, though it is harmless")


def test_cache_keeps_what_is_proven(folder):
    """After a probe, a repeatable plugin's render is kept; a fickle one's is not; and an update begins anew."""
    cache = f"{folder}/cache"
    for plugin, kept in (("gain2", True), ("stepped", True), ("noise-clock", False)):
        done = command("plugins", "probe", f"lv2:urn:loophole:test:{plugin}")
        equal(done.returncode in (0, 1), True, done.talk)
        track = cached(folder, plugin, cache)[1], cached(folder, plugin, cache)
        equal(track[1][0], kept, f"{plugin} is taken from the cache")
        if kept:
            equal(track[1][1], track[0], f"{plugin} as rendered")


def test_unproven_equals_stay_apart(folder):
    """Two tracks with one fickle plugin each are two plugins; proven equals may be one."""
    tracks = [row("t", [node("noise-clock")]), row("u", [node("noise-clock")])]
    done = render(folder, {"a": noise(FRAMES)}, tracks, [source("t"), source("u")])
    equal(bool(np.any(done["t"] != done["u"])), True, "one noise for two")
    equal(len([entry for entry in done.report["plugins"] if entry["repeatable"] is not True]), 2, "marked as unproven")


def test_nothing_of_the_user_is_touched(folder):
    """All that was kept went where the environment said."""
    equal(sorted(name for name in os.listdir(OWN) if name not in ("cache", "data", "lv2")), [], "other folders")


if __name__ == "__main__":
    sys.exit(run_tests([value for name, value in list(globals().items()) if name.startswith("test_")]))
