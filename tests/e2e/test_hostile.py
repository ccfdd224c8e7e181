# SPDX-License-Identifier: MIT
"""One render for each hostile plugin of tests/plugins/hostile.lv2, and what each gets: test_hostile.py LOOPHOLE
LOOPHOLE-SIGNAL BUNDLES [MARKDOWN]. Whatever it does, the command ends in bounded time and says who did what where; no file is there
in part, none outside the output folder has changed, no process is left."""
import json
import os
import re
import signal
import sys

import hostile
from bad import case, ends, loophole, main
from hostile import BUNDLES, LV2, could, crash, cut_off, either, exits, fault, goes_on, hang, refused, stray, whatever
from tap import equal, read, write

SEGV = crash(signal.SIGSEGV, signal.SIGBUS)
EXPECTED = {
    # crashes.c
    "segv": SEGV, "null-call": SEGV, "thread-crash": either(SEGV, stray(signal.SIGSEGV)), "stack-overflow": SEGV,
    "segv-instantiate": crash(signal.SIGSEGV, where=False), "segv-activate": crash(signal.SIGSEGV, where=False),
    "segv-deactivate": crash(signal.SIGSEGV, where=False), "segv-cleanup": crash(signal.SIGSEGV, where=False),
    "bus": crash(signal.SIGBUS), "divide": crash(signal.SIGFPE), "illegal": crash(signal.SIGILL, signal.SIGTRAP),
    "abort": crash(signal.SIGABRT), "kill-self": crash(signal.SIGKILL), "terminate": crash(signal.SIGABRT),
    "exit-3": exits(3), "exit-0": exits(0), "exit-now": exits(4), "quick-exit": exits(5), "symbol-lookup": exits(127),
    "exit-instantiate": exits(0, where=False),
    "at-exit": goes_on,
    # hangs.c
    "loop": hang(), "sleep": hang(), "deadlock": hang(), "deaf": hang(), "stop-self": hang(), "thread-exit": either(hang(), exits(0)),
    "loop-instantiate": hang(where=False), "loop-cleanup": hang(where=False), "slow": goes_on,
    # hogs.c
    "fork-bomb": either(hang(), refused), "thread-bomb": either(hang(), refused),
    "memory-hog": SEGV, "address-hog": whatever, "descriptor-hog": either(refused, fault("descriptor", "open files")),
    "fill-disk": either(could, refused, crash(signal.SIGXFSZ)), "print-flood": goes_on,
    # sounds.c
    "nan": fault("NaN"), "inf": fault("infinity"), "huge": fault("full scale", plugin=False),
    "denormals": goes_on, "environment": goes_on,
    "latency-negative": goes_on, "latency-huge": whatever, "latency-nan": goes_on, "latency-moves": goes_on,
    "sequence-lies": either(goes_on, fault("events", "capacity", "holds")), "sequence-overflows": either(SEGV, fault("events", "capacity", "past")),
    # memory.c
    "write-past": either(SEGV, fault("past", "behind")), "write-far": SEGV, "write-before": SEGV, "read-before": SEGV,
    "read-past": SEGV, "heap-overflow": either(crash(signal.SIGABRT, signal.SIGSEGV), stray(signal.SIGABRT, signal.SIGSEGV)), "double-free": crash(signal.SIGABRT),
    "write-input": goes_on, "write-control": goes_on, "write-features": whatever, "write-constant": SEGV,
    "unmap-output": either(SEGV, stray(signal.SIGSEGV)), "protect-input": either(SEGV, stray(signal.SIGSEGV)), "open-guard": whatever,
    # escapes.c
    **{name: refused for name in (
        "read-shadow", "read-homes", "list-root", "write-home", "write-temporary", "write-bundle", "unlink", "rename", "truncate", "chmod",
        "utime", "network",
        "datagrams", "local-socket", "exec", "fork", "command", "kill-parent", "trace-parent", "read-parent", "open-parent",
        "raise-limits", "namespace")},
    "open-self": whatever, "write-scratch": could,
    # tricks.c
    "close-all": cut_off, "close-socket": cut_off, "write-socket": either(whatever, cut_off),
    "ignore-crash": SEGV, "block-crash": SEGV, "return-to-crash": hang(), "survive-crash": goes_on,
    "alarm": crash(signal.SIGALRM), "locale": goes_on, "surroundings": goes_on,
    # bundles of their own
    "constructor": crash(signal.SIGSEGV, where=False), "destructor": whatever, "unresolved": fault("unresolved", where=False),
}
PATIENT = {"fill-disk": 20000, "print-flood": 20000}
# What a jail alone refuses: without one they could. Harmless to whoever runs this.
CONTROLS = ["list-root", "write-home", "write-temporary", "write-bundle", "unlink", "rename", "truncate", "chmod", "utime", "network", "local-socket",
            "fork", "command"]


def names():
    found = []
    for folder in ("hostile", "constructor", "destructor", "unresolved"):
        found += re.findall(r"<urn:loophole:hostile:([a-z0-9-]+)> a lv2:Plugin", read(f"{BUNDLES}/{folder}.lv2/manifest.ttl").decode())
    return found


def holds(folder, name):
    hostile.renew_victim()
    outcome = hostile.render(folder, name, hang_ms=PATIENT.get(name, hostile.HANG_MS))
    hostile.note(outcome)
    EXPECTED[name](outcome)


def control(folder, name):
    hostile.renew_victim()
    outcome = hostile.render(folder, name, "--jail", "off", jail=False)
    for path in (f"{hostile.HOME}/loophole-hostile-wrote", f"{LV2}/wrote", f"{LV2}/renamed"):
        if os.path.exists(path):
            os.unlink(path)
    could(outcome)


def test_every_plugin_has_an_expectation(_):
    equal(sorted(names()), sorted(EXPECTED), "plugins")
    equal(len(names()) >= 25, True, "there are 25 and more")


def test_the_first_of_many(folder):
    """One among eight tracks on four threads: it is the one that is named."""
    path = hostile.project(folder, "segv")
    document = json.loads(read(path))
    document["tracks"] += [{"id": f"t{i}", "type": "audio", "clips": [{"media": "a"}], "nodes": [
        {"id": "gain", "plugin": "lv2:urn:loophole:test:gain2"}]} for i in range(8)]
    write(path, document)
    for threads in ("1", "2", "4"):
        done = ends(loophole("render", path, "-o", f"{folder}/out", "--threads", threads), 1, ["victim", "bad", "urn:loophole:hostile:segv"])
        equal("gain" in done.talk, False, f"another one is named: {done.talk}")
        equal(os.path.exists(f"{folder}/out"), False, "output")


def test_the_frame_follows_the_plugin(folder):
    for after in (0, 1024, 40000):
        outcome = hostile.render(folder, "segv", parameters={"after": after})
        equal((outcome.status, outcome.frame), (1, after // 1024 * 1024), f"after frame {after}: {outcome.talk}")


def test_latency_that_is_none(folder):
    """Told from the first run on, which is where it is looked at: it shifts the sound, or is refused, but nothing falls over."""
    for name in ("latency-negative", "latency-nan", "latency-huge", "latency-moves"):
        outcome = hostile.render(folder, name, parameters={"after": 0})
        if name == "latency-huge":
            equal(outcome.status in (0, 1), True, f"exit status: {outcome.talk}")
        else:
            goes_on(outcome)


def test_a_quiet_one_renders_as_ever(folder):
    """Its moment never comes: the sound is that of no plugin at all."""
    goes_on(hostile.render(folder, "segv", parameters={"after": 1e8}))


def test_what_is_not_rendered_is_not_loaded(folder):
    """Projects that do not use a hostile bundle are not harmed by it."""
    write(f"{folder}/project.json", {"loophole": 1, "tracks": [
        {"id": "t", "type": "audio", "channels": 4, "nodes": [{"id": "n", "plugin": "lv2:urn:loophole:test:four-out"}]}],
        "deliverables": [{"name": "t", "source": "t", "range": {"start": {"frames": 0}, "end": {"frames": 1000}}}]})
    ends(loophole("render", f"{folder}/project.json", "-o", f"{folder}/out"), 0)
    listed = ends(loophole("plugins", "list"), 0)
    equal(b"urn:loophole:hostile:constructor" in listed.stdout, True, "it is listed")


def test_a_child_is_jailed_while_it_reads_data(folder):
    """Listing loads no binary: nothing hostile has a chance to run."""
    done = ends(loophole("plugins", "list", "--json"), 0)
    equal(done.stdout.count(b"urn:loophole:hostile:") >= len(names()), True, "plugins")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]
TESTS += [case(f"test_{name}", holds, name) for name in EXPECTED]
TESTS += [case(f"test_without_a_jail_{name}", control, name) for name in CONTROLS]

if __name__ == "__main__":
    SERVER = hostile.prepare()
    try:
        main(TESTS)
    finally:
        hostile.print_table()
        if len(sys.argv) > 4:
            hostile.write_table(sys.argv[4])
