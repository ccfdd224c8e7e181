# SPDX-License-Identifier: MIT
"""Mixing and encoding in one graph: a FLAC mix of many stems beside the mix alone and the encoding alone, same run.

usage: encode.py LOOPHOLE WORK [--stems 64] [--seconds 180] [--rounds 5] [--threads 2]
"""
import argparse
import os
import harness
import stems as stem_maker
from harness import Competitor


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loophole")
    parser.add_argument("work")
    parser.add_argument("--stems", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    folder = os.path.join(a.work, f"stems-{a.stems}-{a.seconds}")
    stems = stem_maker.make(folder, a.stems, a.seconds)
    both = os.path.join(folder, "flac.json")
    stem_maker.write_project(both, stems, 48000, [{"name": "mix", "source": "master", "format": "flac", "bitDepth": 24, "dither": "none"}])
    mixed = os.path.join(a.work, "encode-mix")
    end = ["--threads", a.threads, "--progress", "none"]
    competitors = [Competitor("mix alone (WAV)", [a.loophole, "render", os.path.join(folder, "mix.json"), "-o", mixed] + end),
                   Competitor("encode alone (that mix to FLAC)", [a.loophole, "mix", os.path.join(mixed, "mix.wav"), "-o", os.path.join(a.work, "alone.flac")] + end),
                   Competitor("mix and encode (FLAC)", [a.loophole, "render", both, "-o", os.path.join(a.work, "encode-both")] + end)]
    if harness.have("flac"):
        competitors.append(Competitor("flac -5 of that mix", ["flac", "-s", "-f", "-5", "-o", os.path.join(a.work, "tool.flac"), os.path.join(mixed, "mix.wav")]))
    harness.compare(competitors, a.rounds)
    mix, encode, together = competitors[:3]
    longer = mix if harness.median(mix, "wall") > harness.median(encode, "wall") else encode
    print(f"## {a.stems} stems of {a.seconds} s to FLAC on {a.threads} threads\n")
    print(harness.table(competitors, longer, a.seconds))
    print(f"\ntogether: {harness.ratio(together, longer, 'wall'):.2f} x the longer of the two, {longer.name} (aim <= 1.1)")


if __name__ == "__main__":
    main()
