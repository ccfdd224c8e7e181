# SPDX-License-Identifier: MIT
"""Broken projects as a table: a name, what to change in a project that is good, where the fault has to be told, words
that its message has to hold, and whether the JSON Schema can see it too. `broken.py FOLDER` writes them out with an
index.json, for other tests and for curious people."""
import copy
import json
import pathlib
import sys

BASE = json.loads((pathlib.Path(__file__).parent / "corpus/valid/night-drive.json").read_text())
DELETE = object()

# Places in BASE.
MASTER, DRUMS, VERB, KICK, BASS = (f"/tracks/{i}" for i in range(5))
CLIP = KICK + "/clips/0"
NODE = KICK + "/nodes/0"
SEND = KICK + "/sends/0"
NOTE = BASS + "/clips/0/notes/0"
MIDI = BASS + "/clips/1"
MIX, STEMS, WEB = (f"/deliverables/{i}" for i in range(3))
POINT = KICK + "/automation/0/points/0"


def change(document, pointer, value):
    """Sets, adds ("-" or an index one past the end) or deletes the value at a JSON Pointer."""
    tokens = [t.replace("~1", "/").replace("~0", "~") for t in pointer.split("/")[1:]]
    if not tokens:
        return value
    at = document
    for token in tokens[:-1]:
        at = at[int(token)] if isinstance(at, list) else at[token]
    last = tokens[-1]
    if isinstance(at, list):
        if last == "-" or int(last) == len(at):
            at.append(value)
        elif value is DELETE:
            del at[int(last)]
        else:
            at[int(last)] = value
    elif value is DELETE:
        del at[last]
    else:
        at[last] = value
    return document


TABLE = []


def broken(name, changes, where, words, schema=True):
    """`changes` is a dict of pointers and values; `where` and `words` are one expected fault or lists of several."""
    TABLE.append({"name": name, "changes": changes, "where": [where] if isinstance(where, str) else where,
                  "words": [words] if isinstance(words, str) else words, "schema": schema})


def one(name, pointer, value, words, schema=True, where=None):
    broken(name, {pointer: value}, pointer if where is None else where, words, schema)


TIME = {"seconds": 1}

# The document.
one("root-array", "", [], "a project has to be an object, not an array")
one("root-null", "", None, "an object, not null")
one("root-empty", "", {}, 'needs a member "loophole"')
one("version-missing", "/loophole", DELETE, 'needs a member "loophole"', where="")
one("version-2", "/loophole", 2, "version")
one("version-text", "/loophole", "1", "a whole number, not a string")
one("unknown-near", "/sampelRate", 48000, 'did you mean "sampleRate"?')
one("unknown-far", "/colour", "red", 'no member "colour"')
one("unknown-empty", "/", 1, 'no member ""')
one("unknown-escaped", "/a~1b~0", 1, 'no member "a/b~"')
one("name-number", "/name", 5, "a string, not an integer")
one("name-long", "/name", "x" * 257, "characters long")
one("name-control", "/name", "a\u001bb", "control characters")
one("rate-low", "/sampleRate", 999, "from 1000 to 768000")
one("rate-high", "/sampleRate", 768001, "from 1000 to 768000")
one("rate-zero", "/sampleRate", 0, "from 1000")
one("rate-fraction", "/sampleRate", 44100.5, "whole number")
one("rate-huge", "/sampleRate", 1e300, "from 1000")
one("quantum-odd", "/quantum", 1000, "power of two")
one("quantum-small", "/quantum", 32, "from 64 to 8192")
one("quantum-large", "/quantum", 16384, "from 64 to 8192")
one("pan-law", "/panLaw", "constantpower", 'did you mean "constantPower"?')
one("resampler", "/resampler", "sox", 'did you mean "soxr"?')
one("ext-array", "/ext", [], "an object, not an array")

# Tempo, time signatures, markers.
one("tempo-object", "/tempo", {}, "an array, not an object")
one("tempo-no-at", "/tempo/0/at", DELETE, 'needs a member "at"', where="/tempo/0")
one("tempo-no-bpm", "/tempo/0/bpm", DELETE, 'needs a member "bpm"', where="/tempo/0")
one("tempo-seconds", "/tempo/0/at", {"seconds": 0}, ['needs a member "beats"', 'no member "seconds"'],
    where=["/tempo/0/at", "/tempo/0/at/seconds"])
one("tempo-first-late", "/tempo/0/at", {"beats": 4}, "first tempo point has to be at beat 0")
one("tempo-order", "/tempo/-", {"at": {"beats": 0}, "bpm": 90}, "ascending", schema=False, where="/tempo/1/at")
one("tempo-bpm-zero", "/tempo/0/bpm", 0, "from 1 to 1000")
one("tempo-bpm-negative", "/tempo/0/bpm", -120, "from 1 to 1000")
one("tempo-curve", "/tempo/0/curve", "linear", '"step", "ramp"')
one("signature-denominator", "/timeSignatures/0/denominator", 6, "1, 2, 4, 8")
one("signature-denominator-large", "/timeSignatures/0/denominator", 128, "from 1 to 64")
one("signature-numerator", "/timeSignatures/0/numerator", 0, "from 1 to 255")
one("signature-first", "/timeSignatures/0/at", {"beats": 1}, "at 0")
one("signature-order", "/timeSignatures/-", {"at": {"beats": 0}, "numerator": 3, "denominator": 4}, "ascending",
    schema=False, where="/timeSignatures/1/at")
one("marker-no-at", "/markers/0/at", DELETE, 'needs a member "at"', where="/markers/0")
one("marker-name", "/markers/0/name", ["x"], "a string")
one("marker-number", "/markers/0", 30.5, "an object, not a number")

# Times.
one("time-empty", "/markers/0/at", {}, "exactly one of")
one("time-two", "/markers/0/at", {"beats": 1, "seconds": 1}, "exactly one of")
one("time-number", "/markers/0/at", 30, 'an object like {"seconds": 1.5}, {"beats": 4} or {"frames": 480}, not an')
one("time-negative", "/markers/0/at/seconds", -1, "from 0")
one("time-late", "/markers/0/at/seconds", 1e8, "from 0 to 10000000")
one("time-unit", "/markers/0/at", {"second": 1}, ["exactly one of", 'did you mean "seconds"?'],
    where=["/markers/0/at", "/markers/0/at/second"])
one("time-frames-fraction", "/markers/0/at", {"frames": 1.5}, "whole number", where="/markers/0/at/frames")
one("time-frames-huge", "/markers/0/at", {"frames": 2**60}, "from 0 to 1099511627776", where="/markers/0/at/frames")
one("time-beats-huge", "/markers/0/at", {"beats": 1e10}, "from 0 to 1000000000", where="/markers/0/at/beats")
one("time-text", "/markers/0/at", {"seconds": "30"}, "a number, not a string", where="/markers/0/at/seconds")

# Media.
one("media-array", "/media", [], "an object, not an array")
one("media-text", "/media/kick", "stems/kick.wav", "an object, not a string")
one("media-empty", "/media/kick", {}, 'exactly one of "file", "digest"')
one("media-both", "/media/vox/file", "vox.wav", 'exactly one of "file", "digest"', where="/media/vox")
one("media-id", "/media/bad id", {"file": "a.wav"}, "may hold only")
one("media-id-long", "/media/" + "m" * 65, {"file": "a.wav"}, "1 to 64 characters")
one("media-id-empty", "/media/", {"file": "a.wav"}, "1 to 64 characters")
one("media-unknown", "/media/kick/path", "x", 'no member "path"')
one("path-absolute", "/media/kick/file", "/etc/passwd", "must not be absolute")
one("path-up", "/media/kick/file", "../secret.wav", "must not lead out")
one("path-up-inside", "/media/kick/file", "stems/../../secret.wav", "must not lead out")
one("path-up-end", "/media/kick/file", "stems/..", "must not lead out")
one("path-backslash", "/media/kick/file", "stems\\kick.wav", "backslash")
one("path-control", "/media/kick/file", "stems/ki\nck.wav", "control character")
one("path-empty", "/media/kick/file", "", "1 to 1024 characters")
one("path-dot", "/media/kick/file", ".", "names no file")
one("path-folder", "/media/kick/file", "stems/", "names no file")
one("path-folder-dot", "/media/kick/file", "stems/.", "names no file")
one("path-long", "/media/kick/file", "a/" * 600 + "b", "1 to 1024 characters")
one("path-long-part", "/media/kick/file", "a" * 256, "255 bytes")
one("path-number", "/media/kick/file", 7, "a string")
one("digest-short", "/media/vox/digest", "sha256:abcd", "64 lower-case")
one("digest-upper", "/media/vox/digest", "sha256:" + "A" * 64, "64 lower-case")
one("digest-kind", "/media/vox/digest", "md5:" + "a" * 64, "64 lower-case")
one("media-resampler", "/media/kick/resampler", "linear", '"soxr", "samplerate"')

# Tracks.
NO_BASS = 'there is no track "bass"'
one("tracks-object", "/tracks", {}, "an array, not an object")
one("track-number", "/tracks/-", 5.5, "an object, not a number", where="/tracks/5")
one("track-no-id", DRUMS + "/id", DELETE, 'needs a member "id"', where=DRUMS)
one("track-no-type", BASS + "/type", DELETE, 'needs a member "type"', where=BASS)
one("track-id-space", BASS + "/id", "the bass", ["may hold only", NO_BASS], where=[BASS + "/id", NODE + "/sidechain/from"])
one("track-id-slash", BASS + "/id", "a/b", ["may hold only", NO_BASS], where=[BASS + "/id", NODE + "/sidechain/from"])
one("track-id-long", BASS + "/id", "b" * 65, ["1 to 64 characters", NO_BASS], where=[BASS + "/id", NODE + "/sidechain/from"])
one("track-id-empty", BASS + "/id", "", ["1 to 64 characters", NO_BASS], where=[BASS + "/id", NODE + "/sidechain/from"])
one("track-id-twice", BASS + "/id", "drums", ["already taken by track number 2", NO_BASS],
    schema=False, where=[BASS + "/id", NODE + "/sidechain/from"])
one("track-type", BASS + "/type", "instrumnet", 'did you mean "instrument"?')
one("two-masters", "/tracks/-", {"id": "main", "type": "master"}, '"master" is it already', where="/tracks/5/type")
broken("id-of-implied-master", {MASTER: {"id": "master", "type": "group"}}, MASTER + "/id",
       "the master, which this project does not list", schema=False)
one("master-output", MASTER + "/output", "drums", "the master has no output")
one("master-sends", MASTER + "/sends", [], "the master has no sends")
one("master-clips", MASTER + "/clips", [], "the master has no clips")
one("group-clips", DRUMS + "/clips", [], "a group has no clips")
one("return-clips", VERB + "/clips", [], "a return has no clips")
one("channels-zero", KICK + "/channels", 0, "from 1 to 16")
one("channels-many", KICK + "/channels", 17, "from 1 to 16")
one("channels-huge", KICK + "/channels", 4294967298, "from 1 to 16")
one("gain-loud", KICK + "/gainDb", 61, "from -200 to 60")
one("gain-low", KICK + "/gainDb", -201, "from -200 to 60")
one("gain-text", KICK + "/gainDb", "-3", 'has to be "-inf"')
one("gain-bool", KICK + "/gainDb", True, 'a number or "-inf"')
one("pan-wide", KICK + "/pan", 1.01, "from -1 to 1")
one("pan-text", KICK + "/pan", "left", "a number, not a string")
one("mute-number", KICK + "/mute", 1, "true or false")
one("solo-text", KICK + "/solo", "yes", "true or false")
one("cohort", KICK + "/cohort", "offline", '"auto", "live", "anticipative"')
one("output-unknown", KICK + "/output", "drum", 'there is no track "drum"; did you mean "drums"?', schema=False)
one("output-far", KICK + "/output", "nowhere", 'there is no track "nowhere"', schema=False)
one("output-audio", BASS + "/output", "kick", "takes no input", schema=False)
one("output-instrument", KICK + "/output", "bass", "takes no input", schema=False)
one("output-self", DRUMS + "/output", "drums", "drums -> drums", schema=False)
one("output-null", DRUMS + "/output", None, "a string, not null")
broken("cycle-two", {DRUMS + "/output": "verb", VERB + "/output": "drums"}, VERB + "/output",
       "drums -> verb -> drums", schema=False)
broken("cycle-send", {VERB + "/sends": [{"to": "drums"}], DRUMS + "/sends": [{"to": "verb"}]},
       VERB + "/sends/0/to", "drums -> verb -> drums", schema=False)
broken("cycle-send-self", {VERB + "/sends": [{"to": "verb"}]}, VERB + "/sends/0/to", "verb -> verb", schema=False)
broken("cycle-sidechain", {VERB + "/nodes/0/sidechain": {"from": "drums"}, VERB + "/output": "drums"},
       [VERB + "/output"], "drums -> verb -> drums", schema=False)
one("cycle-sidechain-self", NODE + "/sidechain/from", "kick", "kick -> kick", schema=False)
one("cycle-sidechain-master", NODE + "/sidechain/from", "master", ["master -> kick -> drums -> master", "master -> kick -> verb"],
    schema=False, where=[DRUMS + "/output", VERB])
broken("cycle-stand-in", {NODE + "/ifMissing": [{"id": "b", "plugin": "lv2:urn:b", "sidechain": {"from": "kick"}}]},
       NODE + "/ifMissing/0/sidechain/from", "kick -> kick", schema=False)

# Clips.
one("clip-text", CLIP, "kick", "an object, not a string")
one("clip-empty", CLIP, {}, 'exactly one of "media", "notes", "midi"')
one("clip-two", CLIP + "/midi", "a.mid", "exactly one of", where=CLIP)
one("clip-media-unknown", CLIP + "/media", "kik", 'no medium "kik" in "media"; did you mean "kick"?', schema=False)
one("clip-media-type", CLIP + "/media", 3, "a string")
one("clip-id-twice", KICK + "/clips/-", {"id": "k1", "media": "kick"}, "already taken by clip number 1", schema=False,
    where=KICK + "/clips/1/id")
one("clip-id", CLIP + "/id", "k 1", "may hold only")
one("clip-offset-bare", CLIP + "/offset", 1.5, 'an object like {"seconds": 1.5} or {"frames": 480}, not a number')
one("tempo-at-bare", "/tempo/0/at", 0, 'an object like {"beats": 4}, not an integer')
one("clip-offset-beats", CLIP + "/offset", {"beats": 1}, ['exactly one of "seconds", "frames"', 'no member "beats"'],
    where=[CLIP + "/offset", CLIP + "/offset/beats"])
one("clip-duration-zero", CLIP + "/duration", {"seconds": 0}, "more than 0")
broken("clip-loop-endless", {CLIP + "/duration": DELETE, CLIP + "/loop": True}, CLIP + "/loop", 'needs a "duration"')
one("clip-unknown", CLIP + "/lenght", TIME, 'no member "lenght"')
one("clip-fade-number", CLIP + "/fadeIn", 0.1, 'an object like {"duration": {"seconds": 0.01}}, not a number')
one("clip-fade-no-duration", CLIP + "/fadeIn/duration", DELETE, 'needs a member "duration"', where=CLIP + "/fadeIn")
one("clip-fade-shape", CLIP + "/fadeIn/shape", "scurve", 'did you mean "sCurve"?')
one("clip-gain", CLIP + "/gainDb", 1000, "from -200 to 60")
one("clip-reverse", CLIP + "/reverse", "true", "true or false")
one("clip-notes-on-audio", CLIP, {"notes": []}, "go on an instrument track", where=CLIP + "/notes")
one("clip-midi-on-audio", CLIP, {"midi": "a.mid"}, "go on an instrument track", where=CLIP + "/midi")
one("clip-media-on-instrument", BASS + "/clips/0", {"media": "kick"}, "go on an audio track",
    where=BASS + "/clips/0/media")
one("clip-midi-track-on-audio", CLIP + "/midiTrack", 1, "MIDI file only")
one("notes-fade", BASS + "/clips/0/fadeIn", {"duration": TIME}, "media only")
one("notes-gain", BASS + "/clips/0/gainDb", 0, "media only")
one("notes-offset", BASS + "/clips/0/offset", {"seconds": 1}, "media or a MIDI file only")
one("midi-loop", MIDI + "/loop", True, "media only")
one("midi-path", MIDI + "/midi", "../theme.mid", "must not lead out")
one("midi-track", MIDI + "/midiTrack", -1, "from 0 to 65535")
one("note-key", NOTE + "/key", 128, "from 0 to 127")
one("note-no-key", NOTE + "/key", DELETE, 'needs a member "key"', where=NOTE)
one("note-velocity", NOTE + "/velocity", 0, "from 1 to 127")
one("note-channel", NOTE + "/channel", 17, "from 1 to 16")
one("note-key-fraction", NOTE + "/key", 60.5, "whole number")

# Nodes.
one("node-no-plugin", NODE + "/plugin", DELETE, 'needs a member "plugin"', where=NODE)
one("node-no-id", VERB + "/nodes/0/id", DELETE, 'needs a member "id"', where=VERB + "/nodes/0")
one("node-plugin", NODE + "/plugin", "reverb", 'like "lv2:')
one("node-plugin-space", NODE + "/plugin", "lv2:http://a b", 'like "lv2:')
one("node-id-twice", KICK + "/nodes/-", {"id": "comp", "plugin": "lv2:urn:x"}, "already taken", schema=False,
    where=KICK + "/nodes/1/id")
one("node-stand-in-id-twice", NODE + "/ifMissing", [{"id": "comp", "plugin": "lv2:urn:x"}], "already taken",
    schema=False, where=NODE + "/ifMissing/0/id")
one("node-parameters", NODE + "/parameters", [1], "an object, not an array")
one("node-parameter-text", NODE + "/parameters/threshold", "-18 dB", "a number, not a string")
one("node-parameter-symbol", NODE + "/parameters/1st", 0, "begins with no digit")
one("node-parameter-huge", NODE + "/parameters/threshold", 1e31, "from -1e+30")
one("node-state-path", NODE + "/state/file", "/root/state", "must not be absolute")
one("node-state-empty", NODE + "/state", {}, "exactly one of")
one("node-sidechain-unknown", NODE + "/sidechain/from", "bas", 'did you mean "bass"?', schema=False)
one("node-sidechain-tap", NODE + "/sidechain/tap", "contribution", '"post", "pre"')
one("node-sidechain-no-from", NODE + "/sidechain", {}, 'needs a member "from"')
one("node-missing-word", NODE + "/ifMissing", "ignore", '"fail", "bypass"')
one("node-missing-number", NODE + "/ifMissing", 0, "an array of stand-in nodes")
one("node-stand-in-nested", NODE + "/ifMissing", [{"id": "b", "plugin": "lv2:urn:b", "ifMissing": "fail"}],
    'no member "ifMissing"', where=NODE + "/ifMissing/0/ifMissing")
one("node-enabled", NODE + "/enabled", 1, "true or false")

# Sends.
one("send-no-to", KICK + "/sends/-", {"gainDb": 0}, 'needs a member "to"', where=KICK + "/sends/1")
one("send-unknown", SEND + "/to", "verv", 'did you mean "verb"?', schema=False)
one("send-audio", SEND + "/to", "bass", "takes no input", schema=False)
one("send-twice", KICK + "/sends/-", {"to": "verb"}, "already", schema=False, where=KICK + "/sends/1/to")
one("send-tap", SEND + "/tap", "contribution", '"post", "pre"')
one("send-pan", SEND + "/pan", -2, "from -1 to 1")
one("send-gain", SEND + "/gainDb", "-Inf", 'has to be "-inf"')

# Automation.
one("automation-no-points", KICK + "/automation/0/points", DELETE, 'needs a member "points"',
    where=KICK + "/automation/0")
one("automation-parameter", KICK + "/automation/0/parameter", "gaindB", 'did you mean "gainDb"?')
one("automation-far", KICK + "/automation/0/parameter", "solo", "cannot be automated")
one("automation-twice", KICK + "/automation/-", {"parameter": "gainDb", "points": []}, "automated already",
    schema=False, where=KICK + "/automation/2/parameter")
one("automation-send", KICK + "/automation/0/parameter", "sends/verv/gainDb", 'did you mean "verb"?', schema=False)
one("automation-send-pan", KICK + "/automation/0/parameter", "sends/verb/pan", "only its gain")
one("automation-node", KICK + "/automation/1/parameter", "nodes/cmp/threshold", 'did you mean "comp"?', schema=False)
one("automation-node-symbol", KICK + "/automation/1/parameter", "nodes/comp", "nodes/<node id>/<symbol>")
one("automation-empty", KICK + "/automation/1/parameter", "", "cannot be automated")
one("automation-long", KICK + "/automation/1/parameter", "nodes/comp/" + "a" * 502, "0 to 512 characters")
one("point-no-value", POINT + "/value", DELETE, 'needs a member "value"', where=POINT)
one("point-gain", POINT + "/value", 90, "from -200 to 60")
one("point-gain-bool", POINT + "/value", True, "from -200 to 60")
broken("point-pan", {KICK + "/automation/0/parameter": "pan"}, POINT + "/value", "from -1 to 1")
broken("point-mute", {KICK + "/automation/0/parameter": "mute"}, POINT + "/value", "true or false")
one("point-node-text", KICK + "/automation/1/points", [{"at": TIME, "value": "-inf"}], "takes a number",
    where=KICK + "/automation/1/points/0/value")
one("point-curve", POINT + "/curve", "step", '"linear", "hold"')

# Deliverables.
one("deliverables-object", "/deliverables", {}, "an array, not an object")
one("name-missing", WEB + "/name", DELETE, 'needs a member "name"', where=WEB)
one("name-slash", WEB + "/name", "a/b", "may hold only")
one("name-up", WEB + "/name", "..", "must not begin with a dot")
one("name-hidden", WEB + "/name", ".web", "must not begin with a dot")
one("name-dash", WEB + "/name", "-web", "must not begin with")
one("name-dot-end", WEB + "/name", "web.", "nor end with")
one("name-empty", WEB + "/name", "", "1 to 64 characters")
one("name-twice", WEB + "/name", "mix", "already taken by deliverable number 1", schema=False)
broken("name-case", {WEB + "/name": "MIX", WEB + "/format": "wav", WEB + "/bitrateKbps": DELETE}, WEB + "/name",
       "would replace one of deliverable \"mix\"", schema=False)
broken("name-each", {WEB + "/name": "stems-kick", WEB + "/format": "flac", WEB + "/bitrateKbps": DELETE},
       WEB + "/name", 'its file "stems-kick.flac"', schema=False)
broken("each-case", {BASS + "/id": "Kick", STEMS + "/source/each": ["kick", "Kick"],
                     NODE + "/sidechain/from": "Kick"}, STEMS + "/source", "upper and lower case", schema=False)
one("source-unknown", WEB + "/source", "mastre", 'did you mean "master"?', schema=False)
one("source-number", WEB + "/source", 1, "a track id or an object")
one("source-empty", WEB + "/source", {}, 'exactly one of "track", "each"')
one("source-tap", WEB + "/source", {"track": "kick", "tap": "mid"}, '"pre"', where=WEB + "/source/tap")
one("source-each-empty", STEMS + "/source/each", [], "at least one track")
one("source-each-twice", STEMS + "/source/each", ["kick", "kick"], ["listed twice", "two of its files"],
    where=[STEMS + "/source/each/1", STEMS + "/source"])
one("source-each-unknown", STEMS + "/source/each/0", "kik", 'did you mean "kick"?', schema=False)
one("source-master-contribution", WEB + "/source", {"track": "master", "tap": "contribution"}, "no contribution",
    schema=False, where=WEB + "/source/track")
one("format", MIX + "/format", "wave", 'did you mean "wav"?')
one("depth-20", MIX + "/bitDepth", 20, "16, 24 or 32")
one("depth-8", MIX + "/bitDepth", 8, "from 16 to 32")
one("depth-flac", STEMS + "/bitDepth", 32, "flac holds 16 or 24 bits")
one("depth-lossy", WEB + "/bitDepth", 16, 'opus takes no "bitDepth"')
one("dither-lossy", WEB + "/dither", "none", 'opus takes no "dither"')
one("dither-word", MIX + "/dither", "shaped", '"tpdf", "none"')
one("dither-float", MIX + "/bitDepth", 32, "need no dither", where=MIX + "/dither")
one("quality-wav", MIX + "/quality", 0.5, 'wav takes no "quality"')
one("bitrate-flac", STEMS + "/bitrateKbps", 320, 'flac takes no "bitrateKbps"')
one("quality-and-bitrate", WEB + "/quality", 0.5, "not both", where=WEB + "/bitrateKbps")
broken("quality-range", {WEB + "/quality": 2, WEB + "/bitrateKbps": DELETE}, WEB + "/quality", "from 0 to 1")
one("bitrate-low", WEB + "/bitrateKbps", 4, "from 8 to 510")
broken("bitrate-mp3", {WEB + "/format": "mp3", WEB + "/bitrateKbps": 400}, WEB + "/bitrateKbps", "from 8 to 320")
broken("bitrate-vorbis", {WEB + "/format": "ogg", WEB + "/bitrateKbps": 16}, WEB + "/bitrateKbps", "from 32 to 500")
one("rate-opus", WEB + "/sampleRate", 44100, "opus has no sample rate of 44100 Hz")
broken("rate-mp3", {WEB + "/format": "mp3", WEB + "/sampleRate": 96000}, WEB + "/sampleRate", "mp3 has no sample rate")
broken("rate-mp3-project", {WEB + "/format": "mp3", "/sampleRate": 96000}, WEB, "mp3 has no sample rate of 96000 Hz",
       schema=False)
one("range-backwards", MIX + "/range/start", {"seconds": 180}, "has to come after its start", schema=False,
    where=MIX + "/range/end")
broken("range-empty", {MIX + "/range": {"end": {"seconds": 0}}}, MIX + "/range/end", "has to come after its start")
one("range-tail-two", MIX + "/range/tail/seconds", 2, "exactly one of", where=MIX + "/range/tail")
one("range-tail-hold", MIX + "/range/tail", {"seconds": 1, "holdSeconds": 1}, 'goes with "untilDb" only',
    where=MIX + "/range/tail/holdSeconds")
one("range-tail-long", MIX + "/range/tail/maxSeconds", 100000, "from 0 to 86400")
one("range-tail-level", MIX + "/range/tail/untilDb", 3, "from -200 to 0")
one("range-preroll", MIX + "/range/preroll", -1, "an object")
one("loudness-empty", MIX + "/loudness", {}, '"integrated", "truePeak" or both')
one("loudness-loud", MIX + "/loudness/integrated", 3, "from -70 to 0")
one("loudness-peak", MIX + "/loudness/truePeak", 1, "from -60 to 0")
one("gain-from-unknown", STEMS + "/gainFrom", "mixx", 'did you mean "mix"?', schema=False)
one("gain-from-self", STEMS + "/gainFrom", "stems", "from itself", schema=False)
one("gain-from-plain", STEMS + "/gainFrom", "web", 'has no "loudness" target', schema=False)
one("gain-from-chain", WEB + "/gainFrom", "stems", "takes its own gain from", schema=False)
broken("gain-from-circle", {WEB + "/gainFrom": "stems", STEMS + "/gainFrom": "web"},
       [STEMS + "/gainFrom", WEB + "/gainFrom"], ["takes its own gain", "takes its own gain"], schema=False)
one("gain-from-and-loudness", STEMS + "/loudness", {"integrated": -14}, "do not go together",
    where=STEMS + "/gainFrom")
broken("gain-from-many", {STEMS + "/gainFrom": DELETE, STEMS + "/loudness": {"integrated": -14},
                          WEB + "/gainFrom": "stems"}, WEB + "/gainFrom", "several files", schema=False)
one("tags-array", MIX + "/tags", ["x"], "an object, not an array")
one("tag-number", MIX + "/tags/track", 1.5, "a string, not a number")
one("tag-name", MIX + "/tags/a=b", "c", "printable ASCII")
one("loop-no-end", MIX + "/loop/end", DELETE, 'needs a member "end"', where=MIX + "/loop")
one("loop-backwards", MIX + "/loop/end", {"beats": 16}, "has to come after its start", schema=False)

# Limits.
one("many-markers", "/markers", [{"at": TIME}] * 100001, "at most 100000 entries, not 100001")
one("many-tracks", "/tracks", [{"id": f"t{i}", "type": "group"} for i in range(4097)], "at most 4096 entries",
    where="/tracks")
TABLE[-1]["more"] = True  # whatever referred to the old tracks
broken("many-files", {STEMS + "/source/each": ["kick", "drums"],
                      "/deliverables/-": {"name": "all", "source": {"each": [f"g{i}" for i in range(4091)]}},
                      "/deliverables/4": {"name": "again", "source": {"each": ["g0", "g1", "g2", "g3", "g4"]}}},
       "/deliverables", "come to 4100 files", schema=False)
TABLE[-1]["groups"] = 4091

# Everything at once, in the order of the document.
broken("all-at-once", {"/sampelRate": 1, "/quantum": 100, "/media/kick/file": "/x", CLIP + "/media": "kik",
                       DRUMS + "/output": "verb", VERB + "/output": "drums", WEB + "/source": "mastr"},
       ["/quantum", "/media/kick/file", VERB + "/output", CLIP + "/media", WEB + "/source", "/sampelRate"],
       ["power of two", "absolute", "circle", "did you mean", "did you mean", "did you mean"])

# Not JSON at all, or JSON that no reader should follow.
TEXTS = [
    ("text-empty", b"", "line 1"),
    ("text-blank", b" \n\n", "line"),
    ("text-truncated", json.dumps(BASE).encode()[:1000], "line 1"),
    ("text-comment", b'{"loophole": 1} // a project', "line 1"),
    ("text-trailing-comma", b'{"loophole": 1,}', "line 1"),
    ("text-duplicate", b'{"loophole": 1, "name": "a", "name": "b"}', "name"),
    ("text-not-utf8", b'{"loophole": 1, "name": "\xff\xfe"}', "line 1"),
    ("text-nul", b'{"loophole": 1, "name": "a\\u0000b"}', ""),
    ("text-raw-nul", b'{"loophole": 1}\0', ""),
    ("text-deep", b'{"loophole": 1, "ext": {"a": ' + b"[" * 100000 + b"]" * 100000 + b"}}", ""),
    ("text-nan", b'{"loophole": 1, "sampleRate": NaN}', "line 1"),
    ("text-infinite", b'{"loophole": 1, "sampleRate": 1e999}', ""),
    ("text-integer-huge", b'{"loophole": 1, "sampleRate": 123456789012345678901234567890}', ""),
    ("text-wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", ""),
]


def document(entry):
    made = copy.deepcopy(BASE)
    made["tracks"] += [{"id": f"g{i}", "type": "group"} for i in range(entry.get("groups", 0))]
    for pointer, value in entry["changes"].items():
        made = change(made, pointer, copy.deepcopy(value) if value is not DELETE else DELETE)
    return made


def write_all(folder):
    """Writes every document into the folder and returns [{"file", "where", "words", "schema", "more"}]: `schema` is
    None for what is not JSON; `more`: other faults may come with the expected ones."""
    folder = pathlib.Path(folder)
    index = []
    for entry in TABLE:
        path = folder / (entry["name"] + ".json")
        path.write_text(json.dumps(document(entry)))
        index.append({"file": path.name, "where": entry["where"], "words": entry["words"], "schema": entry["schema"],
                      "more": entry.get("more", False)})
    for name, text, words in TEXTS:
        (folder / (name + ".json")).write_bytes(text)
        index.append({"file": name + ".json", "where": [""], "words": [words], "schema": None, "more": False})
    names = [entry["file"] for entry in index]
    assert len(names) == len(set(names)), "two entries have one name"
    (folder / "index.json").write_text(json.dumps(index, indent=1))
    return index


if __name__ == "__main__":
    print(len(write_all(sys.argv[1])), "broken projects")
