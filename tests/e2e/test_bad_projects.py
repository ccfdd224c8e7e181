# SPDX-License-Identifier: MIT
"""Broken projects through the whole program: test_bad_projects.py LOOPHOLE LOOPHOLE-SIGNAL."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "pulse-daemon/project"))

import broken  # the table of the project reader's tests
from bad import ENVIRONMENT, LOOPHOLE, OWN, case, fails, loophole, main, refused, small_project
from tap import Skip, contains, equal, write

GOOD = {"loophole": 1, "name": "Good", "tracks": []}
MIB = 1 << 20


# --- the table of the project reader ----------------------------------------------------------------------------------

def entry_of_the_table(folder, entry):
    project = write(f"{folder}/{entry['name']}.json", broken.document(entry))
    faults = refused(folder, 3, (), project, entry["where"], more=entry.get("more", False))
    told = {where: message for where, _, message in faults}
    words = entry["words"] * (len(entry["where"]) if len(entry["words"]) == 1 else 1)
    for where, part in zip(entry["where"], words):
        contains(told[where], part)


def text_of_the_table(folder, text, words):
    write(f"{folder}/text.json", text)
    refused(folder, 3, ("text.json", words), f"{folder}/text.json")


# --- texts that are no JSON, or more of it than anyone can mean -------------------------------------------------------

def around(value):
    return b'{"loophole": 1, "ext": {"a": ' + value + b"}}"


TEXTS = {
    "byte order mark": (b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), "line 1"),
    "utf 16": (json.dumps(GOOD).encode("utf-16"), "line 1"),
    "utf 32": (json.dumps(GOOD).encode("utf-32-be"), "line 1"),
    "lone high surrogate": (around(b'"\\ud800"'), "line 1"),
    "lone low surrogate": (around(b'"\\udc00"'), "line 1"),
    "surrogates in the wrong order": (around(b'"\\udc00\\ud800"'), "line 1"),
    "surrogate as utf 8": (around(b'"\xed\xa0\x80"'), "line 1"),
    "overlong utf 8": (around(b'"\xc0\xaf"'), "line 1"),
    "utf 8 past unicode": (around(b'"\xf4\x90\x80\x80"'), "line 1"),
    "utf 8 cut off": (b'{"loophole": 1, "name": "\xe2\x82', "line 1"),
    "latin 1": (around('"Käfer"'.encode("latin-1")), "line 1"),
    "nul in a name": (b'{"loophole": 1, "a\\u0000b": 1}', "line 1"),
    "raw nul inside": (around(b'"a\0b"'), "line 1"),
    "raw tab": (around(b'"a\tb"'), "line 1"),
    "unknown escape": (around(b'"\\x41"'), "line 1"),
    "string without end": (b'{"loophole": 1, "name": "a', "line 1"),
    "infinity": (around(b"Infinity"), "line 1"),
    "minus infinity": (around(b"-Infinity"), "line 1"),
    "minus nan": (around(b"-NaN"), "line 1"),
    "minus 1e999": (around(b"-1e999"), ""),
    "leading zero": (around(b"01"), "line 1"),
    "plus sign": (around(b"+1"), "line 1"),
    "bare fraction": (around(b".5"), "line 1"),
    "fraction without digits": (around(b"1."), "line 1"),
    "exponent without digits": (around(b"1e"), "line 1"),
    "hexadecimal": (around(b"0x10"), "line 1"),
    "single quotes": (b"{'loophole': 1}", "line 1"),
    "python": (b'{"loophole": True}', "line 1"),
    "names without quotes": (b"{loophole: 1}", "line 1"),
    "two documents": (b'{"loophole": 1} {"loophole": 1}', "line 1"),
    "json lines": (b'{"loophole": 1}\n{"loophole": 1}\n', "line 2"),
    "only a bracket": (b"[", "line 1"),
    "only a number": (b"1", "an object"),
    "closed twice": (b'{"loophole": 1}}', "line 1"),
    "closed with the other": (b'{"loophole": 1, "tracks": [}]', "line 1"),
    "colon missing": (b'{"loophole" 1}', "line 1"),
    "comma missing": (b'{"loophole": 1 "name": "a"}', "line 1"),
    "yaml": (b"loophole: 1\nname: a\n", "line 1"),
    "xml": (b'<?xml version="1.0"?><project/>', "line 1"),
    "gzip": (b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + bytes(100), ""),
    "elf": (b"\x7fELF" + bytes(200), ""),
    "zeros": (bytes(4096), ""),
    "deep arrays": (b"[" * 100000, ""),
    "deep objects": (b'{"a":' * 100000, ""),
    "deep and closed": (around(b"[" * 100000 + b"]" * 100000), ""),
    "a level too deep": (around(b"[" * 63 + b"]" * 63), "64"),
    "a number of a million digits": (b'{"loophole": ' + b"1" * MIB + b"}", ""),
    "a fraction of a million digits": (b'{"loophole": 0.' + b"3" * MIB + b"}", "/loophole"),
    "an integer past 64 bits": (b'{"loophole": 18446744073709551616}', ""),
    "a name of ten megabytes": (b'{"loophole": 1, "name": "' + b"x" * 10 * MIB + b'"}', "/name"),
    "a member of ten megabytes": (b'{"loophole": 1, "' + b"x" * 10 * MIB + b'": 1}', "no member"),
    "duplicate deep inside": (around(b'[{"b": 1, "b": 2}]'), "b"),
    "duplicate by escape": (b'{"loophole": 1, "name": "a", "n\\u0061me": "b"}', "name"),
    "64 megabytes and a byte": (b'{"loophole": 1}' + b" " * (64 * MIB - 14), "64"),
    "64 megabytes of arrays": (b'{"loophole": 1, "tracks": [' + b"[]," * ((64 * MIB - 40) // 3) + b"[]]}", "8 million values"),
    "a million values that are no tracks": (b'{"loophole": 1, "tracks": [' + b"[]," * MIB + b"[]]}", "at most 4096"),
    "a million unknown members": (b'{"loophole": 1' + b"".join(b',"m%d":1' % i for i in range(MIB)) + b"}", "more faults"),
}


def text(folder, content, words):
    write(f"{folder}/text.json", content)
    refused(folder, 3, ("text.json: ", words), f"{folder}/text.json")


def test_every_prefix_of_a_project(folder):
    """A project that was cut off while it was copied."""
    whole = json.dumps(broken.BASE).encode()
    for length in range(1, len(whole), 97):
        write(f"{folder}/cut.json", whole[:length])
        fails(folder, 3, "cut.json: ", "check", "cut.json")


def test_ten_faults_are_ten_messages(folder):
    project = small_project(folder, sampelRate=1, colour=2, quantum=1000, panLaw="loud", name=7, tempo={}, markers=[5],
                            resampler="sox", ext=[], media={"a": {"file": "../a.wav"}})
    faults = refused(folder, 3, (), project, [
        "/sampelRate", "/colour", "/quantum", "/panLaw", "/name", "/tempo", "/markers/0", "/resampler", "/ext", "/media/a/file"])
    talk = fails(folder, 3, "10 faults", "check", project).talk
    equal(len(talk.splitlines()), 11, "lines")
    equal(len(faults), 10, "faults")
    for where, _, message in faults:
        contains(talk, f"small.json: {where}: {message}")


def test_past_a_thousand_faults_only_their_number_is_told(folder):
    project = small_project(folder, tracks=[{"id": f"t{i}", "type": "audio", "gainDB": 1} for i in range(4000)])
    talk = fails(folder, 3, ("did you mean \"gainDb\"", "... and 3000 more faults", "4000 faults"), "check", project).talk
    equal(len(talk.splitlines()), 1002, "lines")


def test_the_longest_text_that_is_read(folder):
    """64 MiB and no byte more: read, and judged."""
    write(f"{folder}/large.json", b'{"loophole": 1, "nmae": ""}'.ljust(64 * MIB))
    refused(folder, 3, 'did you mean "name"?', f"{folder}/large.json", ["/nmae"])


# --- a project that is not a plain file -------------------------------------------------------------------------------

def test_project_is_missing(folder):
    refused(folder, 3, ("none.json: ", "No such file"), f"{folder}/none.json")


def test_project_is_a_folder(folder):
    os.mkdir(f"{folder}/folder.json")
    refused(folder, 3, "folder", f"{folder}/folder.json")


def test_project_is_a_dangling_link(folder):
    os.symlink("nowhere.json", f"{folder}/link.json")
    refused(folder, 3, "link.json: ", f"{folder}/link.json")


def test_project_is_a_link_to_itself(folder):
    os.symlink("link.json", f"{folder}/link.json")
    refused(folder, 3, "link.json: ", f"{folder}/link.json")


def test_project_from_a_pipe(folder):
    """Its text may come from a program; waiting for one that never comes ends with Ctrl-C."""
    os.mkfifo(f"{folder}/pipe.json")
    process = subprocess.Popen([LOOPHOLE, "check", f"{folder}/pipe.json"], env=ENVIRONMENT, stderr=subprocess.PIPE)
    with open(f"{folder}/pipe.json", "w", encoding="utf-8") as pipe:
        pipe.write('{"loophole": 1')
    contains(process.communicate(timeout=60)[1].decode(), "pipe.json: line 1")
    equal(process.returncode, 3, "exit status")
    process = subprocess.Popen([LOOPHOLE, "check", f"{folder}/pipe.json"], env=ENVIRONMENT, stderr=subprocess.PIPE)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    equal(process.returncode, 130, "exit status")


def test_project_is_a_socket(folder):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"{folder}/socket.json")
        refused(folder, 3, "socket.json: ", f"{folder}/socket.json")


def test_project_is_a_device(folder):
    for device in ("/dev/null", "/dev/zero", "/dev/full"):
        refused(folder, 3, device, device)


def test_project_is_below_a_file(folder):
    small_project(folder)
    refused(folder, 3, "Not a directory", f"{folder}/small.json/small.json")


def test_project_has_too_long_a_name(folder):
    refused(folder, 3, "too long", f"{folder}/{'x' * 300}.json")


def test_project_has_no_name(folder):
    fails(folder, (2, 3), "", "render", "")


def test_project_cannot_be_read(folder):
    """As another user, because root may read anything."""
    if os.geteuid() != 0:
        raise Skip("takes root to become someone else")
    project = small_project(folder)
    for path in (OWN, folder):
        os.chmod(path, 0o755)
    os.chmod(project, 0)
    fails(folder, 3, "Permission denied", "check", project, user=65534)


# --- more than anyone needs -------------------------------------------------------------------------------------------

def tracks(count, **members):
    return [{"id": f"t{i}", "type": "audio", "clips": [{"media": "a", "start": {"beats": 0}}], **members} for i in range(count)]


def test_ten_thousand_tracks(folder):
    project = small_project(folder, tracks=tracks(10000))
    refused(folder, 3, "at most 4096 entries, not 10000", project, ["/tracks"], more=True)


def test_as_many_tracks_as_there_may_be(folder):
    project = small_project(folder, tracks=tracks(4096, gainDb=-72))
    equal(loophole("render", project, "-o", f"{folder}/out").returncode, 0, "exit status")


def test_too_many_deliverables(folder):
    project = small_project(folder, deliverables=[{"name": f"d{i}", "source": "master", "format": "wav"} for i in range(5000)])
    refused(folder, 3, "at most 4096", project, ["/deliverables"], more=True)


def test_deliverables_times_tracks(folder):
    names = [f"t{i}" for i in range(1000)]
    project = small_project(folder, tracks=tracks(1000), deliverables=[
        {"name": f"d{i}", "source": {"each": names}, "format": "wav"} for i in range(5)])
    refused(folder, 3, "come to 5000 files", project, ["/deliverables"])


def test_too_many_media(folder):
    project = small_project(folder, media={"a": {"file": "a.wav"}, **{f"m{i}": {"file": f"m{i}.wav"} for i in range(100000)}})
    refused(folder, 3, "at most 100000", project, ["/media"])


def test_too_many_clips(folder):
    project = small_project(folder, tracks=[
        {"id": f"t{i}", "type": "audio", "clips": [{"media": "a"}] * 250001} for i in range(4)])
    refused(folder, 3, "1000000", project, more=True)


def test_a_clip_that_loops_for_ages(folder):
    project = small_project(folder, tracks=[{"id": "t", "type": "audio", "clips": [
        {"media": "a", "start": {"beats": 0}, "duration": {"frames": 1 << 40}, "loop": True}]}])
    fails(folder, 3, ("/tracks/0/clips/0",), "check", project)


def test_a_ramp_of_days(folder):
    points = [{"at": {"seconds": 0}, "value": -60}, {"at": {"seconds": 10000000}, "value": 0}]
    project = small_project(folder, tracks=[{**tracks(1)[0], "automation": [{"parameter": "gainDb", "points": points}]}])
    done = loophole("check", project)
    equal(done.returncode in (0, 3), True, f"exit status {done.returncode}: {done.talk}")


# --- what only the compiler can see -----------------------------------------------------------------------------------

def test_nothing_to_render(folder):
    project = small_project(folder, tracks=[])
    refused(folder, 3, "", project)


def test_a_cycle_is_named(folder):
    names = [f"g{i}" for i in range(50)]
    project = small_project(folder, tracks=[
        {"id": name, "type": "group", "output": names[(i + 1) % 50]} for i, name in enumerate(names)])
    refused(folder, 3, " -> ".join(names[:10]), project)


def test_a_plugin_that_is_not_installed(folder):
    project = small_project(folder, tracks=[{**tracks(1)[0], "nodes": [{"id": "n", "plugin": "lv2:urn:x"}]}])
    refused(folder, 4, "is not installed", project, ["/tracks/0/nodes/0/plugin"])


def test_notes_without_their_instrument(folder):
    project = small_project(folder, tracks=[*tracks(1), {"id": "i", "type": "instrument", "nodes": [
        {"id": "n", "plugin": "lv2:urn:x"}], "clips": [{"start": {"beats": 0}, "duration": {"beats": 4}, "notes": []}]}])
    refused(folder, 4, "/tracks/1", project)


def test_a_container_that_cannot_hold_it(folder):
    project = small_project(folder, tracks=[*tracks(1), {"id": "wide", "type": "group", "channels": 6}], deliverables=[
        {"name": "d", "source": "wide", "format": "mp3"}])
    refused(folder, 3, "MP3 holds 1 or 2 channels, not 6", project, ["/deliverables/0"])


def test_overrides_are_checked_like_the_project(folder):
    project = small_project(folder)
    for change, where in (("/tracks/0/pan=2", "/tracks/0/pan"), ("/tracks/7/pan=0", "/tracks/7"), ("/media/a/file=../x", "/media/a/file"),
                          ("/tracks/0/gainDb=1e999", "gainDb"), ("tracks=1", "tracks"), ("/=1", "no member")):
        fails(folder, (2, 3), where, "render", project, "-o", f"{folder}/out", "--set", change)


TESTS = [case(f"table {entry['name']}", entry_of_the_table, entry) for entry in broken.TABLE]
TESTS += [case(f"table {name}", text_of_the_table, content, words) for name, content, words in broken.TEXTS]
TESTS += [case(f"text: {name}", text, content, words) for name, (content, words) in TEXTS.items()]
TESTS += [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    main(TESTS)
