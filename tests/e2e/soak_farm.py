# SPDX-License-Identifier: MIT
"""Jobs of all kinds while everything is killed: soak_farm.py LOOPHOLE SIGNAL PULSE NODE BUNDLES LEAKY [SECONDS [SEED]]

Clients submit small projects and projects of plugins, variants, the same once more, fresh, cancelled and bad ones.
In the first half Pulse, worker nodes and instances are killed at random; then all comes to rest and is measured. In the
second half Pulse and worker-1 live, so that what they lose adds up, and the rest goes on being killed. Measured again
at rest, all must be as it was: memory, descriptors, threads, files, the media folder without what was let go of. Every job must
have the end that it should, every file the bytes that `loophole render` makes.

Control: a Pulse that loses descriptors and memory (LEAKY is preloaded) must be noticed.
"""
import hashlib
import os
import random
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time

from farm import Farm, Programs
from tap import equal, make_project, read, run, run_tests, sine, wav_bytes, write

PROGRAMS = Programs()
BUNDLES, LEAKY = (os.path.abspath(path) for path in sys.argv[5:7])
SECONDS = float(sys.argv[7]) if len(sys.argv) > 7 else 24
SEED = int(sys.argv[8]) if len(sys.argv) > 8 else random.SystemRandom().randrange(1 << 32)

# What may differ between two measurements of a process at rest. Memory is its own alone (RssAnon): heaps of threads
# settle for a while, and Pulse's writer keeps pages of its store; what is lost for each job would come to more.
MEMORY_MIB, MEMORY_SHARE, STORE_CACHE_MIB = 12, 0.15, 64
DESCRIPTORS, THREADS = 4, 2
INSTANCES = 2  # of nodes at rest: each may keep one ready
# The collector keeps 64 MiB of the quota free for what comes; of the rest, uploads and delivered files take what they
# need, which are not evicted (a MiB a second when the machine is fast), and outputs may have what they leave.
KEPT_MIB = 8 + 2 * max(0, int(SECONDS) - 60)
QUOTA_MIB = KEPT_MIB + 64
OUTPUTS_MIB = 8  # that may stay though there is no room for them: of jobs that have just ended
ROW_KIB = 64  # of the store, for each job, until it is pruned after a month
PATIENCE = 90  # of a client while things are killed, s
CLIENTS = 2
CANCELLED, FAILED, OVER, UNREACHABLE = 1, 1, 2, 5  # exit statuses
STATES = ["queued", "planning", "running", "succeeded", "failed", "cancelled"]


class Wrong(Exception):
    """What a client says that found something amiss."""


def plugin_project(folder):
    """Three tracks of plugins and a bus's worth of sums, two seconds."""
    for number in range(3):
        write(f"{folder}/p{number}.wav", wav_bytes([sine(96000, 200 + 70 * number)]))
    rack = [{"id": "g", "plugin": "lv2:urn:loophole:test:gain"}, {"id": "t", "plugin": "lv2:urn:loophole:test:tail"}]
    tracks = [{"id": "master", "type": "master"}] + [
        {"id": f"t{number}", "type": "audio", "channels": 1, "clips": [{"media": f"p{number}", "start": {"beats": 0}}],
         "nodes": rack} for number in range(3)]
    return write(f"{folder}/plugins.json", {
        "loophole": 1, "name": "Plugins", "sampleRate": 48000,
        "media": {f"p{number}": {"file": f"p{number}.wav"} for number in range(3)}, "tracks": tracks,
        "deliverables": [{"name": "mix", "source": "master", "format": "wav", "bitDepth": 24}]})


def rate_project(folder, chance):
    """Noise of its own at another rate: to be brought and converted, and both are new."""
    silence = wav_bytes([[0.0] * 88200] * 2, rate=44100, bits=16)
    write(f"{folder}/a.wav", silence[:44] + chance.randbytes(len(silence) - 44))
    return write(f"{folder}/rates.json", {
        "loophole": 1, "name": "Rates", "sampleRate": 48000, "media": {"a": {"file": "a.wav"}},
        "tracks": [{"id": "master", "type": "master"},
                   {"id": "one", "type": "audio", "gainDb": -9, "clips": [{"media": "a", "start": {"beats": 0}}]}],
        "deliverables": [{"name": "mix", "source": "master", "format": "flac", "bitDepth": 16}]})


def bad_projects(folder):
    """Of each, the path."""
    names = []
    for name, changes in {
            "broken-medium": dict(media={"a": {"file": "broken.wav"}, "b": {"file": "b.wav"}}),
            "no-such-plugin": dict(tracks=[
                {"id": "master", "type": "master"},
                {"id": "one", "type": "audio", "clips": [{"media": "a", "start": {"beats": 0}}],
                 "nodes": [{"id": "x", "plugin": "lv2:urn:loophole:nobody"}]}]),
            "bad-format": dict(deliverables=[{"name": "mix", "source": "master", "format": "opus", "sampleRate": 44100}]),
    }.items():
        place = f"{folder}/{name}"
        os.makedirs(place)
        write(f"{place}/broken.wav", b"RIFF this is no sound")
        names.append(make_project(place, **changes))
    return names


def files_of(folder):
    return {name: hashlib.sha256(read(f"{folder}/{name}")).hexdigest() for name in sorted(os.listdir(folder))}


class Client(threading.Thread):
    """One after the other, until it is told to stop."""

    def __init__(self, soak, number):
        super().__init__(daemon=True)
        self.soak, self.farm = soak, soak.farm
        self.random = random.Random(f"{SEED}-client-{number}")
        self.folder = f"{soak.folder}/client-{number}"
        os.makedirs(self.folder)
        self.known = []  # (project, settings, files)
        self.places = 0

    def run(self):
        kinds = {self.variant: 5, self.brought: 3, self.again: 4, self.fresh: 2, self.cancelled: 3, self.bad: 1}
        while not self.soak.over.is_set():
            try:
                kind = self.random.choices(list(kinds), kinds.values())[0]
                kind()
                self.soak.count(kind.__name__)
            except Exception as wrong:  # whatever it is, the test is told
                self.soak.find(f"{type(wrong).__name__}: {wrong}")

    def command(self, *arguments, accept=(0,)):
        """A command of a client, again while nobody answers; -> as it ended."""
        deadline = time.monotonic() + PATIENCE
        while True:
            done = self.farm.run(*arguments)
            if done.returncode in accept:
                return done
            if done.returncode != UNREACHABLE or time.monotonic() > deadline:
                raise Wrong(f"{' '.join(arguments)}: exit status {done.returncode}: {done.talk}")
            time.sleep(0.1)

    def submitted(self, project, settings, expected, *options):
        out = f"{self.folder}/out"
        shutil.rmtree(out, ignore_errors=True)
        done = self.command("submit", project, "--progress", "none", "-o", out, *settings, *options, accept=(0, FAILED))
        if done.returncode == FAILED:  # a shard whose instance was killed twice is given up, as it should be
            if "the signal instance was killed by signal 9" not in done.talk:
                raise Wrong(f"{project} {settings} {options}: {done.talk}")
            self.soak.count("killed twice")
        elif files_of(out) != expected:
            raise Wrong(f"other bytes: {project} {settings} {options}")

    def variant(self):
        self.remembered(self.random.choice(self.soak.projects), self.setting())

    def brought(self):
        self.places += 1
        place = f"{self.folder}/brought-{self.places}"
        os.makedirs(place)
        self.remembered(rate_project(place, self.random), [])

    def setting(self):
        return ["--set", f"/tracks/1/gainDb={-self.random.randrange(1, 100000) / 10000}"]

    def remembered(self, project, settings):
        """Rendered here and there; it may be asked for again."""
        here = f"{self.folder}/here"
        shutil.rmtree(here, ignore_errors=True)
        done = run([PROGRAMS.loophole, "render", project, "-o", here, "--progress", "none", *settings],
                   env=self.farm.environment)
        equal(done.returncode, 0, done.talk)
        expected = files_of(here)
        self.submitted(project, settings, expected)
        self.known = self.known[-20:] + [(project, settings, expected)]

    def again(self):
        if self.known:
            self.submitted(*self.random.choice(self.known))

    def fresh(self):
        if self.known:
            self.submitted(*self.random.choice(self.known), "--fresh")

    def cancelled(self):
        project, settings = self.random.choice(self.soak.projects), self.setting()
        job = self.command("submit", project, "--progress", "none", *settings).stdout.decode().strip()
        time.sleep(self.random.uniform(0, 0.4))
        self.command("cancel", job, accept=(0, OVER))
        done = self.command("watch", job, "--progress", "none", accept=(0, CANCELLED))
        if done.returncode == CANCELLED and "cancelled" not in done.talk:
            raise Wrong(f"job {job} was cancelled, and its end is: {done.talk}")

    def bad(self):
        project, status = self.random.choice(self.soak.bad)
        self.command("submit", project, "--wait", "--progress", "none", accept=(status,))


class Killer(threading.Thread):
    def __init__(self, soak, until, spared):
        super().__init__(daemon=True)
        self.soak, self.until, self.spared = soak, until, spared
        self.random = random.Random(f"{SEED}-killer-{spared}")

    def run(self):
        while time.monotonic() < self.until and not self.soak.over.is_set():
            time.sleep(self.random.uniform(0.2, 1.5))
            victims = {"signal": 6, "worker-1": 2, "worker-2": 2, "pulse": 4}
            for name in self.spared:
                del victims[name]
            kind = self.random.choices(list(victims), victims.values())[0]
            running = self.soak.farm.processes()
            names = [name for name in running if name.startswith(kind)]
            if names:
                try:
                    os.kill(running[self.random.choice(names)], signal.SIGKILL)
                    self.soak.count(f"killed {kind.split('-')[0]}")
                except ProcessLookupError:
                    pass


def used(folder):
    """Bytes of the files beneath, as they occupy the disk."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                told = os.lstat(os.path.join(place, name))
            except FileNotFoundError:
                continue
            total += told.st_blocks * 512 if stat.S_ISREG(told.st_mode) else 0
    return total


def process(pid):
    with open(f"/proc/{pid}/status") as file:
        lines = dict(line.split(":", 1) for line in file)
    return {"memory": int(lines["RssAnon"].split()[0]) / 1024, "threads": int(lines["Threads"]),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd"))}


class Soak:
    def __init__(self, folder, quota=True, leak=False):
        self.folder, self.quota = folder, quota
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.findings, self.counts = [], {}
        for place in ("tmp", "lv2", "small", "plugins", "bad"):
            os.makedirs(f"{folder}/{place}")
        shutil.copytree(f"{BUNDLES}/friendly.lv2", f"{folder}/lv2/friendly.lv2", ignore=shutil.ignore_patterns("*.p"))
        programs = Programs()
        programs.pulse = f"{folder}/pulse"
        write(programs.pulse, "#!/bin/sh\n".encode() + (f"export LD_PRELOAD={LEAKY}\n" if leak else "").encode() +
              f'exec {PROGRAMS.pulse} "$@" {f"--quota {QUOTA_MIB}" if quota else ""}\n'.encode())
        os.chmod(programs.pulse, 0o755)
        self.farm = Farm(folder, programs, workers=2, lv2=f"{folder}/lv2", lease_ms=1000, beat_ms=250,
                         TMPDIR=f"{folder}/tmp")
        self.projects = [make_project(f"{folder}/small"), plugin_project(f"{folder}/plugins")]
        self.bad = [(project, run([PROGRAMS.loophole, "check", project], env=self.farm.environment).returncode)
                    for project in bad_projects(f"{folder}/bad")]
        equal(all(status in (3, 4) for _, status in self.bad), True, f"bad projects: {self.bad}")
        self.shared = self.shared_memory()

    @staticmethod
    def shared_memory():
        return {name for name in os.listdir("/dev/shm") if re.match("loophole(?!-test-)", name)}

    def find(self, what):
        with self.lock:
            self.findings.append(what[:400])

    def count(self, what, by=1):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + by

    # ---- rest

    def ask(self, question):
        store = sqlite3.connect(f"file:{self.farm.data}/pulse.db?mode=ro", uri=True, timeout=10)
        try:
            return store.execute(question).fetchall()
        finally:
            store.close()

    def jobs(self):
        """How many are in each state, by its name."""
        return {STATES[state]: count for state, count in self.ask("SELECT state, count(*) FROM jobs GROUP BY state")}

    def settle(self):
        """Until nothing is under way and the collector has had its time."""
        deadline = time.monotonic() + PATIENCE
        while True:
            jobs = self.jobs()
            under_way = {state: count for state, count in jobs.items() if state in STATES[:3]}
            whole = {"pulse", "worker-1", "worker-2"} <= set(self.farm.processes())
            if whole and not under_way and (not self.quota or self.excess() <= 0):
                break
            if time.monotonic() > deadline:
                if under_way or not whole:
                    self.find(f"not at rest: {jobs}, {sorted(self.farm.processes())}")
                break
            time.sleep(0.3)
        self.farm.must("workers")
        time.sleep(2)  # whoever has just gone is noticed as gone

    def kept(self):
        """MiB of media that were brought and of what jobs delivered: both stay for a while."""
        sizes = self.ask("SELECT sum(size) FROM (SELECT digest, size FROM media UNION SELECT digest, size FROM artifacts)")
        return (sizes[0][0] or 0) / (1 << 20)

    def outputs(self):
        """MiB in Pulse's folder beside those."""
        folder = f"{self.farm.data}/media"
        return (used(folder) - used(f"{folder}/incoming")) / (1 << 20) - self.kept()

    def excess(self):
        """MiB of outputs that should have gone."""
        return self.outputs() - max(0, KEPT_MIB - self.kept()) - OUTPUTS_MIB

    def measure(self):
        running = self.farm.processes()
        told = {name: process(running[name]) for name in ("pulse", "worker-1")}
        told["up"] = process(self.farm.process.pid)
        told["instances"] = sum(1 for name in running if name.startswith("signal-"))
        told["temporary"] = sorted(os.listdir(f"{self.folder}/tmp"))
        told["outputs"], told["kept"], told["excess"] = self.outputs(), self.kept(), self.excess()
        told["caches"] = used(f"{self.farm.data}/workers") / (1 << 20)
        told["store"] = self.ask("SELECT page_count * page_size / 1024 FROM pragma_page_count, pragma_page_size")[0][0]
        told["jobs"] = sum(self.jobs().values())
        return told

    def compare(self, before, after):
        for name in ("pulse", "worker-1", "up"):
            pages = min(STORE_CACHE_MIB, (after["store"] - before["store"]) / 1024) if name == "pulse" else 0
            most = before[name]["memory"] * (1 + MEMORY_SHARE) + MEMORY_MIB + pages
            for what, limit in (("memory", most), ("descriptors", before[name]["descriptors"] + DESCRIPTORS),
                                ("threads", before[name]["threads"] + THREADS)):
                if after[name][what] > limit:
                    self.find(f"{what} of {name}: {before[name][what]} before, {after[name][what]} after")
        if after["instances"] > INSTANCES:
            self.find(f"instances: {after['instances']}")
        if len(after["temporary"]) > len(before["temporary"]):
            self.find(f"temporary files: {before['temporary']} before, {after['temporary']} after")
        if self.shared_memory() - self.shared:
            self.find(f"shared memory: {self.shared_memory() - self.shared}")
        if after["excess"] > 0:
            self.find(f"outputs: {after['outputs']:.1f} MiB beside {after['kept']:.1f} MiB, of {KEPT_MIB} in all")
        rows = (after["store"] - before["store"]) / max(1, after["jobs"] - before["jobs"])
        if rows > ROW_KIB:
            self.find(f"store: {rows:.1f} KiB for each job")

    # ---- the whole

    def work(self, seconds, spared):
        """Clients for so long; whoever is not spared is killed, in the first three quarters of the time."""
        self.over.clear()
        begun = time.monotonic()
        number = self.counts.get("clients", 0)
        self.count("clients", CLIENTS)
        crew = [Client(self, number + i) for i in range(CLIENTS)]
        crew.append(Killer(self, begun + 0.75 * seconds, spared))
        for one in crew:
            one.start()
        while time.monotonic() < begun + seconds:
            time.sleep(0.1)
        self.over.set()
        for one in crew:
            one.join(PATIENCE + 120)
            if one.is_alive():
                self.find("a client hangs")

    def doctor(self):
        done = self.farm.run("doctor")
        if done.returncode != 0:
            self.find(f"doctor: {done.stdout.decode()} {done.talk}")

    def go(self, seconds, killing=True):
        """-> what is wrong."""
        with self.farm:
            if killing:
                self.work(seconds / 2, spared=())
            else:
                self.work(2, spared=("signal", "worker-1", "pulse"))
            self.settle()
            before = self.measure()
            self.work(seconds / 2, spared=("pulse", "worker-1"))
            self.settle()
            after = self.measure()
            self.compare(before, after)
            self.doctor()
            jobs = self.jobs()
            equal(self.farm.stop(), 0, "exit status of up")
            self.doctor()  # the store and the folder alone
            if self.farm.processes():
                self.find(f"left running: {self.farm.processes()}")
            left = os.listdir(f"{self.folder}/tmp")
            if left:
                self.find(f"left in TMPDIR: {left}")
            print(f"# {self.counts}\n# jobs: {jobs}\n# before: {before}\n# after: {after}")
            for line in self.farm.logged("conflict|row left out|blob damaged|not assigned|quota"):
                self.find(line)
        return self.findings


def test_soak(folder):
    print(f"# seed {SEED}, {SECONDS:.0f} s")
    soak = Soak(folder)
    findings = soak.go(SECONDS)
    twice, kills = soak.counts.get("killed twice", 0), soak.counts.get("killed signal", 0)
    if twice > 1 + kills / 20:
        findings.append(f"{twice} shards were given up for {kills} kills")
    for finding in findings[:20]:
        print(f"# {finding!r}")
    equal(len(findings), 0, "findings")


def noticed(findings, what):
    if not any(finding.startswith(what) for finding in findings):
        raise AssertionError(f"nobody noticed: {what}; but {findings[:20]}")


def test_control_a_leak_is_noticed(folder):
    findings = Soak(folder, leak=True).go(16, killing=False)
    noticed(findings, "descriptors of pulse")
    noticed(findings, "memory of pulse")


if __name__ == "__main__":
    sys.exit(run_tests([test_soak, test_control_a_leak_is_noticed], at_once=2))
