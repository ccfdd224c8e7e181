# SPDX-License-Identifier: MIT
"""A farm from outside: test_farm.py LOOPHOLE SIGNAL PULSE NODE SOURCE-ROOT."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from farm import Farm, Programs
from tap import contains, equal, make_project, read, run, run_tests, sine, wav_bytes, write

PROGRAMS = Programs()
ROOT = os.path.abspath(sys.argv[5])


def local(project, out, *options):
    done = run([PROGRAMS.loophole, "render", project, "-o", out, "--progress", "none", *options],
               env=PROGRAMS.environment(LOOPHOLE_CACHE=""))
    equal(done.returncode, 0, done.talk)


def same_files(a, b):
    equal(sorted(os.listdir(a)), sorted(os.listdir(b)), "files")
    for name in os.listdir(a):
        equal(read(f"{a}/{name}") == read(f"{b}/{name}"), True, f"the bytes of {name}")


def test_the_same_bytes_as_here(folder):
    project = f"{ROOT}/examples/lantern/lantern.json"
    local(project, f"{folder}/here")
    with Farm(folder, PROGRAMS, workers=2) as farm:
        report = farm.render(project, f"{folder}/there")
        same_files(f"{folder}/here", f"{folder}/there")
        equal(report["status"], "done", "status")
        equal(sorted(os.path.basename(one["file"]) for one in report["deliverables"]),
              sorted(os.listdir(f"{folder}/here")), "files of the report")
        equal(farm.stop(), 0, "exit status of up")
        equal(farm.processes(), {}, "processes left")


def test_a_second_time_nothing_is_rendered(folder):
    project = make_project(folder)
    with Farm(folder, PROGRAMS) as farm:
        first = farm.render(project, f"{folder}/first")
        attempts = len(farm.logged("attempt ends"))
        second = farm.render(project, f"{folder}/second")
        same_files(f"{folder}/first", f"{folder}/second")
        equal(len(farm.logged("attempt ends")), attempts, "attempts")
        equal(first["bytes"]["shared"] > second["bytes"]["shared"], True, "uploaded once")
        fresh = farm.render(project, f"{folder}/third", "--fresh")
        same_files(f"{folder}/first", f"{folder}/third")
        equal(len(farm.logged("attempt ends")) > attempts, True, "rendered afresh")
        equal(fresh["job"]["project"], first["job"]["project"], "the project")


def test_after_a_restart_nothing_is_forgotten(folder):
    project = make_project(folder)
    with Farm(folder, PROGRAMS) as farm:
        job = farm.submit(project, "--wait")
        equal(farm.stop(signal.SIGTERM), 0, "exit status of up")
        equal(farm.run("fetch", job, "-o", f"{folder}/out").returncode, 5, "exit status without a farm")
        farm.start()
        farm.fetch(job, f"{folder}/out")
        attempts = len(farm.logged("attempt ends"))
        farm.render(project, f"{folder}/again")
        same_files(f"{folder}/out", f"{folder}/again")
        equal(len(farm.logged("attempt ends")), attempts, "attempts")


def test_work_goes_on_while_pulse_starts_anew(folder):
    project = make_project(folder, tracks=[
        {"id": "master", "type": "master"},
        *({"id": f"t{i}", "type": "audio", "clips": [
            {"media": "a", "start": {"seconds": 0.01 * i}, "duration": {"seconds": 600}, "loop": True}]} for i in range(8)),
    ], deliverables=[{"name": "mix", "source": "master", "format": "flac", "bitDepth": 16}])
    with Farm(folder, PROGRAMS) as farm:
        job = farm.submit(project)
        farm.await_log(r'"job planned" job=1 .*faults=0 ms')
        time.sleep(0.5)
        pid = farm.kill("pulse")
        farm.await_other("pulse", pid)
        equal(len(farm.logged("attempt ends.*outcome=complete")), 1, "attempts that were done before: the probe")
        farm.watch(job)
        equal(farm.logged("attempt ends.*outcome=(?!complete)"), [], "attempts that were for nothing")
        equal(len(farm.logged("attempt ends")), 2, "attempts")


def test_what_is_gone_is_made_again(folder):
    project = make_project(folder)
    with Farm(folder, PROGRAMS) as farm:
        first = farm.render(project, f"{folder}/first")
        farm.stop(signal.SIGTERM)
        digest = first["deliverables"][0]["fileSha256"].split(":")[1]
        os.unlink(f"{farm.data}/media/kept/{digest[:2]}/{digest}")
        contains(farm.must("doctor", status=1).stdout.decode(), digest)
        farm.start()
        equal(farm.run("fetch", str(first["job"]["id"]), "-o", f"{folder}/none").returncode, 4, "fetched what is gone")
        farm.render(project, f"{folder}/second")
        same_files(f"{folder}/first", f"{folder}/second")
        farm.fetch(str(first["job"]["id"]), f"{folder}/third")
        same_files(f"{folder}/first", f"{folder}/third")
        equal(farm.must("doctor").stdout, b"", "findings")


def free_ports(count):
    """-> the first of so many ports in a row that nobody listens at just now"""
    while True:
        with contextlib.ExitStack() as sockets:
            first = sockets.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            try:
                for port in range(first + 1, first + count):
                    sockets.enter_context(socket.create_server(("127.0.0.1", port)))
                return first
            except (OSError, OverflowError):
                pass


def test_who_was_enrolled_stays_so(folder):
    endpoint = f"tcp://127.0.0.1:{free_ports(3)}"
    keys = f"{folder}/far.keys"
    with Farm(folder, PROGRAMS, workers=0, options=["--listen", endpoint]) as farm:
        farm.must("enroll", "far", "-o", keys)
        farm.stop(signal.SIGTERM)
        farm.start()
        node = subprocess.Popen(
            [PROGRAMS.node, "--connect", endpoint, "--name", "far", "--keys", keys, "--server-key", f"{keys}.server",
             "--cache", f"{folder}/far"], stderr=subprocess.DEVNULL, env=farm.environment)
        try:
            farm.await_log('"worker joins" worker=far')
        finally:
            node.kill()
            node.wait()


def test_enrolling_from_elsewhere(folder):
    port = free_ports(3)
    with Farm(folder, PROGRAMS, workers=0, options=["--listen", f"tcp://127.0.0.1:{port}"]) as farm:
        farm.must("enroll", "desk", "--role", "client", "-o", f"{folder}/desk.keys")
        tokens = {role: farm.must("tokens", "create", role, "--role", role).stdout.decode().strip()
                  for role in ("admin", "operator")}

        def enroll(role):
            return run([PROGRAMS.loophole, "enroll", "far", "-o", f"{folder}/far.keys", "--keys", f"{folder}/desk.keys",
                        "--server", f"tcp://127.0.0.1:{port + 1}", "--token", tokens[role], "--data", f"{folder}/nothing"],
                       env=farm.environment)

        done = enroll("operator")
        equal(done.returncode, 2, f"exit status for who may not: {done.talk}")
        contains(done.talk, "this takes the role admin")
        equal([name for name in os.listdir(folder) if name.startswith("far")], [], "files of what came to nothing")
        done = enroll("admin")
        equal(done.returncode, 0, f"exit status: {done.talk}")
        equal(read(f"{folder}/far.keys.server"), read(f"{folder}/desk.keys.server"), "the farm's key")
        equal(os.path.exists(f"{folder}/nothing"), False, "a data folder")
        contains(farm.must("peers", "list").stdout, b"far ")


def test_the_readme(folder):
    text = read(f"{ROOT}/README.md").decode().split("## A farm", 1)[1].split("\n## ", 1)[0]
    lines = [line.split("#")[0].split() for line in text.splitlines() if line.startswith("    loophole ")]
    equal(lines.pop(0), ["loophole", "up", "--workers", "2", "&"], "the first command")
    first = f"{ROOT}/examples/first"
    local(f"{first}/first.json", f"{folder}/here")
    with Farm(folder, PROGRAMS, workers=2) as farm:
        shutil.copytree(first, f"{folder}/first")
        for line in lines:
            done = run([PROGRAMS.loophole, *line[1:]], env={**farm.environment, "LOOPHOLE_DATA": farm.data},
                       cwd=f"{folder}/first")
            equal(done.returncode, 0, f"exit status of {line}: {done.talk}")
        same_files(f"{folder}/here", f"{folder}/first/out")
        equal(farm.stop(signal.SIGTERM), 0, "exit status of up")


def faults_of(done):
    """Lines of a command's talk without what names the file."""
    return sorted(line.split(": ", 1)[1] for line in done.talk.splitlines() if ": /" in line)


def test_faults_as_check_tells_them(folder):
    write(f"{folder}/a.wav", wav_bytes([sine(4800)]))
    write(f"{folder}/broken.wav", b"RIFF this is no sound")
    wrong = {
        "mono clip on a track that is fed twice": dict(media={"a": {"file": "broken.wav"}, "b": {"file": "b.wav"}}),
        "unknown plugin": dict(tracks=[
            {"id": "master", "type": "master"},
            {"id": "one", "type": "audio", "clips": [{"media": "a", "start": {"beats": 0}}],
             "nodes": [{"id": "x", "plugin": "lv2:urn:loophole:nobody"}]}]),
        "no such file": dict(media={"a": {"file": "nowhere.wav"}, "b": {"file": "b.wav"}}),
        "an unknown member": dict(tracks=[{"id": "master", "type": "master", "gianDb": 3}], media={}, deliverables=[]),
        "a container that cannot hold it": dict(deliverables=[
            {"name": "mix", "source": "master", "format": "opus", "sampleRate": 44100}]),
    }
    with Farm(folder, PROGRAMS) as farm:
        for what, changes in wrong.items():
            project = make_project(folder, **changes)
            check = run([PROGRAMS.loophole, "check", project], env=farm.environment)
            there = farm.run("submit", project, "--wait", "--progress", "plain")
            equal(there.returncode, check.returncode, f"{what}: exit status, {there.talk} {check.talk}")
            equal(faults_of(there), faults_of(check), what)
            equal(len(faults_of(check)) > 0, True, f"{what}: faults")


def test_cancel_and_priorities(folder):
    project = make_project(folder)
    with Farm(folder, PROGRAMS, workers=0) as farm:  # nobody is there to begin
        job = farm.submit(project)
        farm.must("cancel", job)
        done = farm.watch(job, status=1)
        contains(done.talk, "cancelled")
        equal(farm.run("cancel", job).returncode, 0, "cancelled twice")
        equal(farm.run("fetch", job, "-o", f"{folder}/out").returncode, 1, "fetched")
        equal(os.path.exists(f"{folder}/out"), False, "files of a cancelled job")
        equal(farm.run("watch", "99").returncode, 4, "no such job")


def test_files_that_find_no_place(folder):
    project = make_project(folder)
    write(f"{folder}/file", b"")
    with Farm(folder, PROGRAMS) as farm:
        done = farm.must("submit", project, "-o", f"{folder}/file/out", "--progress", "plain", status=1)
        contains(done.talk, "is not a folder")
        contains(done.talk, "loophole submit: job 1 is done; 'loophole fetch 1 -o DIR' fetches its files")


def lose_what_is_handed_over(farm, lost):
    """Takes the first file that a client hands over away from it, as it is written; tells of it in `lost`."""
    incoming = f"{farm.data}/media/incoming"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for name in filter(lambda name: name.startswith("from-"), os.listdir(incoming)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{incoming}/{name}")
                lost.append(name)
                return


def test_what_is_lost_on_its_way_is_handed_over_again(folder):
    """So it looks to a client whose Pulse was killed when it had taken the file and had not noted it yet."""
    project = make_project(folder)
    second = read(f"{folder}/a.wav")[44:]
    sound = second * 120
    write(f"{folder}/a.wav", b"RIFF" + struct.pack("<I", 36 + len(sound)) + read(f"{folder}/a.wav")[8:40] + struct.pack("<I", len(sound)) + sound)
    lost = []
    with Farm(folder, PROGRAMS) as farm:
        thief = threading.Thread(target=lose_what_is_handed_over, args=(farm, lost))
        thief.start()
        farm.submit(project, "--wait")
        thief.join()
    equal(len(lost), 1, "files that were lost")


def test_interrupted_while_waiting(folder):
    project = make_project(folder)
    with Farm(folder, PROGRAMS, workers=0) as farm:
        waiting = subprocess.Popen(
            [PROGRAMS.loophole, "submit", project, "-o", f"{folder}/out", "--data", farm.data],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=farm.environment, text=True)
        job = waiting.stdout.readline().strip()
        time.sleep(0.3)
        waiting.send_signal(signal.SIGINT)
        _, talk = waiting.communicate(timeout=10)
        equal(waiting.returncode, 130, "exit status")
        contains(talk, f"loophole watch {job}")
        contains(farm.must("jobs").stdout.decode(), "planning")
        equal(os.path.exists(f"{folder}/out"), False, "half a folder")


def test_what_nobody_can_do_is_told(folder):
    project = make_project(folder)
    with Farm(folder, PROGRAMS) as farm:
        waiting = subprocess.Popen(
            [PROGRAMS.loophole, "submit", project, "--tag", "moon", "--tag", "dark", "--wait", "--progress", "plain",
             "--data", farm.data],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=farm.environment, text=True)
        job = waiting.stdout.readline().strip()
        told = next(line for line in waiting.stderr if "waits" in line)
        equal(told, f"loophole: job {job} waits for a worker that can do it, with the tags dark moon\n", "told")
        farm.must("cancel", job)
        waiting.communicate(timeout=20)
        equal(waiting.returncode, 1, "exit status of a cancelled job")


def test_one_trace_ties_the_logs_together(folder):
    project = make_project(folder)
    with Farm(folder, PROGRAMS) as farm:
        jobs = [farm.submit(project, "--wait", "--fresh") for _ in range(2)]
        traces = []
        for job in jobs:
            submitted = farm.logged(rf'"job submitted" job={job} ')
            equal(len(submitted), 1, "submissions")
            traces.append(re.search(r"trace=(00-[0-9a-f]{32}-[0-9a-f]{16}-01)", submitted[0]).group(1))
            planned = farm.logged(rf'"job planned" job={job} ')
            equal([line for line in planned if traces[-1] not in line], [], "plans with another trace")
        equal(traces[0] == traces[1], False, "one trace for two jobs")
        attempts = farm.logged("attempt ends")
        equal(len([line for line in attempts if traces[0] in line]) > 0, True, "attempts of the first job")
        equal(len([line for line in attempts if traces[1] in line]) > 0, True, "attempts of the second job")
        equal([line for line in attempts if traces[0] not in line and traces[1] not in line], [], "attempts of nobody")


def test_who_watches_sees_it_move(folder):
    project = make_project(folder, tracks=[
        {"id": "master", "type": "master"},
        *({"id": f"t{i}", "type": "audio", "clips": [
            {"media": "a", "start": {"seconds": 0.01 * i}, "duration": {"seconds": 900}, "loop": True}]} for i in range(8)),
    ], deliverables=[{"name": "mix", "source": "master", "format": "flac", "bitDepth": 16}])
    with Farm(folder, PROGRAMS, lease_ms=200000, beat_ms=60000) as farm:
        job = farm.submit(project)
        begun = time.monotonic()
        done = farm.must("watch", job, "--progress", "json")
        seconds = time.monotonic() - begun
        equal(seconds < 60, True, "a job between two beats")
        told = [line["done"] for line in map(json.loads, filter(lambda line: line.startswith("{"), done.talk.splitlines()))
                if line.get("event", line.get("type")) == "progress"]
        equal(told, sorted(told), "progress")
        equal(len(set(told)) >= max(2, int(seconds)), True, f"looks in {seconds:.1f} s: {told}")


def arguments_of(pid):
    return read(f"/proc/{pid}/cmdline").decode().split("\0")[:-1]


@contextlib.contextmanager
def node(farm, folder, name, endpoint):
    """Another node; -> what it says, line by line."""
    one = subprocess.Popen([PROGRAMS.node, "--connect", endpoint, "--name", name, "--cache", f"{folder}/{name}.cache"],
                           stderr=subprocess.PIPE, env=farm.environment, text=True)
    try:
        yield one.stderr
    finally:
        one.kill()
        one.wait()
        one.stderr.close()


def test_a_node_that_cannot_join_says_why(folder):
    project = make_project(folder)
    with Farm(folder, PROGRAMS) as farm:
        first = farm.processes()["worker-1"]
        os.mkdir(f"{farm.data}/empty", 0o700)
        with node(farm, folder, "early", f"ipc://{farm.data}/empty/workers.ipc") as alone, \
                node(farm, folder, "worker-1", f"ipc://{farm.data}/run/workers.ipc") as lines:
            contains(next(line for line in lines if "error" in line), "another node of this name is at work")
            farm.submit(project, "--wait")
            equal(farm.logged("worker gone|worker replaced"), [], "disturbed")
            os.kill(first, signal.SIGKILL)
            farm.await_log('"worker joins" worker=worker-1', 2)  # the other, or the one that is started anew
            contains(next(line for line in alone if "warning" in line), "Pulse does not answer")


def test_who_waits_is_told_why_nothing_comes_of_it(folder):
    project = make_project(folder)
    with Farm(folder, PROGRAMS, options=["--memory-max", "10"]) as farm:  # for no render
        waiting = subprocess.Popen(
            [PROGRAMS.loophole, "submit", project, "--wait", "--progress", "plain", "--data", farm.data],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=farm.environment, text=True)
        job = waiting.stdout.readline().strip()
        told = next(line for line in waiting.stderr if "tried again" in line)
        contains(told, f"loophole: a piece of job {job} failed on worker-1: out of memory; it is tried again")
        farm.must("cancel", job)
        waiting.communicate(timeout=20)


def address_spaces(farm):
    """What the instances that wait for shards are allowed."""
    found = set()
    for pid in [pid for name, pid in farm.processes().items() if name.startswith("signal-")]:
        with contextlib.suppress(OSError):
            found |= set(re.findall(r"Max address space +(\w+)", read(f"/proc/{pid}/limits").decode()))
    return found


def test_limits_reach_those_who_keep_them(folder):
    """Of Pulse's and a node's the stricter count: what is to allow more has to reach both."""
    given = ["--no-progress-s", "600", "--hard-s", "7200", "--memory-max", "3000"]
    project = make_project(folder)
    with Farm(folder, PROGRAMS, options=given) as farm:
        for name, wanted in ("pulse", given), ("worker-1", given[:2] + given[4:]):
            told = arguments_of(farm.processes()[name])
            limits = [word for at, word in enumerate(told) if word in given[::2] or told[at - 1] in given[::2]]
            equal(limits, wanted, f"limits of {name}")
        farm.submit(project, "--wait")
        deadline = time.monotonic() + 60  # an instance that begins is not bounded yet, and one that ends tells nothing
        while (found := address_spaces(farm)) != {str(3000 << 20)}:
            equal(time.monotonic() < deadline, True, f"in time, the address space of instances: {found}")
            time.sleep(0.05)


def test_who_may_not_and_what_is_not_there(folder):
    project = make_project(folder)
    os.mkdir(f"{folder}/large")
    large = make_project(f"{folder}/large")
    write(f"{folder}/large/a.wav", wav_bytes([sine(400000)]))
    with Farm(folder, PROGRAMS, workers=0, options=["--quota", "1"]) as farm:
        contains(farm.must("submit", large, status=1).talk, "over the quota of 1048576 bytes")
        done = farm.must("submit", project, "--deliverable", "nix", status=2)
        contains(done.talk, 'there is no deliverable "nix"; did you mean "mix"?')
        equal(farm.must("jobs").stdout, b"", "jobs")
        contains(farm.must("drain", "nobody", status=4).talk, "nobody: no worker of this name is connected")
        contains(farm.must("tokens", "revoke", "x", status=2).talk, "x is no token's number")
        contains(farm.must("submit", project, "--tag", "no tag", status=1).talk, "a name has letters, digits")
        done = run([PROGRAMS.loophole, "jobs", "--server", f"ipc://{farm.data}/run/clients.ipc", "--token", "lhk_nobody"],
                   env=farm.environment)
        equal(done.returncode, 2, done.talk)
        contains(done.talk, "token")
        second = run([PROGRAMS.pulse, "--data", farm.data], env=farm.environment)
        contains(second.talk, "another loophole-pulse runs in this folder")
        equal(second.returncode, 2, "exit status of a second Pulse")


if __name__ == "__main__":
    sys.exit(run_tests([
        test_the_same_bytes_as_here, test_a_second_time_nothing_is_rendered, test_after_a_restart_nothing_is_forgotten,
        test_work_goes_on_while_pulse_starts_anew, test_what_is_gone_is_made_again, test_faults_as_check_tells_them,
        test_cancel_and_priorities, test_files_that_find_no_place, test_what_is_lost_on_its_way_is_handed_over_again,
        test_interrupted_while_waiting,
        test_what_nobody_can_do_is_told, test_who_waits_is_told_why_nothing_comes_of_it,
        test_limits_reach_those_who_keep_them, test_who_may_not_and_what_is_not_there,
        test_a_node_that_cannot_join_says_why, test_enrolling_from_elsewhere,
        test_who_was_enrolled_stays_so,
        test_one_trace_ties_the_logs_together, test_who_watches_sees_it_move,
        test_the_readme,
    ]))
