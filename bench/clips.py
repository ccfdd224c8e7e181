# SPDX-License-Identifier: MIT
"""Many short clips: 10 000 clips with fades in 200 tracks. How long loading and compiling take, and the whole render.

usage: clips.py LOOPHOLE WORK [--clips 10000] [--tracks 200] [--rounds 5]
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import time
import stems as stem_maker


def make_project(folder, clips, tracks):
    stem_maker.make(folder, 8, 20)
    generator = random.Random(1)
    shapes = ["linear", "constantPower", "exponential", "sCurve"]
    project = {"loophole": 1, "name": "clips", "sampleRate": 48000, "tempo": [{"at": {"beats": 0}, "bpm": 100, "curve": "ramp"}, {"at": {"beats": 400}, "bpm": 160}],
               "media": {f"s{i}": {"file": f"stem_{i:03d}.wav"} for i in range(8)}, "tracks": []}
    for t in range(tracks):
        items = []
        for c in range(clips // tracks):
            items.append({"id": f"c{c}", "media": f"s{generator.randrange(8)}", "start": {"beats": round(c * 6 + generator.random() * 4, 4)},
                          "offset": {"seconds": round(generator.random() * 15, 4)}, "duration": {"seconds": round(0.1 + generator.random() * 2, 4)},
                          "fadeIn": {"duration": {"seconds": round(0.005 + generator.random() * 0.05, 4)}, "shape": generator.choice(shapes)},
                          "fadeOut": {"duration": {"seconds": round(0.005 + generator.random() * 0.1, 4)}, "shape": generator.choice(shapes)}})
        project["tracks"].append({"id": f"t{t}", "type": "audio", "gainDb": -20, "pan": round(generator.uniform(-1, 1), 3), "clips": items})
    path = os.path.join(folder, "clips.json")
    with open(path, "w") as out:
        json.dump(project, out)
    return path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loophole")
    parser.add_argument("work")
    parser.add_argument("--clips", type=int, default=10000)
    parser.add_argument("--tracks", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    a = parser.parse_args()
    path = make_project(os.path.join(a.work, "clips"), a.clips, a.tracks)
    compiles, walls, renders = [], [], []
    for _ in range(a.rounds):
        began = time.monotonic()
        subprocess.run([a.loophole, "check", path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        walls.append(time.monotonic() - began)
        report = subprocess.run([a.loophole, "render", path, "-o", os.path.join(a.work, "clips-out"), "--progress", "none", "--report", "-"],
                                check=True, capture_output=True, text=True).stdout
        times = json.loads(report)["times"]
        compiles.append(times["loadSeconds"] + times["compileSeconds"])
        renders.append(times["wallSeconds"])
    print(f"## {a.clips} clips in {a.tracks} tracks\n")
    print(f"- load and compile: {1000 * statistics.median(compiles):.0f} ms (aim < 200)")
    print(f"- `loophole check`, the whole process: {1000 * statistics.median(walls):.0f} ms")
    print(f"- `loophole render`, the whole: {statistics.median(renders):.2f} s")


if __name__ == "__main__":
    main()
