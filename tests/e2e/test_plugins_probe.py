# SPDX-License-Identifier: MIT
"""What `plugins probe` finds out about our own plugins, of which everything is known: test_plugins_probe.py LOOPHOLE
LOOPHOLE-SIGNAL BUNDLES"""
import json
import shutil
import sys
import time

from plugged import BUNDLES, OWN, command
from tap import contains, equal, run_tests

# Whose output depends on the lengths of its runs or on what it is told of them, and what else is not as for all others.
BOUND = {"stepped", "offset-teller", "noise-clock", "worker-doubler", "options-teller"}
FICKLE = {"noise-clock", "counter"}
REFUSED = {"requires-unknown", "needs-fixed-block", "needs-power-of-two"}
RANDOM = {"noise-rand"}
LATENT = {"latent": 480, "latent2": 480, "late": 480}
SOUND_BY_THEMSELVES = {"noise-rand", "noise-time", "noise-clock", "four-out", "counter", "offset-teller"}
HOSTILE = {  # a word of the message; None: it is not found out
    "segv": "signal 11", "segv-instantiate": "while it was loaded", "segv-cleanup": "while it was freed", "exit-0": "exit(0)",
    "abort": "signal 6", "kill-self": "signal 9", "nan": "NaN", "inf": "infinity", "stack-overflow": "signal 11",
    "write-past": "signal 11", "double-free": "signal 6", "trace-parent": "ptrace", "constructor": "while it was loaded",
    "memory-hog": "out of memory", "close-all": "signal instance", "loop": "hangs", "kill-parent": None, "environment": None,
}


def probe(bundles, names, prefix):
    """The verdicts by name; the bundles are all that there is."""
    for bundle in bundles:
        shutil.copytree(f"{BUNDLES}/{bundle}.lv2", f"{OWN}/lv2/{bundle}.lv2", ignore=shutil.ignore_patterns("*.p"),
                        dirs_exist_ok=True)
    done = command("plugins", "probe", "--json", "--progress", "none", *(f"lv2:{prefix}{name}" for name in names))
    equal(done.returncode, 0, f"exit status: {done.talk}")
    return {entry["uri"].removeprefix(f"lv2:{prefix}"): entry for entry in json.loads(done.stdout)}


def test_friendly_plugins(_):
    listed = json.loads(command("plugins", "list", "--json").stdout)
    names = [entry["uri"].removeprefix("lv2:urn:loophole:test:") for entry in listed]
    equal(len(names) > 40, True, "plugins")
    found = probe(["friendly"], names, "urn:loophole:test:")
    equal({name for name, told in found.items() if told["status"] == "refused"}, REFUSED, "refused")
    equal({name for name, told in found.items() if told["status"] == "not repeatable"}, FICKLE, "not repeatable")
    equal({name for name, told in found.items() if told["status"] == "faulty"}, set(), "faulty")
    tried = {name: told for name, told in found.items() if name not in REFUSED}
    equal({name for name, told in tried.items() if told["blockInvariant"] is not True}, BOUND, "bound to the quantum")
    equal({name: told["latencyFrames"] for name, told in tried.items() if told["latencyFrames"]}, LATENT, "latency")
    equal({name for name, told in tried.items() if told["sameWithoutAvx"] is False} - FICKLE, set(), "of the vector units")
    equal({name for name, told in tried.items() if told["soundsByItself"]} >= SOUND_BY_THEMSELVES, True, "sound by themselves")
    equal({name for name in RANDOM if tried[name]["drawsRandomNumbers"] is not True}, set(), "of random numbers")
    echo = tried["tail"]["tailSeconds"]  # -90 dB from -12 by halves, each 0.1 s
    equal(1.0 < echo < 1.8, True, f"a tail of {echo} s")
    equal(tried["latent"]["features"], ["latency"], "features of the delay")
    for name, feature in (("click-synth", "notes"), ("state-holder", "state"), ("worker-doubler", "worker")):
        contains(tried[name]["features"], feature)


def test_hostile_plugins(_):
    """Each has a verdict like any other, in bounded time, and the other ones are not harmed."""
    begun = time.monotonic()
    found = probe(["hostile", "constructor"], HOSTILE, "urn:loophole:hostile:")
    for name, word in HOSTILE.items():
        equal(found[name]["status"], "repeatable" if word is None else "faulty", f"status of {name}")
        if word is not None:
            contains(found[name]["message"], word)
    equal(time.monotonic() - begun < 90, True, "soon")


if __name__ == "__main__":
    sys.exit(run_tests([value for name, value in list(globals().items()) if name.startswith("test_")]))
