# SPDX-License-Identifier: MIT
"""Nothing is rendered twice: test_farm_reuse.py LOOPHOLE SIGNAL PULSE NODE BUNDLES.

What was rendered is counted where it is done: workers tell of every attempt how many frames it rendered. Plugins are
proven repeatable first, since what is not proven is never shared between jobs."""
import atexit
import hashlib
import os
import re
import shutil
import signal
import sqlite3
import struct
import sys
import tempfile
import time

from farm import Farm, Programs
from tap import equal, read, run, run_tests, sine, wav_bytes, write

PROGRAMS = Programs()
BUNDLES = os.path.abspath(sys.argv[5])
TRACKS = 6
SECONDS = 2
PLUGIN = "lv2:urn:loophole:test:gain2"
# Nanoseconds. A shard is so cheap that every track is one by what a plugin is thought to cost at first; what is learned
# of one on a busy machine can only be more. Nothing else is worth a cut.
PRICES = {"shard": 4e6, "store": 1, "load": 1, "mix": 0.02}
RATE = 48000
QUOTA_MIB = 64 + 2  # room is made for 64 MiB more before it is asked for: all but the media goes
STORED_BYTES = 8  # of a frame of a stereo track
ALL = TRACKS + 1  # shards that render: the tracks, and the mix


SOUNDS = tempfile.mkdtemp(prefix="loophole-reuse-")
atexit.register(shutil.rmtree, SOUNDS, ignore_errors=True)


def make_sounds():
    """One for each track, of a repeated second."""
    for t in range(TRACKS):
        one = sine(RATE, 110 + 7 * t, 0.05)
        second = wav_bytes([one, one[::-1]], bits=16)[44:]
        size = SECONDS * len(second)
        header = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVEfmt ", 16, 1, 2, RATE, 4 * RATE, 4, 16, b"data", size)
        write(f"{SOUNDS}/{t}.wav", header + second * SECONDS)


def make_project(name="many", start=0):
    """Stereo tracks, each its own sound through plugins, into one mix."""
    return write(f"{SOUNDS}/{name}.json", {
        "loophole": 1, "name": name, "sampleRate": RATE, "media": {f"m{t}": {"file": f"{t}.wav"} for t in range(TRACKS)},
        "tracks": [{"id": "master", "type": "master"}, *(
            {"id": f"t{t}", "type": "audio", "clips": [{"media": f"m{t}", "start": {"frames": start}}],
             "nodes": [{"id": "n", "plugin": PLUGIN, "parameters": {"gain": 1.1}}]}
            for t in range(TRACKS))],
        "deliverables": [{"name": "mix", "source": "master", "format": "wav", "bitDepth": 24}],
    })


class Counted(Farm):
    """A farm with proven plugins, that says what was rendered."""

    def __init__(self, folder, programs=PROGRAMS, **options):
        lv2 = os.path.join(folder, "lv2")
        if not os.path.exists(lv2):
            shutil.copytree(f"{BUNDLES}/friendly.lv2", f"{lv2}/friendly.lv2", ignore=shutil.ignore_patterns("*.p"))
        super().__init__(folder, programs, lv2=lv2, XDG_DATA_HOME=os.path.join(folder, "data"), **options)
        done = run([programs.loophole, "plugins", "probe", PLUGIN], env=self.environment)
        equal(done.returncode, 0, done.talk)
        self.teach(PRICES)
        self.seen = len(self.log)

    def rendered(self):
        """Since the last call: frames of each attempt that rendered any."""
        frames = [int(re.search(r"\bframes=(\d+)", line)[1]) for line in self.attempts()]
        self.seen = len(self.log)
        return sorted(number for number in frames if number > 0)

    def attempts(self):
        return [line for line in self.log[self.seen:] if "attempt ends" in line]

    def planned(self, job):
        """Shards of the job's plan, whoever makes them."""
        self.await_log(rf"job planned\" job={job} .*\bfaults=0 ms=")
        return int(re.search(r"\bshards=(\d+)", self.logged(rf"job planned\" job={job} .*\bfaults=0 ms=")[-1])[1])

    def knowing(self):
        """Whatever planning asks workers for is known: what is submitted next is cut while they stand still."""
        self.submit(make_project("earlier", start=1), "--wait")
        self.rendered()
        return self

    def await_collected(self, wanted, patience=30):
        """Until that many bytes of outputs are gone."""
        deadline = time.monotonic() + patience
        while (gone := sum(int(re.search(r"\bbytes=(\d+)", line)[1]) for line in self.logged("outputs let go"))) < wanted:
            equal(time.monotonic() < deadline, True, f"collected in time; {gone} of {wanted} bytes are")
            time.sleep(0.05)

    def standing_still(self):
        return StandingStill(self)

    def mix(self, job):
        out = os.path.join(self.folder, f"out-{job}")
        self.fetch(job, out)
        return read(f"{out}/mix.wav")


class StandingStill:
    """Workers that do nothing for a moment, shorter than their leases."""

    def __init__(self, farm):
        self.farm = farm

    def tell(self, number):
        for name in self.farm.processes():
            if name.startswith("worker-"):
                self.farm.kill(name, number)

    def __enter__(self):
        self.tell(signal.SIGSTOP)

    def __exit__(self, *_):
        self.tell(signal.SIGCONT)


def here(project, farm, *options):
    """What the same project is without a farm."""
    out = os.path.join(farm.folder, "here")
    shutil.rmtree(out, ignore_errors=True)
    done = run([PROGRAMS.loophole, "render", project, "-o", out, "--progress", "none", *options], env=farm.environment)
    equal(done.returncode, 0, done.talk)
    return read(f"{out}/mix.wav")


def same(actual, expected, what):
    equal(hashlib.sha256(actual).hexdigest(), hashlib.sha256(expected).hexdigest(), what)


def test_unchanged_renders_nothing(folder):
    project = make_project()
    with Counted(folder) as farm:
        first = farm.submit(project, "--wait")
        frames = farm.rendered()
        equal(len(frames), ALL, "shards")
        equal(frames[0] >= SECONDS * RATE, True, f"frames of each: {frames}")
        same(farm.mix(first), here(project, farm), "the mix")
        again = farm.submit(project, "--wait")
        equal(farm.planned(again), ALL, "shards of the plan, which is the same")
        equal(farm.attempts(), [], "attempts for the same once more")
        same(farm.mix(again), farm.mix(first), "the mix again")
        fresh = farm.submit(project, "--wait", "--fresh")
        equal(farm.rendered(), frames, "frames rendered afresh")
        same(farm.mix(fresh), farm.mix(first), "the mix afresh")


def test_a_change_renders_what_hangs_on_it(folder):
    project = make_project()
    changes = {
        "a plugin of one track": (["/tracks/3/nodes/0/parameters/gain=0.25"], 2),
        "the fader of one track": (["/tracks/3/gainDb=-4"], 1),
        "the format of the mix": (["/deliverables/0/bitDepth=16"], 1),
        "plugins of two tracks": (["/tracks/1/nodes/0/parameters/gain=0.5", "/tracks/2/nodes/0/parameters/gain=0.5"], 3),
        "the name of the project": (["/name=Other"], 0),
    }
    with Counted(folder) as farm:
        farm.submit(project, "--wait")
        farm.rendered()
        for what, (pointers, shards) in changes.items():
            options = [word for pointer in pointers for word in ("--set", pointer)]
            job = farm.submit(project, "--wait", *options)
            equal(len(farm.rendered()), shards, f"shards rendered after a change of {what}")
            same(farm.mix(job), here(project, farm, *options), f"the mix after a change of {what}")


def test_jobs_share_what_they_have_in_common(folder):
    """One after the other, and while none of it is there yet: what they share is rendered once."""
    project = make_project()
    other = ("--set", "/tracks/1/nodes/0/parameters/gain=0.5", "--set", "/tracks/2/gainDb=-3")
    with Counted(folder, workers=2) as farm:
        farm.knowing()
        with farm.standing_still():
            jobs = [farm.submit(project), farm.submit(project, *other), farm.submit(project)]
            plans = [farm.planned(job) for job in jobs]
            equal(farm.attempts(), [], "attempts before anybody may begin")
        for job in jobs:
            farm.watch(job)
        equal(plans, [ALL] * 3, "shards of the plans")
        equal(len(farm.rendered()), TRACKS + 1 + 2, "each track once, one more, two mixes")
        same(farm.mix(jobs[0]), here(project, farm), "the first mix")
        same(farm.mix(jobs[1]), here(project, farm, *other), "the other mix")
        same(farm.mix(jobs[2]), farm.mix(jobs[0]), "the third is the first")
        later = ("--set", "/tracks/1/nodes/0/parameters/gain=0.5", "--set", "/tracks/2/gainDb=-6")
        job = farm.submit(project, "--wait", *later)
        equal(len(farm.rendered()), 1, "shards rendered for a job that shares all of its tracks with an earlier one")
        same(farm.mix(job), here(project, farm, *later), "its mix")


def test_cancelling_one_of_two_leaves_the_other(folder):
    project = make_project()
    other = ("--set", "/tracks/1/nodes/0/parameters/gain=0.5")
    with Counted(folder) as farm:
        farm.knowing()
        with farm.standing_still():
            first, second = farm.submit(project), farm.submit(project, *other)
            equal((farm.planned(first), farm.planned(second)), (ALL, ALL), "shards of the plans")
            farm.must("cancel", first)
        farm.watch(first, status=1)
        farm.watch(second)
        # What one alone waited for is not begun, unless it was given to the worker before.
        equal(len(farm.rendered()) - ALL in (0, 1), True, "what only the cancelled job waited for")
        same(farm.mix(second), here(project, farm, *other), "the mix of the other")
        third = farm.submit(project, "--wait")
        equal(len(farm.rendered()) <= 2, True, "shards that the cancelled job lacked")
        same(farm.mix(third), here(project, farm), "the mix of the cancelled job, asked for again")


def add_tenant(farm, number, token):
    """Of a farm that stands still; tokens are kept as digests."""
    with sqlite3.connect(f"{farm.data}/pulse.db") as store:
        store.execute("INSERT INTO tenants (id, name, quota_bytes, tags) SELECT ?, 'other', quota_bytes, tags FROM tenants WHERE id = 1", (number,))
        store.execute("INSERT INTO tokens (digest, tenant, role, name, created_ms, expires_ms, revoked_ms) "
                      "VALUES (?, ?, 3, 'other', 1, 0, 0)", (hashlib.sha256(token.encode()).digest(), number))
    store.close()


def test_another_tenant_shares_nothing(folder):
    project = make_project()
    token = "lhk_" + "b" * 43
    with Counted(folder) as farm:
        job = farm.submit(project, "--wait")
        equal(len(farm.rendered()), ALL, "shards of the first tenant")
        equal(farm.stop(), 0, "exit status of up")
        add_tenant(farm, 2, token)
        farm.start()
        other = farm.submit(project, "--wait", "--token", token)
        equal(len(farm.rendered()), ALL, "shards of the other tenant")
        equal(farm.run("fetch", job, "-o", f"{folder}/stolen", "--token", token).returncode, 4, "the first one's job")
        farm.must("fetch", other, "-o", f"{folder}/other", "--token", token)
        same(read(f"{folder}/other/mix.wav"), farm.mix(job), "the mix of both")
        farm.submit(project, "--wait", "--token", token)
        equal(farm.attempts(), [], "attempts for the other once more")


def test_what_was_collected_is_made_again(folder):
    """The collector lets go of what can be made again, and keeps what a job has delivered; the same bits are made."""
    project = make_project()
    wrapper = write(f"{folder}/pulse", f'#!/bin/sh\nexec "{PROGRAMS.pulse}" "$@" --quota {QUOTA_MIB}\n'.encode())
    os.chmod(wrapper, 0o755)
    programs = Programs([PROGRAMS.loophole, PROGRAMS.signal, wrapper, PROGRAMS.node])
    with Counted(folder, programs) as farm:
        first = farm.submit(project, "--wait")
        mix = farm.mix(first)
        frames = farm.rendered()
        farm.await_collected(TRACKS * SECONDS * RATE * STORED_BYTES)
        again = farm.submit(project, "--wait")
        equal(farm.rendered(), [], "frames rendered of what is kept because it was delivered")
        same(farm.mix(again), mix, "the mix once more")
        changed = ("--set", "/deliverables/0/bitDepth=16")
        other = farm.submit(project, "--wait", *changed)
        equal(farm.rendered(), frames, "frames rendered once the tracks are gone")
        same(farm.mix(other), here(project, farm, *changed), "the mix made again")


if __name__ == "__main__":
    make_sounds()
    sys.exit(run_tests([value for name, value in list(globals().items()) if name.startswith("test_")]))
