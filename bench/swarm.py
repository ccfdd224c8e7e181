# SPDX-License-Identifier: MIT
"""A thousand workers and 100 000 shards: what they cost a real loophole-pulse, on SQLite and on PostgreSQL.

Workers are simulated, a thousand in one process (swarm.c): real connections and messages, made-up results. Jobs come
over one connection (swarm_client.c; `loophole submit` brings only the first, for a hundred of its processes would take
more of the machine than Pulse), each a project of so many tracks of a dear plugin, no two alike, and are planned and
admitted like any other. While they come, a thousand workers are busy with shards of one to three seconds, and each notes how long it waits
for the next. Then shards take no time, and what is left is worked off as fast as Pulse can.

usage: swarm.py LOOPHOLE PULSE SWARM CLIENT [--workers 1000] [--jobs 100] [--tracks 1000] [--store sqlite|postgresql]
"""
import argparse
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
import postgres  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 600
PLUGIN = "lv2:urn:loophole:swarm"


class Pulse:
    def __init__(self, a, store):
        self.a = a
        self.data = tempfile.mkdtemp(prefix="lh-", dir="/tmp")
        self.store = store
        self.log = open(f"{self.data}/log", "w+")
        options = ["--store", store] if store else []
        self.process = subprocess.Popen([a.pulse, "--data", self.data, "--log", "warning", *options],
                                        stdin=subprocess.DEVNULL, stderr=self.log)
        self.swarm = None

    def __enter__(self):
        deadline = time.monotonic() + 30
        while not (os.path.exists(f"{self.data}/run/clients.ipc") and os.path.exists(f"{self.data}/token")):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError("Pulse is not ready")
            time.sleep(0.05)
        self.swarm = subprocess.Popen([self.a.swarm, f"ipc://{self.data}/run/workers.ipc", str(self.a.workers)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, kind, value, trace):
        for process in (self.swarm, self.process):
            if process is not None:
                process.send_signal(signal.SIGKILL if kind or process is self.swarm else signal.SIGTERM)
                process.wait()
        self.log.seek(0)
        for line in self.log.read().splitlines()[:20]:
            print("  " + line, file=sys.stderr)
        shutil.rmtree(self.data, ignore_errors=True)

    # ---- workers

    def tell(self, command):
        self.swarm.stdin.write(command + "\n")
        self.swarm.stdin.flush()
        line = self.swarm.stdout.readline()
        if not line:
            raise RuntimeError("the workers have ended")
        return line.split()

    # ---- the process

    def cpu(self):
        """Seconds."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self, what="VmRSS"):
        """MiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(what)) / 1024

    # ---- jobs

    def submit(self, project, *options):
        done = subprocess.run([self.a.loophole, "submit", project, "--data", self.data, "--progress", "none", *options],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"submit: {done.stderr}")

    def submit_all(self, projects, medium):
        subprocess.run([self.a.client, f"ipc://{self.data}/run/clients.ipc", f"{self.data}/token", medium, *projects],
                       stdin=subprocess.DEVNULL, check=True)

    def ask(self, question):
        """Numbers of the store's only row that answers."""
        if self.store:
            done = subprocess.run(["psql", "-qtA", "-F", " ", self.store, "-c", question], check=True, capture_output=True,
                                  text=True)
            return [int(part or 0) for part in done.stdout.split()]
        store = sqlite3.connect(f"file:{self.data}/pulse.db?mode=ro", uri=True, timeout=30)
        try:
            return [part or 0 for part in store.execute(question).fetchone()]
        finally:
            store.close()

    def await_jobs(self, below):
        """Until no job is in a state below that."""
        deadline = time.monotonic() + PATIENCE
        while self.ask(f"SELECT count(*) FROM jobs WHERE state < {below}")[0] > 0:
            if time.monotonic() > deadline:
                raise RuntimeError("the jobs do not come on")
            time.sleep(0.2)


def write_project(folder, number, tracks):
    path = f"{folder}/{number}.json"
    rows = [{"id": "master", "type": "master"}]
    for track in range(tracks):
        node = {"id": "p", "plugin": PLUGIN, "parameters": {"gain": (number * tracks + track) / 131072}}
        rows.append({"id": f"t{track}", "type": "audio", "channels": 1,
                     "clips": [{"media": "a", "start": {"beats": 0}}], "nodes": [node]})
    with open(path, "w") as file:
        json.dump({"loophole": 1, "name": f"Swarm {number}", "sampleRate": 48000, "media": {"a": {"file": "a.wav"}},
                   "tracks": rows, "deliverables": [{"name": "mix", "source": "master", "format": "wav",
                                                     "bitDepth": 24}]}, file)
    return path


def bench(a, name, store, folder):
    projects = [write_project(folder, number, a.tracks) for number in range(a.jobs)]
    with Pulse(a, store) as pulse:
        while int(pulse.tell("tell")[0]) < a.workers:
            time.sleep(0.1)
        time.sleep(5)
        begun, spent = time.monotonic(), pulse.cpu()
        time.sleep(a.idle)
        share = (pulse.cpu() - spent) / (time.monotonic() - begun)
        print(f"| {name}: {a.workers} idle workers, a beat every 5 s | {100 * share:.1f} % of a core,"
              f" {pulse.memory():.0f} MiB |", flush=True)

        pulse.tell("hold 1000 3000")
        ahead = max(1, 5 * a.workers // a.tracks)  # enough for all to be busy
        for project in projects[:ahead]:
            pulse.submit(project)
        pulse.await_jobs(2)
        time.sleep(5)
        before = pulse.ask("SELECT count(*) FROM shards")[0]
        pulse.tell("reset")
        begun, spent = time.monotonic(), pulse.cpu()
        pulse.submit_all(projects[ahead:], f"{folder}/a.wav")
        submitted = time.monotonic() - begun
        pulse.await_jobs(2)
        taken = time.monotonic() - begun
        share = (pulse.cpu() - spent) / taken
        _, done, count, median, most, longest = pulse.tell("tell")
        shards = pulse.ask("SELECT count(*) FROM shards")[0] - before
        print(f"| {name}: {shards} shards of {len(projects) - ahead} jobs submitted, planned, admitted |"
              f" {taken:.1f} s ({submitted:.1f} s until all were taken; aim 10), {100 * share:.0f} % of a core |")
        print(f"| {name}: meanwhile, from being free to the next shard | median {float(median):.1f} ms, p99"
              f" {float(most):.1f} ms (aim 100), longest {float(longest):.0f} ms, {int(count) / taken:.0f} a second |",
              flush=True)

        pulse.tell("reset")
        pulse.tell("hold 0 0")
        begun, spent = time.monotonic(), pulse.cpu()
        time.sleep(4)  # whoever was busy comes to its end
        pulse.tell("reset")
        begun, spent = time.monotonic(), pulse.cpu()
        time.sleep(a.rate)
        taken, share = time.monotonic() - begun, pulse.cpu() - spent
        done = int(pulse.tell("tell")[1])
        print(f"| {name}: claimed and completed, end to end | {done / taken:.0f} a second, {100 * share / taken:.0f} % of a"
              f" core |", flush=True)
        pulse.await_jobs(3)
        jobs, succeeded = pulse.ask("SELECT count(*), sum(CASE WHEN state = 3 THEN 1 ELSE 0 END) FROM jobs")
        if jobs != a.jobs or succeeded != a.jobs:
            raise RuntimeError(f"{succeeded} of {jobs} jobs succeeded")
        print(f"| {name}: Pulse's memory at most, and at rest after it | {pulse.memory('VmHWM'):.0f} MiB,"
              f" {pulse.memory():.0f} MiB |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loophole")
    parser.add_argument("pulse")
    parser.add_argument("swarm")
    parser.add_argument("client")
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--tracks", type=int, default=1000)
    parser.add_argument("--idle", type=float, default=15)
    parser.add_argument("--rate", type=float, default=5)
    parser.add_argument("--store", choices=["sqlite", "postgresql"])
    a = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="loophole-swarm-")
    try:
        with open(f"{folder}/a.wav", "wb") as file:
            file.write(b"what workers say of it is made up")
        print("| what | result |\n|---|---|", flush=True)
        if a.store != "postgresql":
            bench(a, "SQLite", None, folder)
        if a.store != "sqlite":
            with postgres.Server(durable=True) as server:
                bench(a, "PostgreSQL", server.url, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
