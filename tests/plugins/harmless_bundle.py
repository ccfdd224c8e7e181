#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes the data of a bundle with one stereo plugin: harmless_bundle.py MANIFEST DESCRIPTION NAME."""
import sys

from lv2_turtle import PREFIXES, audio_in, audio_out, manifest, plugin

PORTS = [audio_in("in_l"), audio_in("in_r"), audio_out("out_l"), audio_out("out_r")]


def main(manifest_path, path, name):
    uri = "urn:loophole:hostile:" + name
    with open(manifest_path, "w", encoding="utf-8") as file:
        file.write(manifest(name + ".so", name + ".ttl", [uri]))
    with open(path, "w", encoding="utf-8") as file:
        file.write(PREFIXES + plugin(uri, name, PORTS))


if __name__ == "__main__":
    main(*sys.argv[1:])
