#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes the data of the bundle: tables.py MANIFEST SLOW. What the plugin does is told in slow.c."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lv2_turtle import PREFIXES, audio_in, audio_out, control, manifest, plugin  # noqa: E402

URI = "urn:loophole:test:slow"


def main(manifest_path, path):
    with open(manifest_path, "w", encoding="utf-8") as file:
        file.write(manifest("slow.so", "slow.ttl", [URI]))
    with open(path, "w", encoding="utf-8") as file:
        file.write(PREFIXES + plugin(URI, "slow", [
            audio_in("in"), audio_out("out"), control("smooth", 0.5, 0.0, 0.999), control("pause", 0, 0, 1000000)]))


if __name__ == "__main__":
    main(*sys.argv[1:])
