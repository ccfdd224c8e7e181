# SPDX-License-Identifier: MIT
"""Peak memory for a short and a long project: it must not grow with the length.

usage: memory.py LOOPHOLE WORK [--stems 16] [--short 180] [--long 1800]
The sum of the resident sets of the command and its signal instance, sampled every 10 ms.
"""
import argparse
import os
import subprocess
import time
import stems as stem_maker


def children(pid):
    try:
        return [int(x) for x in open(f"/proc/{pid}/task/{pid}/children").read().split()]
    except OSError:
        return []


def resident(pid):
    try:
        return int(open(f"/proc/{pid}/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def peak(argv):
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0
    while child.poll() is None:
        most = max(most, resident(child.pid) + sum(resident(c) for c in children(child.pid)))
        time.sleep(0.01)
    if child.returncode != 0:
        raise SystemExit(f"failed with status {child.returncode}: {argv}")
    return most / (1 << 20)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loophole")
    parser.add_argument("work")
    parser.add_argument("--stems", type=int, default=16)
    parser.add_argument("--short", type=int, default=180)
    parser.add_argument("--long", type=int, default=1800)
    a = parser.parse_args()
    print(f"## Peak memory, {a.stems} stems, command and signal instance together (aim <= 64 MiB, the same for both)\n")
    print("| length s | threads | peak MiB |\n|---|---|---|")
    for seconds in (a.short, a.long):
        folder = os.path.join(a.work, f"stems-{a.stems}-{seconds}")
        stem_maker.make(folder, a.stems, seconds)
        for threads in (1, 2):
            argv = [a.loophole, "render", os.path.join(folder, "mix.json"), "-o", os.path.join(a.work, "memory"), "--threads", str(threads), "--progress", "none"]
            print(f"| {seconds} | {threads} | {peak(argv):.1f} |")


if __name__ == "__main__":
    main()
