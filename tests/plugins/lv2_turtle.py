# SPDX-License-Identifier: MIT
"""Writes the Turtle of our own LV2 plugins from tables, so that a plugin is one line of Python and one C function."""

PREFIXES = "".join(f"@prefix {name}: <{uri}> .\n" for name, uri in {
    "atom": "http://lv2plug.in/ns/ext/atom#",
    "bufsz": "http://lv2plug.in/ns/ext/buf-size#",
    "doap": "http://usefulinc.com/ns/doap#",
    "lv2": "http://lv2plug.in/ns/lv2core#",
    "midi": "http://lv2plug.in/ns/ext/midi#",
    "opts": "http://lv2plug.in/ns/ext/options#",
    "patch": "http://lv2plug.in/ns/ext/patch#",
    "pg": "http://lv2plug.in/ns/ext/port-groups#",
    "pset": "http://lv2plug.in/ns/ext/presets#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "rsz": "http://lv2plug.in/ns/ext/resize-port#",
    "state": "http://lv2plug.in/ns/ext/state#",
    "test": "urn:loophole:test:",
    "time": "http://lv2plug.in/ns/ext/time#",
    "urid": "http://lv2plug.in/ns/ext/urid#",
    "work": "http://lv2plug.in/ns/ext/worker#",
}.items()) + "\n"


def port(kinds, symbol, *lines):
    return kinds, symbol, lines


def audio_in(symbol, *lines):
    return port("lv2:InputPort , lv2:AudioPort", symbol, *lines)


def audio_out(symbol, *lines):
    return port("lv2:OutputPort , lv2:AudioPort", symbol, *lines)


def control(symbol, standard, minimum, maximum, *lines):
    return port("lv2:InputPort , lv2:ControlPort", symbol, f"lv2:default {standard}", f"lv2:minimum {minimum}",
                f"lv2:maximum {maximum}", *lines)


def told(symbol, *lines):
    return port("lv2:OutputPort , lv2:ControlPort", symbol, *lines)


def latency():
    return told("latency", "lv2:portProperty lv2:reportsLatency , lv2:integer", "lv2:designation lv2:latency",
                "lv2:minimum 0", "lv2:maximum 65536")


def events_in(symbol, supports, *lines):
    return port("lv2:InputPort , atom:AtomPort", symbol, "atom:bufferType atom:Sequence", f"atom:supports {supports}",
                "lv2:designation lv2:control", *lines)


def events_out(symbol, supports, *lines):
    return port("lv2:OutputPort , atom:AtomPort", symbol, "atom:bufferType atom:Sequence", f"atom:supports {supports}",
                "lv2:designation lv2:control", *lines)


def plugin(uri, name, ports, *lines, first_index=0):
    """One plugin's description; `lines` are further properties of it."""
    text = [f"<{uri}>\n    a lv2:Plugin", f'doap:name "{name}"', "doap:license <https://spdx.org/licenses/MIT>",
            "lv2:minorVersion 2", "lv2:microVersion 4", *lines]
    described = []
    for index, (kinds, symbol, properties) in enumerate(ports, first_index):
        properties = [f"a {kinds}", f"lv2:index {index}", f'lv2:symbol "{symbol}"', f'lv2:name "{symbol}"', *properties]
        described.append("[\n        " + " ;\n        ".join(properties) + "\n    ]")
    if described:
        text.append("lv2:port " + " , ".join(described))
    return " ;\n    ".join(text) + " .\n\n"


def manifest(binary, file, uris, more=""):
    """Says which plugins a bundle has, where their code is and where their description."""
    return PREFIXES + "".join(
        f"<{uri}> a lv2:Plugin ; lv2:binary <{binary}> ; rdfs:seeAlso <{file}> .\n" for uri in uris) + more
