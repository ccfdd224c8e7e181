#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes manifest.ttl and hostile.ttl: tables.py MANIFEST HOSTILE SOURCE... Every entry of the sources' tables is a
plugin, all with the same ports."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lv2_turtle import (PREFIXES, audio_in, audio_out, control, events_out, latency, manifest, plugin)  # noqa: E402

URI = "urn:loophole:hostile:"
PORTS = [audio_in("in_l"), audio_in("in_r"), audio_out("out_l"), audio_out("out_r"), control("after", 24000, 0, 100000000)]


def extra(name):
    if name.startswith("latency"):
        return [latency()]
    if name.startswith("sequence"):
        return [events_out("notify", "<http://lv2plug.in/ns/ext/midi#MidiEvent>", "rsz:minimumSize 4096")]
    return []


def main(manifest_path, path, *sources):
    names = []
    for source in sources:
        with open(source, encoding="utf-8") as file:
            names += re.findall(r'\{URI "([a-z0-9-]+)", HOSTILE_', file.read())
    with open(manifest_path, "w", encoding="utf-8") as file:
        file.write(manifest("hostile.so", "hostile.ttl", [URI + name for name in names]))
    with open(path, "w", encoding="utf-8") as file:
        file.write(PREFIXES + "".join(
            plugin(URI + name, name, [*PORTS, *extra(name)], "lv2:requiredFeature urid:map") for name in names))


if __name__ == "__main__":
    main(*sys.argv[1:])
