# SPDX-License-Identifier: MIT
"""Running competitors in turn and comparing them: only ratios within one run mean anything on a shared machine.

Every round runs each competitor once, the order turned by one each round; a ratio is the median of the rounds' pairwise
ratios. CPU is user + system of the whole process tree. Memory has a script of its own (memory.py).
"""
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time


class Competitor:
    def __init__(self, name, argv, out=None, note=""):
        self.name, self.argv, self.out, self.note = name, [str(a) for a in argv], out, note
        self.runs = []


def have(program):
    return shutil.which(program) is not None


def run_once(competitor):
    if competitor.out and os.path.exists(competitor.out):
        os.unlink(competitor.out)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        # A process of its own, so that RUSAGE_CHILDREN counts this competitor's tree and nothing else.
        os.close(reader)
        with open(os.devnull, "r+b") as null:
            began = time.monotonic()
            status = subprocess.run(competitor.argv, stdin=null, stdout=null, stderr=null).returncode
            wall = time.monotonic() - began
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        os.write(writer, f"{status} {wall} {usage.ru_utime + usage.ru_stime}".encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        status, wall, cpu = pipe.read().split()
    os.waitpid(child, 0)
    return dict(status=int(status), wall=float(wall), cpu=float(cpu))


def compare(competitors, rounds=5, warmup=1):
    for _ in range(warmup):
        for competitor in competitors:
            first = run_once(competitor)
            if first["status"] != 0:
                sys.exit(f"{competitor.name} failed with status {first['status']}: {' '.join(competitor.argv)[:300]}")
    for r in range(rounds):
        turn = r % len(competitors)
        for competitor in competitors[turn:] + competitors[:turn]:
            competitor.runs.append(run_once(competitor))
    return competitors


def median(competitor, key):
    return statistics.median(run[key] for run in competitor.runs)


def ratio(a, b, key):
    return statistics.median(x[key] / max(y[key], 1e-9) for x, y in zip(a.runs, b.runs))


def table(competitors, base, audio_seconds=None):
    head = ["competitor", "wall s", "cpu s", f"wall / {base.name}", f"cpu / {base.name}"]
    if audio_seconds:
        head.insert(3, "x realtime")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for c in competitors:
        row = [c.name, f"{median(c, 'wall'):.3f}", f"{median(c, 'cpu'):.3f}"]
        if audio_seconds:
            row.append(f"{audio_seconds / median(c, 'wall'):.0f}")
        row += [f"{ratio(c, base, 'wall'):.2f}", f"{ratio(c, base, 'cpu'):.2f}"]
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)
