# SPDX-License-Identifier: MIT
"""A farm whose processes are killed and stopped at random moments, for real: test_farm_kills.py LOOPHOLE SIGNAL PULSE
NODE BUNDLES [--seed N] [--kills N] [--stops N].

Whatever is killed: no job is lost, what is fetched are the bytes of `loophole render`, nothing is committed twice, and
`loophole doctor` has nothing to say."""
import os
import signal
import sys
import time

from broken_farm import LEASE_MS, Broken, Halted, Times, chances, digests, given_again, held_by, options, rendered_here
from tap import equal, run_tests

ASKED = options(kills=10, stops=1)
KILLS, STOPS = ASKED.kills, ASKED.stops
NODE_S = LEASE_MS / 1000 + 3
INSTANCE_S = 2
PULSE_S = 5
LATE_S = 2  # what comes late has come
BEGINS = 'attempt begins" .*shard={id} attempt={attempt} '
ENDS = 'attempt ends" .*shard={id} attempt={attempt} '


def parent_of(pid):
    """None: it has ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rsplit(")", 1)[1].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def reached(pid, number):
    """Whether it was there to get the signal."""
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def a_running_instance(broken, random):
    """-> its process and the name of its node; None: nothing is rendered just now"""
    running = broken.farm.processes()
    instances = sorted(name for name in running if name.startswith("signal-"))
    if not instances:
        return None, None
    pid = running[random.choice(instances)]
    parent = parent_of(pid)
    return next(((pid, name) for name, node in running.items() if node == parent), (None, None))


def test_nodes_are_killed(folder):
    random, times = chances(ASKED, "nodes"), Times("a node's shards are given to others", NODE_S)
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
    random, times = chances(ASKED, "instances"), Times("an instance's shard is given again", INSTANCE_S)
    with Broken(folder) as broken:
        usual = broken.usual()
        killed = 0
        while killed < KILLS:
            broken.submit()
            time.sleep(random.uniform(0, usual))
            at = time.time()
            pid, node = a_running_instance(broken, random)
            hit = pid is not None and reached(pid, signal.SIGKILL)
            killed += hit
            broken.finish()
            rows = broken.agree()
            if hit:
                times.add(given_again(rows, held_by(rows, node, at), at))
    times.tell()


def test_pulse_is_killed(folder):
    random, times = chances(ASKED, "Pulse"), Times("Pulse dispatches after its restart", PULSE_S)
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


def test_what_is_acknowledged_is_kept(folder):
    """Pulse is killed as soon as it has said which number a job has."""
    with Broken(folder) as broken:
        for _ in range(min(KILLS, 5)):
            pid = broken.farm.processes()["pulse"]
            job = broken.farm.submit(broken.project, "--fresh")
            os.kill(pid, signal.SIGKILL)
            broken.farm.await_other("pulse", pid)
            broken.farm.watch(job)
            broken.farm.fetch(job, f"{folder}/{job}")
            equal(digests(f"{folder}/{job}"), broken.reference, "SHA-256 of what was fetched")
            broken.agree()


def test_silent_nodes_are_given_up(folder):
    """A node is stopped, and the job is over before it goes on."""
    times = Times("a stopped node's shards are given to others", NODE_S)
    with Broken(folder) as broken:
        for _ in range(STOPS):
            broken.submit()
            claim = broken.claim()
            pid = broken.farm.kill(claim["owner"], signal.SIGSTOP)
            at = time.time()
            try:
                broken.finish()
            finally:
                os.kill(pid, signal.SIGCONT)
            rows = broken.agree()
            times.add(given_again(rows, held_by(rows, claim["owner"], at), at))
    times.tell()


class StandStill:
    """The instances of a node are stopped, also those that it begins: `stop()` again and again, then `go_on()`."""

    def __init__(self, farm):
        self.farm, self.stopped = farm, set()

    def stop(self, node):
        running = self.farm.processes()
        for name, pid in running.items():
            is_new = name.startswith("signal-") and pid not in self.stopped
            if is_new and parent_of(pid) == running[node] and reached(pid, signal.SIGSTOP):
                self.stopped.add(pid)

    def go_on(self):
        for pid in self.stopped:
            reached(pid, signal.SIGCONT)


def test_late_results_are_refused(folder):
    """The thread of a node that speaks with Pulse is halted, not the one that renders, until another node has the shard,
    which stands still meanwhile; then the first brings its own result. It counts for nothing: the shard goes on."""
    with Broken(folder, LOOPHOLE_LOG="debug") as broken:
        usual = max(broken.usual(), broken.usual())
        late_ones = 0
        for _ in range(3 * STOPS):
            broken.submit()
            claim = broken.claim()
            broken.farm.await_log(BEGINS.format_map(claim))
            time.sleep(0.1)
            still, late = StandStill(broken.farm), []
            try:
                with Halted(broken.farm.processes()[claim["owner"]]):
                    in_time = broken.ends_of(claim["id"])
                    if not in_time:
                        broken.claim(again=claim)
                        while time.time() < claim["at"] + 2 * usual + 1:
                            holder = broken.holder_of(claim["id"])
                            if holder != claim["owner"]:  # which may get it once more before it counts as silent
                                still.stop(holder)
                            time.sleep(0.05)
                if not in_time:
                    broken.farm.await_log(ENDS.format_map(claim))
                    late = broken.farm.logged(ENDS.format_map(claim) + ".*complete")
                    time.sleep(LATE_S)
                    equal(broken.ends_of(claim["id"]), [], "what a late result was counted for")
            finally:
                still.go_on()
            broken.finish()
            broken.agree()
            late_ones += len(late)
            if late_ones >= STOPS:
                break
    print(f"# late results: {late_ones}", flush=True)
    equal(late_ones > 0, True, "some result is late")


def test_processes_are_stopped(folder):
    """Instances and Pulse, for longer than a lease."""
    random = chances(ASKED, "stops")
    with Broken(folder) as broken:
        usual = broken.usual()
        for what in ("instance", "pulse") * STOPS:
            broken.submit()
            time.sleep(random.uniform(0.2, 0.8) * usual)
            pid = a_running_instance(broken, random)[0] if what == "instance" else broken.farm.processes()["pulse"]
            if pid is not None and reached(pid, signal.SIGSTOP):
                time.sleep(2.5 * LEASE_MS / 1000)
                reached(pid, signal.SIGCONT)
            broken.finish()
            broken.agree()


TESTS = [test_nodes_are_killed, test_instances_are_killed, test_pulse_is_killed, test_what_is_acknowledged_is_kept,
         test_silent_nodes_are_given_up, test_late_results_are_refused, test_processes_are_stopped]

if __name__ == "__main__":
    rendered_here()  # once for all
    sys.exit(run_tests(TESTS, at_once=3))
