#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes the data of a bundle: tables.py MANIFEST DESCRIPTION (liar|breaker). Each plugin's data lie in one way; the
Turtle itself is well-formed. Those of the bundle `breaker` crash lilv when it reads them."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lv2_turtle import PREFIXES, audio_in, audio_out, control, events_out, manifest, plugin, port  # noqa: E402

URI = "urn:loophole:hostile:liar-"
MONO = [audio_in("in"), audio_out("out")]


def reindexed(text, old, new):
    return text.replace(f"lv2:index {old} ;", f"lv2:index {new} ;")


def of(name, ports=(), more=()):
    return plugin(URI + name, name, [*MONO, *ports], *more)


def liars():
    nan, infinite = '"NaN"^^<http://www.w3.org/2001/XMLSchema#float>', '"INF"^^<http://www.w3.org/2001/XMLSchema#float>'
    knob = control("knob", 0.5, 0.0, 1.0)
    yield "index-gap", reindexed(of("index-gap", [knob]), 2, 7)
    yield "index-twice", reindexed(of("index-twice", [knob]), 2, 0)
    yield "symbol-twice", of("symbol-twice", [knob, knob])
    yield "symbol-none", of("symbol-none", [knob]).replace('lv2:symbol "knob" ;', "")
    yield "symbol-bad", of("symbol-bad", [control("1 knob, please!", 0.5, 0.0, 1.0)])
    yield "range-nan", of("range-nan", [control("knob", nan, nan, nan)])
    yield "range-infinite", of("range-infinite", [control("knob", infinite, 0.0, infinite)])
    yield "range-upside-down", of("range-upside-down", [control("knob", 0.5, 1.0, 0.0)])
    yield "range-text", of("range-text", [control("knob", '"loud"', '"low"', '"high"')])
    yield "range-none", of("range-none", [port("lv2:InputPort , lv2:ControlPort", "knob")])
    yield "default-outside", of("default-outside", [control("knob", 50.0, 0.0, 1.0)])
    yield "no-direction", of("no-direction", [port("lv2:AudioPort", "knob")])
    yield "no-kind", of("no-kind", [port("lv2:InputPort", "knob")])
    yield "no-ports", plugin(URI + "no-ports", "no-ports", [])
    yield "no-binary", of("no-binary")
    yield "text-binary", of("text-binary")
    yield "not-in-binary", of("not-in-binary")
    yield "no-data", ""
    yield "many-ports", of("many-ports", [control(f"knob_{index}", 0.5, 0.0, 1.0) for index in range(5000)])
    yield "long-name", of("long-name").replace('doap:name "long-name"', 'doap:name "' + "long " * 20000 + '"')
    yield "size-huge", of("size-huge", [events_out("notify", "midi:MidiEvent", "rsz:minimumSize 4294967295")])
    yield "refuses", of("refuses")
    yield "no-functions", of("no-functions")


def breakers():
    knob = control("knob", 0.5, 0.0, 1.0)
    yield "index-huge", reindexed(of("index-huge", [knob]), 2, 4294967295)
    yield "index-negative", reindexed(of("index-negative", [knob]), 2, -1)


def main(manifest_path, path, bundle):
    texts = dict(liars() if bundle == "liar" else breakers())
    listed = manifest("liar.so" if bundle == "liar" else "../liar.lv2/liar.so", os.path.basename(path),
                      [URI + name for name in texts])
    for name, binary in (("no-binary", "missing.so"), ("text-binary", "liar.ttl")):
        listed = listed.replace(f"<{URI}{name}> a lv2:Plugin ; lv2:binary <liar.so>",
                                f"<{URI}{name}> a lv2:Plugin ; lv2:binary <{binary}>")
    listed = listed.replace(f"<{URI}no-data> a lv2:Plugin ; lv2:binary <liar.so> ; rdfs:seeAlso <liar.ttl>",
                            f"<{URI}no-data> a lv2:Plugin ; lv2:binary <liar.so> ; rdfs:seeAlso <missing.ttl>")
    with open(manifest_path, "w", encoding="utf-8") as file:
        file.write(listed)
    with open(path, "w", encoding="utf-8") as file:
        file.write(PREFIXES + "".join(texts.values()))


if __name__ == "__main__":
    main(*sys.argv[1:])
