# SPDX-License-Identifier: MIT
"""The store: durable claims and completions per second in batches, beside queues that commit one shard at a time, both on
the same server and disk in the same run; and 100 000 shards admitted in one go. PostgreSQL is a private one that
synchronises every commit.

usage: store.py STORE FLOOR WORK [--rounds 3] [--seconds 3] [--batch 256] [--shards 100000]
"""
import argparse
import os
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
import postgres  # noqa: E402


def measure(*argv):
    return float(subprocess.run([str(part) for part in argv], check=True, capture_output=True, text=True).stdout)


class Place:
    """Fresh places for one store after the other: files, or schemas of the server."""

    def __init__(self, work, server):
        self.work, self.server, self.number = work, server, 0

    def fresh(self, kind):
        self.number += 1
        if kind == "PostgreSQL":
            schema = f"bench{self.number}"
            subprocess.run(["psql", "-q", self.server.url, "-c", f"CREATE SCHEMA {schema}"], check=True)
            return f"{self.server.url}&options=-csearch_path%3D{schema}"
        path = os.path.join(self.work, f"store-{os.getpid()}-{self.number}.db")
        return f"sqlite:{path}"

    def clean(self):
        for name in os.listdir(self.work):
            if name.startswith(f"store-{os.getpid()}-"):
                os.unlink(os.path.join(self.work, name))


def cycles(a, place, kind, peers):
    """Rates by competitor; each round runs each once, in turn."""
    def ours():
        return measure(a.store, "cycle", place.fresh(kind), a.seconds, a.batch)

    def naive(clients):
        url = place.fresh(kind)
        return measure(a.floor, url.removeprefix("sqlite:"), a.seconds, clients)

    competitors = {"Loophole": ours, **{name: lambda clients=clients: naive(clients) for name, clients in peers}}
    rates = {name: [] for name in competitors}
    for r in range(a.rounds):
        names = list(competitors)
        for name in names[r % len(names):] + names[:r % len(names)]:
            rates[name].append(competitors[name]())
    return rates


def report(kind, rates, aim):
    mine = rates["Loophole"]
    print(f"| {kind}: batches | {statistics.median(mine):.0f}/s (aim {aim}) | |")
    for name, theirs in rates.items():
        if name != "Loophole":
            ratio = statistics.median(x / y for x, y in zip(mine, theirs))
            print(f"| {kind}: {name} | {statistics.median(theirs):.0f}/s | {ratio:.1f} x (aim 3) |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("store")
    parser.add_argument("floor")
    parser.add_argument("work")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--shards", type=int, default=100000)
    a = parser.parse_args()
    with postgres.Server(durable=True) as server:
        place = Place(a.work, server)
        try:
            print(f"## Claimed and completed per second, durable, batches of {a.batch} events\n")
            print("| what | rate | Loophole over it |\n|---|---|---|")
            one_by_one = [("SKIP LOCKED, 1 client", 1), ("SKIP LOCKED, 4 clients", 4)]
            report("PostgreSQL", cycles(a, place, "PostgreSQL", one_by_one), 7500)
            report("SQLite", cycles(a, place, "SQLite", [("one transaction each", 1)]), 5000)
            print(f"\n## {a.shards} shards with specs, edges and promises, in one transaction\n")
            for kind in ("PostgreSQL", "SQLite"):
                url = place.fresh(kind)
                admitted, loaded = measure(a.store, "admit", url, a.shards), measure(a.store, "load", url)
                print(f"- {kind}: admitted in {admitted:.2f} s (aim < 10), loaded again in {loaded:.2f} s")
        finally:
            place.clean()


if __name__ == "__main__":
    main()
