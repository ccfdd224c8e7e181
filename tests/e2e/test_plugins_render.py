# SPDX-License-Identifier: MIT
"""Plugins through the real command: layouts, side chains, presets and states, features, stand-ins for what is missing.
test_plugins_render.py LOOPHOLE LOOPHOLE-SIGNAL BUNDLES"""
import os
import sys

import numpy as np

from plugged import QUANTUM, command, hold, node, noise, ramp, row, same, source, through
from studio import columns, render, save
from tap import contains, equal, run_tests, write

FRAMES = 5000
F32 = np.float32


def mean(samples):
    """Left to right in float, times the float of 1/n."""
    total = samples[:, 0].astype(F32)
    for channel in range(1, samples.shape[1]):
        total = total + samples[:, channel].astype(F32)
    return total * F32(1.0 / samples.shape[1])


def spread(sound, channels):
    return np.repeat(columns(sound), channels, axis=1)


def fit(channels, inputs, outputs, process, samples):
    """graph/fit.h in Python. `process` maps inputs to outputs, columns of float; None: refused."""
    if inputs == 1 and outputs == 1:
        return np.hstack([process(samples[:, [channel]]) for channel in range(channels)])
    if inputs == 0:
        into = samples[:, :0]
    elif inputs == channels:
        into = samples
    elif channels == 1:
        into = spread(samples, inputs)
    elif inputs == 1:
        into = columns(mean(samples))
    elif inputs > channels:
        into = np.hstack([samples, np.zeros((len(samples), inputs - channels))])
    else:
        return None
    out = process(into.astype(F32))
    if outputs == 0:
        return samples
    if outputs == channels:
        return out
    if outputs == 1:
        return spread(out, channels)
    if outputs == 2 and channels == 1:
        return columns(mean(out))
    return out[:, :channels] if outputs > channels else None


def eighths(samples):
    sum_ = np.zeros(len(samples), F32)
    for channel in range(8):
        sum_ = sum_ + samples[:, channel] * F32(0.5 ** (channel + 1))
    return columns(sum_)


SHAPES = {  # inputs, outputs, what it does
    "gain": (1, 1, lambda x: x),
    "gain2": (2, 2, lambda x: x),
    "one-to-two": (1, 2, lambda x: np.hstack([x, -x])),
    "two-to-one": (2, 1, lambda x: columns(F32(0.75) * x[:, 0] + F32(0.25) * x[:, 1])),
    "four-out": (0, 4, lambda x: np.tile(np.arange(1, 5) / 8, (len(x), 1))),
    "eight-in": (8, 1, eighths),
    "analyser": (1, 0, lambda x: x),
}


def test_every_layout(folder):
    """Every plugin on tracks of 1 to 8 channels: straight, spread, mean, silence, or refused with words."""
    met = 0
    for channels in (1, 2, 3, 4, 8):
        samples = columns(noise(FRAMES, channels, channels))
        for plugin, (inputs, outputs, process) in SHAPES.items():
            expected = fit(channels, inputs, outputs, process, samples)
            if expected is None:
                refuses_layout(folder, plugin, channels, samples)
            else:
                same(through(folder, [node(plugin)], samples), expected, f"{plugin} on {channels} channels")
                met += 1
    equal(met, 25, "layouts that meet")


def refuses_layout(folder, plugin, channels, samples):
    try:
        through(folder, [node(plugin)], samples)
    except AssertionError as failure:
        contains(str(failure), "exit status 3")
        contains(str(failure), "/tracks/0/nodes/0")
        return
    raise AssertionError(f"{plugin} on {channels} channels is not refused")


def test_copies_have_their_own_sound(folder):
    """A mono plugin with memory on a stereo track: two instances that share nothing."""
    samples = columns(noise(FRAMES, 3, 2))
    done = through(folder, [node("tail", parameters={"feedback": 0.5, "time": 700})], samples)
    for channel in range(2):
        expected = samples[:, channel].astype(F32)
        for at in range(700, FRAMES):
            expected[at] += F32(0.5) * expected[at - 700]
        same(done[:, channel], expected, f"channel {channel}")


def keyed(folder, plugin, own, key, **members):
    sounds = {"a": noise(FRAMES, 5, own), "k": noise(FRAMES, 6, key)}
    tracks = [row("t", [node(plugin, sidechain={"from": "key", "tap": "pre"}, **members)], channels=own),
              row("key", (), "k", channels=key, gainDb="-inf")]
    done = render(folder, sounds, tracks, [source("t")])
    return done["t"], columns(sounds["a"]).astype(F32), columns(sounds["k"]).astype(F32)


def test_side_chains(folder):
    done, own, key = keyed(folder, "sidechain-multiply", 1, 1)
    same(done, own * key, "mono by mono")
    done, own, key = keyed(folder, "sidechain-multiply", 1, 2)
    same(done[:, 0], own[:, 0] * (key[:, 0] + key[:, 1]), "mono by the sum of two")
    done, own, key = keyed(folder, "sidechain-multiply", 2, 1)
    same(done, own * key, "two copies by one")
    done, own, key = keyed(folder, "sidechain-stereo", 2, 2)
    same(done, own * key, "stereo by stereo, named by port groups")
    done, own, key = keyed(folder, "sidechain-stereo", 2, 1)
    same(done, own * key, "stereo by mono")


def test_no_side_chain_is_silence(folder):
    same(through(folder, [node("sidechain-multiply")], noise(FRAMES)), np.zeros(FRAMES), "nothing keys it")


def test_side_chains_in_circles(folder):
    """Refused, with the names of who keys whom."""
    tracks = [row("one", [node("sidechain-multiply", sidechain={"from": "two"})]),
              row("two", [node("sidechain-multiply", sidechain={"from": "one"})])]
    done = checked(folder, tracks)
    equal(done.returncode, 3, "exit status")
    for word in ("one", "two"):
        contains(done.talk, word)


def checked(folder, tracks, status=3, **members):
    sounds = {"a": {"file": "sound.wav"}}
    save(f"{folder}/sound.wav", noise(FRAMES))
    write(f"{folder}/project.json", {"loophole": 1, "media": sounds, "tracks": tracks, **members})
    done = command("check", f"{folder}/project.json")
    equal(done.returncode, status, f"exit status: {done.talk}")
    return done


def taps(samples, *weights):
    sound = samples.astype(F32)
    history = [np.concatenate([np.zeros(k, F32), sound[:len(sound) - k]]) for k in range(4)]
    total = np.zeros(len(sound), F32)
    for delayed, weight in zip(history, weights):
        total = total + delayed * F32(weight)
    return total


def test_default_state_and_presets(folder):
    sound = noise(FRAMES)
    same(through(folder, [node("state-holder")], sound), taps(sound, 0.5, 0.25, 0.125, 0.0625), "default state")
    same(through(folder, [node("state-holder", preset="urn:loophole:test:twice")], sound), sound, "2 times 0.5")
    same(through(folder, [node("state-holder", preset="urn:loophole:test:filed")], sound), sound * 0.25, "a file of the bundle")
    same(through(folder, [node("state-holder", preset="urn:loophole:test:twice", parameters={"trim": 0.25})], sound), sound * 0.5,
         "a parameter comes after the preset")


STATE = """@prefix atom: <http://lv2plug.in/ns/ext/atom#> .
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix pset: <http://lv2plug.in/ns/ext/presets#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix state: <http://lv2plug.in/ns/ext/state#> .

<>
    a pset:Preset ;
    lv2:appliesTo <urn:loophole:test:state-holder> ;
    lv2:port [ lv2:symbol "trim" ; pset:value 2.0 ] ;
    state:state [
        <urn:loophole:test:taps> [ a atom:Vector ; atom:childType atom:Float ; rdf:value ( 0.5 0.0 0.0 -1.0 ) ] ;
        <urn:loophole:test:file> <depth/factor.txt>
    ] .
"""


def test_state_files(folder):
    """A state beside the project, with a file of its own that it names relative to itself."""
    os.makedirs(f"{folder}/states/depth")
    with open(f"{folder}/states/holder.ttl", "w", encoding="utf-8") as file:
        file.write(STATE)
    with open(f"{folder}/states/depth/factor.txt", "w", encoding="utf-8") as file:
        file.write("0.5\n")
    sound = noise(FRAMES)
    state = {"file": "states/holder.ttl"}
    same(through(folder, [node("state-holder", state=state)], sound), taps(sound, 0.5, 0, 0, -1), "a state and its file")
    same(through(folder, [node("state-holder", state=state, preset="urn:loophole:test:twice", parameters={"trim": 1})], sound),
         taps(sound, 0.5, 0, 0, -1) * F32(0.5), "preset, then state, then parameters")


def test_bad_states(folder):
    with open(f"{folder}/bad.ttl", "w", encoding="utf-8") as file:
        file.write("this is no Turtle")
    for state, status in (({"file": "bad.ttl"}, 1), ({"file": "missing.ttl"}, 4)):
        try:
            through(folder, [node("state-holder", state=state)], noise(FRAMES))
        except AssertionError as failure:
            contains(str(failure), f"exit status {status}")
            contains(str(failure), "state")
        else:
            raise AssertionError(f"{state} is not refused")


def test_worker(folder):
    """Its job is done at once, its answer counts from the next run on."""
    sound = noise(FRAMES)
    expected = sound * np.where(np.arange(FRAMES) < QUANTUM, 1, 2)
    same(through(folder, [node("worker-doubler")], sound), expected, "twice from the second run on")


def test_property(folder):
    """A writable property is addressed like a control port, and moves like one."""
    sound = noise(FRAMES)
    same(through(folder, [node("property", parameters={"level": 0.5})], sound), sound * 0.5, "set")
    done = through(folder, [node("property")], sound, track={"automation": [hold("nodes/property/level", (0, 1), (1234, 4))]})
    same(done, sound * np.where(np.arange(FRAMES) < 1234, 1, 4), "a step")
    done = through(folder, [node("property")], sound, track={"automation": [ramp("nodes/property/level", (0, 0), (6400, 4))]})
    grid = np.arange(FRAMES) // 64 * 64
    same(done, sound.astype(F32) * (0.0 + 4.0 / 6400 * grid).astype(F32), "a ramp")


def test_what_plugins_are_told(folder):
    stereo = noise(FRAMES, channels=2)
    one = np.ones(FRAMES)
    same(through(folder, [node("enabled-teller")], stereo), np.stack([one, one], 1), "enabled and free-wheeling")
    options = through(folder, [node("options-teller")], noise(FRAMES, channels=5), quantum=2048)
    equal([options[100, 0] * 8192, options[100, 1] * 8192, options[100, 2] * 8192], [1, 2048, 2048], "block lengths")
    equal(options[100, 3] > 0, True, "sequence size")
    equal(options[100, 4] in (0.0, 0.5), True, "rate")
    same(through(folder, [node("scaled-range")], noise(FRAMES)), one * 0.25, "default of a scaled range")
    same(through(folder, [node("scaled-range", parameters={"frequency": 12000})], noise(FRAMES), sampleRate=96000), one * 0.125,
         "a value in hertz")
    same(through(folder, [node("typed", parameters={"whole": -7, "toggle": 1, "mode": 5})], stereo),
         np.stack([one * 993, one * 5], 1), "typed parameters")
    same(through(folder, [node("is-live")], noise(FRAMES)), 0 * one, "nobody waits")
    same(through(folder, [node("requires-live")], noise(FRAMES)), noise(FRAMES), "who insists gets isLive")
    same(through(folder, [node("optional")], noise(FRAMES)), noise(FRAMES) * 2, "an optional input counts like any other")
    same(through(folder, [node("cv-in")], noise(FRAMES)), noise(FRAMES), "a CV input is silent")
    same(through(folder, [node("cv-out")], noise(FRAMES)), noise(FRAMES), "a CV output is no sound")
    same(through(folder, [node("denormal-teller")], noise(FRAMES)), 0 * one, "denormals are zero")
    capacity = through(folder, [node("capacity-teller")], noise(FRAMES))
    equal(capacity[100, 0] * 1048576 >= 65536, True, "capacity of an event output")


def refused(folder, nodes, status, *words, **members):
    done = checked(folder, [row("t", nodes, **members)], status)
    for word in words:
        contains(done.talk, word)


def test_refused_parameters(folder):
    refused(folder, [node("gain", parameters={"gian": 1})], 3, "/tracks/0/nodes/0/parameters/gian", "gain")
    refused(folder, [node("gain", parameters={"gain": 4.5})], 3, "/tracks/0/nodes/0/parameters/gain", "4")
    refused(folder, [node("gain", parameters={"gain": -0.1})], 3, "/tracks/0/nodes/0/parameters/gain")
    refused(folder, [node("scaled-range", parameters={"frequency": 30000})], 3, "/tracks/0/nodes/0/parameters/frequency")
    refused(folder, [node("latent", parameters={"latency": 3})], 3, "/tracks/0/nodes/0/parameters/latency")
    refused(folder, [node("gain")], 3, "/tracks/0/automation/0", automation=[hold("nodes/gain/gian", (0, 1))])
    refused(folder, [node("gain")], 3, "/tracks/0/automation/0", automation=[hold("nodes/gain/gain", (0, 1), (9, 5))])
    refused(folder, [node("state-holder", preset="urn:loophole:test:thrice")], 4, "/tracks/0/nodes/0/preset")


def test_refused_features(folder):
    for plugin, word in (("requires-unknown", "urn:nobody"), ("needs-fixed-block", "fixedBlockLength"),
                         ("needs-power-of-two", "powerOf2BlockLength")):
        done = checked(folder, [row("t", [node(plugin)])], 4)
        contains(done.talk, word)


def test_missing_plugins(folder):
    done = checked(folder, [row("t", [node("gaim")])], 4)
    contains(done.talk, "urn:loophole:test:gain")
    contains(done.talk, "/tracks/0/nodes/0")
    sound = noise(FRAMES)
    same(through(folder, [node("gian", ifMissing="bypass")], sound), sound, "bypassed")
    stand_ins = [node("giant", "b"), node("gain", "c", parameters={"gain": 0.25}), node("gain", "d")]
    same(through(folder, [node("gian", "a", ifMissing=stand_ins)], sound), sound * 0.25, "the first stand-in that is there")
    checked(folder, [row("t", [node("gian", "a", ifMissing=[node("giant", "b")])])], 4)
    same(through(folder, [node("gain", "a", ifMissing=stand_ins)], sound), sound, "not missing")


def test_report_tells_of_plugins(folder):
    done = render(folder, {"a": noise(FRAMES)}, [row("t", [node("gian", "x", ifMissing="bypass"), node("latent")])], [source("t")])
    told = {entry["node"]: entry for entry in done.report["plugins"]}
    equal(sorted(told), ["latent", "x"], "nodes")
    latent = told["latent"]
    equal((latent["track"], latent["uri"], latent["latencyFrames"]), ("t", "lv2:urn:loophole:test:latent", 480), "what it is")
    equal(latent["version"], "2.4", "version")


if __name__ == "__main__":
    sys.exit(run_tests([value for name, value in list(globals().items()) if name.startswith("test_")]))
