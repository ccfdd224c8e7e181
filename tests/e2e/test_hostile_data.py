# SPDX-License-Identifier: MIT
"""Bundles whose data lie or are damaged: listed, shown, checked and rendered in bounded time, and nobody falls over them.
test_hostile_data.py LOOPHOLE LOOPHOLE-SIGNAL BUNDLES"""
import os
import re
import shutil

import hostile
from bad import ENVIRONMENT, case, ends, loophole, main, no_instances
from hostile import BUNDLES, LV2
from tap import contains, equal, read, write

URI = "urn:loophole:hostile:liar-"
# What a render of one may be: whole (0), ended by the plugin (1), refused by its data (3), not there to be used (4).
LIARS = {
    "index-gap": (0, 3, 4), "index-twice": (0, 3, 4), "index-huge": (3, 4), "index-negative": (3, 4),
    "symbol-twice": (0, 3, 4), "symbol-none": (0, 3, 4), "symbol-bad": (0, 3, 4),
    "range-nan": (0, 3, 4), "range-infinite": (0, 3, 4), "range-upside-down": (0, 3, 4), "range-text": (0, 3, 4), "range-none": (0,),
    "default-outside": (0, 3, 4), "no-direction": (3, 4), "no-kind": (0, 3, 4), "no-ports": (0, 3, 4),
    "no-binary": (3, 4), "text-binary": (1, 3, 4), "not-in-binary": (1, 3, 4), "no-data": (0, 1, 3, 4),
    "many-ports": (3, 4), "long-name": (0, 3, 4), "size-huge": (0, 1, 3, 4), "refuses": (1,), "no-functions": (1,),
}


def liars():
    return [name for bundle in ("liar", "breaker") for name in re.findall(
        rf"<{URI}([a-z-]+)> a lv2:Plugin", read(f"{BUNDLES}/{bundle}.lv2/manifest.ttl").decode())]


def test_every_liar_has_an_expectation(_):
    equal(sorted(liars()), sorted(LIARS), "plugins")


def says_something(done, what):
    if done.returncode != 0:
        equal(len(done.talk) > 20, True, f"{what} says {done.talk!r}")
    equal(len(done.talk) < 10000, True, f"{what} says {len(done.talk)} characters")


def lies(folder, name):
    document = {
        "loophole": 1, "media": {"a": {"file": "a.wav"}},
        "tracks": [{"id": "victim", "type": "audio", "channels": 1, "clips": [{"media": "a"}],
                    "nodes": [{"id": "bad", "plugin": f"lv2:{URI}{name}"}]}],
        "deliverables": [{"name": "victim", "source": "victim", "format": "wav"}],
    }
    hostile.save(f"{folder}/a.wav", hostile.SOUND[:, 0])
    path = write(f"{folder}/project.json", document)
    says_something(ends(loophole("plugins", "show", f"lv2:{URI}{name}"), (0, 1, 4)), "show")
    checked = ends(loophole("check", path), (0, 3, 4))
    says_something(checked, "check")
    done = ends(loophole("render", path, "-o", f"{folder}/out", "--progress", "none"), LIARS[name])
    says_something(done, "render")
    equal(os.path.exists(f"{folder}/out"), done.returncode == 0, "output")
    if name != "no-functions":
        equal("signal 11" in done.talk, False, f"a crash: {done.talk}")
    no_instances(1.0)
    hostile.TABLE.append(("liar-" + name, done.returncode, "", next(iter(done.talk.splitlines()), "goes on")[:200]))


def environment_of(*folders):
    return {**ENVIRONMENT, "LV2_PATH": ":".join(folders)}


MANIFEST = b"""@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<urn:loophole:damaged:one> a lv2:Plugin ; lv2:binary <one.so> ; rdfs:seeAlso <one.ttl> .
"""


def bundle(folder, manifest=MANIFEST, data=None):
    os.makedirs(f"{folder}/lv2/damaged.lv2")
    if manifest is not None:
        write(f"{folder}/lv2/damaged.lv2/manifest.ttl", manifest)
    if data is not None:
        write(f"{folder}/lv2/damaged.lv2/one.ttl", data)
    return f"{folder}/lv2/damaged.lv2"


def still_lists(folder):
    """The healthy plugins are there, beside whatever the damaged bundle is."""
    shutil.copytree(f"{BUNDLES}/friendly.lv2", f"{folder}/lv2/friendly.lv2", ignore=shutil.ignore_patterns("*.p"))
    for attempt in range(2):  # the second time from what was kept
        done = ends(loophole("plugins", "list", env=environment_of(f"{folder}/lv2")), 0)
        contains(done.stdout.decode(), "urn:loophole:test:gain2")
        says_something(done, f"list, attempt {attempt}")
    no_instances(1.0)


def test_syntax_errors(folder):
    bundle(folder, MANIFEST + b"\n<urn:x> a [ ;;; ] lv2:Plugin")
    still_lists(folder)


def test_a_description_with_syntax_errors(folder):
    bundle(folder, data=b"<urn:loophole:damaged:one> lv2:port [ a ")
    still_lists(folder)


def test_empty_and_binary_manifests(folder):
    for number, data in enumerate((b"", b"\0" * 4096, b"\x7fELF" + os.urandom(10000), b"<" * 100000, b"[" * 200000, b"(" * 200000)):
        os.mkdir(f"{folder}/{number}")
        bundle(f"{folder}/{number}", data)
        still_lists(f"{folder}/{number}")


def test_deep_data(folder):
    """Nested a hundred thousand times: a parser that recurses ends there."""
    bundle(folder, MANIFEST, b"<urn:loophole:damaged:one> <urn:p> " + b"[ <urn:p> " * 100000 + b"1" + b" ]" * 100000 + b" .\n")
    still_lists(folder)


def test_large_data(folder):
    bundle(folder, MANIFEST, b"".join(b"<urn:s%d> <urn:p> <urn:o%d> .\n" % (i, i) for i in range(200000)))
    still_lists(folder)


def test_a_fifo_for_a_manifest(folder):
    """Nobody waits for a writer."""
    os.mkfifo(f"{bundle(folder, None)}/manifest.ttl")
    still_lists(folder)


def test_a_fifo_for_a_description(folder):
    os.mkfifo(f"{bundle(folder)}/one.ttl")
    still_lists(folder)


def test_folders_and_links_for_files(folder):
    for number, make in enumerate((os.mkdir, lambda path: os.symlink(path, path), lambda path: os.symlink("/nowhere", path),
                                   lambda path: os.symlink("/dev/zero", path), lambda path: os.symlink("/etc/shadow", path))):
        os.mkdir(f"{folder}/{number}")
        make(f"{bundle(f'{folder}/{number}', None)}/manifest.ttl")
        still_lists(f"{folder}/{number}")


def test_bundles_in_circles(folder):
    os.makedirs(f"{folder}/lv2")
    os.symlink(f"{folder}/lv2", f"{folder}/lv2/again.lv2")
    still_lists(folder)


def test_unreadable_bundles(folder):
    path = bundle(folder)
    os.chmod(path, 0)
    try:
        still_lists(folder)
    finally:
        os.chmod(path, 0o700)


def test_binaries_elsewhere(folder):
    """A manifest that names a binary outside of its bundle, or nonsense for one."""
    for number, binary in enumerate((b"/bin/true", b"../../../../../../../bin/true", b"http://example.org/x.so", b"file:///etc/passwd",
                                     b"%00", b"one.ttl", b".")):
        os.mkdir(f"{folder}/{number}")
        bundle(f"{folder}/{number}", MANIFEST.replace(b"one.so", binary),
               b"@prefix doap: <http://usefulinc.com/ns/doap#> .\n<urn:loophole:damaged:one> doap:name \"One\" .\n")
        still_lists(f"{folder}/{number}")
        done = loophole("plugins", "show", "lv2:urn:loophole:damaged:one", env=environment_of(f"{folder}/{number}/lv2"))
        ends(done, (0, 1, 4))


def test_the_same_plugin_in_many_bundles(folder):
    for number in range(50):
        os.makedirs(f"{folder}/lv2/copy{number}.lv2")
        write(f"{folder}/lv2/copy{number}.lv2/manifest.ttl", MANIFEST)
    still_lists(folder)


def test_names_that_would_write_on_the_terminal(folder):
    """Control characters of a name reach no terminal."""
    bundle(folder, data=b'@prefix doap: <http://usefulinc.com/ns/doap#> .\n<urn:loophole:damaged:one> a '
                        b'<http://lv2plug.in/ns/lv2core#Plugin> ; doap:name "One \\u001B[31m red \\u0007 bell" .\n')
    done = loophole("plugins", "list", env=environment_of(f"{folder}/lv2"))
    equal(b"\x1b" in done.stdout or b"\x07" in done.stdout or "\x1b" in done.talk, False, "control characters")


def test_search_paths(folder):
    """Empty, missing, relative, a file, twice the same."""
    write(f"{folder}/file", b"")
    os.mkdir(f"{folder}/empty")
    for path in ("", ":", "/nowhere", "relative", f"{folder}/file", f"{folder}/empty", "x" * 5000, f"{LV2}:{LV2}"):
        done = ends(loophole("plugins", "list", cwd=folder, env={**ENVIRONMENT, "LV2_PATH": path}), (0, 1, 2))
        if path == f"{LV2}:{LV2}":
            equal(done.stdout.count(b"urn:loophole:test:gain2\n") <= 1, True, "each plugin once")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]
TESTS += [case(f"test_liar_{name}", lies, name) for name in LIARS]

if __name__ == "__main__":
    SERVER = hostile.prepare()
    try:
        main(TESTS)
    finally:
        hostile.print_table()
