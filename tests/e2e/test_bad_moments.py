# SPDX-License-Identifier: MIT
"""Signals at random moments, to the command, to its signal instance, to both: test_bad_moments.py LOOPHOLE
LOOPHOLE-SIGNAL. Whatever happens, a file is there whole and to the bit, or not at all; nothing hidden stays, and the
instance is gone within a second."""
import os
import random
import shutil
import signal
import subprocess
import time

from bad import ENVIRONMENT, LOOPHOLE, SANITIZED, Disk, calm, ends, instances, loophole, main, no_instances, small_project, tree
from tap import contains, equal, read, write

ROUNDS = 40
SEED = 20261124
AIMED_SECONDS = 0.25  # of an undisturbed render, about: a short one is hit at every stage
NAMES = ("mix.wav", "quiet.flac", "web.mp3", "stem.wav")
NO_HANDLER = {name: value + ":handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0" for name, value in ENVIRONMENT.items()
              if name == "ASAN_OPTIONS"}


def project_of(folder, seconds):
    """Plain, normalised, lossy and soloed deliverables of a loop."""
    loop = {"media": "a", "start": {"beats": 0}, "duration": {"seconds": seconds}, "loop": True}
    return small_project(folder, tracks=[{"id": f"t{i}", "type": "audio", "gainDb": -20, "clips": [loop]} for i in range(4)],
                         deliverables=[
                             {"name": "mix", "source": "master", "format": "wav"},
                             {"name": "quiet", "source": "master", "format": "flac", "loudness": {"integrated": -30}},
                             {"name": "web", "source": "master", "format": "mp3"},
                             {"name": "stem", "source": "t1", "format": "wav", "bitDepth": 16}])


def calibrated(folder):
    """A project of the aimed duration, what it delivers, and how long that took."""
    seconds = 2.0
    for _ in range(3):
        project = project_of(folder, seconds)
        shutil.rmtree(f"{folder}/whole", ignore_errors=True)
        begun = time.monotonic()
        ends(loophole("render", project, "-o", f"{folder}/whole", "--progress", "none"), 0)
        took = time.monotonic() - begun
        if took > 0.6 * AIMED_SECONDS:
            break
        seconds = min(600.0, seconds * AIMED_SECONDS / took)
    return project, {name: read(f"{folder}/whole/{name}") for name in NAMES}, took


def start(*arguments, env=None):
    return subprocess.Popen([LOOPHOLE, *arguments], env=env or ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, start_new_session=True)


def only_whole_files(out, whole, what, hidden=False):
    """How many of the files are there. With `hidden`, a whole file caught between its two names may be."""
    found = 0
    for path in tree(out) if os.path.isdir(out) else ():
        if path in whole:
            equal(read(f"{out}/{path}") == whole[path], True, f"{path} is whole {what}")
            found += 1
        else:
            equal(hidden and read(f"{out}/{path}") in whole.values(), True, f"{path} is there {what}")
    return found


def finish(process):
    talk = process.communicate(timeout=120)[1]
    calm()
    for words in ("internal error", "Sanitizer", "runtime error", "Assertion"):
        equal(words in talk, False, f"{words} in {talk}")
    return process.returncode, talk


def moments(took):
    chances = random.Random(SEED)
    return [chances.uniform(0, 1.1 * took) for _ in range(ROUNDS)]


def test_kills_at_random_moments(folder):
    project, whole, took = calibrated(folder)
    caught = 0
    for number, moment in enumerate(moments(took)):
        out = f"{folder}/out{number}"
        process = start("render", project, "-o", out, "--progress", "none")
        time.sleep(moment)
        process.kill()
        status, _ = finish(process)
        no_instances(1.0)
        found = only_whole_files(out, whole, f"{moment:.4f} s in")
        equal(status == -signal.SIGKILL or (status, found) == (0, len(NAMES)), True, f"exit status {status} with {found} files")
        caught += status != 0
        shutil.rmtree(out, ignore_errors=True)
    equal(caught >= ROUNDS // 8, True, f"only {caught} renders were caught")


def interrupted(folder, send, patient=True):
    project, whole, took = calibrated(folder)
    caught = 0
    for number, moment in enumerate(moments(took)):
        out = f"{folder}/out{number}/deep"
        process = start("render", project, "-o", out, "--progress", "none")
        time.sleep(moment)
        sent = send(process)
        status, talk = finish(process)
        no_instances(1.0)
        found = only_whole_files(out, whole, f"{moment:.4f} s in")
        if status == -sent:  # so soon that the program had no say yet
            equal(os.path.exists(f"{folder}/out{number}"), False, "folder")
        else:
            expected = (status, found) in ((130, 0), (0, len(NAMES))) or (status == 130 and not patient)
            equal(expected, True, f"exit status {status} with {found} files: {talk}")
            equal(patient and os.path.exists(f"{folder}/out{number}"), patient and found > 0, "folder")
        caught += status != 0
        shutil.rmtree(f"{folder}/out{number}", ignore_errors=True)
    equal(caught >= ROUNDS // 8, True, f"only {caught} renders were caught")


def test_ctrl_c_at_random_moments(folder):
    """As a terminal does it: to the whole group of processes."""
    def send(process):
        os.killpg(process.pid, signal.SIGINT)
        return signal.SIGINT
    interrupted(folder, send)


def test_impatient_ctrl_c_at_random_moments(folder):
    """Three times in a row: it ends at once, with empty folders or whole files."""
    def send(process):
        for _ in range(3):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.001)
        return signal.SIGINT
    interrupted(folder, send, patient=False)


def test_instance_dies_at_random_moments(folder):
    """Of what a crash or the kernel's memory killer sends: told, exit status 1, nothing left."""
    project, whole, took = calibrated(folder)
    chances = random.Random(SEED)
    caught = 0
    for number, moment in enumerate(moments(took)):
        death = chances.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE])
        out = f"{folder}/out{number}"
        process = start("render", project, "-o", out, "--progress", "none", env={**ENVIRONMENT, **NO_HANDLER})
        while not instances() and process.poll() is None:
            time.sleep(0.001)
        time.sleep(moment / 2)
        for pid in instances():
            os.kill(pid, death)
        status, talk = finish(process)
        no_instances(1.0)
        found = only_whole_files(out, whole, f"{moment:.4f} s in")
        equal((status, found) in ((1, 0), (0, len(NAMES))), True, f"exit status {status} with {found} files: {talk}")
        if status == 1:
            caught += 1
            contains(talk, f"the signal instance was killed by signal {int(death)}")
            equal(os.path.exists(out), False, "folder")
        shutil.rmtree(out, ignore_errors=True)
    equal(caught >= ROUNDS // 8, True, f"only {caught} renders were caught")


def test_instance_ends_by_itself(folder):
    """Asked to, by SIGTERM, which is not for it to ignore."""
    project = project_of(folder, 3600)
    process = start("render", project, "-o", f"{folder}/out")
    stopped_instance(signal.SIGTERM)
    status, talk = finish(process)
    equal(status, 1, f"exit status: {talk}")
    contains(talk, "the signal instance was killed by signal 15")
    equal(os.path.exists(f"{folder}/out"), False, "folder")


def stopped_instance(number=signal.SIGSTOP):
    end = time.monotonic() + 30
    while not instances():
        equal(time.monotonic() < end, True, "an instance starts")
        time.sleep(0.001)
    time.sleep(0.3)
    for pid in instances():
        os.kill(pid, number)


def test_ctrl_c_ends_a_stopped_instance(folder):
    """One that no longer answers is killed after a second."""
    project = project_of(folder, 3600)
    process = start("render", project, "-o", f"{folder}/out")
    stopped_instance()
    time.sleep(0.2)
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    status, talk = finish(process)
    equal(status, 130, f"exit status: {talk}")
    equal(time.monotonic() - begun < (10 if SANITIZED else 3), True, "soon")
    no_instances(1.0)
    equal(os.path.exists(f"{folder}/out"), False, "folder")


def test_a_stopped_command_goes_on(folder):
    """Ctrl-Z and fg."""
    project, whole, took = calibrated(folder)
    process = start("render", project, "-o", f"{folder}/out")
    time.sleep(took / 3)
    os.killpg(process.pid, signal.SIGSTOP)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGCONT)
    status, talk = finish(process)
    equal(status, 0, f"exit status: {talk}")
    equal(only_whole_files(f"{folder}/out", whole, "after a stop"), len(NAMES), "files")


def test_ctrl_c_while_an_instance_does_not_start(folder):
    """It hangs before it has said a word: nothing waits for it."""
    hanging = write(f"{folder}/hanging", b"#!/bin/sh\nexec sleep 60\n")
    os.chmod(hanging, 0o755)
    process = start("check", project_of(folder, 1), env={**ENVIRONMENT, "LOOPHOLE_SIGNAL": hanging})
    time.sleep(0.5)
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    status, talk = finish(process)
    equal(status, 130, f"exit status: {talk}")
    equal(time.monotonic() - begun < (10 if SANITIZED else 3), True, "soon")


def test_kill_of_a_stopped_instances_parent(folder):
    """It cannot notice by itself: the kernel ends it."""
    process = start("render", project_of(folder, 3600), "-o", f"{folder}/out")
    stopped_instance()
    process.kill()
    finish(process)
    no_instances(1.0)
    equal(os.listdir(f"{folder}/out"), [], "files")


def test_signals_during_mix_and_check(folder):
    project, _, took = calibrated(folder)
    stems = []
    for i in range(20):
        shutil.copy(f"{folder}/whole/mix.wav", f"{folder}/s{i}.wav")
        stems.append(f"{folder}/s{i}.wav")
    chances = random.Random(SEED)
    write(f"{folder}/old.wav", b"old")
    for number in range(ROUNDS):
        arguments = ["check", project] if number % 2 else ["mix", *stems, "-o", f"{folder}/old.wav", "--loudness", "-20"]
        sent = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[number % 3]
        process = start(*arguments)
        time.sleep(chances.uniform(0, took))
        os.killpg(process.pid, sent)
        status, talk = finish(process)
        no_instances(1.0)
        equal(status in (0, 128 + sent, -sent), True, f"exit status {status} of {arguments[0]}: {talk}")
        equal(read(f"{folder}/old.wav") == b"old", status != 0 or number % 2 == 1, f"the old file after {status}")
        equal([name for name in os.listdir(folder) if name.startswith(".")], [], "hidden files")
        write(f"{folder}/old.wav", b"old")


def test_interrupt_on_a_full_disk(folder):
    """Two reasons to fail at once."""
    project, _, took = calibrated(folder)
    chances = random.Random(SEED)
    with Disk(folder, "100k") as disk:
        for _ in range(10):
            process = start("render", project, "-o", disk)
            time.sleep(chances.uniform(0, took / 2))
            os.killpg(process.pid, signal.SIGINT)
            status, talk = finish(process)
            equal(status in (1, 130, -signal.SIGINT), True, f"exit status {status}: {talk}")
            equal(os.listdir(disk), [], "files")
            no_instances(1.0)


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    main(TESTS)
