# SPDX-License-Identifier: MIT
"""Broken media, and media in wrong places, through the whole program: test_bad_media.py LOOPHOLE LOOPHOLE-SIGNAL."""
import math
import os
import pathlib
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "engine/io"))

import broken_media  # the files of the decoder's tests
from bad import OWN, case, ends, fails, faults_of, loophole, main, refused, small_project
from tap import Skip, contains, equal, read, sine, wav_bytes, write

EXIT = {"ok": 0, "format": 4, "fault": 1}


# --- the files of the decoder's tests ---------------------------------------------------------------------------------

def broken_file(folder, name, content, status, words):
    """Rendered from a project and mixed with a good stem: refused as a medium, by its name, and nothing is left."""
    write(f"{folder}/{name}", content)
    project = small_project(folder, media={"a": {"file": "a.wav"}, "bad": {"file": name}}, tracks=[
        {"id": "good", "type": "audio", "clips": [{"media": "a", "start": {"beats": 0}}]},
        {"id": "lead", "type": "audio", "clips": [{"media": "bad", "start": {"beats": 0}}],
         **({"channels": 16} if name == "odd-16-channels.wav" else {})}],
        deliverables=[{"name": "d", "source": "good", "format": "wav"}, {"name": "e", "source": "lead", "format": "wav"}])
    checked = loophole("check", project, "--json")
    if status == "ok":
        ends(checked, 0)
        ends(loophole("render", project, "-o", f"{folder}/out"), 0)
        equal(sorted(os.listdir(f"{folder}/out")), ["d.wav", "e.wav"], "files")
        return
    words = words.strip()
    rendered = fails(folder, EXIT[status], words, "render", project, "-o", f"{folder}/out", "--report", "-")
    if checked.returncode != 0:  # what only decoding can find, rendering finds
        equal(faults_of(checked), faults_of(rendered), "faults")
    if status == "format":
        contains(rendered.talk, "media bad" if checked.returncode == 0 else f"/media/bad: {name}: ")
    else:
        contains(rendered.talk, "lead")
    mixed = fails(folder, EXIT[status], words, "mix", "a.wav", name, "-o", "mix.wav")
    contains(mixed.talk, name.rsplit(".", 1)[0])


FOUND_BY_THE_READER = ("must not lead out", "must not be absolute", "backslash", "control character")


# --- media in wrong places --------------------------------------------------------------------------------------------

def in_wrong_place(make, status, words):
    def test(folder):
        inside = f"{folder}/project"
        os.mkdir(inside)
        write(f"{folder}/secret.wav", wav_bytes([sine(100)]))
        small_project(inside)
        path = make(folder, inside) or "b.wav"
        project = small_project(inside, media={"a": {"file": "a.wav"}, "b": {"file": path}}, tracks=[
            {"id": "t", "type": "audio", "clips": [{"media": "a", "start": {"beats": 0}}, {"media": "b", "start": {"beats": 1}}]}])
        where = "/media/b/file" if words in FOUND_BY_THE_READER else "/media/b"
        faults = refused(inside, status, words, project, [where])
        equal("secret" in read(project).decode() or "secret" not in str(faults), True, "nothing is told of what lies outside")
    return test


def link(to, name="b.wav"):
    def make(_, inside):
        os.symlink(to, f"{inside}/{name}")
    return make


def unbound_socket(_, inside):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"{inside}/b.wav")


def link_up_and_down(folder, inside):
    os.symlink("..", f"{inside}/up")
    return "up/secret.wav"


def link_to_root(_, inside):
    os.symlink("/", f"{inside}/root")
    return "root/etc/passwd"


def near_name(_, inside):
    write(f"{inside}/vocals.wav", b"")
    return "vocls.wav"


def device(_, inside):
    os.mknod(f"{inside}/b.wav", 0o20666, os.makedev(1, 5))  # /dev/zero


def proc_link(_, inside):
    os.symlink("/proc/self/root/etc/passwd", f"{inside}/b.wav")


PLACES = {
    "missing": (lambda *_: None, 4, "there is no file \"b.wav\""),
    "missing with a near name": (near_name, 4, "vocals.wav"),
    "missing folder": (lambda *_: "stems/b.wav", 4, "stems/b.wav"),
    "folder": (lambda _, inside: os.mkdir(f"{inside}/b.wav"), 4, "b.wav"),
    "below a file": (lambda *_: "a.wav/b.wav", 4, "b.wav"),
    "dangling link": (link("nowhere.wav"), 4, "b.wav"),
    "link to itself": (link("b.wav"), 3, "symbolic link"),
    "link out of the folder": (link("../secret.wav"), 3, "symbolic link"),
    "absolute link": (link("/etc/passwd"), 3, "symbolic link"),
    "link to a folder above": (link_up_and_down, 3, "symbolic link"),
    "link to the root": (link_to_root, 3, "symbolic link"),
    "link through proc": (proc_link, 3, "symbolic link"),
    "pipe": (lambda _, inside: os.mkfifo(f"{inside}/b.wav"), 4, ("b.wav", "no regular file")),
    "link to a pipe": (lambda _, inside: (os.mkfifo(f"{inside}/pipe"), os.symlink("pipe", f"{inside}/b.wav"))[1], 4, "b.wav"),
    "socket": (unbound_socket, 4, "b.wav"),
    "device": (device, 4, ("b.wav", "no regular file")),
    "empty": (lambda _, inside: write(f"{inside}/b.wav", b"") and None, 4, "empty"),
    "path upwards": (lambda *_: "../secret.wav", 3, "must not lead out"),
    "path upwards in the middle": (lambda *_: "x/../../secret.wav", 3, "must not lead out"),
    "absolute path": (lambda folder, _: f"{folder}/secret.wav", 3, "must not be absolute"),
    "backslashes": (lambda *_: "..\\secret.wav", 3, "backslash"),
    "drive letter": (lambda *_: "C:/secret.wav", 4, "C:/secret.wav"),
    "url": (lambda *_: "https://example.org/a.wav", 4, "example.org/a.wav"),
    "tilde": (lambda *_: "~/secret.wav", 4, "~/secret.wav"),
    "escape sequence": (lambda *_: "\x1b[2J.wav", 3, "control character"),
}


def test_medium_cannot_be_read(folder):
    """As another user, because root may read anything."""
    if os.geteuid() != 0:
        raise Skip("takes root to become someone else")
    project = small_project(folder)
    for path in (OWN, folder):
        os.chmod(path, 0o755)
    os.chmod(f"{folder}/a.wav", 0)
    fails(folder, 4, ("/media/a: ", "ermission denied"), "check", project, user=65534)
    fails(folder, 4, ("a.wav: ", "ermission denied"), "mix", "a.wav", "-o", "-", user=65534)


def test_stems_of_a_mix_in_wrong_places(folder):
    small_project(folder)
    os.mkdir(f"{folder}/folder.wav")
    os.mkfifo(f"{folder}/pipe.wav")
    os.symlink("nowhere", f"{folder}/link.wav")
    stems = ["none.wav", "folder.wav", "pipe.wav", "link.wav", "a.wav/x.wav", "/dev/zero"]
    talk = fails(folder, 4, (), "mix", "a.wav", *stems, "-o", "out.wav").talk
    for stem in stems:
        contains(talk, f"{stem}: ")
    equal(len([line for line in talk.splitlines() if "cannot be read" in line]), len(stems), "every fault is told")


def test_every_missing_medium_is_told(folder):
    media = {f"m{i}": {"file": f"stems/m{i}.wav"} for i in range(200)}
    project = small_project(folder, media=media, tracks=[
        {"id": "t", "type": "audio", "clips": [{"media": name, "start": {"beats": 0}} for name in media]}])
    refused(folder, 4, (), project, [f"/media/{name}" for name in media])
    contains(fails(folder, 4, (), "check", project).talk, "200 faults")


def test_a_broken_medium_is_its_only_fault(folder):
    """What it holds is not known: nothing is said of how it fits its track."""
    write(f"{folder}/bad.wav", b"RIFF")
    for channels in (1, 2, 6):
        project = small_project(folder, media={"a": {"file": "bad.wav"}, "b": {"file": "none.wav"}}, tracks=[
            {"id": "t", "type": "audio", "channels": channels, "output": "g", "clips": [
                {"media": name, "start": {"beats": 0}} for name in ("a", "b")]},
            {"id": "g", "type": "group", "channels": channels}, {"id": "m", "type": "master", "channels": channels}])
        refused(folder, 4, (), project, ["/media/a", "/media/b"])


def test_media_that_nothing_needs_are_not_looked_for(folder):
    project = small_project(folder, media={"a": {"file": "a.wav"}, "b": {"file": "none.wav"}})
    ends(loophole("render", project, "-o", f"{folder}/out"), 0)


# --- samples that are no sound ----------------------------------------------------------------------------------------

def bad_sample(folder, value, frame, bits, words, **members):
    """In the second channel of the medium of a track called lead."""
    samples = [[0.25] * 9000, [0.25] * 9000]
    samples[1][frame] = value
    flat = [sample for pair in zip(*samples) for sample in pair]
    fmt = struct.pack("<HHIIHH", 3, 2, 48000, 48000 * bits // 4, bits // 4, bits)
    data = struct.pack(f"<{len(flat)}{'f' if bits == 32 else 'd'}", *flat)
    write(f"{folder}/bad.wav", b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data"
          + struct.pack("<I", len(data)) + data)
    project = small_project(folder, media={"a": {"file": "a.wav"}, "bad": {"file": "bad.wav"}}, tracks=[
        {"id": "other", "type": "audio", "clips": [{"media": "a", "start": {"beats": 0}}]},
        {"id": "lead", "type": "audio", "clips": [{"media": "bad", "start": {"seconds": 0.5}}], **members}])
    ends(loophole("check", project), 0)
    done = fails(folder, 1, words, "render", project, "-o", f"{folder}/out", "--report", "-")
    contains(done.stdout.decode(), '"exitStatus": 1')


def test_overload_of_a_sum(folder):
    """Each track alone is loud but sound; their sum is not."""
    project = small_project(folder, tracks=[
        {"id": f"t{i}", "type": "audio", "gainDb": 60, "clips": [{"media": "a", "start": {"beats": 0}, "gainDb": 15}]} for i in range(20)])
    fails(folder, (1, 3), "", "render", project, "-o", f"{folder}/out")


SAMPLES = {
    "nan": (math.nan, 1234, 32, ("lead", str(24000 + 1234), "NaN")),
    "inf at the start": (math.inf, 0, 32, ("lead", "24000", "infinite")),
    "minus inf at the end": (-math.inf, 8999, 32, ("lead", str(24000 + 8999), "infinite")),
    "nan as double": (math.nan, 4096, 64, ("lead", str(24000 + 4096), "NaN")),
    "double past float": (1e39, 4097, 64, ("lead", str(24000 + 4097))),
    "overload": (3000.0, 77, 32, ("lead", str(24000 + 77))),
    "overload of float's largest": (3.4e38, 78, 32, ("lead", str(24000 + 78))),
}


def broken_files():
    folder = os.path.join(OWN, "media")
    os.mkdir(folder)
    try:
        return list(broken_media.files(folder))
    except FileNotFoundError as missing:
        print(f"1..0 # SKIP {missing.filename} is not installed")
        sys.exit()


TESTS = [case(f"place: {name}", in_wrong_place(*place)) for name, place in PLACES.items()]
TESTS += [case(f"sample: {name}", bad_sample, *sample) for name, sample in SAMPLES.items()]
TESTS += [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    main(TESTS + [case(f"file: {row[0]}", broken_file, *row) for row in broken_files()])
