# SPDX-License-Identifier: MIT
"""The examples do what they say: test_examples.py LOOPHOLE LOOPHOLE-SIGNAL ROOT."""
import glob
import json
import os
import shutil
import sys

import jsonschema
import numpy

from tap import environment, equal, read, run, run_tests

LOOPHOLE, SIGNAL, ROOT = (os.path.abspath(path) for path in sys.argv[1:4])
LANTERN = f"{ROOT}/examples/lantern/lantern.json"
FIRST = f"{ROOT}/examples/first/first.json"
STEMS = ["drums", "bass", "keys", "guitar", "strings", "flute", "spark", "air"]
LSB_24 = 2.0 ** -23


def loophole(*arguments):
    done = run([LOOPHOLE, *arguments], env=environment(LOOPHOLE_SIGNAL=SIGNAL))
    if done.returncode != 0:
        raise AssertionError(f"exit status {done.returncode}: {done.talk}")
    return done


def render(folder, *options):
    """Renders the piece; the report."""
    loophole("render", LANTERN, "-o", folder, "--report", f"{folder}/report.json", "--progress", "none", *options)
    return json.loads(read(f"{folder}/report.json"))


def deliverable(report, name):
    """The entries of a report whose deliverable has this name."""
    return [item for item in report["deliverables"] if item["name"] == name]


def floats(path):
    """A WAV of floats as frames by channels in double precision; also where the header is an extended one."""
    data = read(path)
    at = 12
    while data[at:at + 4] != b"data":
        if data[at:at + 4] == b"fmt ":
            channels = int.from_bytes(data[at + 10:at + 12], "little")
        at += 8 + int.from_bytes(data[at + 4:at + 8], "little")
    size = int.from_bytes(data[at + 4:at + 8], "little")
    return numpy.frombuffer(data, "<f4", size // 4, at + 8).reshape(-1, channels).astype(numpy.float64)


def projects():
    found = sorted(glob.glob(f"{ROOT}/examples/*/*.json"))
    equal([path for path in (LANTERN, FIRST) if path not in found], [], "missing examples")
    return found


def test_every_example_is_sound(folder):
    for path in projects():
        answer = json.loads(loophole("check", path, "--json").stdout)
        equal(answer.get("faults", []), [], path)


def test_every_example_fits_the_schema(folder):
    schema = jsonschema.Draft202012Validator(json.loads(read(f"{ROOT}/proto/project.schema.json")))
    for path in projects():
        equal([fault.message for fault in schema.iter_errors(json.loads(read(path)))], [], path)


def test_the_readme_shows_the_first_example(folder):
    text = read(f"{ROOT}/README.md").decode()
    block = text.split("## A first project", 1)[1].split("```json\n", 1)[1].split("```", 1)[0]
    equal(block, read(FIRST).decode(), "the project in README.md")


def test_the_commands_of_the_readme_do_as_it_says(folder):
    """Whoever copies the three lines gets no fault, and one file twice."""
    shutil.copytree(os.path.dirname(FIRST), f"{folder}/first")
    text = read(f"{ROOT}/README.md").decode().split("## A first project", 1)[1].split("\n## ", 1)[0]
    lines = [line.split("#")[0].split() for line in text.splitlines() if line.startswith("    loophole ")]
    equal([line[1] for line in lines], ["check", "render", "mix"], "commands")
    for line in lines:
        done = run([LOOPHOLE, *line[1:]], env=environment(LOOPHOLE_SIGNAL=SIGNAL), cwd=f"{folder}/first")
        equal(done.returncode, 0, done.talk)
    equal(read(f"{folder}/first/out/mix.wav") == read(f"{folder}/first/mix.wav"), True, "one file by both ways")


def test_the_first_example_renders(folder):
    loophole("render", FIRST, "-o", folder, "--report", f"{folder}/report.json")
    report = json.loads(read(f"{folder}/report.json"))
    equal([os.path.basename(item["file"]) for item in report["deliverables"]], ["mix.wav"], "deliverables")
    equal(report["deliverables"][0]["clippedSamples"], 0, "clipped samples")


def test_lantern_delivers_what_it_lists(folder):
    report = render(folder)
    names = sorted(["mix.wav", "web.opus", "drum-bus.wav"] + [f"stems-{stem}.flac" for stem in STEMS])
    equal(sorted(os.path.basename(item["file"]) for item in report["deliverables"]), names, "deliverables")
    equal(sorted(os.listdir(folder)), sorted(names + ["report.json"]), "files")
    mix = deliverable(report, "mix")[0]
    for item in report["deliverables"]:
        equal(item["clippedSamples"], 0, f"clipped samples of {item['file']}")
        equal(item["gainDb"], mix["gainDb"], f"gain of {item['file']}")
        equal(item["frames"], mix["frames"], f"frames of {item['file']}")
    reached = mix["loudness"]["reached"]
    if abs(reached["integratedLufs"] + 16) > 0.05 or reached["truePeakDbtp"] > -1:
        raise AssertionError(f"the mix reached {reached}")


def test_lantern_renders_to_the_same_bytes_twice(folder):
    first, second = f"{folder}/first", f"{folder}/second"
    render(first, "--threads", "1")
    render(second, "--threads", "2", "--block", "2048")
    files = sorted(os.listdir(first))
    equal(sorted(os.listdir(second)), files, "files")
    for name in files:
        if name != "report.json":
            equal(read(f"{first}/{name}") == read(f"{second}/{name}"), True, f"{name} is the same")


def test_the_stems_of_lantern_add_up_to_its_mix(folder):
    project = json.loads(read(LANTERN))
    place = {item["name"]: number for number, item in enumerate(project["deliverables"])}
    options = []
    for name in ("mix", "stems", "drum-bus"):
        for member, value in (("format", "wav"), ("bitDepth", "32"), ("dither", "none")):
            options += ["--set", f"/deliverables/{place[name]}/{member}={value}"]
        options += ["--deliverable", name]
    render(folder, *options)
    mix = floats(f"{folder}/mix.wav")
    total = sum(floats(f"{folder}/stems-{stem}.wav") for stem in STEMS)
    difference = float(numpy.max(numpy.abs(total - mix)))
    if float(numpy.max(numpy.abs(mix))) < 0.1 or difference > 2 * LSB_24:
        raise AssertionError(f"the sum of the stems is {difference / LSB_24} LSB of 24 bits from the mix")
    # A group that only feeds the master contributes what leaves its fader, rounded to the master's grid of 2^-40.
    difference = float(numpy.max(numpy.abs(floats(f"{folder}/drum-bus.wav") - floats(f"{folder}/stems-drums.wav"))))
    if difference > 2.0 ** -36:
        raise AssertionError(f"the drums' contribution is {difference} from their stem")


def test_lantern_ends_in_silence(folder):
    render(folder, "--deliverable", "mix", "--set", "/deliverables/0/bitDepth=32", "--set", "/deliverables/0/dither=none")
    mix = numpy.abs(floats(f"{folder}/mix.wav"))
    second = 48000
    levels = [float(mix[len(mix) - (back + 1) * second:len(mix) - back * second].max()) for back in range(4)]
    equal(levels, sorted(levels), "levels of the last seconds, backwards")
    if float(mix[-second // 100:].max()) > 10 ** (-80 / 20):
        raise AssertionError("the last 10 ms are heard")


sys.exit(run_tests([function for name, function in list(globals().items()) if name.startswith("test_")]))
