# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: TAP on standard output, WAV files, running programs."""
import atexit
import json
import math
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback

# Who starts the tests in the background of a script has them ignore Ctrl-C, and what they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Skip(Exception):
    """Raised by a test that cannot run here; its text says why."""


def run_tests(tests, at_once=1):
    """Runs functions that take a fresh folder; prints TAP; returns the exit status. `at_once`: for tests that wait more
    than they work, so many side by side, each in a process of its own."""
    print(f"1..{len(tests)}", flush=True)
    if at_once == 1:
        return 1 if [number for number, test in enumerate(tests, 1) if not passes(number, test)] else 0
    waiting, running, over, told = list(enumerate(tests, 1)), {}, {}, 0
    while waiting or running:
        while waiting and len(running) < at_once:
            number, test = waiting.pop(0)
            said = tempfile.TemporaryFile("w+")
            running[passes_apart(number, test, said)] = (number, said)
        pid, status = os.wait()
        number, said = running.pop(pid)
        over[number] = (os.waitstatus_to_exitcode(status), said)
        while told + 1 in over:  # in their order
            told += 1
            status, said = over[told]
            said.seek(0)
            print(said.read(), end="", flush=True)
            if status not in (0, 1):
                print(f"not ok {told} - {tests[told - 1].__name__} ended its process with {status}", flush=True)
    return 1 if any(status for status, _ in over.values()) else 0


def passes_apart(number, test, said):
    """-> the process that does it and prints there; it ends with 0 or 1"""
    pid = os.fork()
    if pid == 0:
        status = 2
        try:
            atexit._clear()  # what the first process is to do at its end
            os.dup2(said.fileno(), sys.stdout.fileno())
            status = 0 if passes(number, test) else 1
        finally:
            atexit._run_exitfuncs()
            sys.stdout.flush()
            os._exit(status)
    return pid


def passes(number, test):
    """Runs one and prints its line."""
    name = test.__name__.removeprefix("test_").replace("_", " ")
    folder = tempfile.mkdtemp(prefix="loophole-e2e-")
    begun = time.monotonic()
    try:
        test(folder)
        print(f"ok {number} - {name} ({time.monotonic() - begun:.1f} s)", flush=True)
    except Skip as reason:
        print(f"ok {number} - {name} # SKIP {reason}", flush=True)
    except Exception:
        print(f"not ok {number} - {name}")
        for line in traceback.format_exc().splitlines():
            print(f"# {line}")
        sys.stdout.flush()
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return True


def equal(actual, expected, what="value"):
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r} is not {expected!r}")


def contains(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def wav_bytes(channels, rate=48000, bits=24):
    """A WAV of `channels`, lists of floats in -1..1. 32 bits are float."""
    frames = len(channels[0])
    if bits == 32:
        samples = b"".join(struct.pack("<f", channel[i]) for i in range(frames) for channel in channels)
    else:
        size = bits // 8
        full = 1 << (bits - 1)
        samples = b"".join(
            max(-full, min(full - 1, round(channel[i] * full))).to_bytes(size, "little", signed=True)
            for i in range(frames) for channel in channels)
    frame_bytes = len(channels) * bits // 8
    fmt = struct.pack("<HHIIHH", 3 if bits == 32 else 1, len(channels), rate, rate * frame_bytes, frame_bytes, bits)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(samples)) + samples
    if len(samples) % 2:
        body += b"\0"
    return b"RIFF" + struct.pack("<I", len(body)) + body


def read_wav(data):
    """The channels of a WAV of 16 or 24 bits or floats, and its rate."""
    equal(data[:4], b"RIFF", "magic")
    at, fmt = 12, None
    while at < len(data):
        name, size = data[at:at + 4], struct.unpack("<I", data[at + 4:at + 8])[0]
        chunk = data[at + 8:at + 8 + size]
        if name == b"fmt ":
            fmt = struct.unpack("<HHIIHH", chunk[:16])
        elif name == b"data":
            _, count, rate, _, _, bits = fmt
            if bits == 32:
                flat = struct.unpack(f"<{size // 4}f", chunk)
            else:
                step, full = bits // 8, float(1 << (bits - 1))
                flat = [int.from_bytes(chunk[i:i + step], "little", signed=True) / full for i in range(0, size, step)]
            return [list(flat[channel::count]) for channel in range(count)], rate
        at += 8 + size + size % 2
    raise AssertionError("no data chunk")


def sine(frames, frequency=440.0, level=0.25, rate=48000, phase=0.0):
    return [level * math.sin(2 * math.pi * frequency * i / rate + phase) for i in range(frames)]


def write(path, data):
    with open(path, "wb" if isinstance(data, bytes) else "w") as file:
        file.write(data if isinstance(data, bytes) else json.dumps(data))
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def run(arguments, **options):
    """Runs to the end; standard output and error as bytes and text."""
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                          check=False, **options)
    done.talk = done.stderr.decode(errors="replace")
    return done


def environment(**changes):
    return {**os.environ, **changes}


def make_project(folder, **changes):
    """Two stereo stems of a second, a mix and a stem to deliver."""
    write(f"{folder}/a.wav", wav_bytes([sine(48000), sine(48000, 330)]))
    write(f"{folder}/b.wav", wav_bytes([sine(48000, 110), sine(48000, 220)]))
    project = {
        "loophole": 1, "name": "Two", "sampleRate": 48000,
        "media": {"a": {"file": "a.wav"}, "b": {"file": "b.wav"}},
        "tracks": [
            {"id": "master", "type": "master"},
            {"id": "one", "type": "audio", "clips": [{"media": "a", "start": {"beats": 0}}]},
            {"id": "two", "type": "audio", "gainDb": -6, "clips": [{"media": "b", "start": {"beats": 0}}]},
        ],
        "deliverables": [
            {"name": "mix", "source": "master", "format": "wav", "bitDepth": 24},
            {"name": "lead", "source": "one", "format": "flac", "bitDepth": 16},
        ],
        **changes,
    }
    return write(f"{folder}/two.json", project)
