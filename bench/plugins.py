# SPDX-License-Identifier: MIT
"""Plugins on every stem: loophole beside a bare LV2 host, ecasound, ffmpeg and (given a session) Ardour, in one run.

usage: plugins.py LOOPHOLE FLOOR WORK [--stems 64] [--seconds 30] [--rounds 3] [--uri URI]... [--ardour SESSION]
       plugins.py LOOPHOLE FLOOR WORK --chain 8 [--uri URI]       one track with a long chain: does it use both cores?

The aims: parallel efficiency of two threads >= 0.95, CPU within 5 % of the bare host's, and a chain of eight on one track
>= 1.5 x faster on two threads. Every program gets the default values by name, and a folder with the named bundles alone
(ffmpeg would spend its time scanning). Outputs are null-tested against the bare host.
"""
import argparse
import json
import os
import re
import subprocess

import numpy

import harness
import stems as stem_maker
from harness import Competitor
from mix import read24

EQ = "http://calf.sourceforge.net/plugins/Equalizer8Band"
COMPRESSOR = "http://calf.sourceforge.net/plugins/Compressor"
SPECIFICATIONS = ("atom buf-size core data-access dynmanifest event instance-access log midi morph options parameters patch "
                  "port-groups port-props presets resize-port schemas state time ui units uri-map urid worker").split()


def link_bundles(folder, uris):
    """A folder of links to the specifications and to the bundles that hold the plugins."""
    os.makedirs(folder, exist_ok=True)
    for root in ("/usr/lib/lv2", "/usr/lib/x86_64-linux-gnu/lv2"):
        for bundle in sorted(os.listdir(root)) if os.path.isdir(root) else []:
            manifest = os.path.join(root, bundle, "manifest.ttl")
            if not os.path.exists(manifest):
                continue
            with open(manifest, errors="replace") as file:
                text = file.read()
            named = bundle.removesuffix(".lv2") in SPECIFICATIONS or any(uri in text for uri in uris)
            link = os.path.join(folder, bundle)
            if named and not os.path.lexists(link):
                os.symlink(os.path.join(root, bundle), link)


def control_defaults(uri):
    """Default values of the control inputs in the order of their ports, as `lv2info` (lilv-utils) tells them."""
    text = subprocess.run(["lv2info", uri], stdout=subprocess.PIPE, text=True, check=True).stdout
    values = []
    for port in re.split(r"\n\s*Port \d+:", text)[1:]:
        if "#ControlPort" in port and "#InputPort" in port:
            found = re.search(r"Default:\s+(\S+)", port)
            values.append(float(found.group(1)) if found else 0.0)
    return values


def project(path, stems, uris):
    with open(path) as file:
        text = json.load(file)
    for track in text["tracks"]:
        track["nodes"] = [{"id": f"n{i}", "plugin": "lv2:" + uri} for i, uri in enumerate(uris)]
    target = path.replace(".json", "-plugins.json")
    with open(target, "w") as out:
        json.dump(text, out)
    return target


def ecasound(stems, uris, out):
    argv = ["ecasound", "-q", "-b:1024", "-B:nonrt"]
    effects = ["-elv2:" + uri + "".join(f",{value:g}" for value in control_defaults(uri)) for uri in uris]
    for i, (path, left, right, _, _) in enumerate(stems):
        argv += [f"-a:{i}", f"-i:{path}", *effects, f"-eac:{100 * left:.7f},1", f"-eac:{100 * right:.7f},2"]
    return argv + ["-a:all", "-f:s24_le,2,48000", f"-o:{out}"]


def ffmpeg(stems, uris, out):
    argv = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    for stem in stems:
        argv += ["-i", stem[0]]
    effects = "".join("lv2=p=" + uri.replace(":", "\\\\:") + "," for uri in uris)
    graph = "".join(f"[{i}:a]{effects}pan=stereo|c0={s[1]:.9f}*c0|c1={s[2]:.9f}*c1[s{i}];" for i, s in enumerate(stems))
    graph += "".join(f"[s{i}]" for i in range(len(stems))) + f"amix=inputs={len(stems)}:normalize=0:dropout_transition=0[o]"
    return argv + ["-filter_complex", graph, "-map", "[o]", "-c:a", "pcm_s24le", out]


def loophole(a, path, threads, *more):
    target = os.path.join(a.work, f"plugins{threads}{''.join(more)}".replace("-", "").replace(" ", ""))
    argv = [a.loophole, "render", path, "-o", target, "--threads", threads, "--progress", "none", *more]
    name = f"loophole, {threads}t" + (", no jail" if more else "")
    return Competitor(name, argv, os.path.join(target, "mix.wav"))


def null_test(competitors, base):
    wanted = read24(base.out)
    print(f"\nnull test against {base.name} (LSB of 24 bits, largest difference):")
    for c in competitors:
        if c.out:
            got = read24(c.out)
            frames = min(len(got), len(wanted))
            print(f"- {c.name}: {numpy.abs(got[:frames] - wanted[:frames]).max()}" + ("" if len(got) == len(wanted) else f", length {len(got)} of {len(wanted)}"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loophole")
    parser.add_argument("floor")
    parser.add_argument("work")
    parser.add_argument("--stems", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--uri", action="append")
    parser.add_argument("--chain", type=int, default=0)
    parser.add_argument("--ardour", default="", help="an Ardour session of the same mix, to export beside")
    a = parser.parse_args()
    a.work = os.path.abspath(a.work)
    uris = a.uri or ([EQ] * a.chain if a.chain else [EQ, COMPRESSOR])
    if a.chain:
        uris, a.stems = (uris * a.chain)[:a.chain], 1
    bundles = os.path.join(a.work, "lv2")
    link_bundles(bundles, uris)
    os.environ["LV2_PATH"] = bundles
    folder = os.path.join(a.work, f"stems-{a.stems}-{a.seconds}")
    stems = stem_maker.make(folder, a.stems, a.seconds)
    path = project(os.path.join(folder, "mix.json"), stems, uris)
    out = lambda name: os.path.join(a.work, name + ".wav")
    listing = os.path.join(folder, "mix.tsv")
    competitors = []
    for threads in (1, 2):
        argv = [a.floor, listing, out(f"host{threads}"), threads, 1024, *uris]
        competitors.append(Competitor(f"bare host, {threads}t", argv, out(f"host{threads}")))
        competitors.append(loophole(a, path, threads))
    competitors.append(loophole(a, path, 2, "--jail", "off"))
    if not a.chain and harness.have("ecasound"):
        competitors.append(Competitor("ecasound", ecasound(stems, uris, out("ecasound")), out("ecasound")))
    if not a.chain and harness.have("ffmpeg"):
        competitors.append(Competitor("ffmpeg", ffmpeg(stems, uris, out("ffmpeg")), out("ffmpeg")))
    if a.ardour and harness.have("ardour7-export"):
        session = os.path.abspath(a.ardour)
        argv = ["ardour7-export", "-b", "24", "-s", "48000", "-o", out("ardour"), session, os.path.basename(session)]
        competitors.append(Competitor("ardour", argv, out("ardour")))
    harness.compare(competitors, a.rounds)
    base, find = competitors[0], lambda name: next((c for c in competitors if c.name == name), None)
    print(f"## {a.stems} stereo stem{'s' * (a.stems > 1)} of {a.seconds} s, each through {', '.join(u.split('/')[-1] for u in uris)}\n")
    print(harness.table(competitors, base, a.seconds))
    ours1, ours2, floor2, free = find("loophole, 1t"), find("loophole, 2t"), find("bare host, 2t"), find("loophole, 2t, no jail")
    print(f"\ncpu, one thread: {harness.ratio(ours1, base, 'cpu'):.3f} x the bare host (aim <= 1.05)")
    print(f"wall, one thread over two: {harness.ratio(ours1, ours2, 'wall'):.2f} x"
          + (f", parallel efficiency {harness.ratio(ours1, ours2, 'wall') / 2:.2f} (aim >= 0.95; the bare host {harness.ratio(base, floor2, 'wall') / 2:.2f})"
             if not a.chain else " (aim >= 1.5; the bare host cannot)"))
    print(f"wall, two threads: {harness.ratio(ours2, floor2, 'wall'):.3f} x the bare host, {harness.ratio(ours2, free, 'wall'):.3f} x without the jail")
    for peer in (find("ecasound"), find("ffmpeg"), find("ardour")):
        if peer:
            print(f"wall, two threads: {harness.ratio(peer, ours2, 'wall'):.1f} x faster than {peer.name}")
    null_test(competitors[1:], base)


if __name__ == "__main__":
    main()
