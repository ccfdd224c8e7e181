# SPDX-License-Identifier: MIT
"""A farm over more than one host: test_farm_network.py LOOPHOLE SIGNAL PULSE NODE BUNDLES [--seed N] [--rounds N]

Pulse and each node have a network namespace of their own and speak CURVE over tcp. What goes through it is what
`loophole render` makes. Cables are cut in mid-job, both ways and one way, for longer than a lease and for longer than the
link believes in a silent peer, and healed: no job is lost, nothing is committed twice, late results are refused or found
identical. Who is not enrolled, or enrolled as something else, or no longer, gets nowhere; who is does."""
import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time

from broken_farm import CLAIMED, LEASE_MS, LV2, PROGRAMS, Broken, Times, chances, digests, given_again, held_by, options, rendered_here
from namespaces import PORT, Network
from tap import contains, equal, run, run_tests

HOSTS = ("east", "west")
PAUSE_US = 200                   # shards of two seconds
SHORT_S = 2.5 * LEASE_MS / 1000  # the lease is over, the connection lives
LONG_S = 7                       # the link has given up the peer, and connects anew
GIVEN_S = LEASE_MS / 1000 + 3
BACK_S = 5

ASKED = options(rounds=1)


class Spread(Broken):
    """A farm whose nodes are on other hosts."""

    def __init__(self, folder, network):
        super().__init__(folder, workers=0, pause=PAUSE_US, options=("--listen", f"tcp://0.0.0.0:{PORT}"), before=network.enter("pulse"))
        self.network = network
        self.nodes = []

    def __exit__(self, *reason):
        for node in self.nodes:
            node.terminate()
        for node in self.nodes:
            try:
                node.wait(1)
            except subprocess.TimeoutExpired:
                node.kill()
                node.wait()
        super().__exit__(*reason)

    def enroll(self, name, *options):
        """-> the file of its keys"""
        keys = f"{self.folder}/{name}.curve"
        self.farm.must("enroll", name, "-o", keys, *options)
        return keys

    def node(self, host, keys, *options, name=None, server_key=None):
        """A node on a host; its log is among the farm's lines, behind its name."""
        name = name or host
        node = subprocess.Popen(
            [*self.network.enter(host), PROGRAMS.node, "--connect", self.network.endpoint(host), "--name", name, "--keys", keys,
             "--server-key", server_key or f"{keys}.server", "--cache", f"{self.farm.data}/far-{host}", "--slots", "2",
             "--log", "debug", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=self.farm.environment, text=True,
            errors="replace")
        self.nodes.append(node)
        threading.Thread(target=self._read, args=(name, node.stderr), daemon=True).start()
        return node

    def _read(self, name, stream):
        for line in stream:
            self.farm.log.append(f"{name}: {line.rstrip()}")
        stream.close()

    def joined(self, count=1, name=""):
        self.farm.await_log(rf'"worker joins" worker={name}', count)

    def told(self, pattern, since=0, until=None):
        return [line for line in self.farm.log[since:until] if re.search(pattern, line)]


@contextlib.contextmanager
def at_work(folder):
    """A farm with a node on each host."""
    with Network(*HOSTS) as network, Spread(folder, network) as farm:
        for host in HOSTS:
            farm.node(host, farm.enroll(host))
        farm.joined(len(HOSTS))
        yield farm


def test_the_same_bytes_from_elsewhere(folder):
    """A client on one host, nodes on two, Pulse on a third; and the project's files go over the network."""
    with at_work(folder) as farm:
        network = farm.network
        desk = farm.enroll("desk", "--role", "client")
        token = farm.farm.must("tokens", "create", "someone").stdout.decode().strip()
        done = run([*network.enter("east"), PROGRAMS.loophole, "submit", farm.project, "-o", f"{folder}/out", "--progress", "none",
                    "--server", network.endpoint("east", 1), "--keys", desk, "--token", token], env=farm.farm.environment)
        equal(done.returncode, 0, done.talk)
        equal(digests(f"{folder}/out"), farm.reference, "SHA-256")
        farm.agree()
        workers = {row["owner"] for row in farm.witness.rows() if row["what"] == "shard" and row["owner"]}
        equal(workers, set(HOSTS), "who worked")


def times_of_cuts():
    return {"given": Times("shards of a host that was cut off are given to another", GIVEN_S),
            "back": Times("a host whose cable is whole again has joined again", BACK_S)}


def cut_and_heal(farm, random, times, host, kind, seconds, usual):
    """One job, in whose midst a cable is cut. -> how many results came late"""
    since = len(farm.farm.log)
    farm.submit()
    time.sleep(random.uniform(0.15, 0.5) * usual)
    at = time.time()
    farm.network.cut(host, kind)
    time.sleep(seconds)
    if seconds >= LONG_S:  # the link has told the node, and nobody has heard of it since
        farm.farm.await_log(rf'{host}: .*"Pulse is gone"', 1 + len(farm.told(rf'^{host}: .*"Pulse is gone"', 0, since)))
    joins = len(farm.told(rf'"worker joins" worker={host}'))
    farm.network.heal(host)
    healed = time.monotonic()
    if seconds >= LONG_S:
        farm.joined(joins + 1, host)
        times["back"].add(time.monotonic() - healed)
    farm.finish()
    rows = farm.agree()
    held = held_by(rows, host, at)
    times["given"].add(given_again(rows, held, at))
    ends = [re.search(r'outcome=(\w+|"[^"]*")', line).group(1) for line in farm.told(rf'^{host}: .*"attempt ends"', since)]
    verdicts = [re.search(r"verdict=(\w+)", line).group(1) for line in farm.told(rf'^{host}: .*"result acknowledged"', since)]
    print(f"# {kind} of {host} for {seconds} s: it held {len(held)}; its attempts {count(ends)}, verdicts {count(verdicts)}", flush=True)
    return verdicts


def cut_before_the_answer(farm, host):
    """What a node sent has come, but what it is told of it does not: it says it again."""
    since = len(farm.farm.log)
    farm.submit()
    while not farm.told(rf'^{host}: .*"attempt ends".*complete', since):
        time.sleep(0.001)
    farm.network.cut(host, "back")
    time.sleep(SHORT_S)
    farm.network.heal(host)
    farm.finish()
    farm.agree()
    verdicts = [re.search(r"verdict=(\w+)", line).group(1) for line in farm.told(rf'^{host}: .*"result acknowledged"', since)]
    print(f"# no answer to {host} for {SHORT_S} s: verdicts {count(verdicts)}", flush=True)
    return verdicts


def count(words):
    return {word: words.count(word) for word in sorted(set(words))}


def test_cables_are_cut_and_healed(folder):
    random = chances(ASKED, "cables")
    times = times_of_cuts()
    verdicts = []
    with at_work(folder) as farm:
        usual = farm.usual()
        for _ in range(ASKED.rounds):
            # Many rounds try also what is so long that a kernel that tries to connect has become slow at it.
            lengths = [SHORT_S, SHORT_S, LONG_S if ASKED.rounds == 1 else random.choice((LONG_S, 20))]
            random.shuffle(lengths)
            for kind, seconds in zip(("both", "there", "back"), lengths):
                verdicts += cut_and_heal(farm, random, times, random.choice(HOSTS), kind, seconds, usual)
            verdicts += cut_before_the_answer(farm, "east")
    for one in times.values():
        one.tell()
    equal("conflict" in verdicts, False, "a late result had other bytes")


def refused(farm, *words, **members):
    """A node that must not get in; the line that says so has these words."""
    since, joins = len(farm.farm.log), len(farm.told('"worker joins"'))
    node = farm.node("east", *words, **members)
    deadline = time.monotonic() + 20
    pattern = r'"Pulse does not let this node in"|"Pulse reports an error"'
    while not farm.told(pattern, since):
        equal(time.monotonic() < deadline, True, f"nothing was said of it: {farm.farm.log[since:]}")
        time.sleep(0.02)
    time.sleep(0.5)
    equal(len(farm.told('"worker joins"')), joins, "workers that joined")
    node.terminate()
    equal(node.wait(20), 0, "exit status of a node that was not let in")
    return "\n".join(farm.told(pattern, since))


def test_who_does_not_get_in(folder):
    with Network("east") as network, Spread(folder, network) as farm:
        east = farm.enroll("east", "--tag", "fast", "--tag", "loud")
        desk = farm.enroll("desk", "--role", "client")
        stranger = f"{folder}/stranger.curve"
        shut_out = farm.enroll("shut-out")
        farm.farm.must("peers", "revoke", "shut-out")
        token = farm.farm.must("tokens", "create", "operator", "--role", "operator").stdout.decode().strip()

        void = farm.farm.must("tokens", "create", "leaver", "--days", "1").stdout.decode().strip()

        def jobs(keys, said=token):
            return run([*network.enter("east"), PROGRAMS.loophole, "jobs", "--server", network.endpoint("east", 1), "--keys", keys,
                        "--token", said], env=farm.farm.environment)

        # A token that is revoked is void for who watches already.
        watcher = subprocess.Popen(
            [*network.enter("east"), PROGRAMS.loophole, "submit", farm.project, "--wait", "--progress", "none", "--server",
             network.endpoint("east", 1), "--keys", desk, "--token", void], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=farm.farm.environment, text=True)
        watcher.stdout.readline()  # the number of the job, which nobody is there to do
        time.sleep(0.5)
        [line] = [line for line in farm.farm.must("tokens", "list").stdout.decode().splitlines() if "leaver" in line]
        farm.farm.must("tokens", "revoke", line.split()[0])
        _, talk = watcher.communicate(timeout=20)
        equal(watcher.returncode, 2, f"exit status of who watches with a token that is void: {talk}")
        contains(talk, "token")

        # Each is refused for what is wrong with it alone: at the end the right one gets in.
        contains(refused(farm, stranger, server_key=f"{east}.server"), "does not let this node in")
        contains(refused(farm, shut_out), "does not let this node in")
        contains(refused(farm, desk), "does not let this node in")
        wrong = f"{folder}/wrong.server"
        with open(stranger) as file, open(wrong, "w") as out:
            out.write(file.read().split()[1] + "\n")
        contains(refused(farm, east, server_key=wrong), "does not let this node in")
        contains(refused(farm, east, name="west"), "enrolled for the worker east, not for west")
        contains(refused(farm, east, "--tag", "free"), "enrolled with the tags fast loud, which free is not among")
        farm.node("east", east, "--tag", "fast")
        farm.joined(1)

        equal(jobs(desk).returncode, 0, "a client with its keys")
        done = jobs(east)
        equal(done.returncode, 5, f"a worker's keys at the endpoint of clients: {done.talk}")
        shutil.copy(f"{desk}.server", f"{stranger}.server")
        done = jobs(stranger)
        equal(done.returncode, 5, f"keys that nobody knows: {done.talk}")
        shutil.copy(wrong, f"{stranger}.server")
        contains(jobs(desk, "lhk_nobody").talk, "token")
        farm.farm.must("peers", "revoke", "desk")
        equal(jobs(desk).returncode, 5, "a client that was shut out")
        listed = farm.farm.must("peers", "list").stdout.decode()
        contains(listed, "tags fast loud")
        equal(len(re.findall("revoked", listed)), 2, listed)


def test_one_is_shut_out_at_work(folder):
    times = Times("shards of a host that is shut out are given to another", GIVEN_S)
    with at_work(folder) as farm:
        farm.submit()
        deadline = time.monotonic() + 30
        while not (now := held_by(farm.witness.rows(), "west", time.time() + 1)):
            equal(time.monotonic() < deadline, True, "nothing was given to west")
            time.sleep(0.02)
        at = time.time()
        farm.farm.must("peers", "revoke", "west")
        farm.farm.await_log('"worker gone" worker=west', patience=5)
        print(f"# it held {len(now)} and was gone after {time.time() - at:.2f} s", flush=True)
        farm.finish()
        rows = farm.agree()
        times.add(given_again(rows, held_by(rows, "west", at), at))
        later = [row for row in rows if row["what"] == "shard" and row["owner"] == "west" and row["at"] > at + 0.5
                 and row["now"] == CLAIMED]
        equal(later, [], "what was given to it afterwards")
        farm.farm.await_log(r'west: .*"Pulse does not let this node in"')
    times.tell()


if __name__ == "__main__":
    rendered_here(PAUSE_US)  # once for all
    sys.exit(run_tests([test_the_same_bytes_from_elsewhere, test_who_does_not_get_in, test_one_is_shut_out_at_work,
                        test_cables_are_cut_and_healed], at_once=2))
