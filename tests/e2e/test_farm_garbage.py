# SPDX-License-Identifier: MIT
"""Garbage on every wire of Pulse while it works: test_farm_garbage.py LOOPHOLE SIGNAL PULSE NODE BUNDLES GARBAGE UNGUARDED
[--seed N] [--seconds N]

The program GARBAGE (garbage.c) says to the endpoints of workers, clients and files what nobody should: on this host, over
tcp without keys, and over tcp with the keys of an enrolled machine that has turned. Meanwhile a job runs, and comes out as
`loophole render` makes it; a client that behaves is answered; Pulse counts what it refuses and its memory stays bounded.

Control: a Pulse whose sockets take messages of any size (UNGUARDED is preloaded) must be noticed."""
import os
import random
import re
import subprocess
import sys
import time

from broken_farm import Broken, options
from farm import Farm, Programs
from tap import contains, equal, run, run_tests

PROGRAMS = Programs()
GARBAGE, UNGUARDED = (os.path.abspath(path) for path in sys.argv[6:8])
MEMORY_MIB = 64    # what Pulse may take at most beyond what it takes at rest
LARGE_MIB = 384    # the same while messages of 40 MiB come, which are allowed, by each endpoint
PING_MS = 5000     # a client that behaves is answered in this time, while all the others do not
KINDS = ("noise", "torn", "version", "state", "large", "flood", "bytes", "greeting", "oversize")
REMOTE = ("bytes", "greeting")                      # by who has no keys
TURNED = ("noise", "torn", "version", "state", "flood")  # by who has
COUNTED = ("pulse_messages_malformed_total", "pulse_questions_refused_total", "pulse_connections_refused_total")
ENDPOINTS = ("workers", "clients", "bulk")

ASKED = options(programs=7, seconds=1.5)


class Wires:
    """The endpoints of a farm that runs."""

    def __init__(self, broken):
        self.farm = broken.farm
        [line] = self.farm.logged('"serving"')
        self.remote = {name: re.search(rf" {name}=(\S+)", line).group(1).replace("0.0.0.0", "127.0.0.1") for name in ENDPOINTS}
        self.local = {name: f"ipc://{self.farm.data}/run/{name}.ipc" for name in ENDPOINTS}
        self.token = open(f"{self.farm.data}/token").read().strip()
        # Garbage is taken at its word as far as its token goes: this one's may look, not cancel what we wait for.
        self.viewer = self.farm.must("tokens", "create", "garbage", "--role", "viewer").stdout.decode().strip()
        self.random = random.Random(ASKED.seed)

    def command(self, kind, endpoint, seconds, keys=()):
        return [GARBAGE, kind, endpoint, str(self.random.randrange(1 << 40)), str(seconds), *keys]

    def start(self, kind, endpoint, seconds, keys=(), token=None):
        environment = {**self.farm.environment, "GARBAGE_TOKEN": token or "lhk_nobody"}
        return subprocess.Popen(self.command(kind, endpoint, seconds, keys), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, env=environment, text=True)

    def stats(self):
        said, _ = self.start("stats", self.local["clients"], 5, token=self.token).communicate(timeout=30)
        contains(said, "pulse_messages_malformed_total")
        return {name: float(value) for name, value in re.findall(r"(pulse_\w+)=(\S+)", said)}

    def memory(self, what="VmRSS"):
        """MiB of Pulse; VmHWM: the most it ever had, since forget()."""
        with open(f"/proc/{self.farm.processes()['pulse']}/status") as file:
            return int(re.search(rf"{what}:\s+(\d+) kB", file.read()).group(1)) / 1024

    def forget(self):
        with open(f"/proc/{self.farm.processes()['pulse']}/clear_refs", "w") as file:
            file.write("5")


def finish(process, what, patience=60):
    try:
        said, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"{what} does not come to an end") from None
    equal(process.returncode, 0, f"exit status of {what}: {said}")
    print(f"# {what}: {said.strip()}", flush=True)
    return dict(re.findall(r"(\w+)=([0-9.]+)", said))


def keys_of(farm, folder, name, role):
    keys = f"{folder}/{name}.curve"
    farm.must("enroll", name, "--role", role, "-o", keys)
    with open(keys) as file, open(f"{keys}.server") as server:
        return (*file.read().split()[1:3], server.read().strip())


def throw(wires, kind, places, seconds):
    """That kind at these endpoints (endpoint, keys, token) at once, while a client pings. -> what each said"""
    begun = [(wires.start(kind, endpoint, seconds, keys, token), f"{kind} at {name}") for name, endpoint, keys, token in places]
    pinging = wires.start("ping", wires.local["clients"], seconds, token=wires.token)
    told = finish(pinging, f"ping beside {kind}")
    equal(float(told["longest_ms"]) < PING_MS, True, f"a ping took {told['longest_ms']} ms beside {kind}")
    return [finish(process, what) for process, what in begun]


def begin(broken):
    wires = Wires(broken)
    broken.usual()  # so that what is taken once is taken
    wires.forget()
    return wires, wires.memory(), wires.stats()


def bounded(wires, rest, what):
    most = wires.memory("VmHWM")
    print(f"# {what}: memory of Pulse {rest:.0f} MiB, at most {most:.0f} MiB, now {wires.memory():.0f} MiB", flush=True)
    equal(most - rest < (LARGE_MIB if what == "large" else MEMORY_MIB), True, f"{what}: Pulse grew from {rest:.0f} to {most:.0f} MiB")


def farm_of(folder, **members):
    return Broken(folder, workers=2, options=("--listen", "tcp://127.0.0.1:0"), **members)


def test_garbage_from_this_host(folder):
    with farm_of(folder) as broken:
        wires, rest, before = begin(broken)
        pid = broken.farm.processes()["pulse"]
        for kind in KINDS:
            wires.forget()
            broken.submit()
            # Whoever has a token gets further.
            places = [(name, wires.local[name], (), wires.viewer if wires.random.randrange(2) else None) for name in ENDPOINTS]
            said = throw(wires, kind, places, ASKED.seconds)
            equal(all(int(one["sent"]) > 0 for one in said), True, f"all of {kind} sent something")
            broken.finish()
            bounded(wires, rest, kind)
        broken.agree()
        after = wires.stats()
        told = {name: int(after[name] - before[name]) for name in COUNTED}
        print(f"# {told}", flush=True)
        equal(all(count > 100 for count in told.values()), True, f"what Pulse counted: {told}")
        equal(broken.farm.processes()["pulse"], pid, "the process of Pulse")


def test_garbage_from_the_network(folder):
    with farm_of(folder) as broken:
        turned = {name: keys_of(broken.farm, folder, f"turned-{name}", "client" if name == "clients" else "worker")
                  for name in ENDPOINTS}
        wires, rest, before = begin(broken)
        pid = broken.farm.processes()["pulse"]
        for kind in REMOTE:
            broken.submit()
            throw(wires, kind, [(name, wires.remote[name], (), None) for name in ENDPOINTS], ASKED.seconds)
            broken.finish()
        for kind in TURNED:
            broken.submit()
            said = throw(wires, kind, [(name, wires.remote[name], turned[name], None) for name in ENDPOINTS], ASKED.seconds)
            equal(kind == "flood" or all(int(one["answered"]) > 0 for one in said), True, f"{kind} was answered: {said}")
            broken.finish()
        broken.agree()
        after = wires.stats()
        told = {name: int(after[name] - before[name]) for name in COUNTED}
        print(f"# {told}", flush=True)
        equal(all(count > 100 for count in told.values()), True, f"what Pulse counted: {told}")
        bounded(wires, rest, "the network")
        equal(broken.farm.processes()["pulse"], pid, "the process of Pulse")


def test_control_a_pulse_that_takes_anything(folder):
    with farm_of(folder, LD_PRELOAD=UNGUARDED) as broken:
        wires, rest, _ = begin(broken)
        try:
            throw(wires, "oversize", [(name, wires.local[name], (), None) for name in ENDPOINTS], max(3, ASKED.seconds))
            bounded(wires, rest, "oversize")
        except AssertionError as noticed:
            print(f"# noticed: {str(noticed).splitlines()[0]}", flush=True)
        else:
            raise AssertionError("a Pulse without a limit was not noticed")


if __name__ == "__main__":
    sys.exit(run_tests([test_garbage_from_this_host, test_garbage_from_the_network, test_control_a_pulse_that_takes_anything]))
