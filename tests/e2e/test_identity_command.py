# SPDX-License-Identifier: MIT
"""One answer, whoever computes it: the real command on a project with every native feature.

    test_identity_command.py LOOPHOLE LOOPHOLE-SIGNAL [--renew]

golden/everything.json holds the digests that every build on every machine must give; it holds builds with and without
AVX2 kernels together. A change of it is a change of sound: it needs a new sound version and a reason in the commit.
--renew writes it anew, after all other comparisons here have passed."""
import json
import os
import random
import subprocess
import sys

from everything import buses, audio_tracks, write_media, write_project
from studio import render_file
from tap import Skip, environment, equal, read, run_tests

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden", "everything.json")
MASK = "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F"
LOADER = "/lib64/ld-linux-x86-64.so.2"


def digests(folder, path, *options, **changes):
    """SHA-256 of the samples of each file. (Of whole files it would depend on the version of libFLAC.)"""
    out = os.path.join(folder, "out")
    report = render_file(path, out, *options, **changes).report
    return {os.path.basename(entry["file"]): entry["samplesSha256"] for entry in report["deliverables"]}


def reference(folder):
    write_media(folder)
    path = write_project(folder)
    return path, digests(folder, path, "--threads", "1", "--block", "1024")


def same(actual, expected, what):
    differing = [name for name in expected if actual.get(name) != expected[name]]
    equal(differing, [], f"files that differ with {what}")
    equal(len(actual), len(expected), f"files with {what}")


def test_threads_and_blocks(folder):
    path, expected = reference(folder)
    equal(len(set(expected.values())), len(expected), "no two of the files are alike")
    for threads in (1, 2, 4, 8):
        for block in (1024, 4096, 16384, 65536):
            same(
                digests(folder, path, "--threads", str(threads), "--block", str(block)),
                expected,
                f"{threads} threads, blocks of {block}",
            )
    same(digests(folder, path), expected, "the command's own choice")


def test_quantum_and_small_blocks(folder):
    """The quantum is where tails are judged and plugins will be cut; without either it changes nothing."""
    _, expected = reference(folder)
    path = write_project(folder, quantum=256)
    for threads in (1, 4):
        same(
            digests(folder, path, "--threads", str(threads), "--block", "256"),
            expected,
            f"{threads} threads, quantum and blocks of 256",
        )


def test_order_of_tracks_clips_and_deliverables(folder):
    path, expected = reference(folder)
    with open(path) as file:
        deliverables = json.load(file)["deliverables"]
    shuffle = random.Random(9)
    for turn in range(6):
        tracks = buses() + audio_tracks()
        for track in tracks:
            for member in ("clips", "sends", "automation"):
                shuffle.shuffle(track.get(member, []))
        shuffle.shuffle(tracks)
        shuffle.shuffle(deliverables)
        path = write_project(folder, tracks=tracks, deliverables=deliverables)
        same(digests(folder, path), expected, f"shuffle {turn}")


def test_each_deliverable_alone(folder):
    """What else is rendered in the same pass must not matter."""
    path, expected = reference(folder)
    for name in ("mix24", "float", "held", "raw", "part"):
        for file, digest in digests(folder, path, "--deliverable", name).items():
            equal(digest, expected[file], f"{file} without the others")


def test_plain_kernels(folder):
    path, expected = reference(folder)
    same(digests(folder, path, LOOPHOLE_KERNELS="c"), expected, "plain C kernels")


def loader_says(**changes):
    if not os.path.exists(LOADER):
        raise Skip("not glibc's loader on x86-64")
    return subprocess.run(
        [LOADER, "--help"], env=environment(**changes), stdout=subprocess.PIPE, check=True
    ).stdout.decode()


def test_masked_cpu_features(folder):
    """libm gives other bits without FMA and AVX2; nothing of it may decide over a sample."""
    if "x86-64-v3 (supported" not in loader_says():
        raise Skip("this CPU has neither FMA nor AVX2 to mask")
    equal("x86-64-v3 (supported" in loader_says(GLIBC_TUNABLES=MASK), False, "the mask takes effect")
    path, expected = reference(folder)
    same(digests(folder, path, GLIBC_TUNABLES=MASK), expected, "FMA and AVX2 masked")
    same(
        digests(folder, path, GLIBC_TUNABLES=MASK, LOOPHOLE_KERNELS="c"),
        expected,
        "FMA and AVX2 masked and plain C kernels",
    )


def test_every_format_twice(folder):
    """Lossless or lossy, at the project's rate or another: the same file, byte by byte."""
    write_media(folder)
    formats = [
        ("wav", {}),
        ("bwf", {}),
        ("aiff", {}),
        ("flac", {}),
        ("vorbis", {}),
        ("opus", {}),
        ("mp3", {}),
        ("wav", {"sampleRate": 44100}),
        ("flac", {"sampleRate": 96000}),
        ("mp3", {"sampleRate": 32000, "bitrateKbps": 96}),
        ("vorbis", {"quality": 0.3}),
        ("opus", {"bitrateKbps": 64}),
    ]
    deliverables = [
        {"name": f"f{i}", "format": form, "tags": {"title": "T", "artist": "A"}, **more}
        for i, (form, more) in enumerate(formats)
    ]
    path = write_project(folder, deliverables=deliverables)
    runs = []
    for number, options in enumerate(
        [("--threads", "1", "--block", "1024"), ("--threads", "2"), ("--threads", "8", "--block", "65536")]
    ):
        out = os.path.join(folder, f"out{number}")
        done = render_file(path, out, *options)
        runs.append(
            {
                os.path.basename(entry["file"]): read(os.path.join(out, os.path.basename(entry["file"])))
                for entry in done.report["deliverables"]
            }
        )
    equal(len(runs[0]), len(formats), "files")
    for other in runs[1:]:
        equal([name for name in runs[0] if other[name] != runs[0][name]], [], "files that differ")


def test_lossy_and_resampled_media(folder):
    """Conformed once, from their beginning: how the render is cut does not matter, nor who else reads them."""
    write_media(folder)
    sources = {"m0": ("mp3", {}), "m1": ("vorbis", {}), "m2": ("opus", {}), "m3": ("wav", {"sampleRate": 44100})}
    coded = [{"name": name, "format": form, **more} for name, (form, more) in sources.items()]
    done = render_file(write_project(folder, deliverables=coded), folder)
    media = {entry["name"]: {"file": os.path.basename(entry["file"])} for entry in done.report["deliverables"]}
    clips = [{"offset": {"frames": 30001}, "start": {"frames": 999}}, {"reverse": True, "duration": {"seconds": 2}}]
    tracks = [{"id": name, "type": "audio", "clips": [{"media": name, **clip} for clip in clips]} for name in media]
    stems = [{"name": "x", "source": {"each": list(media)}, "bitDepth": 32}, {"name": "mix", "sampleRate": 96000}]
    path = write_project(folder, media=media, tracks=tracks, deliverables=stems)
    expected = digests(folder, path, "--threads", "1", "--block", "1024")
    for options in (("--threads", "2"), ("--threads", "8", "--block", "65536"), ("--threads", "3", "--block", "5120")):
        same(digests(folder, path, *options), expected, " ".join(options))
    alone = write_project(
        folder, media=media, tracks=tracks[2:3], deliverables=[{**stems[0], "source": {"each": ["m2"]}}]
    )
    same(digests(folder, alone), {"x-m2.wav": expected["x-m2.wav"]}, "one medium alone")


def test_golden_digests(folder):
    _, found = reference(folder)
    if not os.path.exists(GOLDEN):
        raise AssertionError(f"{GOLDEN} is missing; --renew makes it")
    with open(GOLDEN) as file:
        same(found, json.load(file), "the golden digests")


def renew(folder):
    _, found = reference(folder)
    with open(GOLDEN, "w") as file:
        file.write(json.dumps(found, indent=2, sort_keys=True) + "\n")


TESTS = [
    test_threads_and_blocks,
    test_quantum_and_small_blocks,
    test_order_of_tracks_clips_and_deliverables,
    test_each_deliverable_alone,
    test_plain_kernels,
    test_masked_cpu_features,
    test_every_format_twice,
    test_lossy_and_resampled_media,
]

if __name__ == "__main__":
    if "--renew" in sys.argv[3:]:
        sys.exit(run_tests(TESTS) or run_tests([renew]))
    sys.exit(run_tests(TESTS + [test_golden_digests]))
