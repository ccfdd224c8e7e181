#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes the data of the bundle: tables.py MANIFEST FRIENDLY FACTOR. What the plugins do is told in friendly.h."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lv2_turtle import (PREFIXES, audio_in, audio_out, control, events_in, events_out, latency,  # noqa: E402
                        manifest, plugin, port, told)

URI = "urn:loophole:test:"
STEREO = [audio_in("in_l"), audio_in("in_r"), audio_out("out_l"), audio_out("out_r")]
MONO = [audio_in("in"), audio_out("out")]
SIDE = "lv2:portProperty lv2:isSideChain"
NEEDS_MAP = "lv2:requiredFeature urid:map"


def outs(count):
    return [audio_out(f"out_{index}") for index in range(1, count + 1)]


def switch(symbol, standard, *lines):
    return control(symbol, standard, 0, 1, "lv2:portProperty lv2:toggled", *lines)


def levels():
    gain = control("gain", 1.0, 0.0, 4.0)
    yield "gain", [*MONO, gain]
    yield "gain2", [*STEREO, gain]
    yield "one-to-two", [audio_in("in"), audio_out("out_l"), audio_out("out_r")]
    yield "two-to-one", [audio_in("in_l"), audio_in("in_r"), audio_out("out")]
    yield "four-out", outs(4)
    yield "eight-in", [*(audio_in(f"in_{index}") for index in range(1, 9)), audio_out("out")]
    yield "analyser", [audio_in("in"), told("peak", "lv2:minimum 0.0", "lv2:maximum 1.0")]
    yield "sidechain-multiply", [audio_in("in"), audio_in("side", SIDE), audio_out("out")]
    yield "sidechain-stereo", [
        audio_in("in_l", "pg:group test:sidechain-stereo-in"), audio_in("in_r", "pg:group test:sidechain-stereo-in"),
        audio_in("side_l", "pg:group test:sidechain-stereo-side"), audio_in("side_r", "pg:group test:sidechain-stereo-side"),
        audio_out("out_l"), audio_out("out_r")]
    yield "optional", [audio_in("in"), audio_in("extra", "lv2:portProperty lv2:connectionOptional"), audio_out("out"),
                       told("seen", "lv2:portProperty lv2:connectionOptional")]
    yield "cv-in", [audio_in("in"), port("lv2:InputPort , lv2:CVPort", "cv"), audio_out("out")]
    yield "cv-out", [*MONO, port("lv2:OutputPort , lv2:CVPort", "cv")]
    yield "denormal-maker", MONO
    yield "denormal-teller", MONO


def times():
    delay = control("delay", 480, 0, 65536, "lv2:portProperty lv2:integer")
    yield "latent", [*MONO, delay, latency()]
    yield "latent2", [*STEREO, delay, latency()]
    yield "late", [*MONO, delay, control("later", 960, 0, 65536, "lv2:portProperty lv2:integer"),
                   control("after", 24000, 0, 10000000), latency()]
    yield "offset-teller", [*MONO, control("knob", 0.0, 0.0, 1.0)]
    yield "stepped", [*MONO, control("gain", 1.0, 0.0, 4.0)]
    yield "tail", [*MONO, control("feedback", 0.5, 0.0, 0.999), control("time", 4800, 1, 65536)]


def values():
    modes = " , ".join(f'[ rdfs:label "{label}" ; rdf:value {value} ]' for label, value in (("off", 0), ("two", 2), ("five", 5)))
    yield "parameter-teller", [*MONO, control("value", 0.0, -1000.0, 1000.0)]
    yield "scaled-range", [*MONO, control("frequency", 0.25, 0.0, 0.5, "lv2:portProperty lv2:sampleRate")]
    yield "typed", [*STEREO, control("whole", 3, -10, 10, "lv2:portProperty lv2:integer"), switch("toggle", 0),
                    control("mode", 2, 0, 5, "lv2:portProperty lv2:enumeration , lv2:integer", f"lv2:scalePoint {modes}")]
    yield "enabled-teller", [*STEREO, switch("enabled", 1, "lv2:designation lv2:enabled"),
                             switch("freewheeling", 0, "lv2:designation lv2:freeWheeling")]
    yield ("options-teller", [audio_in("in"), *outs(5)],
           "lv2:requiredFeature urid:map , bufsz:boundedBlockLength , opts:options",
           "opts:requiredOption bufsz:maxBlockLength",
           "opts:supportedOption bufsz:minBlockLength , bufsz:maxBlockLength , bufsz:nominalBlockLength")
    yield "counter", MONO
    yield "noise-rand", MONO
    yield "noise-time", MONO
    yield "noise-clock", MONO
    yield "is-live", MONO, "lv2:optionalFeature lv2:isLive"
    yield "requires-unknown", MONO, "lv2:requiredFeature <urn:nobody>"
    yield "requires-live", MONO, "lv2:requiredFeature lv2:isLive"
    yield "needs-fixed-block", MONO, "lv2:requiredFeature bufsz:fixedBlockLength"
    yield "needs-power-of-two", MONO, "lv2:requiredFeature bufsz:powerOf2BlockLength"


def notes():
    midi = events_in("events", "midi:MidiEvent")
    yield "click-synth", [midi, audio_out("out")], NEEDS_MAP
    yield "event-teller", [midi, *outs(3)], NEEDS_MAP
    yield "position-teller", [audio_in("in"), events_in("events", "time:Position"), *outs(8)], NEEDS_MAP
    yield "capacity-teller", [*MONO, events_out("notify", "midi:MidiEvent", "rsz:minimumSize 65536")], NEEDS_MAP
    yield "property", [*MONO, events_in("events", "patch:Message")], NEEDS_MAP, "patch:writable test:level"


def states():
    yield ("state-holder", [*MONO, control("trim", 1.0, 0.0, 4.0)], "lv2:requiredFeature urid:map , state:loadDefaultState",
           "lv2:optionalFeature state:threadSafeRestore , state:mapPath , state:freePath",
           "lv2:extensionData state:interface", f"state:state {taps(0.5, 0.25, 0.125, 0.0625)}")
    yield ("worker-doubler", [*MONO, told("jobs")], "lv2:requiredFeature urid:map , work:schedule",
           "lv2:extensionData work:interface")


def taps(*values, file=None):
    text = f'[ test:taps [ a atom:Vector ; atom:childType atom:Float ; rdf:value ( {" ".join(f"{v:.4f}" for v in values)} ) ]'
    return text + (f" ; test:file <{file}> ]" if file else " ]")


def preset(name, label, state, trim):
    return (f'test:{name}\n    a pset:Preset ;\n    lv2:appliesTo <{URI}state-holder> ;\n    rdfs:label "{label}" ;\n'
            f'    lv2:port [ lv2:symbol "trim" ; pset:value {trim} ] ;\n    state:state {state} .\n\n')


MORE = """
test:sidechain-stereo-in a pg:StereoGroup , pg:InputGroup ; lv2:symbol "in" ; lv2:name "In" .
test:sidechain-stereo-side a pg:StereoGroup , pg:InputGroup ; lv2:symbol "side" ; lv2:name "Side" ;
    pg:sideChainOf test:sidechain-stereo-in .
test:taps a lv2:Parameter ; rdfs:label "taps" ; rdfs:range atom:Vector .
test:file a lv2:Parameter ; rdfs:label "file" ; rdfs:range atom:Path .
test:level a lv2:Parameter ; lv2:symbol "level" ; rdfs:label "level" ; rdfs:range atom:Float ;
    lv2:default 1.0 ; lv2:minimum 0.0 ; lv2:maximum 4.0 .
"""
PRESETS = ("twice", "filed")


def main(manifest_path, path, factor_path):
    tables = [*levels(), *times(), *values(), *notes(), *states()]
    described = "".join(plugin(URI + name, name, ports, *lines) for name, ports, *lines in tables)
    described += preset("twice", "Twice", taps(2, 0, 0, 0), 0.5)
    described += preset("filed", "With a file", taps(1, 0, 0, 0, file="factor.txt"), 1.0)
    listed = "".join(f"test:{name} a pset:Preset ; lv2:appliesTo <{URI}state-holder> ; rdfs:seeAlso <friendly.ttl> .\n"
                     for name in PRESETS)
    with open(manifest_path, "w", encoding="utf-8") as file:
        file.write(manifest("friendly.so", "friendly.ttl", [URI + entry[0] for entry in tables], listed))
    with open(path, "w", encoding="utf-8") as file:
        file.write(PREFIXES + described + MORE)
    with open(factor_path, "w", encoding="utf-8") as file:
        file.write("0.25\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
