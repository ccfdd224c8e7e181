# SPDX-License-Identifier: MIT
"""From start to first sound: loophole's first rendered block beside the first audio bytes of sox, ecasound and ffmpeg.

usage: startup.py LOOPHOLE WORK [--stems 16] [--seconds 180] [--runs 15]
Loophole writes its mix to standard output like the others, and tells by --progress json when the first block was rendered.
"""
import argparse
import json
import os
import statistics
import subprocess
import time
import harness
import mix
import stems as stem_maker

FIRST_BYTES = 300


def first_output(argv):
    began = time.monotonic()
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, bufsize=0)
    got = 0
    while got < FIRST_BYTES:
        chunk = child.stdout.read(FIRST_BYTES)
        if not chunk:
            return None
        got += len(chunk)
    seconds = time.monotonic() - began
    child.kill()
    child.stdout.close()
    child.wait()
    return seconds


def first_block(argv):
    began = time.monotonic()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    seconds = None
    for line in child.stderr:
        if line.startswith("{") and json.loads(line).get("event") == "firstBlock":
            seconds = time.monotonic() - began
            break
    child.kill()
    child.stderr.close()
    child.wait()
    return seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loophole")
    parser.add_argument("work")
    parser.add_argument("--stems", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--runs", type=int, default=15)
    a = parser.parse_args()
    folder = os.path.join(a.work, f"stems-{a.stems}-{a.seconds}")
    stems = stem_maker.make(folder, a.stems, a.seconds)
    paths = [s[0] for s in stems]
    gains = [x for s in stems for x in ("--gain", f"{os.path.basename(s[0])[:-4]}={s[3]}", "--pan", f"{os.path.basename(s[0])[:-4]}={s[4]}")]
    cases = [("loophole, first rendered block", first_block,
              [a.loophole, "render", os.path.join(folder, "mix.json"), "-o", os.path.join(a.work, "startup"), "--progress", "json"]),
             ("loophole mix, first bytes", first_output, [a.loophole, "mix"] + paths + gains + ["-o", "-", "--progress", "none"])]
    if harness.have("sox"):
        argv = mix.sox(stems, "-")
        argv[argv.index("-b"):argv.index("-b")] = ["-t", "raw"]
        cases.append(("sox, first bytes", first_output, argv))
    if harness.have("ecasound"):
        cases.append(("ecasound, first bytes", first_output, mix.ecasound(stems, 48000, "stdout")))
    if harness.have("ffmpeg"):
        argv = mix.ffmpeg(stems, "-")
        argv[-3:-1] = ["-f", "s24le"]
        cases.append(("ffmpeg, first bytes", first_output, argv))
    results = {name: [] for name, _, _ in cases}
    for _ in range(a.runs):
        for name, measure, argv in cases:
            results[name].append(measure(argv))
    print(f"## Start to first sound, {a.stems} stems\n\n| case | median ms | best ms |\n|---|---|---|")
    for name, values in results.items():
        values = [v * 1000 for v in values if v is not None]
        print(f"| {name} | {statistics.median(values):.1f} | {min(values):.1f} |" if values else f"| {name} | did not run | |")
    print("\naim: first rendered block <= 10 ms")


if __name__ == "__main__":
    main()
