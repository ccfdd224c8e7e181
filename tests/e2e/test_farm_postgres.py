# SPDX-License-Identifier: MIT
"""A farm whose PostgreSQL server is stopped, killed and started again in mid-job: test_farm_postgres.py LOOPHOLE SIGNAL
PULSE NODE BUNDLES [--seed N] [--kills N].

Nothing that was acknowledged is lost, clients hear meanwhile that they may ask again, and work goes on soon after."""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from broken_farm import NAMES, Broken, Times, Witness, chances, digests, options, rendered_here  # noqa: E402
from postgres import Server  # noqa: E402
from tap import contains, equal, run_tests  # noqa: E402

ASKED = options(kills=10)
ROUNDS = ASKED.kills // 10 or 1  # of three
BACK_S = 10  # the contract's
EXIT_UNAVAILABLE = 5


class ServerWitness(Witness):
    """As triggers of a server."""

    TRIGGER = """
CREATE FUNCTION witness_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO witness {columns} VALUES (extract(epoch FROM clock_timestamp()), {values}); RETURN NULL; END $$;
CREATE TRIGGER witness_{table} AFTER INSERT OR UPDATE{also} ON {table} FOR EACH ROW EXECUTE FUNCTION witness_{table}();"""
    HEX = "encode(coalesce(NEW.key, OLD.key), 'hex')"

    def __init__(self, server):
        self.server = server
        words = {"{OLD.state}": "OLD.state", "{OLD.attempt}": "OLD.attempt", "{hex}": self.HEX,
                 "{digest}": "encode(NEW.digest, 'hex')"}
        text = self.TABLE.format(serial="BIGSERIAL PRIMARY KEY", real="DOUBLE PRECISION") + ";"
        for table, values, also in (("shards", self.SHARDS, ""), ("outputs", self.OUTPUTS, " OR DELETE"),
                                    ("jobs", self.JOBS, "")):
            for word, value in words.items():
                values = values.replace(word, value)
            text += self.TRIGGER.format(table=table, values=values, columns=self.COLUMNS, also=also)
        self.ask(text)

    def ask(self, text):
        done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-At", "-F", "\t", "-d", self.server.url],
                              input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        equal(done.returncode, 0, f"psql: {done.stderr}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def rows(self, after=0):
        texts = ("what", "id", "owner", "digest")
        found = self.ask(f"SELECT {', '.join(NAMES)} FROM witness WHERE number > {after} ORDER BY number")
        return [{name: value if name in texts else None if value == "" else float(value) if name == "at" else int(value)
                 for name, value in zip(NAMES, row)} for row in found]


class BrokenStore(Broken):
    def __init__(self, folder, server, **members):
        super().__init__(folder, store=server.url, **members)
        self.server = server

    def see(self):
        return ServerWitness(self.server)


def first_commit(rows, since):
    return min((row["at"] - since for row in rows if row["at"] > since), default=None)


def test_server_is_stopped_and_started(folder):
    random, times = chances(ASKED, "server"), Times("work goes on after the server is back", BACK_S)
    with Server(durable=True) as server, BrokenStore(folder, server) as broken:
        usual = broken.usual()
        for mode in ("immediate", "fast", "immediate") * ROUNDS:
            broken.submit()
            time.sleep(random.uniform(0, usual))
            server.stop(mode)
            time.sleep(random.uniform(0, 3))
            server.start()
            back = time.time()
            broken.finish()
            times.add(first_commit(broken.agree(), back))
    times.tell()


def test_clients_hear_that_they_may_ask_again(folder):
    with Server() as server, BrokenStore(folder, server) as broken:
        job = broken.farm.submit(broken.project, "--wait")
        server.stop()
        begun = time.monotonic()
        for command in (["jobs"], ["watch", job], ["submit", broken.project, "--fresh"]):
            client = subprocess.Popen([broken.farm.programs.loophole, *command, "--progress", "none", "--data", broken.farm.data]
                                      if command[0] != "jobs" else
                                      [broken.farm.programs.loophole, "jobs", "--data", broken.farm.data],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=broken.farm.environment, text=True)
            if command[0] == "jobs":
                talk = client.communicate(timeout=90)[1]
                equal(client.returncode, EXIT_UNAVAILABLE, f"exit status of jobs: {talk}")
                contains(talk, "does not answer")
                print(f"# jobs, after {time.monotonic() - begun:.1f} s: {talk.strip()}", flush=True)
            else:  # patient ones wait for it
                time.sleep(1)
                equal(client.poll(), None, f"exit status of {command[0]} while there is no store")
                server.start()
                said, talk = client.communicate(timeout=60)
                equal(client.returncode, 0, f"exit status of {command[0]}: {talk}")
                if command[0] == "submit":
                    broken.farm.watch(said.strip())
                    broken.farm.fetch(said.strip(), f"{folder}/out")
                    equal(digests(f"{folder}/out"), broken.reference, "SHA-256 of what was fetched")
                else:
                    server.stop()
        broken.agree()


def test_server_stands_still(folder):
    """It is stopped, not ended: what it was asked it answers when it goes on."""
    with Server() as server, BrokenStore(folder, server) as broken:
        usual = broken.usual()
        broken.submit()
        time.sleep(usual / 3)
        os.killpg(server.pid(), signal.SIGSTOP)
        stopped = all_of(server)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(4)
        for pid in (*stopped, server.pid()):
            os.kill(pid, signal.SIGCONT)
        back = time.time()
        broken.finish()
        rows = broken.agree()
        print(f"# work goes on {first_commit(rows, back):.2f} s after the server goes on", flush=True)


def all_of(server):
    """The server's processes below its first; each is a group of its own."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if parent == server.pid():
            found.append(int(entry))
    return found


TESTS = [test_server_is_stopped_and_started, test_clients_hear_that_they_may_ask_again, test_server_stands_still]

if __name__ == "__main__":
    rendered_here()  # once for all
    sys.exit(run_tests(TESTS, at_once=2))
