# SPDX-License-Identifier: MIT
"""A farm learns what work costs: test_farm_learning.py LOOPHOLE SIGNAL PULSE NODE BUNDLES.

Plugins that Pulse has never seen pass for expensive, and a job of them is spread. When they have turned out to be cheap
the next job, with something changed, is cut otherwise: by Pulse that has learned it, and by one that was started anew.
Where a job is cut changes no bit.
"""
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time

from farm import Farm, Programs
from tap import Skip, equal, read, run, run_tests, sine, wav_bytes, write

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import postgres  # noqa: E402

PROGRAMS = Programs()
BUNDLES = os.path.abspath(sys.argv[5])
TRACKS, SECONDS = 4, 240


def make(folder, gain):
    write(f"{folder}/a.wav", wav_bytes([sine(48000)]))
    rack = [{"id": f"g{i}", "plugin": "lv2:urn:loophole:test:gain"} for i in range(4)]
    tracks = [{"id": "master", "type": "master"}] + [
        {"id": f"t{i}", "type": "audio", "gainDb": gain - i, "nodes": rack, "channels": 1,
         "clips": [{"media": "a", "start": {"seconds": 0.1 * i}, "duration": {"seconds": SECONDS}, "loop": True}]}
        for i in range(TRACKS)]
    return write(f"{folder}/song.json", {
        "loophole": 1, "name": "Song", "sampleRate": 48000, "media": {"a": {"file": "a.wav"}}, "tracks": tracks,
        "deliverables": [{"name": "mix", "source": "master", "format": "flac", "bitDepth": 16}]})


def shards_of(farm, job):
    """Of the job's last plan: those of facts come before it."""
    lines = farm.logged(rf'"job planned" job={job} ')
    return int(re.search(r"shards=(\d+)", lines[-1]).group(1))


def await_costs(count, what, patience=30):
    deadline = time.monotonic() + patience
    while not count():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} was not learned")
        time.sleep(0.1)


def same_as_here(farm, project, folder, out):
    here = tempfile.mkdtemp(dir=folder)
    done = run([PROGRAMS.loophole, "render", project, "-o", here, "--progress", "none"],
               env=farm.environment)
    equal(done.returncode, 0, done.talk)
    equal(read(f"{here}/mix.flac") == read(f"{out}/mix.flac"), True, "the bytes")


def learns(folder, store, count_costs):
    farm = Farm(folder, PROGRAMS, workers=2, lv2=BUNDLES, store=store)
    probed = run([PROGRAMS.loophole, "plugins", "probe", "lv2:urn:loophole:test:gain"], env=farm.environment)
    equal(probed.returncode, 0, probed.talk)
    with farm:
        first = farm.submit(make(folder, -3), "-o", f"{folder}/first")
        same_as_here(farm, f"{folder}/song.json", folder, f"{folder}/first")
        await_costs(lambda: count_costs(farm), "the plugin's cost")
        second = farm.submit(make(folder, -4), "-o", f"{folder}/second")
        same_as_here(farm, f"{folder}/song.json", folder, f"{folder}/second")
        farm.stop()
        farm.start()
        third = farm.submit(make(folder, -5), "-o", f"{folder}/third")
        same_as_here(farm, f"{folder}/song.json", folder, f"{folder}/third")
        cuts = [shards_of(farm, job) for job in (first, second, third)]
        print(f"# shards of the three plans: {cuts}")
        equal(cuts[0] > 1, True, f"an unknown plugin is spread: {cuts}")
        equal(cuts[1] < cuts[0], True, f"a cheap one is not: {cuts}")
        equal(cuts[2] < cuts[0], True, f"nor after a restart: {cuts}")


def test_learns_on_sqlite(folder):
    def count(farm):
        with sqlite3.connect(f"file:{farm.data}/pulse.db?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM costs WHERE name LIKE 'plugin/%'").fetchone()[0]
    learns(folder, None, count)


def test_learns_on_postgresql(folder):
    try:
        psql = postgres.program("psql")
    except FileNotFoundError as reason:
        raise Skip(reason)
    with postgres.Server() as server:
        def count(_):
            done = subprocess.run(
                [psql, server.url, "-Atc", "SELECT count(*) FROM costs WHERE name LIKE 'plugin/%'"],
                stdout=subprocess.PIPE, check=True, text=True)
            return int(done.stdout)
        learns(folder, server.url, count)


if __name__ == "__main__":
    sys.exit(run_tests([test_learns_on_sqlite, test_learns_on_postgresql]))
