# SPDX-License-Identifier: MIT
"""A farm gives the very files that one process gives: test_farm_identity.py LOOPHOLE SIGNAL PULSE NODE BUNDLES SONGS
[--seed N] [--songs N] [--mixes N].

Random projects with every native feature (tests/identity) and random mixes with plugins (mixes.py), each rendered whole
by `loophole render` and over 1, 2, 4 and 7 workers, fresh and going on from what earlier jobs left, with either store:
every file has one SHA-256, and what is told of it is the same. The projects are short. That they are cut to pieces all
the same is the cost model's doing, into which prices are written as if they had been learned."""
import argparse
import atexit
import functools
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import mixes
from farm import Farm, Programs
from tap import Skip, contains, equal, read, run, run_tests

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import postgres

PROGRAMS = Programs()
BUNDLES, SONGS = (os.path.abspath(path) for path in sys.argv[5:7])
PARSER = argparse.ArgumentParser()
PARSER.add_argument("--seed", type=int, default=1)
PARSER.add_argument("--songs", type=int, default=3)
PARSER.add_argument("--mixes", type=int, default=2)
ASKED = PARSER.parse_args(sys.argv[7:])
WORKERS = (1, 2, 4, 7)
# Nanoseconds for a unit of work. A shard is cheap, so that pieces of milliseconds are worth one.
PRICES = {"mix": 50, "store": 1, "load": 1, "shard": 2e6, "meter": 20, "conform": 100}
PROVEN = [uri for uri in mixes.PLUGINS if uri.startswith((mixes.OWN, mixes.SWH))]  # the others stay each job's own
OWN = tempfile.mkdtemp(prefix="loophole-identity-")
atexit.register(shutil.rmtree, OWN, ignore_errors=True)


# ---- what is rendered

def setting(workers):
    """Makes of a project another that shares most of it: a version for each number of workers."""
    return ("--set", f"/tracks/3/gainDb={-6 - workers / 8}")


@functools.cache
def make_projects():
    """-> paths of the projects, which all have at least four tracks."""
    songs, paths = os.path.join(OWN, "songs"), []
    os.makedirs(songs)
    subprocess.run([SONGS, songs, str(ASKED.seed), str(4 * ASKED.songs)], check=True)
    for seed in range(ASKED.seed, ASKED.seed + 4 * ASKED.songs):
        path = os.path.join(songs, f"{seed}.json")
        with open(path) as file:
            if len(json.load(file)["tracks"]) >= 4 and len(paths) < ASKED.songs:
                paths.append(path)
    if mixes.missing() is None:
        mixes.make_media(OWN)
        paths += [mixes.make_mix(OWN, seed) for seed in range(ASKED.seed, ASKED.seed + ASKED.mixes)]
    return paths


def told(report):
    """What is to be the same of each file, by its name."""
    return {os.path.basename(one.get("file", one.get("name"))):
            {key: one.get(key) for key in ("fileSha256", "samplesSha256", "gainDb", "tailFrames", "loudness")}
            for one in report["deliverables"]}


def differences(expected, actual):
    """Names of the files that differ."""
    return sorted(name for name in {*expected, *actual} if expected.get(name) != actual.get(name))


def whole(environment, project, options=(), known={}):
    """What `loophole render` makes of a project, rendered once."""
    if (project, options) not in known:
        done = run([PROGRAMS.loophole, "render", project, "-o", f"{OWN}/whole", "--progress", "none", "--report", "-",
                    *options], env=environment)
        equal(done.returncode, 0, done.talk)
        known[project, options] = told(json.loads(done.stdout))
        shutil.rmtree(f"{OWN}/whole")
    return known[project, options]


# ---- a farm that cuts

class Cutting(Farm):
    def __init__(self, folder, store=None):
        lv2 = os.path.join(OWN, "lv2")
        if not os.path.exists(lv2):
            mixes.make_bundles(lv2, BUNDLES)
        super().__init__(folder, PROGRAMS, workers=0, lv2=lv2, store=store, lease_ms=15000, beat_ms=1000,
                         XDG_DATA_HOME=os.path.join(OWN, "data"))
        self.environment["XDG_CACHE_HOME"] = os.path.join(OWN, "cache")  # what is known of plugins is known for all
        self.teach(PRICES)

    def __enter__(self):
        return self

    def run_all(self, asked):
        """Submits all of it at once; -> what is told of each, and how many shards each is cut into."""
        jobs = [self.submit(project, *options) for project, options in asked]
        results = []
        for job in jobs:
            done = self.must("watch", job, "--progress", "none", "--report", "-")
            planned = self.logged(rf'job planned" job={job} .*\bfaults=0 ms=')[-1]
            results.append((told(json.loads(done.stdout)), int(re.search(r"\bshards=(\d+)", planned)[1])))
        return results, jobs

    def renders(self, since):
        return [line for line in self.log[since:] if "attempt ends" in line and "frames=0 " not in line]


def over_a_farm(folder, store=None):
    projects = make_projects()
    if mixes.missing() is not None:
        print(f"# without mixes: there is no {mixes.missing()}")
    with Cutting(folder, store) as farm:
        probe = run([PROGRAMS.loophole, "plugins", "probe", *PROVEN], env=farm.environment)
        equal(probe.returncode, 0, probe.talk)
        for workers in WORKERS:
            farm.workers = workers
            farm.start()
            for what, options in (("fresh", ("--fresh",)), ("again", ()), ("changed", setting(workers))):
                since = len(farm.log)
                results, jobs = farm.run_all([(project, options) for project in projects])
                for project, (actual, shards) in zip(projects, results):
                    expected = whole(farm.environment, project, () if what != "changed" else options)
                    equal(differences(expected, actual), [],
                          f"files of {os.path.basename(project)} over {workers} workers, {what}, in {shards} shards, differ")
                shards = sum(count for _, count in results)
                renders = farm.renders(since)
                nodes = {re.search(r"\bnode=(\S+)", line)[1] for line in renders}
                print(f"# {workers} workers, {what}: {len(projects)} projects, {shards} shards, {len(renders)} rendered "
                      f"by {len(nodes)}", flush=True)
                if what == "fresh":
                    equal(shards >= 4 * len(projects), True, f"cut to pieces: {shards} shards of {len(projects)} projects")
                    equal(len(renders) >= shards * 3 // 4, True, f"rendered afresh: {len(renders)} of {shards} shards")
                    equal(len(nodes) >= min(workers, 4), True, f"workers that rendered: {len(nodes)} of {workers}")
                elif what == "changed" or workers > 1:
                    equal(len(renders) < shards, True, f"some of it is there: {len(renders)} of {shards} shards rendered")
            fetched = os.path.join(folder, f"fetched-{workers}")
            farm.fetch(jobs[-1], fetched)
            files = whole(farm.environment, projects[-1], setting(workers))
            equal(sorted(os.listdir(fetched)), sorted(files), "files fetched")
            for name in files:
                contains(files[name]["fileSha256"], hashlib.sha256(read(f"{fetched}/{name}")).hexdigest())
            equal(farm.stop(), 0, "exit status of up")


def test_over_a_farm(folder):
    over_a_farm(folder)


def test_over_a_farm_with_postgres(folder):
    try:
        postgres.program("initdb")
    except FileNotFoundError as reason:
        raise Skip(str(reason)) from reason
    with postgres.Server() as server:
        over_a_farm(folder, server.url)


def next_float(value):
    """The next larger one of 32 bits."""
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    return struct.unpack("<f", struct.pack("<I", bits + 1))[0]


def test_the_least_bit_is_noticed(folder):
    """The control: a gain that differs in its last bit is another project, and must not pass for the first."""
    right, wrong = os.path.join(OWN, "right.json"), os.path.join(OWN, "wrong.json")
    mixes.make_media(OWN)
    project = mixes.Mix(ASKED.seed).project()
    for path, value in ((right, 0.7), (wrong, next_float(0.7))):
        project["tracks"][0] = {"id": "master", "type": "master", "nodes": [
            {"id": "last", "plugin": mixes.OWN + "gain2", "parameters": {"gain": value}}]}
        with open(path, "w") as file:
            json.dump(project, file)
    with Cutting(folder) as farm:
        farm.workers = 2
        farm.start()
        results, _ = farm.run_all([(right, ()), (wrong, ())])
        expected = whole(farm.environment, right)
        equal(differences(expected, results[0][0]), [], "files of the right one that differ")
        contains(differences(expected, results[1][0]), "mix.wav")


if __name__ == "__main__":
    sys.exit(run_tests([test_over_a_farm, test_over_a_farm_with_postgres, test_the_least_bit_is_noticed]))
