# SPDX-License-Identifier: MIT
"""What the tests of hostile plugins share: a render that one of them is in, and everything that must hold whatever it
did. Arguments: LOOPHOLE LOOPHOLE-SIGNAL BUNDLES."""
import errno
import os
import re
import resource
import shutil
import socket
import sys
import time

import numpy as np

from bad import ENVIRONMENT, LOOPHOLE, OWN, SANITIZED, calm, no_instances, tree
from studio import load, save
from tap import equal, run, write

BUNDLES = os.path.abspath(sys.argv[3])
LV2 = os.path.join(OWN, "lv2")  # a copy of the bundles, so that what lies beside them is ours alone
HOME = os.path.join(OWN, "home")
HANG_MS = 2000
BOUND_SECONDS = 60 if SANITIZED else 15
FRAMES = 48000
AFTER = 24000
QUANTUM = 1024
ENVIRONMENT.update(LV2_PATH=LV2, HOME=HOME, LOOPHOLE_TEST_HOME=HOME, XDG_CACHE_HOME=f"{OWN}/cache", XDG_DATA_HOME=f"{OWN}/data", XDG_DATA_DIRS=f"{OWN}/no",
                   LOOPHOLE_HANG_MS=str(HANG_MS), LOOPHOLE_CACHE="")
TABLE = []


def prepare():
    """Bundles, a file that is to be damaged, a server that is to be talked to."""
    shutil.copytree(BUNDLES, LV2, ignore=shutil.ignore_patterns("*.p"))
    os.mkdir(HOME)
    os.mkdir(f"{OWN}/data")
    renew_victim()
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(f"{LV2}/socket")
    server.listen(16)
    return server


def renew_victim():
    for name in ("renamed", "wrote", "victim"):
        if os.path.exists(f"{LV2}/{name}"):
            os.unlink(f"{LV2}/{name}")
    write(f"{LV2}/victim", b"whole")
    os.chmod(f"{LV2}/victim", 0o600)


SOUND = np.round(np.random.default_rng(3).uniform(-0.25, 0.25, (FRAMES, 2)) * 2**23) / 2**23


def project(folder, name, parameters=None):
    save(f"{folder}/a.wav", SOUND)
    bad = {"id": "bad", "plugin": f"lv2:urn:loophole:hostile:{name}", "parameters": parameters or {}}
    return write(f"{folder}/project.json", {
        "loophole": 1, "media": {"a": {"file": "a.wav"}},
        "tracks": [
            {"id": "good", "type": "audio", "clips": [{"media": "a"}]},
            {"id": "victim", "type": "audio", "nodes": [bad], "clips": [{"media": "a"}]},
        ],
        "deliverables": [{"name": "victim", "source": {"track": "victim", "tap": "pre"}, "format": "wav", "bitDepth": 32},
                         {"name": "mix", "source": "master", "format": "flac", "bitDepth": 24}],
    })


class Outcome:
    """How a render with a hostile plugin ended."""

    def __init__(self, name, status, talk, sound, took):
        self.name, self.status, self.talk, self.sound, self.took = name, status, talk, sound, took
        frame = re.search(r"frame (\d+)", talk)
        self.frame = int(frame.group(1)) if frame else None
        number = re.search(r"signal (\d+)", talk)
        self.signal = int(number.group(1)) if number else None
        ended = re.search(r"exit\((\d+)\)|exit status (\d+)", talk)
        self.exit = int(ended.group(1) or ended.group(2)) if ended else None

    def told(self):
        """What an asking plugin told as sound: True, False or None, and the error."""
        last = self.sound[-1]
        why = errno.errorcode.get(round(last[1] * 256), "")
        return True if last[0] == 1 else False if last[0] == 0 and why else None, why

    def summary(self):
        if self.status == 0:
            could, why = self.told() if self.sound is not None else (None, "")
            return {None: "goes on", True: "was given it, and goes on", False: f"was refused ({why}), and goes on"}[could]
        return next((line for line in self.talk.splitlines() if line.strip()), "")[:400]


def limits():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def outside(folder):
    """All that no render may touch: the project, the home, the bundles."""
    found = {("project", path): facts for path, facts in tree(folder).items() if path.split("/")[0] not in ("out", "cache")}
    for name, where in (("home", HOME), ("lv2", LV2)):
        found.update({(name, path): facts for path, facts in tree(where).items()})
    found.update({("tmp", name): None for name in os.listdir("/tmp") if name.startswith("loophole-hostile")})
    return found


def render(folder, name, *options, parameters=None, jail=True, hang_ms=HANG_MS):
    """Renders, and checks what holds for all; -> the outcome."""
    path = project(folder, name, parameters)
    before = outside(folder)
    begun = time.monotonic()
    done = run([LOOPHOLE, "render", path, "-o", f"{folder}/out", "--progress", "none", *options],
               env={**ENVIRONMENT, "LOOPHOLE_HANG_MS": str(hang_ms)}, cwd=folder, start_new_session=True, preexec_fn=limits)
    took = time.monotonic() - begun
    calm()
    no_instances(1.0)
    equal(took < BOUND_SECONDS, True, f"{took:.1f} s are too long: {done.talk[:500]}")
    if jail:
        equal(sorted(set(before) ^ set(outside(folder))), [], "files that came or went outside of the output folder")
        equal(outside(folder) == before, True, "files outside of the output folder are as they were")
    files = sorted(os.listdir(f"{folder}/out")) if os.path.isdir(f"{folder}/out") else []
    equal(files, ["mix.flac", "victim.wav"] if done.returncode == 0 else [], f"files after {done.returncode}: {done.talk[:500]}")
    sound = load(f"{folder}/out/victim.wav") if done.returncode == 0 else None
    for words in ("internal error", "Assertion", "(null)"):
        equal(words in done.talk, False, f"{words} in {done.talk[:500]}")
    outcome = Outcome(name, done.returncode, done.talk, sound, took)
    shutil.rmtree(f"{folder}/out", ignore_errors=True)
    return outcome


def note(outcome):
    TABLE.append((outcome.name, outcome.status, f"{outcome.took:.1f} s", outcome.summary()))


def print_table():
    width = max((len(row[0]) for row in TABLE), default=0)
    print("# what each hostile plugin got")
    for name, status, took, words in TABLE:
        print(f"# {name:{width}}  {status}  {took:>6}  {words}")
    sys.stdout.flush()


def plain(words):
    """Without what differs from run to run: addresses, our own folder, the project's path."""
    words = re.sub(r" at address 0x[0-9a-f]+", "", words.replace(OWN + "/", ""))
    words = re.sub(r"^(loophole: |/tmp/\S*project\.json: )", "", words)
    return words.replace("|", "\\|").replace("lv2:urn:loophole:hostile:", "")


def write_table(path):
    """Into docs/hostile.md: what stands before the table stays."""
    with open(path, encoding="utf-8") as file:
        head = file.read().split("\n|", 1)[0]
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + "\n| plugin | exit | what it got |\n|---|---|---|\n")
        file.writelines(f"| {name} | {status} | {plain(words)} |\n" for name, status, _, words in TABLE)


# ---- what may be expected of one ----


def named(outcome, where=True, plugin=True):
    """The report names track, node and plugin, and the first frame of the run that it happened in."""
    for word in ("victim", "bad", *([f"urn:loophole:hostile:{outcome.name}"] if plugin else [])):
        equal(word in outcome.talk, True, f"{word!r} is not in {outcome.talk[:500]!r}")
    if where:
        equal(outcome.frame is not None and AFTER - QUANTUM <= outcome.frame <= AFTER + QUANTUM, True,
              f"frame {outcome.frame} in {outcome.talk[:500]!r}")


def crash(*signals, where=True):
    def check(outcome):
        equal(outcome.status, 1, f"exit status: {outcome.talk[:500]}")
        equal(outcome.signal in signals, True, f"signal {outcome.signal}: {outcome.talk[:500]}")
        named(outcome, where)
    return check


def stray(*signals):
    """Outside of any call into a plugin: which track it was cannot be known, which plugins there are can."""
    def check(outcome):
        equal(outcome.status, 1, f"exit status: {outcome.talk[:500]}")
        equal(outcome.signal in signals, True, f"signal {outcome.signal}: {outcome.talk[:500]}")
        equal(f"urn:loophole:hostile:{outcome.name}" in outcome.talk, True, f"the plugin is not in {outcome.talk[:500]!r}")
    return check


def exits(code, where=True):
    def check(outcome):
        equal(outcome.status, 1, f"exit status: {outcome.talk[:500]}")
        equal(outcome.exit, code, f"the plugin's own exit: {outcome.talk[:500]}")
        named(outcome, where)
    return check


def hang(where=True):
    def check(outcome):
        equal(outcome.status, 1, f"exit status: {outcome.talk[:500]}")
        equal("hangs" in outcome.talk, True, outcome.talk[:500])
        equal(outcome.took >= HANG_MS / 1000, True, f"{outcome.took} s are too short for a hang")
        named(outcome, where)
    return check


def fault(*words, where=True, plugin=True):
    def check(outcome):
        equal(outcome.status, 1, f"exit status: {outcome.talk[:500]}")
        equal(any(word in outcome.talk for word in words), True, f"none of {words} is in {outcome.talk[:500]!r}")
        named(outcome, where, plugin)
    return check


def goes_on(outcome):
    """Nothing came of it: the sound is whole."""
    equal(outcome.status, 0, f"exit status: {outcome.talk[:500]}")
    equal(bool(np.array_equal(outcome.sound, SOUND)), True, "the sound")


def refused(outcome):
    """It asked and did not get, or was ended for asking."""
    if outcome.status != 0:
        fault("killed by the jail")(outcome)
        return
    equal(outcome.told()[0], False, f"it could: {outcome.sound[-1]}")
    equal(bool(np.array_equal(outcome.sound[:AFTER - QUANTUM], SOUND[:AFTER - QUANTUM])), True, "the sound before it asked")


def could(outcome):
    equal(outcome.status, 0, f"exit status: {outcome.talk[:500]}")
    equal(outcome.told()[0], True, f"it could not: {outcome.told()[1]}")


def cut_off(outcome):
    """The line to the parent was cut: nobody is left who could say where."""
    equal(outcome.status, 1, f"exit status: {outcome.talk[:500]}")
    equal("signal instance" in outcome.talk, True, outcome.talk[:500])
    equal(f"urn:loophole:hostile:{outcome.name}" in outcome.talk, True, f"the plugin is not in {outcome.talk[:500]!r}")


def whatever(outcome):
    """Either way, as long as it ends by the rules that hold for all."""
    equal(outcome.status in (0, 1), True, f"exit status {outcome.status}: {outcome.talk[:500]}")
    if outcome.status == 1:
        equal(f"urn:loophole:hostile:{outcome.name}" in outcome.talk, True, f"the plugin is not in {outcome.talk[:500]!r}")


def either(*checks):
    def check(outcome):
        failures = []
        for one in checks:
            try:
                one(outcome)
                return
            except AssertionError as failure:
                failures.append(str(failure))
        raise AssertionError("; or ".join(failures))
    return check
