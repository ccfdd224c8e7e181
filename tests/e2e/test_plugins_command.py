# SPDX-License-Identifier: MIT
"""Plugins from outside: listed, shown, probed and used in projects: test_plugins_command.py LOOPHOLE LOOPHOLE-SIGNAL LV2-PATH.

LV2-PATH holds our own test plugins (tests/plugins)."""
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time

from tap import contains, environment, equal, read, read_wav, run, run_tests, sine, wav_bytes, write

LOOPHOLE, SIGNAL, PLUGINS = (os.path.abspath(path) for path in sys.argv[1:4])
TEST, HOSTILE = "lv2:urn:loophole:test:", "lv2:urn:loophole:hostile:"
FRAMES = 48000


class Machine:
    """A user with a cache and records of their own, in the test's folder."""

    def __init__(self, folder, path=PLUGINS):
        self.folder = folder
        self.environment = environment(
            LOOPHOLE_SIGNAL=SIGNAL, LV2_PATH=path, XDG_CACHE_HOME=f"{folder}/cache", XDG_DATA_HOME=f"{folder}/data",
            XDG_DATA_DIRS=f"{folder}/system", LOOPHOLE_CACHE="")

    def must(self, status, *arguments, **changes):
        done = run([LOOPHOLE, *arguments], env={**self.environment, **changes})
        if done.returncode != status:
            raise AssertionError(f"exit status {done.returncode}, not {status}: {done.talk}{done.stdout.decode()}")
        return done

    def plugins(self, *arguments, **changes):
        return {one["uri"]: one for one in json.loads(self.must(0, "plugins", *arguments, "--json", **changes).stdout)}

    def probe(self, *names, more=()):
        return self.plugins("probe", *names, "--progress", "none", *more)

    def render(self, project, *arguments, status=0):
        done = self.must(status, "render", project, "-o", f"{self.folder}/out", "--report", "-", "--progress", "none",
                         *arguments)
        report = json.loads(done.stdout)
        report["talk"] = done.talk
        return report


def project_with(folder, *nodes, **members):
    """A stereo second through a chain of nodes."""
    write(f"{folder}/a.wav", wav_bytes([sine(FRAMES), sine(FRAMES, 330)], bits=32))
    track = {"id": "t", "type": "audio", "clips": [{"media": "a"}],
             "nodes": [{"id": f"n{i}", **node} for i, node in enumerate(nodes)], **members}
    return write(f"{folder}/p.json", {
        "loophole": 1, "name": "p", "sampleRate": 48000, "media": {"a": {"file": "a.wav"}}, "tracks": [track],
        "deliverables": [{"name": "mix", "source": "t", "format": "wav", "bitDepth": 32}]})


def digest_of(report):
    return report["deliverables"][0]["samplesSha256"]


def test_list(folder):
    machine = Machine(folder)
    found = machine.plugins("list")
    gain = found[TEST + "gain"]
    equal((gain["name"], gain["audioInputs"], gain["audioOutputs"], gain["takesNotes"]), ("gain", 1, 1, False), "gain")
    for member in ("uri", "version", "digest", "status", "repeatable", "blockInvariant", "latencyFrames"):
        equal(member in gain, True, member)
    equal((gain["status"], gain["repeatable"], gain["digest"][:7]), ("untried", None, "sha256:"), "untried")
    equal(found[TEST + "requires-unknown"]["status"], "refused", "refused")
    equal(set(machine.plugins("list", "sidechain", "stereo")), {TEST + "sidechain-stereo"}, "words")
    equal(machine.plugins("list", "nothing of the kind"), {}, "no such word")
    text = machine.must(0, "plugins", "list").stdout.decode().splitlines()
    equal(len(text), len(found), "lines")
    names = [line.split()[0].lower() for line in text]
    equal(names, sorted(names), "order")


def test_the_index_follows_the_bundles(folder):
    os.mkdir(f"{folder}/lv2")
    shutil.copytree(f"{PLUGINS}/friendly.lv2", f"{folder}/lv2/one.lv2")
    machine = Machine(folder, f"{folder}/lv2")
    friendly = len(machine.plugins("list"))
    kept, = (f"{folder}/cache/loophole/{name}" for name in os.listdir(f"{folder}/cache/loophole"))
    before = os.stat(kept).st_mtime_ns
    equal(len(machine.plugins("list")), friendly, "again")
    equal(os.stat(kept).st_mtime_ns, before, "nothing new is nothing to write")
    shutil.copytree(f"{PLUGINS}/hostile.lv2", f"{folder}/lv2/two")
    more = machine.plugins("list")
    equal(HOSTILE + "segv" in more and TEST + "gain" in more, True, "a new bundle")
    manifest = read(f"{folder}/lv2/one.lv2/friendly.ttl").decode()
    write(f"{folder}/lv2/one.lv2/friendly.ttl", manifest.replace('"gain2"', '"twice the gain"').encode())
    equal(machine.plugins("list")[TEST + "gain2"]["name"], "twice the gain", "a changed bundle")
    shutil.rmtree(f"{folder}/lv2/two")
    equal(len(machine.plugins("list")), friendly, "a bundle that is gone")
    for damage in (b"", read(kept)[:-1], read(kept)[:1000] + b"?" + read(kept)[1001:], os.urandom(5000)):
        write(kept, damage)
        equal(len(machine.plugins("list")), friendly, "damaged")
        equal(read(kept) == damage, False, "made anew")
    equal(len(machine.plugins("list", XDG_CACHE_HOME="/proc/nowhere")), friendly, "without a cache")


def test_show(folder):
    machine = Machine(folder)
    for name in (TEST + "typed", "urn:loophole:test:typed", "typed", "TYPED", "test:typed"):
        shown, = machine.plugins("show", name).values()
        equal(shown["uri"], TEST + "typed", name)
    ports = {port["symbol"]: port for port in shown["ports"]}
    mode = ports["mode"]
    equal((mode["minimum"], mode["maximum"], mode["default"], mode["enumerated"]), (0, 5, 2, True), "mode")
    equal({point["label"]: point["value"] for point in mode["scalePoints"]}, {"off": 0, "two": 2, "five": 5}, "points")
    equal((ports["toggle"]["toggled"], ports["whole"]["integer"]), (True, True), "kinds")
    holder, = machine.plugins("show", "state-holder").values()
    equal(sorted(preset["label"] for preset in holder["presets"]), ["Twice", "With a file"], "presets")
    text = machine.must(0, "plugins", "show", "typed").stdout.decode()
    for part in ("typed", "urn:loophole:test:typed", "mode", "five", "On mono", "Evidence"):
        contains(text, part)
    equal(machine.plugins("show", "gain")[TEST + "gain"]["onStereo"], "a copy for each channel", "mono on stereo")
    contains(machine.must(4, "plugins", "show", "urn:loophole:test:tpyed").talk, "did you mean lv2:urn:loophole:test:typed")
    contains(machine.must(4, "plugins", "show", "teller").talk, "plugins have that in their URI or name")
    contains(machine.must(4, "plugins", "show", "qqqqqq").talk, "plugins list")


def test_probe_tells_what_repeats(folder):
    machine = Machine(folder)
    names = ("test:gain", "noise-rand", "noise-time", "noise-clock", "latent", "test:tail", "offset-teller", "requires-unknown",
             "click-synth", "test:late")
    found = {uri.removeprefix(TEST): one for uri, one in machine.probe(*(
        TEST + name.removeprefix("test:") for name in names)).items()}
    equal(len(found), len(names), "plugins")
    gain = found["gain"]
    equal((gain["status"], gain["repeatable"], gain["blockInvariant"], gain["latencyFrames"], gain["audible"],
           gain["drawsRandomNumbers"], gain["sameWithoutAvx"], gain["soundsByItself"]),
          ("repeatable", True, True, 0, True, False, True, False), "gain")
    equal(set(gain["blocks"].values()), {True}, "blocks")
    equal(gain["nsPerFrame"] > 0, True, "speed")
    for name in ("noise-rand", "noise-time"):  # unseeded, and seeded by the clock
        equal((found[name]["status"], found[name]["drawsRandomNumbers"]), ("repeatable", True), name)
    clock = found["noise-clock"]
    equal((clock["status"], clock["repeatable"], clock["repeatableAcrossRuns"]), ("not repeatable", False, False), "clock")
    equal((found["latent"]["latencyFrames"], found["latent"]["status"]), (480, "repeatable"), "latency")
    equal(found["late"]["latencyChanges"], True, "a latency that changes")
    equal(found["tail"]["tailSeconds"] > 0.1, True, "tail")
    refused = found["requires-unknown"]
    equal((refused["status"], refused["repeatable"]), ("refused", None), "refused")
    contains(refused["message"], "urn:nobody")
    synth = found["click-synth"]
    equal((synth["status"], synth["audible"], "notes" in synth["features"]), ("repeatable", True, True), "synth")


def test_probe_survives_what_misbehaves(folder):
    machine = Machine(folder)
    cases = {"segv": "signal", "nan": "", "exit-0": "exit", "loop": "", "segv-instantiate": "", "deaf": ""}
    begun = time.monotonic()
    found = machine.probe(*(HOSTILE + name for name in cases), more=("--jobs", "3"))
    equal(time.monotonic() - begun < 110, True, "bounded")
    for name, part in cases.items():
        one = found[HOSTILE + name]
        equal((one["status"], one["repeatable"]), ("faulty", None), name)
        equal(one["failed"], "runs of 1024 frames", name)
        equal(one["message"] != "", True, name)
        contains(one["message"], part)


def test_probe_keeps_what_it_knows(folder):
    machine = Machine(folder)
    machine.probe("test:gain2", "test:stepped")
    records = sorted(os.listdir(f"{folder}/data/loophole/evidence"))
    equal(len(records), 2, "records")
    text = read(f"{folder}/data/loophole/evidence/{records[0]}").decode()
    equal("repeatable" in text and "date" not in json.loads(text), True, "record")
    equal(machine.plugins("list", "gain2")[TEST + "gain2"]["status"], "repeatable", "list")
    told = machine.must(0, "plugins", "probe", "test:gain2", "--progress", "json").talk
    equal(told, "", "known already")
    events = [json.loads(line) for line in
              machine.must(0, "plugins", "probe", "test:gain2", "--again", "--progress", "json").talk.splitlines()]
    equal([(one["event"], one["uri"], one["done"], one["total"]) for one in events], [("probed", TEST + "gain2", 1, 1)], "again")
    shutil.move(f"{folder}/data/loophole", f"{folder}/system")
    os.makedirs(f"{folder}/system2")
    shutil.move(f"{folder}/system", f"{folder}/system2/loophole")
    machine.environment["XDG_DATA_DIRS"] = f"{folder}/system2"
    equal(machine.plugins("list", "gain2")[TEST + "gain2"]["status"], "repeatable", "records of the system")
    machine.environment["XDG_DATA_HOME"] = "/proc/nowhere"
    contains(machine.must(1, "plugins", "probe", "test:tail").talk, "cannot be written")
    contains(machine.must(4, "plugins", "probe", "no-such-plugin").talk, "no such plugin")


def test_an_interrupted_probe_keeps_what_is_done(folder):
    machine = Machine(folder)
    machine.plugins("list")
    process = subprocess.Popen([LOOPHOLE, "plugins", "probe", "--progress", "json"], env=machine.environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    done = json.loads(process.stderr.readline())
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    process.communicate(timeout=60)
    equal(process.returncode, 130, "exit status")
    equal(time.monotonic() - begun < 5, True, "soon")
    equal(len(os.listdir(f"{folder}/data/loophole/evidence")) >= 1, True, "records")
    equal(machine.plugins("list")[done["uri"]]["status"], done["status"], "kept")


def test_a_plugin_in_a_project(folder):
    machine = Machine(folder)
    project = project_with(folder, {"plugin": TEST + "gain2", "parameters": {"gain": 0.5}})
    report = machine.render(project)
    one, = report["plugins"]
    equal((one["track"], one["node"], one["uri"], one["name"], one["repeatable"], one["evidence"], one["latencyFrames"],
           one["copies"], one["standsIn"], one["bypassed"]),
          ("t", "n0", TEST + "gain2", "gain2", False, None, 0, 1, False, False), "plugin")
    equal("pluginCpuSeconds" in report["times"], True, "times")
    channels, _ = read_wav(read(f"{folder}/out/mix.wav"))
    single = struct.unpack("<48000f", struct.pack("<48000f", *sine(FRAMES)))
    worst = max(abs(x - 0.5 * y) for x, y in zip(channels[0], single))
    equal(worst <= 2 ** -40, True, f"half of it, off by {worst}")
    said = machine.must(0, "render", project, "-o", f"{folder}/out").talk
    contains(said, "1 plugin is not proven repeatable: gain2; 'loophole plugins probe' tells")
    equal(digest_of(machine.render(project, "--jail", "off")), digest_of(report), "without the jail")
    machine.probe("gain2")
    report = machine.render(project)
    one, = report["plugins"]
    equal((one["repeatable"], one["evidence"]["status"], one["evidence"]["blockInvariant"]), (True, "repeatable", True), "proven")
    equal("proven" in machine.must(0, "render", project, "-o", f"{folder}/out").talk, False, "nothing to say")


def test_only_what_is_proven_is_cached(folder):
    machine = Machine(folder)
    project = project_with(folder, {"plugin": TEST + "gain2"})
    cache = ("--cache", f"{folder}/kept")
    for _ in range(2):
        equal(machine.render(project, *cache)["deliverables"][0]["cached"], False, "not proven")
    equal(os.path.isdir(f"{folder}/kept/deliverables") and os.listdir(f"{folder}/kept/deliverables"),
          os.path.isdir(f"{folder}/kept/deliverables") and [], "nothing is kept")
    machine.probe("gain2")
    equal(machine.render(project, *cache)["deliverables"][0]["cached"], False, "proven, cold")
    warm = machine.render(project, *cache)
    equal(warm["deliverables"][0]["cached"], True, "proven, warm")
    equal("latencyFrames" in warm["plugins"][0], False, "it did not run")


PRESET = """@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix pset: <http://lv2plug.in/ns/ext/presets#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
%s a pset:Preset ; lv2:appliesTo <urn:loophole:test:state-holder> ; rdfs:label "%s" %s .
"""


def test_presets_of_other_bundles(folder):
    """As a factory's in a bundle of their own, and as hosts save a user's: named by its file, in a folder below."""
    os.mkdir(f"{folder}/lv2")
    shutil.copytree(f"{PLUGINS}/friendly.lv2", f"{folder}/lv2/friendly.lv2")
    port = '; lv2:port [ lv2:symbol "trim" ; pset:value 0.5 ]'
    for bundle, name, file in (("banks of presets", "<urn:test:half>", "half.ttl"), ("user.preset.lv2", "<in/h.ttl>", "in/h.ttl")):
        own = f"{folder}/lv2/{bundle}"
        os.makedirs(os.path.dirname(f"{own}/{file}"))
        write(f"{own}/manifest.ttl", (PRESET % (name, bundle, f"; rdfs:seeAlso <{file}>")).encode())
        write(f"{own}/{file}", (PRESET % ("<>" if "in/" in file else name, bundle, port)).encode())
    machine = Machine(folder, f"{folder}/lv2")
    holder = TEST + "state-holder"
    plain = machine.render(project_with(folder, {"plugin": holder}))
    wanted = digest_of(machine.render(project_with(folder, {"plugin": holder, "parameters": {"trim": 0.5}})))
    equal(wanted == digest_of(plain), False, "heard")
    for bundle in ("banks of presets", "user.preset.lv2"):
        equal(digest_of(machine.render(project_with(folder, {"plugin": holder, "preset": bundle}))), wanted, bundle)


def test_missing_plugins(folder):
    machine = Machine(folder)
    missing = {"plugin": TEST + "gian2"}
    report = machine.render(project_with(folder, missing), status=4)
    fault, = report["faults"]
    contains(fault["where"], "/tracks/0/nodes/0")
    contains(fault["message"], TEST + "gain2")
    contains(machine.must(4, "check", f"{folder}/p.json").talk, TEST + "gain2")
    report = machine.render(project_with(folder, {**missing, "ifMissing": "bypass"}))
    equal([(one["bypassed"], one["uri"]) for one in report["plugins"]], [(True, TEST + "gian2")], "bypassed")
    equal([one["warning"] for one in report["warnings"]], ["bypassed"], "warnings")
    stand_in = {"id": "s", "plugin": TEST + "gain2", "parameters": {"gain": 0.25}}
    report = machine.render(project_with(folder, {**missing, "ifMissing": [stand_in]}))
    equal([(one["standsIn"], one["uri"]) for one in report["plugins"]], [(True, TEST + "gain2")], "stand-in")
    equal([one["warning"] for one in report["warnings"]], ["standsIn"], "warnings")


def test_wrong_parameters_are_told_with_their_place(folder):
    machine = Machine(folder)
    project = project_with(folder, {"plugin": TEST + "gain2", "parameters": {"gian": 1}})
    told = json.loads(machine.must(3, "check", project, "--json").stdout)
    contains(told["faults"][0]["where"], "/tracks/0/nodes/0/parameters/gian")
    contains(told["faults"][0]["message"], "gain")
    project = project_with(folder, {"plugin": TEST + "gain2", "parameters": {"gain": 40}})
    contains(machine.must(3, "check", project).talk, "/tracks/0/nodes/0/parameters/gain")


def test_a_crash_names_the_plugin(folder):
    machine = Machine(folder)
    for name in ("segv", "abort", "nan"):
        report = machine.render(project_with(folder, {"plugin": HOSTILE + name, "parameters": {"after": 24000}}), status=1)
        error = report["error"]
        told = error["where"] + error["message"]
        contains(told, "t")
        contains(told, "n0")
        contains(told, name)
        equal(os.path.exists(f"{folder}/out"), False, "nothing is left")


def test_a_latency_that_changes_is_a_warning(folder):
    machine = Machine(folder)
    project = project_with(folder, {"plugin": TEST + "late"})
    report = machine.render(project)
    equal([one["warning"] for one in report["warnings"]], ["latencyChanged"], "warnings")
    equal(report["plugins"][0]["latencyChanged"], True, "plugin")
    contains(machine.must(0, "render", project, "-o", f"{folder}/out").talk, "warning: track t, node n0: late told of another latency")


def variable(number):
    """A variable-length quantity of a MIDI file."""
    digits = [number & 0x7F]
    while number > 0x7F:
        number >>= 7
        digits.insert(0, number & 0x7F | 0x80)
    return bytes(digits)


def midi_file(notes):
    """Notes (quarter, length, key) of a file of one track with 96 ticks to the quarter."""
    events = sorted((round(at * 96), kind, key) for start, length, key in notes
                    for at, kind in ((start, 0x90), (start + length, 0x80)))
    data, before = b"", 0
    for tick, kind, key in events:
        data += variable(tick - before) + bytes([kind, key, 100])
        before = tick
    data += b"\0\xff\x2f\0"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96) + b"MTrk" + struct.pack(">I", len(data)) + data


def test_midi_files_play_as_notes_do(folder):
    machine = Machine(folder)
    write(f"{folder}/song.mid", midi_file([(0, 0.5, 60), (1, 0.5, 64)]))

    def song(clips):
        return write(f"{folder}/song.json", {
            "loophole": 1, "sampleRate": 48000,
            "tracks": [{"id": "t", "type": "instrument", "nodes": [{"id": "n", "plugin": TEST + "click-synth"}], "clips": clips}],
            "deliverables": [{"name": "mix", "source": "t", "format": "wav", "bitDepth": 32, "range": {"end": {"seconds": 2}}}]})

    notes = [{"at": {"beats": at}, "duration": {"beats": 0.5}, "key": key, "velocity": 100} for at, key in ((0, 60), (1, 64))]
    written = digest_of(machine.render(song([{"start": {"beats": 0}, "duration": {"beats": 4}, "notes": notes}])))
    filed = digest_of(machine.render(song([{"start": {"beats": 0}, "midi": "song.mid"}])))
    equal(filed, written, "the same notes")
    equal(max(abs(x) for x in read_wav(read(f"{folder}/out/mix.wav"))[0][0]) > 0, True, "sound")
    write(f"{folder}/song.mid", b"not a MIDI file")
    report = machine.render(song([{"start": {"beats": 0}, "midi": "song.mid"}]), status=4)
    contains(report["faults"][0]["where"], "/tracks/0/clips/0")
    os.unlink(f"{folder}/song.mid")
    report = machine.render(song([{"start": {"beats": 0}, "midi": "song.mid"}]), status=4)
    contains(report["faults"][0]["message"], "song.mid")


def test_states_are_read_from_the_project(folder):
    machine = Machine(folder)
    os.mkdir(f"{folder}/states")
    write(f"{folder}/states/s.ttl", b"""@prefix atom: <http://lv2plug.in/ns/ext/atom#> .
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix state: <http://lv2plug.in/ns/ext/state#> .
@prefix test: <urn:loophole:test:> .
<> a <http://lv2plug.in/ns/ext/presets#Preset> ; lv2:appliesTo test:state-holder ;
    state:state [ test:taps [ a atom:Vector ; atom:childType atom:Float ; rdf:value ( 2.0 0.0 0.0 0.0 ) ] ] .
""")
    plain = digest_of(machine.render(project_with(folder, {"plugin": TEST + "state-holder"})))
    stated = digest_of(machine.render(project_with(
        folder, {"plugin": TEST + "state-holder", "state": {"file": "states/s.ttl"}})))
    equal(plain == stated, False, "the state takes effect")
    report = machine.render(project_with(folder, {"plugin": TEST + "state-holder", "state": {"file": "states/t.ttl"}}), status=4)
    contains(report["faults"][0]["where"], "/tracks/0/nodes/0/state")
    contains(report["faults"][0]["message"], "states/s.ttl")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(run_tests(TESTS))
