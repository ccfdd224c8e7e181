# SPDX-License-Identifier: MIT
"""Every installed LV2 plugin through `loophole render`: who runs, who does not and why, with what a probe found.

usage: survey.py LOOPHOLE LOOPHOLE-SIGNAL [--least N] [--sample N --seed S] [--table FILE] [--records FILE]

Each plugin gets a project of its own: half a second of noise on a track of a layout that it fits, or four notes when it is an
instrument. Prints TAP (one test: at least N of them run), and with --table a page of Markdown (docs/plugins.md).
--records reads what `loophole plugins probe --json` said for the table.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import tap

FRAMES, RATE = 24000, 48000


def noise(count):
    source = random.Random(20)
    return [[source.uniform(-0.25, 0.25) for _ in range(FRAMES)] for _ in range(count)]


def project(plugin, channels):
    """One track with the plugin on it."""
    instrument = plugin["audioInputs"] == 0 and plugin["audioOutputs"] > 0 and plugin["takesNotes"]
    track = {"id": "t", "type": "instrument" if instrument else "audio", "channels": channels,
             "nodes": [{"id": "n", "plugin": plugin["uri"]}]}
    if instrument:
        track["clips"] = [{"notes": [{"at": {"beats": i / 4}, "duration": {"beats": 0.2}, "key": 60 + i} for i in range(4)]}]
    elif plugin["audioInputs"] > 0 or plugin["audioOutputs"] == 0:
        track["clips"] = [{"media": "noise"}]
    return {"loophole": 1, "name": "survey", "sampleRate": RATE, "media": {"noise": {"file": f"noise{channels}.wav"}},
            "tracks": [track, {"id": "master", "type": "master", "channels": channels}],
            "deliverables": [{"name": "out", "source": "t", "bitDepth": 32,
                              "range": {"end": {"frames": FRAMES}}}]}


def layouts(plugin):
    """Layouts to try, the likely ones first."""
    ins, outs = plugin["audioInputs"], plugin["audioOutputs"]
    wanted = [2, 1] + [count for count in (ins, outs) if 1 <= count <= 16]
    return list(dict.fromkeys(wanted))


def render(a, folder, plugin):
    """(outcome, seconds): "" when it ran, else the reason, that of the likeliest layout."""
    began, told = time.monotonic(), ""
    for channels in layouts(plugin):
        name = plugin["uri"].replace("/", "_").replace(":", "_")[-80:]
        path = tap.write(f"{folder}/{name}-{channels}.json", project(plugin, channels))
        if not os.path.exists(f"{folder}/noise{channels}.wav"):
            continue
        done = subprocess.run(
            [a.loophole, "render", path, "-o", f"{folder}/out-{name}", "--threads", "1", "--progress", "plain", "--no-cache"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300,
            env=tap.environment(LOOPHOLE_SIGNAL=a.signal, LOOPHOLE_HANG_MS="20000"))
        shutil.rmtree(f"{folder}/out-{name}", ignore_errors=True)
        if done.returncode == 0:
            return "", time.monotonic() - began
        lines = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        told = told or (lines[-1].removeprefix("loophole: ").replace(path + ": ", "") if lines else f"exit status {done.returncode}")
    return told, time.monotonic() - began


def table(plugins, outcomes, records):
    known = {record["uri"].removeprefix("lv2:"): record for record in records}
    ran = sum(1 for told, _ in outcomes if told == "")
    yield "# LV2 plugins of Debian 12\n"
    yield (f"{ran} of {len(plugins)} run through `loophole render` (`tests/e2e/survey.py`, which writes this page; the verdicts are those of "
           "`loophole plugins probe`).\n")
    yield "## Those that do not run\n\n| plugin | reason |\n|---|---|"
    for plugin, (told, _) in zip(plugins, outcomes):
        if told:
            yield f"| {plugin['uri'].removeprefix('lv2:')} | {told.replace('|', '/')} |"
    yield "\n## All of them\n"
    yield "Block invariant: the same bits for runs of 64, 512, 1024, 8192 and ragged lengths. ns: of one frame in the plugin.\n"
    yield "| plugin | version | runs | status | repeatable | block invariant | latency | ns |\n|---|---|---|---|---|---|---|---|"
    for plugin, (told, _) in zip(plugins, outcomes):
        record = known.get(plugin["uri"].removeprefix("lv2:"), {})
        cells = [plugin["uri"].removeprefix("lv2:"), plugin.get("version", ""), "no" if told else "yes", record.get("status", "")]
        for name in ("repeatable", "blockInvariant"):
            cells.append({True: "yes", False: "no"}.get(record.get(name), ""))
        latency, cost = record.get("latencyFrames"), record.get("nsPerFrame")
        cells += ["" if latency is None else str(latency), "" if cost is None else f"{cost:.1f}"]
        yield "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loophole")
    parser.add_argument("signal")
    parser.add_argument("--least", type=float, default=0.95, help="the share, or the number, that has to run")
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--table")
    parser.add_argument("--records")
    a = parser.parse_args()
    a.loophole, a.signal = os.path.abspath(a.loophole), os.path.abspath(a.signal)
    listing = subprocess.run([a.loophole, "plugins", "list", "--json"], stdout=subprocess.PIPE, check=True,
                             env=tap.environment(LOOPHOLE_SIGNAL=a.signal)).stdout
    plugins = sorted(json.loads(listing), key=lambda plugin: plugin["uri"])
    if a.sample and a.sample < len(plugins):
        plugins = sorted(random.Random(a.seed).sample(plugins, a.sample), key=lambda plugin: plugin["uri"])
    folder = tempfile.mkdtemp(prefix="loophole-survey-")
    sounds = noise(16)
    for channels in {1, 2} | {n for p in plugins for n in layouts(p)}:
        tap.write(f"{folder}/noise{channels}.wav", tap.wav_bytes(sounds[:channels]))
    print("1..1")
    with ThreadPoolExecutor(a.jobs) as pool:
        outcomes = list(pool.map(lambda plugin: render(a, folder, plugin), plugins))
    shutil.rmtree(folder, ignore_errors=True)
    for plugin, (told, seconds) in zip(plugins, outcomes):
        if told or seconds > 5:
            print(f"# {plugin['uri']}: {told or 'runs'} ({seconds:.1f} s)")
    ran = sum(1 for told, _ in outcomes if told == "")
    least = a.least if a.least > 1 else a.least * len(plugins)
    print(f"# {ran} of {len(plugins)} run")
    print(f"{'ok' if ran >= least and plugins else 'not ok'} 1 - {least:g} plugins render")
    if a.table:
        records = []
        if a.records:
            with open(a.records) as file:
                records = json.load(file)
        with open(a.table, "w") as file:
            file.write("\n".join(table(plugins, outcomes, records)) + "\n")
    return 0 if ran >= least and plugins else 1


if __name__ == "__main__":
    sys.exit(main())
