# SPDX-License-Identifier: MIT
"""What the tests that break a farm share: a project whose shards take a known time, what it must sound like, and a
witness in the store that writes down what Pulse commits.

A test's arguments are LOOPHOLE LOOPHOLE-SIGNAL LOOPHOLE-PULSE LOOPHOLE-NODE BUNDLES, and options."""
import argparse
import atexit
import ctypes
import functools
import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

from farm import Farm, Programs
from tap import Skip, equal, make_project, read, run, sine, wav_bytes, write

PROGRAMS = Programs()
OWN = tempfile.mkdtemp(prefix="loophole-broken-")
atexit.register(shutil.rmtree, OWN, ignore_errors=True)
LV2 = f"{OWN}/lv2"
shutil.copytree(f"{os.path.abspath(sys.argv[5])}/slow.lv2", f"{LV2}/slow.lv2", ignore=shutil.ignore_patterns("*.p"))

SLEEPLESS = f"{os.path.abspath(sys.argv[5])}/libsleepless.so"  # what waits passes for work: jobs are cut
LEASE_MS, BEAT_MS = 1000, 250
WORKERS = 3
TRACKS = 12
SECONDS = 25
PAUSE_US = 100  # in each block: a track takes a quarter of a second, and the estimate is high enough for cuts
PATIENCE = UNDISTURBED_PATIENCE = 60  # for a job that takes two seconds when nobody disturbs it
CLAIMED, DONE = 2, 3  # states of shards
FINAL_JOBS = (3, 4, 5)
SUCCEEDED = 3
PRESENT = 1


def options(programs=5, **numbers):
    """What the command line asks for: --seed, and these with their standards."""
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", nargs=programs)
    for name, standard in {"seed": 20261125, **numbers}.items():
        parser.add_argument(f"--{name}", type=type(standard), default=standard)
    return parser.parse_args()


def chances(asked, what):
    """Of this run and this test: told, so that it can be had again."""
    print(f"# {what}: --seed {asked.seed}", flush=True)
    return random.Random(f"{asked.seed} {what}")


# ---- the project -----------------------------------------------------------------------------------------------------

def slow_project(folder, tracks=TRACKS, seconds=SECONDS, pause=PAUSE_US):
    """Mono tracks, each with a plugin that makes every sample hang on all before it and sleeps in each block."""
    media, rows = {}, [{"id": "master", "type": "master"}]
    for i in range(tracks):
        write(f"{folder}/t{i}.wav", wav_bytes([sine(48000, 110 * (i + 1), 0.1)]))
        media[f"t{i}"] = {"file": f"t{i}.wav"}
        rows.append({"id": f"t{i}", "type": "audio", "channels": 1, "gainDb": -6,
                     "clips": [{"media": f"t{i}", "start": {"beats": 0}, "duration": {"seconds": seconds}, "loop": True}],
                     "nodes": [{"id": "slow", "plugin": "lv2:urn:loophole:test:slow",
                                "parameters": {"smooth": 0.9 * i / tracks, "pause": pause}}]})
    return make_project(folder, media=media, tracks=rows, deliverables=[
        {"name": "mix", "source": "master", "format": "wav", "bitDepth": 24},
        {"name": "first", "source": "t0", "format": "flac", "bitDepth": 16},
    ])


def digests(folder):
    return {name: hashlib.sha256(read(f"{folder}/{name}")).hexdigest() for name in sorted(os.listdir(folder))}


@functools.cache
def rendered_here(pause=PAUSE_US):
    """The slow project and the SHA-256 of the files that `loophole render` makes of it; once for all tests of a script."""
    folder = tempfile.mkdtemp(dir=OWN)
    project = slow_project(folder, pause=pause)
    done = run([PROGRAMS.loophole, "render", project, "-o", f"{folder}/out", "--progress", "none", "--threads", "8"],
               env=PROGRAMS.environment(LV2_PATH=LV2, XDG_CACHE_HOME=f"{folder}/cache", LOOPHOLE_CACHE=""))
    equal(done.returncode, 0, done.talk)
    return project, digests(f"{folder}/out")


# ---- the witness -----------------------------------------------------------------------------------------------------

class Witness:
    """Triggers of the store's own database: every change of a shard, an output or a job, in the order of commits."""

    TABLE = ("CREATE TABLE witness (number {serial}, at {real}, what TEXT, id TEXT, was INTEGER, now INTEGER, "
             "attempt_was INTEGER, attempt INTEGER, owner TEXT, digest TEXT)")
    SHARDS = ("'shard', CAST(NEW.id AS TEXT), {OLD.state}, NEW.state, {OLD.attempt}, NEW.attempt, NEW.owner, NULL")
    OUTPUTS = ("'output', {hex}, {OLD.state}, NEW.state, NULL, NULL, CAST(NEW.shard AS TEXT), {digest}")
    JOBS = ("'job', CAST(NEW.id AS TEXT), {OLD.state}, NEW.state, NULL, NULL, NULL, NULL")
    GONE = ("'output', {gone}, OLD.state, NULL, NULL, NULL, NULL, NULL")
    COLUMNS = "(at, what, id, was, now, attempt_was, attempt, owner, digest)"

    def __init__(self, path):
        self.path = path
        clock = "(julianday('now') - 2440587.5) * 86400.0"
        words = {"hex": "hex(NEW.key)", "gone": "hex(OLD.key)", "digest": "hex(NEW.digest)"}
        statements = [self.TABLE.format(serial="INTEGER PRIMARY KEY", real="REAL")]
        for table, values in (("shards", self.SHARDS), ("outputs", self.OUTPUTS), ("jobs", self.JOBS)):
            for verb in ("INSERT", "UPDATE"):
                old = {"OLD.state": "OLD.state" if verb == "UPDATE" else "NULL",
                       "OLD.attempt": "OLD.attempt" if verb == "UPDATE" else "NULL"}
                text = values
                for word, value in {**words, **old}.items():
                    text = text.replace("{" + word + "}", value)
                statements.append(f"CREATE TRIGGER witness_{table}_{verb} AFTER {verb} ON {table} BEGIN INSERT INTO witness "
                                  f"{self.COLUMNS} VALUES ({clock}, {text}); END")
        statements.append(f"CREATE TRIGGER witness_gone AFTER DELETE ON outputs BEGIN INSERT INTO witness {self.COLUMNS} "
                          f"VALUES ({clock}, {self.GONE.format(**words)}); END")
        self.execute(statements)

    def execute(self, statements):
        with sqlite3.connect(self.path, timeout=20) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    def rows(self, after=0):
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", timeout=20, uri=True)
        try:
            return [dict(zip(NAMES, row)) for row in connection.execute(
                f"SELECT {', '.join(NAMES)} FROM witness WHERE number > ? ORDER BY number", (after,))]
        finally:
            connection.close()


NAMES = ("number", "at", "what", "id", "was", "now", "attempt_was", "attempt", "owner", "digest")


def judge(rows):
    """A history of commits: nothing is committed twice, nothing that has ended changes, attempts only grow, and a
    shard is done by the attempt that was the latest. -> shards done."""
    owners, present, done = {}, {}, 0
    for row in rows:
        told = " ".join(f"{name}={row[name]}" for name in NAMES if row[name] is not None)
        if row["what"] == "job" and row["was"] in FINAL_JOBS and row["now"] != row["was"]:
            raise AssertionError(f"a job that was over goes on: {told}")
        if row["what"] == "shard":
            if row["was"] is not None and row["was"] >= DONE:
                raise AssertionError(f"a shard that was over is committed again: {told}")
            if row["attempt"] < (row["attempt_was"] or 0):
                raise AssertionError(f"an attempt goes back: {told}")
            if row["now"] == CLAIMED:
                if owners.setdefault((row["id"], row["attempt"]), row["owner"]) != row["owner"]:
                    raise AssertionError(f"one attempt has two owners: {told}")
            if row["now"] == DONE:
                done += 1
                equal(row["was"] in (CLAIMED, None), True, f"done without a claim: {told}")
        if row["what"] == "output":
            if row["now"] == PRESENT:
                if row["id"] in present:
                    raise AssertionError(f"an output is committed twice: {told}")
                present[row["id"]] = row["digest"]
            else:
                present.pop(row["id"], None)
    return done


# ---- a farm and a round ----------------------------------------------------------------------------------------------

class Broken:
    """A farm that is disturbed: rounds of one job each, and what is asked after each."""

    def __init__(self, folder, workers=WORKERS, pause=PAUSE_US, **members):
        self.folder = folder
        self.project, self.reference = rendered_here(pause)
        self.farm = Farm(folder, PROGRAMS, workers=workers, lv2=LV2, lease_ms=LEASE_MS, beat_ms=BEAT_MS,
                         **{"LD_PRELOAD": SLEEPLESS, **members})
        self.seen = 0

    def __enter__(self):
        self.farm.start()
        try:
            self.witness = self.see()
        except BaseException:
            self.farm.end()
            raise
        return self

    def see(self):
        return Witness(f"{self.farm.data}/pulse.db")

    def __exit__(self, *reason):
        self.farm.__exit__(*reason)

    def usual(self):
        """What a job takes when nobody disturbs it."""
        self.submit()
        took = self.finish(UNDISTURBED_PATIENCE)
        self.agree()
        return took

    def submit(self):
        """A client that submits, waits and fetches, beside us."""
        self.out = tempfile.mkdtemp(prefix="out-", dir=self.folder)
        self.begun = time.monotonic()
        self.client = subprocess.Popen(
            [PROGRAMS.loophole, "submit", self.project, "--fresh", "-o", self.out, "--progress", "none", "--data", self.farm.data],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.farm.environment, text=True)
        atexit.register(self.client.kill)

    def finish(self, patience=None):
        """Until the client is served: its files are those of the reference. -> seconds since it began"""
        patience = patience or PATIENCE
        try:
            said, talk = self.client.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the job is not over after {patience} s: {self.farm.run('jobs').stdout.decode()}") from None
        finally:
            self.client.kill()
            self.client.wait()
            atexit.unregister(self.client.kill)
        equal(self.client.returncode, 0, f"exit status of the client, which said {said!r} {talk!r}")
        took = time.monotonic() - self.begun
        equal(digests(self.out), self.reference, "SHA-256 of what was fetched")
        shutil.rmtree(self.out)
        return took

    def claim(self, again=None):
        """Waits until a shard of the job is claimed that renders; or, `again`, until that one is claimed anew. -> its row"""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            claims = [row for row in self.witness.rows(self.seen) if row["what"] == "shard" and row["now"] == CLAIMED]
            for row in claims:
                if row["attempt"] == again["attempt"] + 1 and row["id"] == again["id"] if again else row["id"] != claims[0]["id"]:
                    return row
            time.sleep(0.02)
        raise AssertionError(f"no shard is claimed {'again ' if again else ''}after {PATIENCE} s")

    def ends_of(self, shard):
        """Rows of this job that say that the shard is over."""
        return [row for row in self.rows_of(shard) if row["now"] >= DONE]

    def holder_of(self, shard):
        """Who claimed it last."""
        return [row["owner"] for row in self.rows_of(shard) if row["now"] == CLAIMED][-1]

    def rows_of(self, shard):
        return [row for row in self.witness.rows(self.seen) if (row["what"], row["id"]) == ("shard", shard)]

    def agree(self):
        """The store, its history and Pulse's own look at both. -> the rows since the last time"""
        found = self.farm.run("doctor")
        equal((found.returncode, found.stdout.decode()), (0, ""), f"what the doctor finds, {found.talk}")
        rows = self.witness.rows()
        judge(rows)
        fresh = [row for row in rows if row["number"] > self.seen]
        self.seen = rows[-1]["number"] if rows else 0
        equal([row["now"] for row in fresh if row["what"] == "job"][-1:], [SUCCEEDED], "state of the job")
        return fresh


class Halted:
    """One thread of another process stands still: `with Halted(thread)`."""

    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17  # of ptrace(2)

    def __init__(self, thread):
        self.thread = thread
        self.library = ctypes.CDLL(None, use_errno=True)
        self.library.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]

    def ask(self, request):
        if self.library.ptrace(request, self.thread, None, None) != 0:
            raise Skip(f"a thread cannot be halted here: {os.strerror(ctypes.get_errno())}")

    def __enter__(self):
        self.ask(self.SEIZE)
        self.ask(self.INTERRUPT)
        os.waitpid(self.thread, 0x40000000)  # __WALL

    def __exit__(self, *_):
        self.ask(self.DETACH)


def held_by(rows, owner, at):
    """Shards that a worker had at a time."""
    held = {}
    for row in rows:
        if row["what"] == "shard" and row["at"] <= at:
            held[row["id"]] = row["owner"] if row["now"] == CLAIMED else None
    return {shard for shard, holder in held.items() if holder == owner}


def given_again(rows, shards, at):
    """Seconds until the last of these shards was claimed anew; None: none of them was lost."""
    first = {}
    for row in rows:
        if row["what"] == "shard" and row["id"] in shards and row["at"] > at and row["id"] not in first:
            if row["now"] == CLAIMED and row["attempt"] > (row["attempt_was"] or 0):
                first[row["id"]] = row["at"] - at
    return max(first.values(), default=None)


class Times:
    """Times of recovery against what the contract promises. Too slow is told, not failed: a busy machine is no fault."""

    def __init__(self, what, limit):
        self.what, self.limit, self.all = what, limit, []

    def add(self, seconds):
        if seconds is not None:
            self.all.append(seconds)
            if seconds > self.limit:
                print(f"# {self.what}: {seconds:.2f} s is over the contract's {self.limit} s", flush=True)

    def tell(self):
        if self.all:
            ordered = sorted(self.all)
            print(f"# {self.what}: {len(ordered)} times, median {ordered[len(ordered) // 2]:.2f} s, "
                  f"longest {ordered[-1]:.2f} s, promised {self.limit} s", flush=True)
        else:
            print(f"# {self.what}: nothing was lost", flush=True)
