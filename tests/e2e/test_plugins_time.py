# SPDX-License-Identifier: MIT
"""Plugins and time, sample by sample: where runs are cut, when parameters move, that latency is removed everywhere, how
tails end. test_plugins_time.py LOOPHOLE LOOPHOLE-SIGNAL BUNDLES"""
import sys

import numpy as np

from plugged import QUANTUM, hold, node, noise, ramp, row, same, source, through
from studio import render
from tap import equal, run_tests

FRAMES = 20000
GRID = 64


def curve(points, frames):
    """As graph.h has it: linear, held before the first point and after the last."""
    values = np.full(len(frames), np.float32(points[0][1]))
    for (start, a), (end, b) in zip(points, points[1:]):
        a, b = float(np.float32(a)), float(np.float32(b))
        inside = (frames >= start) & (frames < end)
        values[inside] = (a + (b - a) / (end - start) * (frames[inside] - start)).astype(np.float32)
    values[frames >= points[-1][0]] = np.float32(points[-1][1])
    return values


def cuts(length, *more, begin=0, quantum=QUANTUM):
    return sorted({begin, *range(quantum, length, quantum), *more} & set(range(begin, length)))


def told_cuts(samples, begin=0):
    """The starts and lengths that offset-teller told."""
    starts = np.flatnonzero(samples[:, 0])
    return [int(start) + begin for start in starts], [int(round(samples[start, 0] * 8192)) for start in starts]


def check_cuts(samples, expected, begin=0):
    starts, lengths = told_cuts(samples, begin)
    equal(starts, expected, "starts of runs")
    equal(lengths[:-1], [b - a for a, b in zip(expected, expected[1:])], "lengths of runs")


def test_runs_are_cut_on_the_quantum(folder):
    for quantum in (64, 1024, 8192):
        sound = through(folder, [node("offset-teller")], noise(FRAMES), quantum=quantum)
        check_cuts(sound, cuts(FRAMES, quantum=quantum))


def test_runs_are_cut_on_the_absolute_grid(folder):
    """A range that begins between two multiples begins with a short run."""
    begin = 5000
    sound = through(folder, [node("offset-teller")], noise(FRAMES),
                    deliverable={"range": {"start": {"frames": begin}, "end": {"frames": FRAMES}}})
    check_cuts(sound, cuts(FRAMES, begin=begin), begin)


def test_runs_are_cut_where_parameters_step(folder):
    steps = [(100, 0.25), (101, 0.5), (2048, 0.75), (5000, 1.0)]
    sound = through(folder, [node("offset-teller")], noise(FRAMES),
                    track={"automation": [hold("nodes/offset-teller/knob", (0, 0.0), *steps)]})
    check_cuts(sound, cuts(FRAMES, *(frame for frame, _ in steps)))


def test_runs_are_cut_on_the_fine_grid_while_parameters_ramp(folder):
    sound = through(folder, [node("offset-teller")], noise(FRAMES),
                    track={"automation": [ramp("nodes/offset-teller/knob", (4096, 0.0), (8192, 1.0))]})
    starts, _ = told_cuts(sound)
    fine = set(range(4096, 8192, GRID))
    equal(fine - set(starts), set(), "no run begins at these frames")
    equal(set(starts) - fine - set(cuts(FRAMES)) - {8192}, set(), "runs begin without need")


def test_block_and_threads_cut_nothing(folder):
    automation = {"automation": [hold("nodes/offset-teller/knob", (0, 0.0), (3333, 1.0))]}
    sounds = [through(folder, [node("offset-teller")], noise(FRAMES), track=automation, options=options)
              for options in (("--threads", "1", "--block", "1024"), ("--threads", "2", "--block", "4096"),
                              ("--threads", "4", "--block", "65536"))]
    for sound in sounds:
        check_cuts(sound, cuts(FRAMES, 3333))


def test_steps_are_exact(folder):
    points = [(0, -1.5), (1, 2.0), (999, 3.25), (1000, -7.0), (1024, 8.0), (1025, 9.0), (7777, 1000.0)]
    sound = through(folder, [node("parameter-teller")], noise(FRAMES),
                    track={"automation": [hold("nodes/parameter-teller/value", *points)]})
    frames = np.arange(FRAMES)
    expected = np.array([value for _, value in points])[np.searchsorted([frame for frame, _ in points], frames, "right") - 1]
    same(sound, expected, "a value that steps")


def test_static_values_and_defaults(folder):
    same(through(folder, [node("parameter-teller")], noise(2000)), np.zeros(2000), "default")
    same(through(folder, [node("parameter-teller", parameters={"value": 0.1})], noise(2000)), np.full(2000, 0.1), "set")
    same(through(folder, [node("gain", parameters={"gain": 0.5})], noise(2000)), noise(2000) * 0.5, "gain")


def test_ramps_move_on_the_grid(folder):
    points = [(1000, -3.0), (5000, 12.5), (5003, 12.5), (9001, 0.1)]
    sound = through(folder, [node("parameter-teller")], noise(FRAMES),
                    track={"automation": [ramp("nodes/parameter-teller/value", *points)]})
    same(sound, curve(points, np.arange(FRAMES) // GRID * GRID), "a value that ramps")


def test_step_inside_a_ramp(folder):
    """Two points at one frame: the value jumps there and goes on on the grid."""
    document = ramp("nodes/parameter-teller/value", (0, 0.0), (2500, 100.0))
    document["points"][1]["curve"] = "hold"
    document["points"] += [{"at": {"frames": 3001}, "value": -50.0}, {"at": {"frames": 6001}, "value": 50.0}]
    sound = through(folder, [node("parameter-teller")], noise(FRAMES), track={"automation": [document]})
    frames = np.arange(FRAMES)
    starts = np.where((frames >= 3001) & (frames < 3008), 3001, frames // GRID * GRID)
    starts = np.where((frames >= 2496) & (frames < 2560), np.minimum(starts, 2496), starts)
    expected = np.where(starts < 3001, curve([(0, 0.0), (2500, 100.0)], starts), curve([(3001, -50.0), (6001, 50.0)], starts))
    same(sound, expected, "a ramp, a hold, a step, a ramp")


def test_latency_is_removed(folder):
    for delay in (0, 1, 63, 480, 1023, 1024, 1025, 5000, 65536):
        sound = noise(FRAMES)
        same(through(folder, [node("latent", parameters={"delay": delay})], sound), sound, f"latency {delay}")


def test_latencies_of_a_chain_add_up_to_nothing(folder):
    chain = [node("latent", "a", parameters={"delay": 7}), node("latent", "b", parameters={"delay": 3000}),
             node("latent", "c", parameters={"delay": 480})]
    same(through(folder, chain, noise(FRAMES)), noise(FRAMES), "three delays")
    stereo = noise(FRAMES, channels=2)
    same(through(folder, [node("latent", parameters={"delay": 100}), node("latent2", parameters={"delay": 99})], stereo),
         stereo, "a pair and a stereo delay")


def test_latency_within_ranges(folder):
    """From the middle to the middle: what was before does not sound, what comes after is not missed."""
    sound = noise(FRAMES)
    deliverables = [source("part", "t", range={"start": {"frames": 3001}, "end": {"frames": 12345}}),
                    source("lead", "t", range={"start": {"frames": 8000}, "end": {"frames": 9000},
                                               "preroll": {"frames": 3000}})]
    done = render(folder, {"a": sound}, [row("t", [node("latent", parameters={"delay": 2222})])], deliverables)
    same(done["part"], sound[3001:12345], "a part")
    same(done["lead"], sound[8000:9000], "a part with a lead-in")


def test_parameters_and_latency(folder):
    """A parameter of a plugin behind a delay moves with the sound, and so does one of the delay's own node."""
    points = [(0, 1.0), (3001, 0.5), (8000, 2.0)]
    gains = np.array([value for _, value in points])[np.searchsorted([0, 3001, 8000], np.arange(FRAMES), "right") - 1]
    chain = [node("latent", parameters={"delay": 777}), node("gain"), node("latent", "after", parameters={"delay": 1234})]
    sound = through(folder, chain, noise(FRAMES), track={"automation": [hold("nodes/gain/gain", *points)]})
    same(sound, noise(FRAMES) * gains, "gain between two delays")


def null(folder, tracks, sounds, what):
    """What the master gets of paths with latent plugins and of their plain twins, turned over, is nothing."""
    done = render(folder, sounds, tracks, [("mix", {"range": {"start": {"frames": 0}, "end": {"frames": FRAMES}}}),
                                           source("one", tracks[0]["id"], range={"start": {"frames": 0},
                                                                                 "end": {"frames": FRAMES}})])
    equal(bool(np.any(done["one"] != 0)), True, f"{what}: there is sound")
    same(done["mix"], np.zeros_like(done["mix"]), what)


def test_null_of_a_track(folder):
    null(folder, [row("latent", [node("latent", parameters={"delay": 4801})]), row("plain", invert=True)],
         {"a": noise(FRAMES)}, "a track")


def test_null_of_a_group(folder):
    delays = [node("latent2", parameters={"delay": 999})]
    null(folder, [
        row("one", [node("latent", parameters={"delay": 333})], output="slow"), row("two", clip="b", output="slow"),
        {"id": "slow", "type": "group", "nodes": delays},
        row("three", output="plain"), row("four", clip="b", output="plain"), {"id": "plain", "type": "group", "invert": True},
    ], {"a": noise(FRAMES), "b": noise(FRAMES, 2)}, "a group")


def test_null_of_a_return(folder):
    """Sent to a slow return and to a plain one that is turned over; the tracks themselves are off."""
    sends = [{"to": "slow", "tap": "pre"}, {"to": "plain", "tap": "pre"}]
    null(folder, [
        {"id": "slow", "type": "return", "nodes": [node("latent2", parameters={"delay": 2049})]},
        {"id": "plain", "type": "return", "invert": True},
        row("one", [node("latent", parameters={"delay": 77})], channels=2, gainDb="-inf", sends=sends),
        row("two", clip="b", channels=2, gainDb="-inf", sends=sends),
    ], {"a": noise(FRAMES), "b": noise(FRAMES, 2)}, "a return")


def test_null_of_direct_and_sent(folder):
    """The same sound straight to the master and over a slow return, turned over: aligned to the frame."""
    null(folder, [
        row("one", channels=2, sends=[{"to": "slow"}]),
        {"id": "slow", "type": "return", "invert": True,
         "nodes": [node("latent2", parameters={"delay": 5001}), node("latent2", "again", parameters={"delay": 1})]},
    ], {"a": noise(FRAMES)}, "direct and sent")


def test_null_of_a_side_chain(folder):
    """Keyed by a slow track, through a slow track: the product is that of the plain ones."""
    sounds = {"a": noise(FRAMES), "b": noise(FRAMES, 2)}

    def keyed(name, before=(), after=(), key="key", **members):
        return row(name, [*before, node("sidechain-multiply", sidechain={"from": key, "tap": "pre"}), *after], **members)

    tracks = [
        keyed("slow", [node("latent", parameters={"delay": 321})], [node("latent", "end", parameters={"delay": 12})], "slowkey"),
        keyed("plain", invert=True),
        row("slowkey", [node("latent", parameters={"delay": 2500})], "b", gainDb="-inf"),
        row("key", (), "b", gainDb="-inf"),
    ]
    null(folder, tracks, sounds, "a side chain")
    done = render(folder, sounds, tracks, [source("plain")])
    same(done["plain"], -(sounds["a"] * sounds["b"]).astype(np.float32), "the product, turned over before")


def test_latency_of_automated_delays_is_latched(folder):
    """A delay that reports another latency halfway: the sound is aligned by the first one, and the report tells."""
    done = render(folder, {"a": noise(FRAMES)}, [row("t", [node("late", parameters={"after": 5000})])], [source("t")])
    same(done["t"], noise(FRAMES), "a delay that changes its mind")
    told = [entry for entry in done.report["plugins"] if entry["uri"].endswith(":late")]
    equal(len(told), 1, "plugins in the report")
    equal((told[0]["latencyFrames"], told[0]["latencyChanged"]), (480, True), "latency as told")


def test_bypassed_nodes_take_no_time(folder):
    same(through(folder, [node("latent", enabled=False), node("gain", enabled=False, parameters={"gain": 4})], noise(FRAMES)),
         noise(FRAMES), "disabled nodes")


def tail_of(folder, tail, frames=4800, **members):
    impulse = np.zeros(frames)
    impulse[0] = 1.0
    done = render(folder, {"a": impulse}, [row("t", [node("tail", parameters={"feedback": 0.5, "time": 2400})])],
                  [source("t", range={"start": {"frames": 0}, "end": {"frames": frames}, "tail": tail}, **members)])
    return done["t"][:, 0]


def echoes(frames):
    sound = np.zeros(frames)
    for echo in range(0, frames, 2400):
        sound[echo] = 0.5 ** (echo // 2400)
    return sound


def test_tails_ring_on(folder):
    sound = tail_of(folder, {"seconds": 1})
    same(sound, echoes(4800 + 48000), "a tail of a second")


def test_tails_end_by_themselves(folder):
    """Below -40 dB from the echo of 2^-7 on; held for half a second, judged by whole quanta from the end on."""
    sound = tail_of(folder, {"untilDb": -40, "holdSeconds": 0.5, "maxSeconds": 20})
    last_loud = 6 * 2400
    ends = last_loud + 1 - 4800
    expected = 4800 + -(-ends // QUANTUM) * QUANTUM
    equal(abs(len(sound) - expected) <= QUANTUM, True, f"{len(sound)} frames, about {expected}")
    equal(len(sound) > last_loud, True, "the last loud echo is there")
    same(sound, echoes(len(sound)), "echoes")


def test_tails_are_capped(folder):
    sound = tail_of(folder, {"untilDb": -90, "holdSeconds": 1, "maxSeconds": 0.25})
    same(sound, echoes(4800 + 12000), "a tail that was cut")


def test_tails_behind_latency(folder):
    """A tail's length does not know of the delay that was removed."""
    impulse = np.zeros(4800)
    impulse[0] = 1.0
    nodes = [node("tail", parameters={"feedback": 0.5, "time": 2400}), node("latent", parameters={"delay": 3000})]
    done = render(folder, {"a": impulse}, [row("t", nodes)],
                  [source("t", range={"start": {"frames": 0}, "end": {"frames": 4800}, "tail": {"seconds": 0.5}})])
    same(done["t"], echoes(4800 + 24000), "a tail behind a delay")


if __name__ == "__main__":
    sys.exit(run_tests([value for name, value in list(globals().items()) if name.startswith("test_")]))
