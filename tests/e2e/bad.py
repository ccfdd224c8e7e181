# SPDX-License-Identifier: MIT
"""What the tests of bad input share: a run of the command that may only fail in the ways the manual page tells.

Every script takes LOOPHOLE and LOOPHOLE-SIGNAL as its first arguments, so that the same tests serve a build with
sanitizers: their reports, the signal instance's too, go to a folder of our own and fail the test that they belong to."""
import ctypes
import json
import os
import shutil
import sys
import tempfile
import time

from tap import Skip, environment, read, run, run_tests, sine, wav_bytes, write

LOOPHOLE, SIGNAL = (os.path.abspath(path) for path in sys.argv[1:3])
SANITIZED = b"__asan_" in read(SIGNAL)
OWN = tempfile.mkdtemp(prefix="loophole-own-")
REPORTS = os.path.join(OWN, "reports")
os.mkdir(REPORTS)
# A copy of our own, so that its processes can be told from others'.
OWN_SIGNAL = shutil.copy(SIGNAL, os.path.join(OWN, "loophole-signal"))
SANITIZERS = {name: f"{os.environ.get(name, '')}:log_path={REPORTS}/{name}:print_stacktrace=1".lstrip(":")
              for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS")}
ENVIRONMENT = environment(LOOPHOLE_SIGNAL=OWN_SIGNAL, **SANITIZERS)
ENVIRONMENT.pop("TMPDIR", None)
NEVER_SAID = ("internal error", "Assertion", "runtime error", "Sanitizer", "(null)", "core dumped")
TALK_MAX = 1 << 20


def tree(folder):
    """Everything below a folder: names, kinds, sizes and where links lead."""
    found = {}
    for path, folders, files in os.walk(folder):
        for name in folders + files:
            whole = os.path.join(path, name)
            info = os.lstat(whole)
            found[os.path.relpath(whole, folder)] = (info.st_mode, info.st_size if name in files else 0, info.st_mtime_ns
                                                     if name in files else 0)
    return found


def calm():
    """Raises what a sanitizer reported."""
    for name in os.listdir(REPORTS):
        text = read(os.path.join(REPORTS, name)).decode(errors="replace")
        os.unlink(os.path.join(REPORTS, name))
        raise AssertionError(f"{name}:\n{text}")


def loophole(*arguments, env=None, **options):
    done = run([LOOPHOLE, *arguments], env=env or ENVIRONMENT, **options)
    calm()
    for words in NEVER_SAID:
        if words in done.talk:
            raise AssertionError(f"{words!r} is in {done.talk!r}")
    if len(done.talk) > TALK_MAX:
        raise AssertionError(f"{len(done.talk)} bytes of talk")
    return done


def ends(done, status, words=()):
    """The exit status is `status` (or one of several); the talk holds all words."""
    allowed = status if isinstance(status, tuple) else (status,)
    if done.returncode not in allowed:
        raise AssertionError(f"exit status {done.returncode}, not {status}: {done.talk[:2000]!r}")
    if done.returncode != 0 and not done.talk:
        raise AssertionError("nothing is said")
    for part in [words] if isinstance(words, str) else words:
        if part not in done.talk:
            raise AssertionError(f"{part!r} is not in {done.talk[:2000]!r}")
    return done


def fails(folder, status, words, *arguments, **options):
    """The command ends as it should, and the folder is as it was."""
    before = tree(folder)
    done = ends(loophole(*arguments, cwd=folder, **options), status, words)
    after = tree(folder)
    if before != after:
        raise AssertionError(f"left behind or changed: {sorted(set(before.items()) ^ set(after.items()))}")
    return done


def faults_of(done):
    return [(fault["where"], fault["code"], fault["message"]) for fault in json.loads(done.stdout)["faults"]]


def refused(folder, status, words, project, where=None, more=False):
    """`check` and `render` refuse a project in the same words, and leave nothing. `where`: the pointers of the faults,
    all of them unless `more`. Returns the faults."""
    checked = fails(folder, status, words, "check", project, "--json")
    rendered = fails(folder, status, words, "render", project, "-o", f"{folder}/out", "--report", "-")
    faults = faults_of(checked)
    if faults != faults_of(rendered):
        raise AssertionError(f"check says {faults}, render says {faults_of(rendered)}")
    places = sorted(fault[0] for fault in faults)
    if where is not None and not (set(where) <= set(places) if more else sorted(where) == places):
        raise AssertionError(f"faults at {places}, not at {sorted(where)}")
    for place, code, message in faults:
        if not code or not message or not isinstance(place, str):
            raise AssertionError(f"an empty fault: {faults}")
    return faults


def small_project(folder, changes=None, **members):
    """One stereo stem of half a second; members replace those of the document."""
    if not os.path.exists(f"{folder}/a.wav"):
        write(f"{folder}/a.wav", wav_bytes([sine(24000), sine(24000, 330)], bits=16))
    project = {
        "loophole": 1, "name": "Small", "sampleRate": 48000,
        "media": {"a": {"file": "a.wav"}},
        "tracks": [{"id": "t", "type": "audio", "clips": [{"media": "a", "start": {"beats": 0}}]}],
        **members,
    }
    return write(f"{folder}/small.json", project)


def instances():
    """Signal instances of ours that run; zombies do not."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe") == OWN_SIGNAL:
                found.append(int(pid))
        except OSError:
            pass
    return found


def no_instances(seconds=1.0):
    """Instances are gone soon after their parent."""
    end = time.monotonic() + (5 * seconds if SANITIZED else seconds)
    while instances():
        if time.monotonic() > end:
            raise AssertionError(f"signal instances outlive the command: {instances()}")
        time.sleep(0.01)


class Disk:
    """A small file system of its own: `with Disk(folder, "200k") as path`."""
    def __init__(self, folder, size):
        self.path = os.path.join(folder, "disk")
        self.size = size

    def __enter__(self):
        os.mkdir(self.path)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"none", self.path.encode(), b"tmpfs", 0, f"size={self.size}".encode()) != 0:
            code = ctypes.get_errno()
            os.rmdir(self.path)
            raise Skip(f"a tmpfs cannot be mounted: {os.strerror(code)}")
        return self.path

    def __exit__(self, *_):
        ctypes.CDLL(None).umount2(self.path.encode(), 2)
        os.rmdir(self.path)


def case(name, function, *arguments):
    """A test of its own out of a row of a table."""
    def test(folder):
        function(folder, *arguments)
    test.__name__ = name
    return test


def main(tests):
    try:
        sys.exit(run_tests(tests))
    finally:
        shutil.rmtree(OWN, ignore_errors=True)
