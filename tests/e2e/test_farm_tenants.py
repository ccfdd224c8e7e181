# SPDX-License-Identifier: MIT
"""Tenants of one farm: test_farm_tenants.py LOOPHOLE SIGNAL PULSE NODE. Each has its own projects and jobs, may keep so
much, has its share of the workers and is worked for by those that have its tags."""
import os
import sqlite3
import subprocess
import sys
import threading
import time

from farm import Farm, Programs
from tap import contains, equal, make_project, read, run_tests, sine, wav_bytes, write

PROGRAMS = Programs()


def tenant(farm, name, *options):
    """-> an environment in which commands are the tenant's."""
    farm.must("tenants", "add", name, *options)
    token = farm.must("tokens", "create", f"{name}-editor", "--tenant", name).stdout.decode().strip()
    return {"LOOPHOLE_TOKEN": token}


class Worker:
    """One more node for a farm, with tags; its lines are the farm's."""

    def __init__(self, farm, name, *tags):
        options = [option for tag in tags for option in ("--tag", tag)]
        self.farm, self.name = farm, name
        self.process = subprocess.Popen(
            [PROGRAMS.node, "--connect", f"ipc://{farm.data}/run/workers.ipc", "--name", name, "--slots", "1",
             "--cache", f"{farm.data}/more-{name}", *options],
            env=farm.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.farm.log.append(line.rstrip("\n"))
        self.process.stderr.close()

    def __enter__(self):
        self.farm.await_log(rf'"worker joins" worker={self.name} ')
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(5)


def attempts(farm, name):
    return len(farm.logged(f"attempt ends.* node={name} "))


def line_of(farm, name):
    lines = [line for line in farm.must("tenants", "list").stdout.decode().splitlines() if line.split()[0] == name]
    equal(len(lines), 1, f"lines of {name}")
    return lines[0]


def test_made_changed_and_listed(folder):
    with Farm(folder, PROGRAMS, workers=0) as farm:
        contains(line_of(farm, "local"), "weight 1 ")
        farm.must("tenants", "add", "label", "--quota", "1000000", "--weight", "7", "--tag", "fast", "--tag", "big")
        contains(line_of(farm, "label"), "weight 7 ")
        contains(line_of(farm, "label"), "of 1000000  tags big fast")
        farm.must("tenants", "add", "label", "--weight", "7", "--quota", "1000000", "--tag", "big", "--tag", "fast")
        contains(farm.must("tenants", "add", "label", status=1).talk, "of this name")
        contains(line_of(farm, "label"), "of 1000000  tags big fast")
        farm.must("tenants", "change", "label", "--quota", "0", "--tag", "small")
        equal("of 1000000" in line_of(farm, "label"), False, "a quota")
        contains(line_of(farm, "label"), "weight 7 ")
        contains(line_of(farm, "label"), "tags small")
        farm.must("tenants", "change", "label", "--any-worker")
        equal("tags" in line_of(farm, "label"), False, "tags")
        farm.must("tenants", "change", "nobody", "--weight", "2", status=4)
        farm.must("tenants", "change", "label", status=2)
        farm.must("tenants", "add", "no name", status=1)
        # What was set stays when Pulse starts anew, also of the tenant that it makes itself.
        farm.must("tenants", "change", "local", "--weight", "3")
        farm.await_other("pulse", farm.kill("pulse"))
        contains(line_of(farm, "local"), "weight 3 ")
        contains(line_of(farm, "label"), "weight 7 ")


def test_tokens_and_what_others_see(folder):
    project = make_project(folder)
    with Farm(folder, PROGRAMS, workers=1) as farm:
        job = farm.submit(project, "--wait")
        label = tenant(farm, "label")
        equal(farm.must("jobs", **label).stdout, b"", "jobs of the other")
        for command in (["watch", job], ["fetch", job, "-o", f"{folder}/stolen"]):
            equal(farm.run(*command, **label).returncode, 4, command[0])
        equal(farm.run("tenants", "list", **label).returncode, 2, "an editor lists tenants")
        equal(farm.run("tokens", "create", "x", "--tenant", "nobody").returncode, 4, "a token of nobody's")
        own = farm.must("submit", project, "--wait", "--progress", "none", **label).stdout.decode().split()[0]
        farm.must("fetch", own, "-o", f"{folder}/own", **label)
        farm.fetch(job, f"{folder}/first")
        equal(read(f"{folder}/own/mix.wav"), read(f"{folder}/first/mix.wav"), "bytes")
        number = farm.must("tokens", "list", "--tenant", "label").stdout.decode().split()[0]
        equal(number in farm.must("tokens", "list").stdout.decode(), False, "its token among those of others")
        farm.must("tokens", "revoke", number, "--tenant", "label")
        equal(farm.run("jobs", **label).returncode, 2, "with a token that is void")


def long_project(folder, name, seconds, **changes):
    where = f"{folder}/{name}"
    os.makedirs(where, exist_ok=True)
    frames = 44100 * seconds
    write(f"{where}/long.wav", wav_bytes([sine(frames, 200 + len(name))], rate=44100))
    return write(f"{where}/{name}.json", {
        "loophole": 1, "name": name, "sampleRate": 48000, "media": {"a": {"file": "long.wav"}},
        "tracks": [{"id": "master", "type": "master"},
                   {"id": "one", "type": "audio", "clips": [{"media": "a", "start": {"beats": 0}}]}],
        "deliverables": [{"name": "mix", "source": "master", "format": "wav", "bitDepth": 16}], **changes})


def test_a_quota_of_uploads(folder):
    project = long_project(folder, "song", 10)
    size = os.path.getsize(f"{folder}/song/long.wav")
    with Farm(folder, PROGRAMS, workers=1) as farm:
        label = tenant(farm, "label", "--quota", str(size - 1))
        done = farm.run("submit", project, "--progress", "none", **label)
        equal(done.returncode, 1, "exit status past the quota")
        for part in (f"quota is {size - 1} bytes", str(size), "tenants change"):
            contains(done.talk, part)
        contains(line_of(farm, "label"), "uploads 0 ")
        farm.submit(project)  # others have room
        # There is room for the upload, and none for what it becomes.
        farm.must("tenants", "change", "label", "--quota", str(size + 1000))
        done = farm.run("submit", project, "--wait", "--progress", "none", **label)
        equal(done.returncode, 1, "exit status of a job that has no room")
        for part in (f"quota is {size + 1000} bytes", f"uploads use {size}", "tenants change"):
            contains(done.talk, part)
        contains(line_of(farm, "label"), f"uploads {size} ")
        contains(line_of(farm, "label"), "files 0 ")
        farm.must("tenants", "change", "label", "--quota", str(20 * size))
        farm.must("submit", project, "-o", f"{folder}/out", "--progress", "none", **label)
        # What it has it may bring again, and what is there it may have again, however little there is left.
        farm.must("tenants", "change", "label", "--quota", "1")
        farm.must("submit", project, "-o", f"{folder}/again", "--progress", "none", **label)
        equal(read(f"{folder}/again/mix.wav"), read(f"{folder}/out/mix.wav"), "bytes")


def kept(farm, name):
    """-> bytes of uploads, files and outputs."""
    words = line_of(farm, name).split()
    return [int(words[words.index(what) + 1]) for what in ("uploads", "files", "outputs")]


def test_what_is_too_much_goes(folder):
    project = make_project(folder)
    with Farm(folder, PROGRAMS, workers=1) as farm:
        label = tenant(farm, "label")
        farm.must("submit", project, "-o", f"{folder}/first", "--progress", "none", **label)
        uploads, files, outputs = kept(farm, "label")
        equal(outputs > 0, True, "facts of the media, at the least, are kept")
        farm.must("tenants", "change", "label", "--quota", str(uploads + files + outputs - 1))
        farm.await_log('outputs let go for the quota')
        deadline = time.monotonic() + 20  # equal facts are one blob: several rows may have to go
        while (now := kept(farm, "label"))[2] >= outputs:
            equal(time.monotonic() < deadline, True, f"outputs {now[2]} after {outputs}")
            time.sleep(0.2)
        equal(now[:2], [uploads, files], "uploads and files, which do not go")
        # What went is made again when it is wanted, and nothing is inconsistent.
        farm.must("doctor")
        farm.must("tenants", "change", "label", "--quota", "0")
        farm.must("submit", project, "-o", f"{folder}/again", "--fresh", "--progress", "none", **label)
        equal(read(f"{folder}/again/mix.wav"), read(f"{folder}/first/mix.wav"), "bytes")


def test_tags_pin_a_tenant(folder):
    project = make_project(folder)
    with Farm(folder, PROGRAMS, workers=1) as farm:
        label = tenant(farm, "label", "--tag", "vault")
        started = farm.must("submit", project, "--progress", "none", **label).stdout.decode().split()[0]
        with Worker(farm, "open", "other"):
            time.sleep(2)
            equal("succeeded" in farm.must("jobs", **label).stdout.decode(), False, "done by a worker without the tag")
            with Worker(farm, "vault-1", "vault", "other"):
                farm.must("watch", started, "--progress", "none", **label)
                # What a client asks for narrows, and never widens.
                farm.must("submit", project, "--fresh", "--wait", "--progress", "none", "--tag", "other", **label)
        equal(attempts(farm, "vault-1") >= 2, True, "attempts in the vault")
        equal(attempts(farm, "open") + attempts(farm, "worker-1"), 0, "attempts outside of it")


def test_weights_share_the_workers(folder):
    each = 8
    with Farm(folder, PROGRAMS, workers=0) as farm:
        light = tenant(farm, "light")
        heavy = tenant(farm, "heavy", "--weight", "3")
        for number in range(each):
            for name, who in (("light", light), ("heavy", heavy)):
                project = long_project(folder, f"{name}-{number}" + "x" * number, 1, sampleRate=44100)
                farm.must("submit", project, "--progress", "none", **who)
        farm.await_other("pulse", farm.kill("pulse"))  # the weights are the store's
        with Worker(farm, "only"):
            deadline = time.monotonic() + 60
            while True:
                store = sqlite3.connect(f"file:{farm.data}/pulse.db?mode=ro", uri=True)
                order = [name for name, in store.execute(
                    "SELECT t.name FROM jobs j JOIN tenants t ON t.id = j.tenant WHERE j.finished_ms IS NOT NULL"
                    " ORDER BY j.finished_ms, j.id")]
                store.close()
                if len(order) == 2 * each:
                    break
                equal(time.monotonic() < deadline, True, f"all jobs done in time: {order}")
                time.sleep(0.2)
        print(f"# {' '.join(order)}")
        # Three to one while both have something: when the heavy ones are done, few of the light ones are.
        last = len(order) - 1 - order[::-1].index("heavy")
        before = order[:last].count("light")
        equal(before <= each // 2, True, f"{before} light jobs before the last heavy one")


def test_alarms_are_listed(folder):
    with Farm(folder, PROGRAMS, workers=0) as farm:
        equal(farm.must("alarms").stdout, b"", "alarms of a new farm")
        store = sqlite3.connect(f"{farm.data}/pulse.db", timeout=10)
        for number, body in enumerate(('{"type":"alarm.digests","tenant":1,"key":"sha256:aa","worker":"w\\u001b1"}',
                                       '{"type":"alarm.quarantine","worker":"w2"}'), 1):
            store.execute("INSERT INTO alarms (number, tenant, job, created_ms, body) VALUES (?, 0, 0, ?, ?)",
                          (number, 1700000000000 + number, body))
        store.commit()
        store.close()
        lines = farm.must("alarms").stdout.decode().splitlines()
        equal(len(lines), 2, "lines")
        contains(lines[0], "worker in quarantine  worker=w2")
        contains(lines[1], "two results for one output  tenant=1  key=sha256:aa  worker=w\\x1b1")
        equal(len(farm.must("alarms", "-n", "1").stdout.decode().splitlines()), 1, "lines that were asked for")
        contains(farm.must("doctor").talk, "loophole alarms")


if __name__ == "__main__":
    sys.exit(run_tests([
        test_made_changed_and_listed, test_tokens_and_what_others_see, test_a_quota_of_uploads,
        test_what_is_too_much_goes, test_tags_pin_a_tenant, test_weights_share_the_workers,
        test_alarms_are_listed,
    ]))
