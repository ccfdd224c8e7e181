# SPDX-License-Identifier: MIT
"""A farm for tests: `loophole up` in a folder of its own, its processes by name, its client commands.

    with Farm(folder, programs) as farm:
        job = farm.submit(project, "--wait")
        farm.kill("pulse")
        farm.fetch(job, out)

Leases are short unless told otherwise. Nothing of it is left when the block ends, whatever was killed inside.
"""
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from tap import environment, equal, run

LEASE_MS = 3000
BEAT_MS = 300


class Programs:
    """Paths of the programs, as a test's command line gives them: LOOPHOLE SIGNAL PULSE NODE."""

    def __init__(self, paths=None):
        paths = sys.argv[1:5] if paths is None else paths
        self.loophole, self.signal, self.pulse, self.node = (os.path.abspath(path) for path in paths)

    def environment(self, **changes):
        return environment(LOOPHOLE_SIGNAL=self.signal, LOOPHOLE_PULSE=self.pulse, LOOPHOLE_NODE=self.node, **changes)


class Farm:
    def __init__(self, folder, programs, workers=1, options=(), lv2=None, lease_ms=LEASE_MS, beat_ms=BEAT_MS, store=None,
                 before=(), **changes):
        """`lv2`: folder of plugins, none by default; `before`: of the command, as nsenter; `changes`: of the environment
        of all."""
        self.programs = programs
        # Sockets have short paths, test folders may have long ones.
        self.data = tempfile.mkdtemp(prefix="lh-", dir="/tmp")
        self.folder = folder
        if lv2 is None:
            lv2 = os.path.join(folder, "no-plugins")
            os.makedirs(lv2, exist_ok=True)
        self.environment = programs.environment(
            LV2_PATH=lv2, XDG_CACHE_HOME=os.path.join(folder, "cache"), LOOPHOLE_CACHE="", **changes)
        self.workers = workers
        self.before = before
        self.options = ["--lease-ms", str(lease_ms), "--beat-ms", str(beat_ms), *options]
        self.store = store
        if store is not None:
            self.options += ["--store", store]
        self.process = None
        self.log = []

    # ---- life

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        self.end()
        if kind is not None:
            for line in self.log[-60:]:
                print("# " + line)
        subprocess.run(["rm", "-rf", self.data], check=False)

    def start(self, patience=60):
        """Starts it and waits until it is ready."""
        self.process = subprocess.Popen(
            [*self.before, self.programs.loophole, "up", "--data", self.data, "--workers", str(self.workers), *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=self.environment,
            text=True, errors="replace")
        ready = threading.Event()
        self.reader = threading.Thread(target=self._read, args=(self.process.stderr, ready), daemon=True)
        self.reader.start()
        deadline = time.monotonic() + patience
        while not ready.wait(0.05):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.end()
                raise AssertionError("the farm is not ready:\n" + "\n".join(self.log))

    def _read(self, stream, ready):
        for line in stream:
            self.log.append(line.rstrip("\n"))
            if "loophole up: ready" in line:
                ready.set()
        stream.close()

    def stop(self, number=signal.SIGINT, patience=30):
        """Ends it as a user does; -> the exit status."""
        self.process.send_signal(number)
        try:
            status = self.process.wait(patience)
        finally:
            self.reader.join(5)
        return status

    def end(self):
        """Whatever is left of it."""
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop(signal.SIGTERM)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        deadline = time.monotonic() + 5
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in self.processes().values():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def teach(self, prices):
        """Has it believe what work costs (pulse-daemon/shard/cost.h), as if it had been learned. It must not run."""
        if not os.path.exists(f"{self.data}/token"):
            workers, self.workers = self.workers, 0  # makes the store
            self.start()
            equal(self.stop(), 0, "exit status of up")
            self.workers = workers
        rows = ", ".join(f"('{what}', {float(ns)}, 1000000.0)" for what, ns in prices.items())
        statement = f"INSERT INTO costs (name, value, weight) VALUES {rows}"
        if self.store is None:
            store = sqlite3.connect(f"{self.data}/pulse.db")
            with store:
                store.execute(statement)
            store.close()
        else:
            subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, self.store], check=True)

    # ---- processes

    def processes(self):
        """Those that run, by name: "pulse", "worker-1", ..., "signal-<pid>"."""
        found = {}
        nodes = set()
        table = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat") as file:
                    head, tail = file.read().rsplit(")", 1)
                state, parent = tail.split()[:2]
                if state == "Z" or "loophole" not in head:
                    continue
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    table[int(entry)] = (file.read().decode(errors="replace").split("\0"), int(parent))
            except OSError:
                continue
        for pid, (arguments, parent) in table.items():
            name = os.path.basename(arguments[0])
            if name == "loophole-pulse" and self.data in arguments:
                found["pulse"] = pid
            elif name == "loophole-node" and any(self.data in argument for argument in arguments):
                found[arguments[arguments.index("--name") + 1]] = pid
                nodes.add(pid)
        for pid, (arguments, parent) in table.items():
            if os.path.basename(arguments[0]) == "loophole-signal" and parent in nodes:
                found[f"signal-{pid}"] = pid
        return found

    def kill(self, name, number=signal.SIGKILL):
        """Sends a signal to "pulse", to "worker-1", ...; -> its process id."""
        pid = self.processes()[name]
        os.kill(pid, number)
        return pid

    def await_other(self, name, pid, patience=20):
        """Until that process has been replaced."""
        deadline = time.monotonic() + patience
        while self.processes().get(name, pid) == pid:
            if time.monotonic() > deadline:
                raise AssertionError(f"{name} did not come back")
            time.sleep(0.02)

    # ---- its client commands

    def run(self, command, *arguments, **changes):
        return run([self.programs.loophole, command, *arguments, "--data", self.data],
                   env={**self.environment, **changes})

    def must(self, command, *arguments, status=0, **changes):
        done = self.run(command, *arguments, **changes)
        equal(done.returncode, status, f"exit status of {command}: {done.talk}")
        return done

    def submit(self, project, *options, status=0):
        """-> the number of the job, as text."""
        done = self.must("submit", project, "--progress", "none", *options, status=status)
        lines = done.stdout.decode().split()
        return lines[0] if lines else None

    def watch(self, job, status=0):
        return self.must("watch", job, "--progress", "none", status=status)

    def fetch(self, job, out):
        return self.must("fetch", job, "-o", out)

    def render(self, project, out, *options):
        """Submits, waits, fetches; -> the report."""
        report = os.path.join(self.folder, "farm-report.json")
        self.submit(project, "-o", out, "--report", report, *options)
        with open(report) as file:
            return json.load(file)

    def await_log(self, pattern, count=1, patience=30):
        """Until so many lines of the log match."""
        deadline = time.monotonic() + patience
        while sum(1 for line in self.log if re.search(pattern, line)) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{pattern!r} is not in the log {count} times:\n" + "\n".join(self.log[-40:]))
            time.sleep(0.02)

    def logged(self, pattern):
        return [line for line in self.log if re.search(pattern, line)]
