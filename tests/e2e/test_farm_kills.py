# SPDX-License-Identifier: MIT
"""A farm whose processes are killed and stopped at random moments, for real: test_farm_kills.py LOOPHOLE SIGNAL PULSE
NODE BUNDLES [--seed N] [--kills N] [--stops N].

Whatever is killed: no job is lost, what is fetched are the bytes of `loophole render`, nothing is committed twice, and
`loophole doctor` has nothing to say."""
import os
import signal
import sys
import time

from broken_farm import LEASE_MS, Broken, Times, chances, given_again, held_by, options
from tap import run_tests

KILLS, STOPS = options().kills, options().stops
NODE_S = LEASE_MS / 1000 + 3
INSTANCE_S = 2
PULSE_S = 5


def parent_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


def a_running_instance(broken, random):
    """-> its process and the name of its node; None: nothing is rendered just now"""
    running = broken.farm.processes()
    instances = sorted(name for name in running if name.startswith("signal-"))
    if not instances:
        return None, None
    pid = running[random.choice(instances)]
    return pid, next(name for name, node in running.items() if node == parent_of(pid))


def test_nodes_are_killed(folder):
    random, times = chances("nodes"), Times("a node's shards are given to others", NODE_S)
    with Broken(folder) as broken:
        usual = broken.usual()
        for _ in range(KILLS):
            broken.submit()
            time.sleep(random.uniform(0, usual))
            victim = f"worker-{random.randint(1, broken.farm.workers)}"
            at = time.time()
            pid = broken.farm.kill(victim)
            broken.finish()
            broken.farm.await_other(victim, pid)
            rows = broken.agree()
            times.add(given_again(rows, held_by(rows, victim, at), at))
    times.tell()


def test_instances_are_killed(folder):
    random, times = chances("instances"), Times("an instance's shard is given again", INSTANCE_S)
    with Broken(folder) as broken:
        usual = broken.usual()
        killed = 0
        while killed < KILLS:
            broken.submit()
            time.sleep(random.uniform(0, usual))
            at = time.time()
            pid, node = a_running_instance(broken, random)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                killed += 1
            broken.finish()
            rows = broken.agree()
            if pid is not None:
                times.add(given_again(rows, held_by(rows, node, at), at))
    times.tell()


def test_pulse_is_killed(folder):
    random, times = chances("Pulse"), Times("Pulse dispatches after its restart", PULSE_S)
    with Broken(folder) as broken:
        usual = broken.usual()
        for _ in range(KILLS):
            broken.submit()
            time.sleep(random.uniform(0, usual))
            pid = broken.farm.kill("pulse")
            broken.farm.await_other("pulse", pid)
            restarted = time.time()
            broken.finish()
            rows = broken.agree()
            claims = [row["at"] for row in rows if row["what"] == "shard" and row["owner"] and row["at"] > restarted]
            times.add(claims[0] - restarted if claims else None)
    times.tell()


def test_processes_are_stopped(folder):
    """For longer than a lease, then continued: what they come back with is late, and refused or found identical."""
    random, times = chances("stops"), Times("a stopped node's shards are given to others", NODE_S)
    with Broken(folder) as broken:
        usual = broken.usual()
        for what in ("node", "instance", "pulse") * STOPS:
            broken.submit()
            time.sleep(random.uniform(0.2, 0.8) * usual)
            at = time.time()
            victim = f"worker-{random.randint(1, broken.farm.workers)}" if what == "node" else "pulse"
            pid = a_running_instance(broken, random)[0] if what == "instance" else broken.farm.processes()[victim]
            if pid is not None:
                os.kill(pid, signal.SIGSTOP)
                time.sleep(2.5 * LEASE_MS / 1000)
                os.kill(pid, signal.SIGCONT)
            broken.finish()
            rows = broken.agree()
            if what == "node":
                times.add(given_again(rows, held_by(rows, victim, at), at))
    times.tell()


TESTS = [test_nodes_are_killed, test_instances_are_killed, test_pulse_is_killed, test_processes_are_stopped]

if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
