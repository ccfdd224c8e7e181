# SPDX-License-Identifier: MIT
"""The loophole command from outside: test_cli.py LOOPHOLE LOOPHOLE-SIGNAL."""
import ctypes
import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from tap import Skip, contains, environment, equal, make_project, read, read_wav, run, run_tests, sine, wav_bytes, write

LOOPHOLE, SIGNAL = (os.path.abspath(path) for path in sys.argv[1:3])
ROUNDS = 20  # interrupts and kills at random moments
SEED = 20261122
PROGRAMS = tempfile.mkdtemp(prefix="loophole-programs-")  # a copy of our own, so that its processes can be told from others'
OWN_SIGNAL = shutil.copy(SIGNAL, os.path.join(PROGRAMS, "loophole-signal"))
ENVIRONMENT = environment(LOOPHOLE_SIGNAL=OWN_SIGNAL)
ENVIRONMENT.pop("TMPDIR", None)


def loophole(*arguments, **options):
    return run([LOOPHOLE, *arguments], env=ENVIRONMENT, **options)


def must(status, *arguments, **options):
    done = loophole(*arguments, **options)
    if done.returncode != status:
        raise AssertionError(f"exit status {done.returncode}, not {status}: {done.talk}")
    return done


def survivors():
    """Signal instances of ours that still run."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe") == OWN_SIGNAL:
                found.append(int(pid))
        except OSError:
            pass
    return found


def no_survivors():
    end = time.monotonic() + 5
    while survivors():
        if time.monotonic() > end:
            raise AssertionError(f"signal instances outlive the command: {survivors()}")
        time.sleep(0.01)


def make_long_project(folder, seconds):
    """Long to render from little: one second, over and over."""
    return make_project(folder, tracks=[
        {"id": "master", "type": "master"},
        *({"id": f"t{i}", "type": "audio", "pan": i / 20, "clips": [
            {"media": "a", "start": {"seconds": 0.01 * i}, "duration": {"seconds": seconds}, "loop": True}]} for i in range(8)),
    ], deliverables=[
        {"name": "mix", "source": "master", "format": "wav", "bitDepth": 16, "loudness": {"integrated": -20}},
        {"name": "web", "source": "master", "format": "flac", "bitDepth": 16},
    ])


def test_version(folder):
    contains(must(0, "--version").stdout.decode(), "loophole 0.")


def test_usage_errors(folder):
    project = make_project(folder)
    for arguments, part in [
        ([], "Usage"),
        (["rendr", project], "did you mean render"),
        (["render"], "PROJECT"),
        (["plugins"], "Usage"),
        (["plugins", "lsit"], "did you mean plugins list"),
        (["plugins", "show"], "ID"),
        (["plugins", "probe", "--jobs", "0"], "jobs"),
        (["help", "plugins", "proeb"], "did you mean plugins probe"),
        (["render", project, "--jail", "maybe"], "off"),
        (["render", project, "--thraeds", "2"], "--threads"),
        (["render", project, "--threads", "0"], "threads"),
        (["render", project, "--threads", "two"], "threads"),
        (["render", project, "--progress", "loud"], "plain"),
        (["render", project, "--set", "nothing"], "="),
        (["render", project, "--set", "/tracks/oen/pan=0"], "cannot be set: none of the 3 elements is called \"oen\" (did you mean \"one\""),
        (["check", project, "--set", "name=x"], "cannot be set"),
        (["render", project, "-o", ""], "folder"),
        (["render", project, "--block", "1000"], "quantum"),
        (["render", project, "--deliverable", "mxi"], 'did you mean "mix"?'),
        (["render", project, "--deliverable", "zzz"], 'the project has "mix", "lead"'),
        (["mix", f"{folder}/a.wav"], "-o FILE"),
        (["mix", f"{folder}/a.wav", "-o", f"{folder}/mix.txt"], ".wav"),
        (["mix", f"{folder}/a.wav", "-o", f"{folder}/mix.mp3", "--bit-depth", "16"], "lossy"),
        (["mix", f"{folder}/a.wav", "-o", f"{folder}/mix.wav", "--gain", "b=1"], "no stem"),
        (["mix", f"{folder}/a.wav", "-o", "-", "--loudness", "-14"], "loudness"),
    ]:
        done = loophole(*arguments, cwd=folder)
        equal(done.returncode, 2, f"exit status of {arguments}: {done.talk}")
        contains(done.talk, part)
    equal(sorted(os.listdir(folder)), ["a.wav", "b.wav", "two.json"], "files")


def test_render_delivers_and_reports(folder):
    project = make_project(folder)
    done = must(0, "render", project, "-o", f"{folder}/out/deep", "--report", f"{folder}/report.json", "--digests")
    equal(sorted(os.listdir(f"{folder}/out/deep")), ["lead.flac", "mix.wav"], "files")
    contains(done.talk, "2 files, 0:01.000 rendered")
    equal(done.stdout, b"", "standard output")
    channels, rate = read_wav(read(f"{folder}/out/deep/mix.wav"))
    equal((len(channels), len(channels[0]), rate), (2, 48000, 48000), "shape")
    gain = 10 ** (-6 / 20)
    for channel, (first, second) in zip(channels, [(440, 110), (330, 220)]):
        expected = [x + gain * y for x, y in zip(sine(48000, first), sine(48000, second))]
        worst = max(abs(x - y) for x, y in zip(channel, expected))
        equal(worst < 4 / (1 << 23), True, f"off by {worst * (1 << 23):.2f} LSB")
    report = json.loads(read(f"{folder}/report.json"))
    equal((report["status"], report["exitStatus"], report["project"]), ("done", 0, "Two"), "report")
    mix, lead = report["deliverables"]
    equal((mix["name"], mix["format"], mix["bitDepth"], mix["channels"], mix["frames"], mix["source"]),
          ("mix", "wav", 24, 2, 48000, "master"), "mix")
    equal(mix["bytes"], os.path.getsize(f"{folder}/out/deep/mix.wav"), "bytes")
    hashed = run(["sha256sum", f"{folder}/out/deep/mix.wav"]).stdout.decode().split()[0]
    equal(mix["fileSha256"], "sha256:" + hashed, "digest")
    equal(-30 < mix["loudness"]["reached"]["integratedLufs"] < -5, True, "loudness")
    equal(lead["file"], f"{folder}/out/deep/lead.flac", "file")
    for name in ("renderKey", "samplesSha256"):
        equal(len(mix[name]), 71, name)
    source = report["sources"][0]
    equal((source["id"], source["sampleRate"], source["channels"], source["frames"]), ("a", 48000, 2, 48000), "source")
    equal(source["digest"], "sha256:" + run(["sha256sum", f"{folder}/a.wav"]).stdout.decode().split()[0], "source digest")
    for name in ("maxMomentaryLufs", "truePeakDbtp"):
        equal(-30 < mix["loudness"]["measured"][name] < 0, True, name)
    equal(mix["loudness"]["measured"]["maxShortTermLufs"], None, "a second has no three seconds")
    for name in ("wallSeconds", "xRealtime", "firstBlockSeconds", "loadSeconds", "compileSeconds"):
        equal(report["times"][name] > 0, True, name)
    equal(report["engine"]["soundVersion"] >= 1, True, "sound version")
    contains(report["engine"]["libraries"], "sndfile")


def test_results_do_not_depend_on_threads_blocks_or_time(folder):
    project = make_project(folder)
    first = None
    for i, options in enumerate([["--threads", "1"], ["--threads", "2"], ["--threads", "7", "--block", "1024"], ["--block", "65536"]]):
        must(0, "render", project, "-o", f"{folder}/{i}", "--progress", "none", *options)
        files = [read(f"{folder}/{i}/{name}") for name in ("mix.wav", "lead.flac")]
        first = first or files
        equal(files == first, True, f"identical with {options}")


def test_what_is_absent_is_set_as_the_message_says(folder):
    project = make_project(folder)
    talk = must(2, "check", project, "--set", "/tracks/one/clips/0/duration/seconds=0.5").talk
    told = re.search("set all of it: '(.+)'", talk)[1]
    equal(told, '/tracks/1/clips/0/duration={"seconds":0.5}', "suggestion")
    must(0, "check", project, "--set", told)


def test_report_on_standard_output(folder):
    project = make_project(folder)
    done = must(0, "render", project, "-o", f"{folder}/out", "--report", "-", "--progress", "none")
    equal(done.talk, "", "talk")
    equal(json.loads(done.stdout)["status"], "done", "status")
    done = must(3, "render", project, "-o", f"{folder}/none", "--report", "-", "--set", "/tracks/1/gian=3")
    report = json.loads(done.stdout)
    equal((report["status"], report["exitStatus"]), ("failed", 3), "status")
    contains(report["faults"][0]["where"], "/tracks/1")
    equal(os.path.exists(f"{folder}/none"), False, "folder")


def test_deliverable_and_set(folder):
    project = make_project(folder)
    must(0, "render", project, "-o", f"{folder}/out", "--deliverable", "lead")
    equal(os.listdir(f"{folder}/out"), ["lead.flac"], "files")
    must(0, "render", project, "-o", f"{folder}/set", "--deliverable", "mix", "--set", "/deliverables/0/format=aiff",
         "--set", "/deliverables/0/bitDepth=16", "--set", "/tracks/2/mute=true")
    equal(read(f"{folder}/set/mix.aiff")[8:12], b"AIFF", "magic")


def test_invalid_project(folder):
    project = make_project(folder, sampleRate="fast", extra=1)
    done = must(3, "render", project)
    contains(done.talk, "two.json: /sampleRate: ")
    contains(done.talk, "/extra")
    write(f"{folder}/broken.json", b'{"loophole": 1,')
    contains(must(3, "render", f"{folder}/broken.json").talk, "broken.json")
    must(3, "render", f"{folder}/none.json")
    must(3, "render", folder)
    must(3, "render", make_project(folder), "--set", "/deliverables/0/format=mp3", "--set", "/deliverables/0/sampleRate=12345")


def test_missing_and_broken_media(folder):
    project = make_project(folder)
    whole = read(f"{folder}/a.wav")
    os.unlink(f"{folder}/a.wav")
    os.unlink(f"{folder}/b.wav")
    done = must(4, "render", project, "-o", f"{folder}/out")
    contains(done.talk, "/media/a: ")
    contains(done.talk, "/media/b: ")
    for broken in (b"", b"not a sound file at all", whole[:30], whole[:1000]):
        write(f"{folder}/a.wav", broken)
        write(f"{folder}/b.wav", whole)
        contains(must(4, "render", project, "-o", f"{folder}/out").talk, "/media/a: ")
        contains(must(4, "mix", f"{folder}/a.wav", f"{folder}/b.wav", "-o", f"{folder}/out.wav").talk, "a.wav: ")
    os.unlink(f"{folder}/a.wav")
    os.mkfifo(f"{folder}/a.wav")
    must(4, "render", project, "-o", f"{folder}/out")
    equal(os.path.exists(f"{folder}/out"), False, "folder")


def test_not_a_number_is_a_named_fault(folder):
    project = make_project(folder)
    samples = sine(48000)
    samples[4711] = math.nan
    write(f"{folder}/a.wav", wav_bytes([samples, sine(48000)], bits=32))
    done = must(1, "render", project, "-o", f"{folder}/out")
    contains(done.talk, "4711")
    equal(os.path.exists(f"{folder}/out"), False, "folder")


def test_places_that_cannot_be_written(folder):
    project = make_project(folder)
    write(f"{folder}/file", b"")
    contains(must(1, "render", project, "-o", f"{folder}/file").talk, "file")
    must(1, "render", project, "-o", "/proc/nowhere")
    for extra in ([], ["--set", "/name=Other"]):
        talk = must(1, "render", project, "-o", f"{folder}/out", "--report", f"{folder}/none/report.json", *extra).talk
        equal(talk.count("report.json: cannot be written"), 1, talk)
    talk = must(3, "render", project, "-o", f"{folder}/out", "--report", f"{folder}/none/report.json", "--set", "/tracks/1/pan=3").talk
    equal((talk.count("report.json: cannot be written"), talk.count("/tracks/1/pan")), (1, 1), talk)
    os.mkdir(f"{folder}/out")
    os.mkdir(f"{folder}/out/mix.wav")
    contains(must(1, "render", project, "-o", f"{folder}/out").talk, "is a folder")
    equal(os.listdir(f"{folder}/out"), ["mix.wav"], "files")


def test_sources_are_never_replaced(folder):
    project = make_project(folder)
    before = read(f"{folder}/a.wav")
    contains(must(1, "render", project, "-o", folder, "--set", "/deliverables/0/name=a").talk, "one of the sources")
    contains(must(1, "mix", f"{folder}/a.wav", f"{folder}/b.wav", "-o", f"{folder}/a.wav").talk, "one of the sources")
    for extra in ([], ["--set", "/tracks/1/pan=3"]):
        contains(loophole("render", project, "-o", f"{folder}/out", "--report", project, *extra).talk, "is the project itself")
    loophole("render", project, "-o", f"{folder}/out", "--report", f"{folder}/a.wav")
    equal(read(f"{folder}/a.wav"), before, "source")
    equal(json.loads(read(project))["name"], "Two", "project")


def test_disk_full(folder):
    disk = f"{folder}/disk"
    os.mkdir(disk)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", disk.encode(), b"tmpfs", 0, b"size=200k") != 0:
        raise Skip(f"a tmpfs cannot be mounted: {os.strerror(ctypes.get_errno())}")
    try:
        project = make_project(folder)
        for name, extra in (("mix", []), ("mix", ["--set", '/deliverables/0/loudness={"integrated": -14}'])):
            write(f"{disk}/mix.wav", b"old")
            done = must(1, "render", project, "-o", disk, "--deliverable", name, *extra)
            contains(done.talk, "No space left")
            equal(os.listdir(disk), ["mix.wav"], "files")
            equal(read(f"{disk}/mix.wav"), b"old", "old file")
        write(f"{disk}/filler", bytes(150000))
        must(1, "mix", f"{folder}/a.wav", f"{folder}/b.wav", "-o", f"{disk}/new.flac", "--bit-depth", "24")
        equal(sorted(os.listdir(disk)), ["filler", "mix.wav"], "files")
    finally:
        libc.umount(disk.encode())
    no_survivors()


def await_handler(process, number):
    """Until it catches the signal: whoever is interrupted before that has not begun, and a busy machine begins late."""
    while process.poll() is None:
        caught = re.search(r"SigCgt:\t([0-9a-f]+)", read(f"/proc/{process.pid}/status").decode())
        if caught and int(caught.group(1), 16) >> (number - 1) & 1:
            return
        time.sleep(0.001)


def disturbed(folder, number, moments):
    """Renders over old files and sends `number` after each of `moments` seconds. Yields the exit status, and whether new
    files are there; nothing else may be."""
    out = f"{folder}/out"
    project = f"{folder}/two.json"
    whole = {name: read(f"{folder}/whole/{name}") for name in ("mix.wav", "web.flac")}
    for moment in moments:
        shutil.rmtree(out, ignore_errors=True)
        os.mkdir(out)
        for name in whole:
            write(f"{out}/{name}", b"old")
        process = subprocess.Popen([LOOPHOLE, "render", project, "-o", out, "--progress", "none"], env=ENVIRONMENT,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   start_new_session=True)
        if number != signal.SIGKILL:
            await_handler(process, number)
        time.sleep(moment)
        if number == signal.SIGINT:  # as a terminal does: to the command and its instance
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        talk = process.communicate(timeout=60)[1]
        no_survivors()
        new = 0
        for name in os.listdir(out):
            content = read(f"{out}/{name}")
            if name in whole:
                equal(content in (b"old", whole[name]), True, f"{name} is old or whole after {moment:.4f} s")
                new += content != b"old"
            else:  # between its link and its rename a whole file may be caught by SIGKILL
                equal(number == signal.SIGKILL and content in whole.values(), True, f"{name} is left behind after {moment:.4f} s")
        yield process.returncode, new, talk.decode()


def prepare_disturbance(folder):
    project = make_long_project(folder, 120)
    durations = []
    for _ in range(2):  # the first one is slower
        begun = time.monotonic()
        must(0, "render", project, "-o", f"{folder}/whole", "--progress", "none")
        durations.append(time.monotonic() - begun)
    duration = min(durations)
    moments = random.Random(SEED)
    return [moments.uniform(0.01, 1.05 * duration) for _ in range(ROUNDS)]


def test_interrupts_leave_nothing_half_written(folder):
    moments = prepare_disturbance(folder)
    stopped = 0
    for number, expected in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        for status, new, talk in disturbed(folder, number, moments if number == signal.SIGINT else moments[:4]):
            equal((status, new) in ((expected, 0), (0, 2)), True, f"exit status {status} with {new} new files: {talk}")
            stopped += status == expected
    equal(stopped >= ROUNDS // 4, True, f"only {stopped} renders were caught")


def test_kills_leave_nothing_half_written(folder):
    killed = 0
    for status, _, _ in disturbed(folder, signal.SIGKILL, prepare_disturbance(folder)):
        killed += status == -signal.SIGKILL
    equal(killed >= ROUNDS // 4, True, f"only {killed} renders were caught")


def test_second_interrupt_ends_at_once(folder):
    project = make_long_project(folder, 3600)
    process = subprocess.Popen([LOOPHOLE, "render", project, "-o", f"{folder}/out"], env=ENVIRONMENT,
                               stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    await_handler(process, signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    process.communicate(timeout=30)
    equal(process.returncode, 130, "exit status")
    equal(time.monotonic() - begun < 1, True, "ended soon")
    no_survivors()
    equal(os.path.exists(f"{folder}/out") and os.listdir(f"{folder}/out"), os.path.exists(f"{folder}/out") and [], "files")


def test_a_killed_instance_is_a_failure(folder):
    project = make_long_project(folder, 3600)
    process = subprocess.Popen([LOOPHOLE, "render", project, "-o", f"{folder}/out"], env=ENVIRONMENT,
                               stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    time.sleep(0.3)
    for pid in survivors():
        os.kill(pid, signal.SIGKILL)
    talk = process.communicate(timeout=30)[1].decode()
    equal(process.returncode, 1, f"exit status: {talk}")
    equal(os.path.exists(f"{folder}/out"), False, "folder")


def test_progress_as_json(folder):
    project = make_long_project(folder, 200)
    done = must(0, "render", project, "-o", f"{folder}/out", "--progress", "json")
    events = [json.loads(line) for line in done.talk.splitlines()]
    kinds = [event["event"] for event in events]
    equal(kinds.count("firstBlock"), 1, "first blocks")
    equal((kinds[-1], events[-1]["exitStatus"]), ("done", 0), "end")
    steps = [event for event in events if event["event"] == "progress"]
    equal(len(steps) > 0, True, "progress is told")
    equal([step["done"] for step in steps], sorted(step["done"] for step in steps), "progress grows")
    equal(all(step["done"] <= step["total"] for step in steps), True, "progress has an end")
    done = must(0, "render", project, "-o", f"{folder}/out", "--progress", "plain")
    contains(done.talk, "realtime")


def test_failures_as_json(folder):
    def events(status, *arguments):
        told = [json.loads(line) for line in must(status, *arguments, "--progress", "json").talk.splitlines()]
        equal((told[-1]["event"], told[-1]["exitStatus"]), ("failed", status), "end")
        return told[:-1]

    project = make_project(folder)
    faults = events(3, "render", project, "-o", f"{folder}/out", "--set", "/tracks/1/pan=3", "--set", "/tracks/2/gian=1")
    equal([(one["event"], one["where"]) for one in faults], [("fault", "/tracks/1/pan"), ("fault", "/tracks/2/gian")], "faults")
    contains(faults[1]["message"], "gian")
    write(f"{folder}/b.wav", b"no sound")
    missing, = events(4, "render", project, "-o", f"{folder}/out")
    equal((missing["event"], missing["where"]), ("fault", "/media/b"), "medium")
    error, = events(1, "mix", f"{folder}/a.wav", "-o", f"{folder}/a.wav/mix.wav")
    equal((error["event"], error["where"] != ""), ("error", True), "error")
    done = loophole("render", project, "--deliverable", "", "--set", "x", "--progress", "json")
    equal(json.loads(done.talk)["event"], "error", "a wrong command line")


def test_mix_gains_and_pans(folder):
    make_project(folder)
    write(f"{folder}/mono.wav", wav_bytes([sine(24000, 1000)], bits=16))
    out = f"{folder}/mix.wav"
    must(0, "mix", f"{folder}/a.wav", f"{folder}/b.wav", f"{folder}/mono.wav", "-o", out, "--bit-depth", "32",
         "--gain", "a=-6", "--gain", "#2=-inf", "--pan", "mono=0.5")
    channels, _ = read_wav(read(out))
    mono = read_wav(read(f"{folder}/mono.wav"))[0][0] + [0.0] * 24000
    a = read_wav(read(f"{folder}/a.wav"))[0]
    gain = 10 ** (-6 / 20)
    for channel, side, pan in ((0, a[0], math.cos(0.75 * math.pi / 2)), (1, a[1], math.sin(0.75 * math.pi / 2))):
        worst = max(abs(x - (gain * y + pan * z)) for x, y, z in zip(channels[channel], side, mono))
        equal(worst < 1e-6, True, f"channel {channel} is off by {worst}")


def test_mix_to_a_pipe_is_the_same_file(folder):
    make_project(folder)
    stems = [f"{folder}/a.wav", f"{folder}/b.wav"]
    must(0, "mix", *stems, "-o", f"{folder}/mix.wav")
    piped = run(["sh", "-c", '"$0" mix "$1" "$2" -o - | cat', LOOPHOLE, *stems], env=ENVIRONMENT).stdout
    equal(piped == read(f"{folder}/mix.wav"), True, "identical")
    closed = run(["bash", "-c", '"$0" mix "$1" "$2" -o - | true; exit ${PIPESTATUS[0]}', LOOPHOLE, *stems], env=ENVIRONMENT)
    equal(closed.returncode in (0, 1), True, f"exit status {closed.returncode}: {closed.talk}")


def test_mix_rates_and_loudness(folder):
    write(f"{folder}/low.wav", wav_bytes([sine(44100 * 2, 997, rate=44100)], rate=44100))
    write(f"{folder}/high.wav", wav_bytes([sine(48000 * 2, 500)], rate=48000))
    done = must(0, "mix", f"{folder}/low.wav", f"{folder}/high.wav", "-o", f"{folder}/mix.flac", "--loudness", "-23", "--true-peak", "-1",
                "--report", "-")
    delivered = json.loads(done.stdout)["deliverables"][0]
    equal(delivered["sampleRate"], 48000, "rate")
    equal(abs(delivered["loudness"]["reached"]["integratedLufs"] + 23) < 0.05, True, "loudness")
    equal(delivered["frames"], 96000, "frames")


def test_check(folder):
    project = make_project(folder)
    contains(must(0, "check", project).stdout.decode(), "is sound: 3 tracks, 2 clips, 2 files to deliver, 0:01.000")
    told = json.loads(must(0, "check", project, "--json").stdout)
    equal((told["sound"], told["tracks"], told["files"], told["faults"]), (True, 3, 2, []), "outcome")
    done = must(3, "check", project, "--set", "/tracks/1/pan=3", "--set", "/tracks/2/gian=1", "--json")
    told = json.loads(done.stdout)
    equal(told["sound"], False, "sound")
    equal(sorted(fault["where"] for fault in told["faults"]), ["/tracks/1/pan", "/tracks/2/gian"], "faults")
    contains(done.talk, "2 faults")
    os.unlink(f"{folder}/a.wav")
    contains(must(4, "check", project).talk, "/media/a: ")
    equal(sorted(os.listdir(folder)), ["b.wav", "two.json"], "files")


def test_text_from_a_project_cannot_drive_the_terminal(folder):
    project = make_project(folder, **{"\x1b[2Jevil": 1})
    equal("\x1b" in must(3, "render", project).talk, False, "escape sequence on the terminal")


def test_closed_standard_descriptors(folder):
    project = make_project(folder)
    must(0, "render", project, "-o", f"{folder}/whole")
    closed = run(["bash", "-c", '"$0" render "$1" -o "$2" <&- >&- 2>&-', LOOPHOLE, project, f"{folder}/out"], env=ENVIRONMENT)
    equal(closed.returncode, 0, "exit status")
    equal(read(f"{folder}/out/mix.wav") == read(f"{folder}/whole/mix.wav"), True, "identical")
    closed = run(["bash", "-c", '"$0" render "$1" -o "$2" --report - >&-', LOOPHOLE, project, f"{folder}/out"], env=ENVIRONMENT)
    equal(closed.returncode, 1, "exit status without standard output")


def test_many_media(folder):
    """More files than the usual soft limit of descriptors."""
    write(f"{folder}/s.wav", wav_bytes([sine(480)]))
    media = {}
    for i in range(1500):
        os.link(f"{folder}/s.wav", f"{folder}/s{i}.wav")
        media[f"m{i}"] = {"file": f"s{i}.wav"}
    project = write(f"{folder}/many.json", {
        "loophole": 1, "name": "many", "sampleRate": 48000, "media": media,
        "tracks": [{"id": "t", "type": "audio", "gainDb": -60, "clips": [{"media": name, "start": {"beats": 0}} for name in media]}]})
    must(0, "render", project, "-o", f"{folder}/out")
    equal(os.listdir(f"{folder}/out"), ["many.wav"], "files")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    for caught in (signal.SIGINT, signal.SIGTERM):  # a job in the background may have them ignored, and would hand that down
        signal.signal(caught, signal.default_int_handler if caught == signal.SIGINT else signal.SIG_DFL)
    try:
        sys.exit(run_tests(TESTS))
    finally:
        shutil.rmtree(PROGRAMS, ignore_errors=True)
