# SPDX-License-Identifier: MIT
"""A plain stem mix: loophole beside the bare loop (the physical limit), sox, ecasound and ffmpeg, in the same run.

usage: mix.py LOOPHOLE FLOOR WORK [--stems 64] [--seconds 180] [--rounds 5] [--only name,name]
Every output is null-tested against a double-precision sum of the same stems.
"""
import argparse
import os
import numpy
import harness
import stems as stem_maker
from harness import Competitor


def read24(path):
    data = open(path, "rb").read()
    at = data.index(b"data") + 8
    raw = numpy.frombuffer(data, dtype="u1", offset=at, count=(len(data) - at) // 6 * 6).reshape(-1, 3)
    value = numpy.zeros((len(raw), 4), "u1")
    value[:, 1:] = raw
    return (value.view("<i4").reshape(-1) >> 8).reshape(-1, 2)


def reference(stems, frames, chunk=1 << 20):
    total = numpy.zeros((frames, 2))
    for path, left, right, _, _ in stems:
        total += read24(path) * numpy.array([left, right])
    return total


def ecasound(stems, rate, out):
    argv = ["ecasound", "-q", "-b:16384", "-B:nonrt"]
    for i, (path, left, right, _, _) in enumerate(stems):
        argv += [f"-a:{i}", f"-i:{path}", f"-eac:{100 * left:.7f},1", f"-eac:{100 * right:.7f},2"]
    return argv + ["-a:all", f"-f:s24_le,2,{rate}", f"-o:{out}"]


def sox(stems, out):
    left = ",".join(f"{2 * i + 1}v{s[1]:.9f}" for i, s in enumerate(stems))
    right = ",".join(f"{2 * i + 2}v{s[2]:.9f}" for i, s in enumerate(stems))
    return ["sox", "-D", "--buffer", "65536", "-M"] + [s[0] for s in stems] + ["-b", "24", out, "remix", left, right]


def ffmpeg(stems, out):
    argv = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    for s in stems:
        argv += ["-i", s[0]]
    graph = "".join(f"[{i}:a]pan=stereo|c0={s[1]:.9f}*c0|c1={s[2]:.9f}*c1[s{i}];" for i, s in enumerate(stems))
    graph += "".join(f"[s{i}]" for i in range(len(stems))) + f"amix=inputs={len(stems)}:normalize=0:dropout_transition=0[o]"
    return argv + ["-filter_complex", graph, "-map", "[o]", "-c:a", "pcm_s24le", out]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loophole")
    parser.add_argument("floor")
    parser.add_argument("work")
    parser.add_argument("--stems", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    a = parser.parse_args()
    folder = os.path.join(a.work, f"stems-{a.stems}-{a.seconds}")
    stems = stem_maker.make(folder, a.stems, a.seconds)
    out = lambda name: os.path.join(a.work, name + ".wav")
    listing = os.path.join(folder, "mix.tsv")
    competitors = []
    for threads in (1, 2):
        competitors.append(Competitor(f"bare loop, {threads}t", [a.floor, listing, out(f"floor{threads}"), threads], out(f"floor{threads}")))
        target = os.path.join(a.work, f"loophole{threads}")
        argv = [a.loophole, "render", os.path.join(folder, "mix.json"), "-o", target, "--threads", threads, "--progress", "none"]
        competitors.append(Competitor(f"loophole, {threads}t", argv, os.path.join(target, "mix.wav")))
        reported = [x + "-report" if x == target else x for x in argv]
        competitors.append(Competitor(f"loophole with report, {threads}t", reported + ["--report", os.path.join(a.work, "report.json")],
                                      os.path.join(target + "-report", "mix.wav")))
    if harness.have("sox"):
        competitors.append(Competitor("sox", sox(stems, out("sox")), out("sox")))
    if harness.have("ecasound"):
        competitors.append(Competitor("ecasound", ecasound(stems, 48000, out("ecasound")), out("ecasound")))
    if harness.have("ffmpeg"):
        competitors.append(Competitor("ffmpeg", ffmpeg(stems, out("ffmpeg")), out("ffmpeg")))
    if a.only:
        competitors = [c for c in competitors if any(word in c.name for word in a.only.split(","))]
    harness.compare(competitors, a.rounds)
    base = competitors[0]
    print(f"## {a.stems} stereo stems of {a.seconds} s, 24 bit, gain and pan, to 24-bit WAV\n")
    print(harness.table(competitors, base, a.seconds))
    find = lambda name: next((c for c in competitors if c.name == name), None)
    full1 = find("loophole with report, 1t")
    ours1, ours2, floor1, floor2 = find("loophole, 1t"), find("loophole, 2t"), find("bare loop, 1t"), find("bare loop, 2t")
    peers = [c for c in competitors if c.name in ("sox", "ecasound", "ffmpeg")]
    print()
    if ours1 and floor1:
        print(f"cpu, one thread: {harness.ratio(ours1, floor1, 'cpu'):.2f} x the bare loop (aim <= 1.5)")
    if full1 and floor1:
        print(f"cpu, one thread, with loudness, peaks and digests: {harness.ratio(full1, floor1, 'cpu'):.2f} x the bare loop")
    if ours2 and floor2:
        print(f"cpu, two threads: {harness.ratio(ours2, floor2, 'cpu'):.2f} x the bare loop")
    if ours2 and peers:
        fastest = min(peers, key=lambda c: harness.median(c, "wall"))
        print(f"wall, two threads: {harness.ratio(fastest, ours2, 'wall'):.1f} x faster than {fastest.name}, the fastest peer (aim >= 12)")
    print("\nnull test against the double-precision sum (LSB of 24 bits, largest difference):")
    wanted = reference(stems, a.seconds * 48000)
    for c in competitors:
        got = read24(c.out)
        frames = min(len(got), len(wanted))
        print(f"- {c.name}: {numpy.abs(got[:frames] - wanted[:frames]).max():.3f}" + ("" if len(got) == len(wanted) else f", length {len(got)} of {len(wanted)}"))


if __name__ == "__main__":
    main()
