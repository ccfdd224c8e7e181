# SPDX-License-Identifier: MIT
"""Who is heard where: solo and mute, sends, taps, contributions. test_routing.py LOOPHOLE LOOPHOLE-SIGNAL"""
import itertools
import sys

import numpy as np

from studio import gain, render, track, within
from tap import equal, run_tests

ROUNDING = 2.0**-21


def impulse(frame, frames=64):
    samples = np.zeros(frames)
    samples[frame] = 1.0
    return samples


# A small desk. Each audio track is one impulse at a frame of its own, so that the master shows who is heard, and a send
# adds as much again. `safe` goes straight to the master, `grouped` is a return inside a group.
OUTPUTS = {
    "kick": "drums",
    "hat": "drums",
    "drums": "band",
    "keys": "band",
    "band": "master",
    "vox": "master",
    "safe": "master",
    "grouped": "band",
}
SENDS = {"kick": ["safe"], "keys": ["grouped"], "vox": ["safe", "grouped"]}
RETURNS = ("safe", "grouped")
GROUPS = ("drums", "band")
AUDIO = ("kick", "hat", "keys", "vox")


def downstream(name):
    """The track itself and all that its sound goes through by outputs."""
    way = [name]
    while way[-1] != "master":
        way.append(OUTPUTS[way[-1]])
    return set(way)


def silenced(solos):
    """By solo in place: neither soloed, nor down- or upstream of a soloed track, nor a return."""
    if not solos:
        return set()
    kept = set().union(*(downstream(name) for name in solos))
    kept |= {name for name in OUTPUTS if downstream(name) & set(solos)}
    return set(OUTPUTS) - kept - set(RETURNS)


def level_at_master(name, off):
    """How often the impulse of an audio track arrives: by its output and by its sends."""
    if name in off:
        return 0
    ways = [downstream(name)] + [{name} | downstream(to) for to in SENDS.get(name, [])]
    return sum(1 for way in ways if not way & off)


def desk(solos, mutes):
    def flags(name):
        return {"solo": name in solos, "mute": name in mutes}

    tracks = [{"id": name, "type": "group", "output": OUTPUTS[name], **flags(name)} for name in GROUPS]
    tracks += [{"id": name, "type": "return", "output": OUTPUTS[name], **flags(name)} for name in RETURNS]
    tracks += [
        track(
            name,
            name,
            channels=2,
            output=OUTPUTS[name],
            sends=[{"to": to} for to in SENDS.get(name, [])],
            **flags(name),
        )
        for name in AUDIO
    ]
    return tracks


def test_truth_table_of_solo_and_mute(folder):
    sounds = {name: impulse(10 * (i + 1)) for i, name in enumerate(AUDIO)}
    names = list(OUTPUTS)
    cases = [(set(s), set()) for count in (0, 1, 2) for s in itertools.combinations(names, count)]
    cases += [(set(), set(m)) for count in (1, 2) for m in itertools.combinations(names, count)]
    rng = np.random.default_rng(3)
    cases += [({n for n in names if rng.random() < 0.3}, {n for n in names if rng.random() < 0.2}) for _ in range(40)]
    for solos, mutes in cases:
        done = render(
            folder, sounds, desk(solos, mutes), [("mix", {}), ("tap", {"source": {"each": list(names), "tap": "pre"}})]
        )
        off = mutes | silenced(solos)
        for i, name in enumerate(AUDIO):
            what = f"{name} with solo {sorted(solos)} and mute {sorted(mutes)}"
            equal(done["mix"][10 * (i + 1), 0], float(level_at_master(name, off)), what)
        for name in names:
            if name in off:
                equal(
                    not done["tap-" + name].any(),
                    True,
                    f"tap of {name}, silent with solo {sorted(solos)} and mute {sorted(mutes)}",
                )


def test_taps_and_sends_before_and_after_the_fader(folder):
    noise = np.random.default_rng(4).uniform(-1, 1, 500).astype("f4").astype(float)
    sends = [
        {"to": "a", "tap": "pre", "gainDb": -3, "pan": 0.5},
        {"to": "b", "tap": "post", "gainDb": -6},
        {"to": "c", "tap": "post", "mute": True},
        {"to": "d", "tap": "post", "gainDb": 2, "pan": -0.25},
    ]
    tracks = [{"id": name, "type": "return"} for name in "abcd"]
    tracks.append(track("t", "noise", gainDb=-12, pan=-0.5, invert=True, sends=sends))
    done = render(
        folder,
        {"noise": noise},
        tracks,
        [
            ("pre", {"source": {"track": "t", "tap": "pre"}}),
            ("post", {"source": "t"}),
            ("s", {"source": {"each": list("abcd")}}),
        ],
    )
    post = -noise[:, None] * gain(-12) * [np.cos(np.pi / 8), np.sin(np.pi / 8)]
    within(done["pre"], -noise[:, None], 0, "pre tap: after polarity, before the fader")
    within(done["post"], post, ROUNDING, "post tap")
    within(
        done["s-a"],
        -noise[:, None] * gain(-3) * [np.cos(3 * np.pi / 8), np.sin(3 * np.pi / 8)],
        ROUNDING,
        "send before the fader",
    )
    within(done["s-b"], post * gain(-6), ROUNDING, "send after the fader")
    equal(not done["s-c"].any(), True, "muted send")
    within(done["s-d"], post * gain(2) * [1, 0.75], ROUNDING, "a send's own balance")


def big_desk(rng):
    """Tracks through groups, with sends to returns, one of which feeds the other."""
    sounds = {f"m{i}": rng.uniform(-0.3, 0.3, (2000, 1 + i % 2)) for i in range(6)}
    tracks = [
        {"id": "g1", "type": "group", "gainDb": -1.2, "pan": 0.1, "sends": [{"to": "r2", "gainDb": -9}]},
        {"id": "g2", "type": "group", "output": "g1", "gainDb": 0.7},
        {"id": "r1", "type": "return", "gainDb": -2, "sends": [{"to": "r2", "gainDb": -7.7, "tap": "pre"}]},
        {"id": "r2", "type": "return", "output": "master", "pan": -0.3},
        {"id": "master", "type": "master", "gainDb": -0.5},
    ]
    for i in range(6):
        tracks.append(
            track(
                f"t{i}",
                f"m{i}",
                gainDb=float(-i),
                pan=0.3 - 0.1 * i,
                output=["master", "g1", "g2"][i % 3],
                sends=[{"to": "r1", "gainDb": -6.0, "tap": ["pre", "post"][i % 2]}] if i < 4 else [],
            )
        )
    return sounds, tracks


def test_contributions_add_up_to_the_master(folder):
    sounds, tracks = big_desk(np.random.default_rng(5))
    names = [f"t{i}" for i in range(6)]
    done = render(folder, sounds, tracks, [("mix", {}), ("part", {"source": {"each": names, "tap": "contribution"}})])
    total = sum(done["part-" + name] for name in names)
    within(total, done["mix"], len(names) * ROUNDING, "contributions together")
    equal(np.abs(done["mix"]).max() > 0.1, True, "something is heard")


def test_a_contribution_is_the_mix_with_that_track_alone(folder):
    sounds, tracks = big_desk(np.random.default_rng(5))
    parts = render(
        folder, sounds, tracks, [("part", {"source": {"each": [f"t{i}" for i in range(6)], "tap": "contribution"}})]
    )
    for i in (0, 2, 3):
        alone = [{**t, "mute": t["type"] == "audio" and t["id"] != f"t{i}"} for t in tracks]
        mix = render(folder, sounds, alone, [("mix", {})])["mix"]
        within(parts[f"part-t{i}"], mix, 0, f"t{i}")


if __name__ == "__main__":
    sys.exit(
        run_tests(
            [
                test_truth_table_of_solo_and_mute,
                test_taps_and_sends_before_and_after_the_fader,
                test_contributions_add_up_to_the_master,
                test_a_contribution_is_the_mix_with_that_track_alone,
            ]
        )
    )
