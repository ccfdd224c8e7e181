# SPDX-License-Identifier: MIT
"""A farm as its users see it: what reuse saves, how soon work begins, what a second worker brings, what all that costs.

usage: farm.py LOOPHOLE WORK [--tracks 64] [--seconds 20] [--rounds 3] [--submissions 40] [--uri URI]... [--store sqlite|postgresql|both]

The aims: unchanged, a project is delivered again within 200 ms and nothing is rendered; after a change of one of 64 tracks
full of plugins at least 10 x faster than cold; from the submission to the first work on an idle farm p95 <= 50 ms; two
workers of one thread each >= 1.85 x one. Every file has to be that of `loophole render`. All programs are those that lie
beside LOOPHOLE in its build folder.
"""
import argparse
import contextlib
import datetime
import hashlib
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import threading
import time

import stems as stem_maker
from plugins import COMPRESSOR, EQ, link_bundles
from reuse import CHANGED, REVERB, a_parameter

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests")
sys.path[:0] = [os.path.join(TESTS, "e2e"), os.path.join(TESTS, "support")]
import postgres  # noqa: E402
from farm import Farm, Programs  # noqa: E402, the one of the tests


class Measured(Farm):
    """A farm whose workers have one slot of one thread each, whatever the machine has."""

    def __init__(self, a, workers, store):
        super().__init__(a.work, a.programs, workers=0, lv2=a.bundles, lease_ms=15000, beat_ms=5000, store=store, LOOPHOLE_LOG="debug",
                         XDG_DATA_HOME=f"{a.work}/xdg")
        self.environment["XDG_CACHE_HOME"] = f"{a.work}/xdg"
        self.names = [f"worker-{n + 1}" for n in range(workers)]
        self.url = store
        self.nodes = []

    def __enter__(self):
        self.start()
        for name in self.names:
            node = subprocess.Popen(
                [self.programs.node, "--connect", f"ipc://{self.data}/run/workers.ipc", "--name", name, "--slots", "1", "--threads", "1",
                 "--cache", f"{self.data}/nodes"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                env=self.environment, text=True)
            self.nodes.append(node)
            threading.Thread(target=self._read, args=(node.stderr, threading.Event()), daemon=True).start()
        self.await_log("worker joins", len(self.names), patience=120)
        return self

    def __exit__(self, *reason):
        for node in self.nodes:
            node.terminate()
        for node in self.nodes:
            node.wait(30)
        super().__exit__(*reason)

    def run(self, command, *arguments, **changes):
        """As long as it takes."""
        done = subprocess.run([self.programs.loophole, command, *arguments, "--data", self.data], env={**self.environment, **changes},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        done.talk = done.stderr.decode(errors="replace")
        return done

    def deliver(self, project, *options):
        """Submits, waits, fetches, as a user does; -> seconds of it all, the report, digests of the files."""
        out = os.path.join(self.folder, "farm-out")
        shutil.rmtree(out, ignore_errors=True)
        began = time.monotonic()
        report = self.render(project, out, *options)
        seconds = time.monotonic() - began
        return dict(seconds=seconds, report=report, digests=digests_of(out))

    def frames(self, since):
        return sum(int(re.search(r"\bframes=(\d+)", line)[1]) for line in self.log[since:] if "attempt ends" in line)

    def jobs(self):
        """When each was submitted and when it was over, milliseconds of the clock, by number."""
        text = "SELECT id, created_ms, finished_ms FROM jobs"
        if self.url is not None:
            lines = subprocess.run([postgres.program("psql"), "-qAt", "-F", " ", "-c", text, self.url], check=True, stdout=subprocess.PIPE, text=True)
            rows = [line.split() for line in lines.stdout.splitlines()]
        else:
            store = sqlite3.connect(f"file:{self.data}/pulse.db?mode=ro", uri=True)
            rows = store.execute(text).fetchall()
            store.close()
        return {int(job): (int(created), int(finished)) for job, created, finished in rows}

    def pulse(self):
        """Its CPU seconds so far, and its peak memory in MiB."""
        pid = self.processes()["pulse"]
        with open(f"/proc/{pid}/stat") as file:
            ticks = sum(int(word) for word in file.read().rsplit(")", 1)[1].split()[11:13])
        with open(f"/proc/{pid}/status") as file:
            peak = int(re.search(r"VmHWM:\s+(\d+)", file.read())[1])
        return ticks / os.sysconf("SC_CLK_TCK"), peak / 1024


def digests_of(folder):
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def here(a, project, *options):
    """What one process makes of it."""
    out = os.path.join(a.work, "farm-here")
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run([a.loophole, "render", project, "-o", out, "--no-cache", "--progress", "none", *options], check=True)
    return digests_of(out)


def must_be(run, digests, what):
    if run["digests"] != digests:
        sys.exit(f"{what}: other files than one process makes")


def milliseconds(line):
    """The clock of a line of the log."""
    stamp = datetime.datetime.strptime(line.split()[0], "%Y-%m-%dT%H:%M:%S.%f%z")
    return stamp.timestamp() * 1000


def p95(values):
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


@contextlib.contextmanager
def stores(kind):
    """The URL of a store of that kind; of a server that synchronises what it commits."""
    if kind == "SQLite":
        yield None
    else:
        with postgres.Server(durable=True) as server:
            yield server.url


def write_project(folder, name, tracks, uris):
    """Of the stems: so many tracks, each through the plugins."""
    with open(os.path.join(folder, "mix.json")) as file:
        text = json.load(file)
    text["name"] = name
    text["tracks"] = text["tracks"][:tracks]
    for track in text["tracks"]:
        track["nodes"] = [{"id": f"n{i}", "plugin": "lv2:" + uri, "parameters": {}} for i, uri in enumerate(uris)]
    path = os.path.join(folder, f"farm-{name}.json")
    with open(path, "w") as out:
        json.dump(text, out)
    return path


# ---- what is measured

def reuse(a, kind):
    """Cold, unchanged, one track changed; what was moved, what Pulse took."""
    change = ["--set", f"/tracks/{CHANGED}/nodes/{len(a.uris) - 1}/parameters/{a_parameter(a, a.uris[-1])}"]
    plain, changed_plain = here(a, a.project), here(a, a.project, *change)
    times = {name: [] for name in ("cold", "unchanged", "unchanged, in Pulse", "one track changed")}
    for _ in range(a.rounds):
        with stores(kind) as store, Measured(a, 2, store) as farm:
            cold = farm.deliver(a.project)
            must_be(cold, plain, "cold")
            cpu, _ = farm.pulse()
            since = len(farm.log)
            for _ in range(10):
                warm = farm.deliver(a.project)
                must_be(warm, plain, "unchanged")
                times["unchanged"].append(warm["seconds"])
                created, finished = farm.jobs()[warm["report"]["job"]["id"]]
                times["unchanged, in Pulse"].append((finished - created) / 1000)
            if farm.frames(since) != 0:
                sys.exit("unchanged, something was rendered")
            changed = farm.deliver(a.project, *change)
            must_be(changed, changed_plain, "changed")
            times["cold"].append(cold["seconds"])
            times["one track changed"].append(changed["seconds"])
            shards = int(re.search(r"\bshards=(\d+)", farm.logged(r'job planned" .*\bfaults=0 ms=')[0])[1])
            fetched = sum(int(re.search(r"\bfetched=(\d+)", line)[1]) for line in farm.logged("attempt ends"))
            after, peak = farm.pulse()
            moved = cold["report"]["bytes"]
            print(f"# {kind}: {shards} shards; cold {cold['seconds']:.2f} s, unchanged {1000 * min(times['unchanged']):.0f} ms, one changed "
                  f"{changed['seconds']:.2f} s; brought {moved['shared'] / 1e6:.0f} MB by handing over and {moved['sent'] / 1e6:.0f} MB by "
                  f"sending, fetched by workers {fetched / 1e6:.0f} MB; Pulse {cpu:.2f} s of CPU for the cold job, "
                  f"{after:.2f} s for all 12, peak {peak:.0f} MiB", flush=True)
    print(f"\n## {kind}: {a.tracks} tracks of {a.seconds} s through {', '.join(uri.split('/')[-1] for uri in a.uris)}, two workers of one thread\n")
    print("| what | median s | least s |\n|---|---|---|")
    for name, seconds in times.items():
        print(f"| {name} | {statistics.median(seconds):.3f} | {min(seconds):.3f} |")
    print(f"\nunchanged {1000 * statistics.median(times['unchanged']):.0f} ms, at least {1000 * min(times['unchanged']):.0f} ms (aim <= 200); one track "
          f"changed {min(times['cold']) / min(times['one track changed']):.1f} x faster than cold (aim >= 10)", flush=True)


def submit_to_start(a, kind):
    """One small job after the other, each of a sound that the farm has not seen: how soon somebody works on it."""
    begun, sounding, whole = [], [], []
    folder = os.path.join(a.work, "farm-small")
    os.makedirs(folder, exist_ok=True)
    with stores(kind) as store, Measured(a, 2, store) as farm:
        for number in range(a.submissions):
            stem_maker.write_wav24(f"{folder}/{number}.wav", 48000, 48000, 1000 + number)
            project = os.path.join(folder, f"{number}.json")
            with open(project, "w") as out:
                json.dump({"loophole": 1, "media": {"s": {"file": f"{number}.wav"}},
                           "tracks": [{"id": "t", "type": "audio", "clips": [{"media": "s", "start": {"frames": 0}}]}],
                           "deliverables": [{"name": "mix", "source": "master", "format": "wav"}]}, out)
            since = len(farm.log)
            job = int(farm.submit(project, "--wait"))
            created, finished = farm.jobs()[job]
            time.sleep(0.05)
            begins = [milliseconds(line) for line in farm.log[since:] if "attempt begins" in line]
            ends = [line for line in farm.log[since:] if "attempt ends" in line and "frames=0 " not in line]
            first = milliseconds([line for line in farm.log[since:] if "attempt begins" in line][-1])
            begun.append(min(begins) - created)
            sounding.append(first + int(re.search(r"first_block_us=(\d+)", ends[0])[1]) / 1000 - created)
            whole.append(finished - created)
    for what, values in (("its first work", begun), ("its first rendered block, its file having been looked at", sounding), ("its end", whole)):
        print(f"- {kind}: from a job's submission to {what}: median {statistics.median(values):.0f} ms, p95 {p95(values):.0f} ms, least {min(values):.0f} ms")
    print(f"\np95 {p95(begun):.0f} ms of {a.submissions} submissions (aim <= 50)", flush=True)


def scaling(a, kind):
    """One worker over two, of one thread each, in turn."""
    times, farms = {1: [], 2: []}, {1: [], 2: []}
    plain = here(a, a.project)
    for r in range(a.rounds):
        for workers in ((1, 2), (2, 1))[r % 2]:
            with stores(kind) as store, Measured(a, workers, store) as farm:
                run = farm.deliver(a.project)
                must_be(run, plain, f"{workers} workers")
                times[workers].append(run["seconds"])
                created, finished = farm.jobs()[run["report"]["job"]["id"]]
                farms[workers].append((finished - created) / 1000)
                busy = sum(int(re.search(r"\bms=(\d+)", line)[1]) for line in farm.logged("attempt ends")) / 1000
                print(f"# {kind}, {workers} workers: {run['seconds']:.2f} s, {farms[workers][-1]:.2f} s of it from the submission on, of which they "
                      f"worked {100 * busy / workers / farms[workers][-1]:.0f} %", flush=True)
    for what, found in (("of all, the client's hashing and handing over included", times), ("from the submission on", farms)):
        pairs = [one / two for one, two in zip(found[1], found[2])]
        print(f"\n{kind}: one worker over two, {what}: {min(found[1]) / min(found[2]):.2f} x by the least times, "
              f"{statistics.median(pairs):.2f} x by the median of pairs (aim >= 1.85)", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loophole")
    parser.add_argument("work")
    parser.add_argument("--tracks", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--submissions", type=int, default=40)
    parser.add_argument("--uri", action="append")
    parser.add_argument("--store", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--only", choices=["reuse", "start", "scaling"])
    a = parser.parse_args()
    a.loophole, a.work = os.path.abspath(a.loophole), os.path.abspath(a.work)
    build = os.path.dirname(os.path.dirname(a.loophole))
    a.programs = Programs([a.loophole, *(os.path.join(build, path) for path in
                                         ("engine/instance/loophole-signal", "pulse-daemon/loophole-pulse", "engine/node/loophole-node"))])
    a.uris = a.uri or [EQ, COMPRESSOR, REVERB]
    a.bundles = os.path.join(a.work, "lv2")
    link_bundles(a.bundles, a.uris)
    os.environ.update(a.programs.environment(LV2_PATH=a.bundles, XDG_CACHE_HOME=f"{a.work}/xdg", XDG_DATA_HOME=f"{a.work}/xdg", LOOPHOLE_CACHE=""))
    # Only what is proven repeatable is kept.
    subprocess.run([a.loophole, "plugins", "probe", *("lv2:" + uri for uri in a.uris)], check=True, stdout=subprocess.DEVNULL)
    a.stems = os.path.join(a.work, f"stems-{a.tracks}-{a.seconds}")
    stem_maker.make(a.stems, a.tracks, a.seconds)
    a.project = write_project(a.stems, "reuse", a.tracks, a.uris)
    kinds = {"sqlite": ["SQLite"], "postgresql": ["PostgreSQL"], "both": ["SQLite", "PostgreSQL"]}[a.store]
    for kind in kinds:
        if a.only in (None, "start"):
            submit_to_start(a, kind)
        if a.only in (None, "reuse"):
            reuse(a, kind)
    if a.only in (None, "scaling"):
        scaling(a, kinds[0])


if __name__ == "__main__":
    main()
