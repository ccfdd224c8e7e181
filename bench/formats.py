# SPDX-License-Identifier: MIT
"""Other stems than plain PCM: FLAC, and stems at another rate, beside sox and ffmpeg in the same run.

sox sums the 44.1 kHz stems and converts the sum, once, and ffmpeg leaves the sum at 44.1 kHz; loophole converts each
medium, since clips of a project lie at any frame. That work is in its figures alone.

usage: formats.py LOOPHOLE WORK [--stems 16] [--seconds 60] [--rounds 3]
"""
import argparse
import os
import subprocess
import harness
import mix
import stems as stem_maker
from harness import Competitor


def convert(stems, folder, ending, options):
    os.makedirs(folder, exist_ok=True)
    made = []
    for s in stems:
        path = os.path.join(folder, os.path.basename(s[0])[:-4] + ending)
        if not os.path.exists(path):
            subprocess.run(["sox", "-D", s[0]] + options[0] + [path] + options[1], check=True)
        made.append((path,) + s[1:])
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loophole")
    parser.add_argument("work")
    parser.add_argument("--stems", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args()
    plain = stem_maker.make(os.path.join(a.work, f"stems-{a.stems}-{a.seconds}"), a.stems, a.seconds)
    for title, ending, options, rate_effect in (("FLAC stems", ".flac", ([], []), []), ("44.1 kHz stems in a 48 kHz project", ".wav", (["-b", "24"], ["rate", "-v", "44100"]), ["rate", "-v", "48000"])):
        folder = os.path.join(a.work, f"stems-{a.stems}-{a.seconds}-{'flac' if ending == '.flac' else '44100'}")
        stems = convert(plain, folder, ending, options)
        project = os.path.join(folder, "mix.json")
        stem_maker.write_project(project, stems, 48000, [{"name": "mix", "source": "master", "format": "wav", "bitDepth": 24, "dither": "none"}])
        competitors = [Competitor(f"loophole, {t}t", [a.loophole, "render", project, "-o", os.path.join(a.work, f"formats{t}"), "--threads", t, "--progress", "none"]) for t in (1, 2)]
        out = os.path.join(a.work, "formats")
        if harness.have("sox"):
            competitors.append(Competitor("sox", mix.sox(stems, out + "-sox.wav") + rate_effect))
        if harness.have("ffmpeg"):
            competitors.append(Competitor("ffmpeg", mix.ffmpeg(stems, out + "-ffmpeg.wav")))
        harness.compare(competitors, a.rounds)
        print(f"## {a.stems} {title}, {a.seconds} s\n")
        print(harness.table(competitors, competitors[1], a.seconds))
        print()


if __name__ == "__main__":
    main()
