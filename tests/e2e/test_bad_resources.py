# SPDX-License-Identifier: MIT
"""Renders that run out of something, and files that change while they are read: test_bad_resources.py LOOPHOLE
LOOPHOLE-SIGNAL. What is asked for is either done or refused with a reason; never half of it."""
import os
import random
import resource
import subprocess
import time

from bad import ENVIRONMENT, LOOPHOLE, SANITIZED, Disk, calm, ends, fails, loophole, main, no_instances, small_project, tree
from tap import Skip, contains, equal, read, sine, wav_bytes, write

SEED = 20261123
KIB = 1024
FORMATS = ("wav", "aiff", "flac", "ogg", "opus", "mp3")
LONG = {"media": "a", "start": {"beats": 0}, "duration": {"seconds": 20}, "loop": True}


def long_project(folder, **members):
    return small_project(folder, tracks=[{"id": "t", "type": "audio", "clips": [LONG]}], **members)


def limited(kind, soft, hard=None):
    def apply():
        resource.setrlimit(kind, (soft, soft if hard is None else hard))
    return apply


def whole_or_nothing(folder, done, words, reference=None):
    """After a render into out/ under a limit that may or may not have been enough."""
    if done.returncode == 0:
        for name in os.listdir(f"{folder}/out"):
            equal(reference is None or read(f"{folder}/out/{name}") == reference[name], True, f"{name} is whole")
        return True
    ends(done, (1, 3, 4), words)
    equal(os.path.exists(f"{folder}/out"), False, f"the folder that was made is gone after {done.talk!r}")
    no_instances()
    return False


# --- disks ------------------------------------------------------------------------------------------------------------

def test_disk_full_at_any_byte(folder):
    """Of every format, on disks of many sizes: the reason is told, nothing is left, and old files stay."""
    chances = random.Random(SEED)
    for form in FORMATS:
        project = long_project(folder, deliverables=[{"name": "d", "source": "master", "format": form}])
        ends(loophole("render", project, "-o", f"{folder}/whole"), 0)
        size = os.path.getsize(f"{folder}/whole/d.{form}")
        for part in (0.05, 0.5, chances.uniform(0.1, 0.9)):
            with Disk(folder, max(8 * KIB, int(size * part) // KIB * KIB)) as disk:
                write(f"{disk}/d.{form}", b"old")
                before = tree(disk)
                ends(loophole("render", project, "-o", disk), 1, "No space left")
                equal(tree(disk), before, "the disk")


def test_disk_full_of_scratch(folder):
    """A loudness target keeps its sound aside until the gain is known."""
    project = long_project(folder, deliverables=[{"name": "d", "source": "master", "format": "wav", "loudness": {"integrated": -20}}])
    with Disk(folder, "200k") as disk:
        env = {**ENVIRONMENT, "TMPDIR": disk}
        ends(loophole("render", project, "-o", f"{folder}/out", env=env), 1, ("No space left", "TMPDIR"))
        equal((os.listdir(disk), os.path.exists(f"{folder}/out")), ([], False), "files")


def test_scratch_folder_is_missing(folder):
    project = long_project(folder, deliverables=[{"name": "d", "source": "master", "format": "wav", "loudness": {"integrated": -20}}])
    fails(folder, 1, "TMPDIR", "render", project, "-o", "out", env={**ENVIRONMENT, "TMPDIR": f"{folder}/nowhere"})


def test_disk_without_room_for_names(folder):
    """Every inode is taken."""
    project = small_project(folder)
    with Disk(folder, "1m,nr_inodes=2") as disk:
        write(f"{disk}/only", b"")
        before = tree(disk)
        ends(loophole("render", project, "-o", disk), 1, "No space left")
        ends(loophole("render", project, "-o", f"{disk}/deep/er"), 1, "No space left")
        equal(tree(disk), before, "the disk")


def test_disk_is_read_only(folder):
    project = small_project(folder)
    with Disk(folder, "1m,ro") as disk:
        ends(loophole("render", project, "-o", disk), 1, "Read-only file system")
        ends(loophole("render", project, "-o", f"{disk}/deep/er"), 1, "Read-only file system")


def test_disk_full_of_reports(folder):
    project = small_project(folder)
    with Disk(folder, "16k") as disk:
        write(f"{disk}/filler", bytes(16 * KIB))
        done = loophole("render", project, "-o", f"{folder}/out", "--report", f"{disk}/report.json")
        ends(done, 1, "report.json")
        equal(os.listdir(disk), ["filler"], "files")


def test_standard_output_is_full(folder):
    project = small_project(folder)
    for arguments in (["render", project, "-o", f"{folder}/out", "--report", "-"], ["check", project], ["check", project, "--json"],
                      ["mix", f"{folder}/a.wav", "-o", "-"], ["--help"], ["--version"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([LOOPHOLE, *arguments], env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=full,
                                  stderr=subprocess.PIPE, timeout=60, check=False)
        calm()
        equal(done.returncode, 1, f"exit status of {arguments}: {done.stderr}")


def test_no_standard_streams(folder):
    """Descriptors 0 to 2 are closed: files must not take their places and get the talk."""
    project = small_project(folder)
    for streams in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        subprocess.run(["sh", "-c", f'"$0" render "$1" -o "$2" {streams}', LOOPHOLE, project, f"{folder}/out"], env=ENVIRONMENT,
                       timeout=60, check=False)
        calm()
        data = read(f"{folder}/out/Small.wav")
        equal((data[:4], len(data) > 24000 * 6), (b"RIFF", True), f"the file with {streams}")
        os.unlink(f"{folder}/out/Small.wav")


# --- limits of the process --------------------------------------------------------------------------------------------

def test_few_descriptors(folder):
    """A hundred media and fewer descriptors."""
    write(f"{folder}/a.wav", wav_bytes([sine(480)]))
    media = {}
    for i in range(100):
        os.link(f"{folder}/a.wav", f"{folder}/m{i}.wav")
        media[f"m{i}"] = {"file": f"m{i}.wav"}
    project = small_project(folder, media=media, tracks=[
        {"id": "t", "type": "audio", "gainDb": -60, "clips": [{"media": name, "start": {"beats": 0}} for name in media]}])
    fine = 0
    for count in (*range(3, 12), 20, 50, 90, 100, 105, 110, 120, 150, 300):
        done = loophole("render", project, "-o", f"{folder}/out", preexec_fn=limited(resource.RLIMIT_NOFILE, count))
        if done.returncode == 127:  # the loader could not even open the libraries
            continue
        if done.returncode != 0:
            contains(done.talk, "open files" if count >= 8 else "")
        fine += whole_or_nothing(folder, done, ())
    equal(fine > 0, True, "some limit is enough")


def test_file_size_limit(folder):
    """The kernel sends SIGXFSZ: no reason to die of it."""
    project = long_project(folder, deliverables=[{"name": "d", "source": "master", "format": "wav", "loudness": {"integrated": -20}}])
    for size in (0, 1, 100, 64 * KIB, 1 << 20, 3 << 20):
        done = loophole("render", project, "-o", f"{folder}/out", preexec_fn=limited(resource.RLIMIT_FSIZE, size))
        equal(whole_or_nothing(folder, done, ()), False, f"{size} bytes are enough")
        equal(done.returncode, 1, f"exit status: {done.talk}")
        contains(done.talk, "File too large")


def test_little_memory(folder):
    """From too little to start with up to enough."""
    if SANITIZED:
        raise Skip("a sanitizer takes terabytes of addresses")
    project = small_project(folder, deliverables=[{"name": form, "source": "master", "format": form} for form in FORMATS])
    ends(loophole("render", project, "-o", f"{folder}/whole"), 0)
    reference = {name: read(f"{folder}/whole/{name}") for name in os.listdir(f"{folder}/whole")}
    fine = 0
    for mib in (16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 64, 72, 80, 96, 128, 160, 192, 256, 512, 1024):
        done = loophole("render", project, "-o", f"{folder}/out", "--threads", "2",
                        preexec_fn=limited(resource.RLIMIT_AS, mib << 20))
        if done.returncode == 127:  # the loader could not even map the program
            continue
        fine += whole_or_nothing(folder, done, (), reference)
        if done.returncode == 0:
            for name in os.listdir(f"{folder}/out"):
                os.unlink(f"{folder}/out/{name}")
            os.rmdir(f"{folder}/out")
    equal(fine > 0, True, "some limit is enough")


def test_no_threads(folder):
    """Root is never refused one; someone else is."""
    if os.geteuid() != 0 or SANITIZED:
        raise Skip("takes root, to become someone else, and no sanitizer, which needs a thread")
    project = small_project(folder)
    os.chmod(folder, 0o777)
    os.chmod(os.path.dirname(ENVIRONMENT["LOOPHOLE_SIGNAL"]), 0o755)
    for count in (0, 1, 2):
        done = loophole("render", project, "-o", f"{folder}/out", "--threads", "8", user=54321,
                        preexec_fn=limited(resource.RLIMIT_NPROC, count))
        if whole_or_nothing(folder, done, ()):
            subprocess.run(["rm", "-r", f"{folder}/out"], check=True)


# --- outputs in the way -----------------------------------------------------------------------------------------------

def test_outputs_in_the_way(folder):
    project = small_project(folder, deliverables=[{"name": name, "source": "master", "format": "wav"} for name in "de"])
    os.makedirs(f"{folder}/folder/e.wav")
    fails(folder, 1, ("folder/e.wav", "is a folder"), "render", project, "-o", "folder")
    fails(folder, 1, "small.json", "render", project, "-o", project)
    fails(folder, 1, "small.json", "render", project, "-o", f"{project}/deep")
    os.symlink("nowhere", f"{folder}/link")
    fails(folder, 1, "link", "render", project, "-o", "link")
    os.mkdir(f"{folder}/pipes")
    os.mkfifo(f"{folder}/pipes/e.wav")
    fails(folder, 1, "pipes/e.wav", "render", project, "-o", "pipes")
    fails(folder, 1, "long", "render", project, "-o", "x" * 300)
    fails(folder, 1, "long", "render", project, "-o", "/".join(["x" * 200] * 30))
    fails(folder, (1, 2), "", "render", project, "-o", "/dev/null")
    fails(folder, 1, "folder", "mix", "a.wav", "-o", "folder/e.wav")
    fails(folder, 1, "small.json: the folder cannot be made", "mix", "a.wav", "-o", "small.json/e.wav")


def test_signal_instance_is_not_what_it_should_be(folder):
    project = small_project(folder)
    write(f"{folder}/text", b"no program")
    os.chmod(f"{folder}/text", 0o755)
    os.mkfifo(f"{folder}/pipe")
    for program in (f"{folder}/none", folder, f"{folder}/text", f"{folder}/pipe", "/bin/true", "/bin/false", "/bin/echo", "/dev/null"):
        fails(folder, (1, 4), "signal", "render", project, "-o", "out", env={**ENVIRONMENT, "LOOPHOLE_SIGNAL": program})


# --- files that change ------------------------------------------------------------------------------------------------

class Render:
    """A render that has begun: its first block is there."""
    def __init__(self, folder, project, *arguments):
        self.talk_path = f"{folder}/talk"
        with open(self.talk_path, "wb") as talk:
            self.process = subprocess.Popen([LOOPHOLE, "render", project, *arguments, "--progress", "json"], env=ENVIRONMENT,
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=talk)
        while b"firstBlock" not in read(self.talk_path) and self.process.poll() is None:
            time.sleep(0.001)

    def finish(self):
        status = self.process.wait(timeout=240)
        calm()
        no_instances()
        return status, read(self.talk_path).decode()


def changing(folder, change):
    """Many looped stems of ten seconds, one of which changes in mid-render: done with what was there, or refused."""
    write(f"{folder}/b.wav", wav_bytes([sine(480000)], bits=16))
    project = small_project(folder, media={"a": {"file": "a.wav"}, "b": {"file": "b.wav"}}, tracks=[
        {"id": f"t{i}", "type": "audio", "gainDb": -40, "clips": [
            {"media": "b", "start": {"seconds": i}, "duration": {"seconds": 1200}, "loop": True}]} for i in range(8)],
        deliverables=[{"name": "d", "source": "master", "format": "wav", "bitDepth": 16}])
    render = Render(folder, project, "-o", f"{folder}/out")
    change(f"{folder}/b.wav")
    status, talk = render.finish()
    if status == 0:
        equal(os.listdir(f"{folder}/out"), ["d.wav"], "files")
        os.unlink(f"{folder}/out/d.wav")
    else:
        equal(os.path.exists(f"{folder}/out"), False, f"the folder is gone: {talk}")
    return status, talk


def test_medium_shrinks_in_mid_render(folder):
    for length in (0, 1000, 500000):
        status, talk = changing(folder, lambda path, length=length: os.truncate(path, length))
        equal(status in (1, 4), True, f"exit status {status}: {talk}")
        contains(talk, "media b")


def test_medium_is_removed_in_mid_render(folder):
    status, talk = changing(folder, os.unlink)
    equal(status, 0, f"exit status: {talk}")


def test_medium_is_replaced_in_mid_render(folder):
    def replace(path):
        write(path + ".new", b"no sound")
        os.rename(path + ".new", path)
    status, talk = changing(folder, replace)
    equal(status, 0, f"exit status: {talk}")


def test_medium_is_overwritten_in_mid_render(folder):
    status, talk = changing(folder, lambda path: write(path, b"no sound at all, but as text"))
    equal(status in (1, 4), True, f"exit status {status}: {talk}")
    contains(talk, "media b")


def test_output_folder_goes_in_mid_render(folder):
    project = small_project(folder, tracks=[{"id": "t", "type": "audio", "clips": [
        {"media": "a", "start": {"beats": 0}, "duration": {"seconds": 1200}, "loop": True}]}])
    render = Render(folder, project, "-o", f"{folder}/out")
    os.rename(f"{folder}/out", f"{folder}/gone")
    status, talk = render.finish()
    equal(status, 1, f"exit status: {talk}")
    contains(talk, "Small.wav")
    equal((os.path.exists(f"{folder}/out"), os.listdir(f"{folder}/gone")), (False, []), "files")


def test_changes_between_check_and_render(folder):
    """Media are probed, opened once, and rendered from what was opened: thirty renders, each beside a writer."""
    long, short = wav_bytes([sine(48000)], bits=16), wav_bytes([sine(4800)], bits=16)
    project = small_project(folder)
    chances = random.Random(SEED)
    for i in range(30):
        process = subprocess.Popen([LOOPHOLE, "render", project, "-o", f"{folder}/out{i}"], env=ENVIRONMENT,
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(chances.uniform(0, 0.03))
        write(f"{folder}/a.wav", short if i % 2 else long)
        talk = process.communicate(timeout=60)[1]
        calm()
        equal(process.returncode in (0, 1, 4), True, f"exit status {process.returncode}: {talk}")
        if process.returncode == 0:
            equal(read(f"{folder}/out{i}/Small.wav")[:4], b"RIFF", "file")
        else:
            contains(talk, "media a: " if "/media/a: " not in talk else "/media/a: ")
            equal(os.path.exists(f"{folder}/out{i}"), False, "folder")


def test_libraries_do_not_talk(folder):
    """libmpg123 warns of what it skips; libsoxr would tell its settings."""
    chances = random.Random(SEED)
    write(f"{folder}/a.wav", wav_bytes([sine(48000)], bits=16))
    ends(loophole("mix", f"{folder}/a.wav", "-o", f"{folder}/whole.mp3"), 0)
    whole = read(f"{folder}/whole.mp3")
    write(f"{folder}/bad.mp3", whole[:4000] + chances.randbytes(3000) + whole[7000:])
    talk = fails(folder, 4, "bad", "mix", "bad.mp3", "-o", "out.wav").talk
    equal([line for line in talk.splitlines() if not line.startswith("loophole: ")], [], "lines of others")
    write(f"{folder}/other.wav", wav_bytes([sine(44100, rate=44100)], rate=44100))
    first = None
    for settings in ({}, {"SOXR_TRACE": "9", "SOXR_NUM_THREADS": "3", "SOXR_COEFS_SIZE": "1", "SOXR_USE_SIMD": "0", "SOXR_COEF_INTERP": "1"}):
        done = ends(loophole("mix", f"{folder}/a.wav", f"{folder}/other.wav", "-o", f"{folder}/mix.wav", "--progress", "none",
                             env={**ENVIRONMENT, **settings}), 0)
        equal(done.talk, "", "talk")
        first = first or read(f"{folder}/mix.wav")
        equal(read(f"{folder}/mix.wav") == first, True, "the same bits")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    main(TESTS)
