# SPDX-License-Identifier: MIT
"""What a cache saves: a project full of plugins rendered cold, unchanged, and with little changed.

usage: reuse.py LOOPHOLE WORK [--tracks 64] [--seconds 20] [--rounds 3] [--uri URI]... [--threads 2]

The aims: unchanged, nothing is rendered and it takes at most 200 ms; after a change of one plugin on one of 64 tracks at
least 10 x faster than cold. The peer is the same command without a cache, whose files every render has to match; cold
beside it is what keeping costs. Each round starts with an empty cache.
"""
import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import stems as stem_maker
from plugins import COMPRESSOR, EQ, link_bundles

REVERB = "http://calf.sourceforge.net/plugins/Reverb"
CHANGED = 5  # the track that changes


def render(a, project, cache, *changes):
    """One run: seconds, the report, and the digest of its mix."""
    out = os.path.join(a.work, "reuse-out")
    shutil.rmtree(out, ignore_errors=True)
    argv = [a.loophole, "render", project, "-o", out, "--report", f"{a.work}/reuse.json", "--progress", "none", "--threads", str(a.threads)]
    argv += ["--cache", cache] if cache else ["--no-cache"]
    for change in changes:
        argv += ["--set", change]
    began = time.monotonic()
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    seconds = time.monotonic() - began
    with open(f"{a.work}/reuse.json") as file:
        report = json.load(file)
    digests = []
    for deliverable in report["deliverables"]:
        with open(deliverable["file"], "rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return dict(seconds=seconds, report=report, digests=digests)


def size_of(folder):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loophole")
    parser.add_argument("work")
    parser.add_argument("--tracks", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--uri", action="append")
    a = parser.parse_args()
    a.loophole, a.work = os.path.abspath(a.loophole), os.path.abspath(a.work)
    uris = a.uri or [EQ, COMPRESSOR, REVERB]
    bundles = os.path.join(a.work, "lv2")
    link_bundles(bundles, uris)
    os.environ.update(LV2_PATH=bundles, XDG_CACHE_HOME=f"{a.work}/xdg", XDG_DATA_HOME=f"{a.work}/xdg", LOOPHOLE_CACHE_MAX="0")
    # Only what is proven repeatable is kept.
    subprocess.run([a.loophole, "plugins", "probe", *("lv2:" + uri for uri in uris)], check=True, stdout=subprocess.DEVNULL)
    folder = os.path.join(a.work, f"stems-{a.tracks}-{a.seconds}")
    stem_maker.make(folder, a.tracks, a.seconds)
    with open(os.path.join(folder, "mix.json")) as file:
        text = json.load(file)
    for track in text["tracks"]:
        track["nodes"] = [{"id": f"n{i}", "plugin": "lv2:" + uri, "parameters": {}} for i, uri in enumerate(uris)]
    project = os.path.join(folder, "reuse.json")
    with open(project, "w") as out:
        json.dump(text, out)
    changes = {
        "a plugin of one track": [f"/tracks/{CHANGED}/nodes/{len(uris) - 1}/parameters/{a_parameter(a, uris[-1])}"],
        "the fader of one track": [f"/tracks/{CHANGED}/gainDb=-20"],
        "the format of the mix": ["/deliverables/0/format=flac"],
    }
    cache = os.path.join(a.work, "reuse-cache")
    times = {name: [] for name in ("without a cache", "cold", "unchanged", *changes)}
    for _ in range(a.rounds):
        shutil.rmtree(cache, ignore_errors=True)
        plain = render(a, project, None)
        cold = render(a, project, cache)
        times["without a cache"].append(plain["seconds"])
        times["cold"].append(cold["seconds"])
        warm = [render(a, project, cache) for _ in range(3)]
        times["unchanged"].append(statistics.median(run["seconds"] for run in warm))
        if any(run["digests"] != plain["digests"] for run in (cold, *warm)):
            sys.exit("a render with a cache gives another mix")
        if any("latencyFrames" in plugin for plugin in warm[0]["report"]["plugins"]):
            sys.exit("unchanged, a plugin ran")
        for name, change in changes.items():
            changed = render(a, project, cache, *change)
            times[name].append(changed["seconds"])
            ran = sum("latencyFrames" in plugin for plugin in changed["report"]["plugins"])
            print(f"# {name}: {changed['seconds']:.3f} s, {ran} of {len(changed['report']['plugins'])} plugins ran, cache: {changed['report']['cache']}")
    for name, change in changes.items():
        if render(a, project, cache, *change)["digests"] != render(a, project, None, *change)["digests"]:
            sys.exit(f"{name}: another mix than without a cache")
    ratio = lambda one, other: statistics.median(x / y for x, y in zip(times[one], times[other]))
    print(f"## {a.tracks} tracks of {a.seconds} s through {', '.join(uri.split('/')[-1] for uri in uris)}, {a.threads} threads; the cache takes {size_of(cache) / 1e6:.0f} MB\n")
    print("| what | wall s | cold / it |\n|---|---|---|")
    for name, seconds in times.items():
        print(f"| {name} | {statistics.median(seconds):.3f} | {ratio('cold', name):.1f} |")
    print(f"\nkeeping costs {100 * (ratio('cold', 'without a cache') - 1):.0f} % of a cold render; unchanged {1000 * statistics.median(times['unchanged']):.0f} ms "
          f"(aim <= 200); one track changed {ratio('cold', 'a plugin of one track'):.1f} x faster than cold (aim >= 10)")


def a_parameter(a, uri):
    """"SYMBOL=VALUE" of the plugin's first number, halfway between its standard and its maximum."""
    done = subprocess.run([a.loophole, "plugins", "show", "lv2:" + uri, "--json"], check=True, stdout=subprocess.PIPE, text=True)
    for port in json.loads(done.stdout)[0]["ports"]:
        if (port["kind"], port["direction"]) == ("control", "input") and not port.get("toggled") and not port.get("enumerated") and port["maximum"] > port["default"]:
            return f"{port['symbol']}={(port['default'] + port['maximum']) / 2:g}"
    sys.exit(f"{uri} has no parameter to change")


if __name__ == "__main__":
    main()
