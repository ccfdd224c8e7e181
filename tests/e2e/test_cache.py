# SPDX-License-Identifier: MIT
"""--cache from outside, finished files and converted media: test_cache.py LOOPHOLE LOOPHOLE-SIGNAL."""
import json
import os
import shutil
import sys

from tap import environment, equal, make_project, read, run, run_tests, sine, wav_bytes, write

LOOPHOLE, SIGNAL = (os.path.abspath(path) for path in sys.argv[1:3])
ENVIRONMENT = environment(LOOPHOLE_SIGNAL=SIGNAL)


def must(status, *arguments):
    done = run([LOOPHOLE, *arguments], env=ENVIRONMENT)
    equal(done.returncode, status, f"exit status: {done.talk}")
    return done


def test_cache(folder):
    project = make_project(folder, deliverables=[
        {"name": "mix", "source": "master", "format": "wav", "loudness": {"integrated": -14, "truePeak": -1}},
        {"name": "stems", "source": {"each": ["one", "two"]}, "format": "flac", "gainFrom": "mix"},
    ])
    out, cache = f"{folder}/out", f"{folder}/cache"
    names = ["mix.wav", "stems-one.flac", "stems-two.flac"]

    def render(*arguments, **changes):
        shutil.rmtree(out, ignore_errors=True)
        done = run([LOOPHOLE, "render", project, "-o", out, "--report", "-", *arguments], env={**ENVIRONMENT, **changes})
        equal(done.returncode, 0, done.talk)
        told = {os.path.basename(one["file"]): one for one in json.loads(done.stdout)["deliverables"]}
        equal(sorted(os.listdir(out)), sorted(told), "files")
        return {name: (one.get("cached"), one["fileSha256"], one["gainDb"], one["loudness"]) for name, one in told.items()}

    plain = render()
    cold = render("--cache", cache)
    equal([cold[name][0] for name in names], [False] * 3, "cached at first")
    equal([cold[name][1:] for name in names], [plain[name][1:] for name in names], "same with a cache")
    warm = render(LOOPHOLE_CACHE=cache)
    equal([warm[name][0] for name in names], [True] * 3, "cached")
    equal([warm[name][1:] for name in names], [plain[name][1:] for name in names], "same from the cache")
    equal([one[0] for one in render("--no-cache", LOOPHOLE_CACHE=cache).values()], [None] * 3, "no cache")
    equal(render("--cache", cache, "--deliverable", "stems")["stems-one.flac"][:2], warm["stems-one.flac"][:2], "one alone")
    for kind in os.listdir(f"{cache}/deliverables"):  # a stem is lost: it is rendered, the others are not
        path = f"{cache}/deliverables/{kind}"
        if not kind.endswith(".facts") and read(path) == read(f"{out}/stems-one.flac"):
            os.unlink(path)
    part = render("--cache", cache)
    equal([part[name][0] for name in names], [True, False, True], "cached in part")
    equal([part[name][1:] for name in names], [plain[name][1:] for name in names], "same in part")
    changed = render("--cache", cache, "--set", "/tracks/2/gainDb=-7")
    equal(any(changed[name][0] for name in names), False, "cached after a change")
    for name in os.listdir(f"{cache}/deliverables"):  # one bit is damage
        if not name.endswith(".facts"):
            with open(f"{cache}/deliverables/{name}", "r+b") as file:
                file.seek(1000)
                bit = file.read(1)[0] ^ 1
                file.seek(1000)
                file.write(bytes([bit]))
    flipped = render("--cache", cache)
    equal([one[0] for one in flipped.values()], [False] * 3, "cached when a bit is wrong")
    equal([flipped[name][1:] for name in names], [plain[name][1:] for name in names], "same when a bit is wrong")
    for name in os.listdir(f"{cache}/deliverables"):  # damage is no hit
        with open(f"{cache}/deliverables/{name}", "r+b") as file:
            file.truncate(20)
    equal([one[0] for one in render("--cache", cache).values()], [False] * 3, "cached when damaged")
    write(f"{folder}/b.wav", wav_bytes([sine(48000, 111), sine(48000, 220)]))
    fresh = render("--cache", cache)
    equal(fresh["mix.wav"][0], False, "cached after a source changed")
    equal(fresh["mix.wav"][1] == plain["mix.wav"][1], False, "same after a source changed")


def test_conformed_media_in_the_cache(folder):
    write(f"{folder}/a.wav", wav_bytes([sine(44100), sine(44100, 330)], rate=44100))
    write(f"{folder}/b.wav", wav_bytes([sine(48000, 110)]))
    must(0, "mix", f"{folder}/a.wav", "-o", f"{folder}/c.ogg")
    project = write(f"{folder}/three.json", {
        "loophole": 1, "sampleRate": 48000, "media": {"a": {"file": "a.wav"}, "b": {"file": "b.wav"}, "c": {"file": "c.ogg"}},
        "tracks": [{"id": "master", "type": "master"}, *(
            {"id": f"t{name}", "type": "audio", "clips": [{"media": name, "start": {"beats": 0}}]} for name in "abc")],
        "deliverables": [{"name": "mix", "source": "master", "format": "wav"}, {"name": "one", "source": "ta", "format": "flac"}],
    })
    cache = f"{folder}/cache"

    def render(conformed, *arguments, count=2):
        """Digests of the files; nothing but converted media are left in the cache for the next one."""
        done = must(0, "render", project, "-o", f"{folder}/out", "--report", "-", "--progress", "none", *arguments)
        report = json.loads(done.stdout)
        equal((report["conformedMedia"], len(report["deliverables"])), (conformed, count), arguments)
        shutil.rmtree(f"{cache}/deliverables", ignore_errors=True)
        return [one["fileSha256"] for one in report["deliverables"]]

    def spoil(change):
        names = sorted(os.listdir(f"{cache}/conformed"))
        equal(len(names), 4, "two media, two digests")
        for name in names:
            with open(f"{cache}/conformed/{name}", "r+b") as file:
                change(file)

    def flip(file):
        file.seek(40)
        byte = file.read(1)
        file.seek(40)
        file.write(bytes([byte[0] ^ 1]))

    plain = render(2)
    equal(render(2, "--cache", cache), plain, "cold")
    equal(render(0, "--cache", cache), plain, "warm")
    equal(render(0, "--cache", cache, "--threads", "1", "--block", "4096"), plain, "warm, one thread")
    equal(render(0, "--cache", cache, "--deliverable", "one", count=1), plain[1:], "in part")
    for change in (flip, lambda file: file.truncate(20), lambda file: file.truncate(0), lambda file: file.write(b"more"),
                   lambda file: file.seek(0, 2) and file.write(b"more")):
        spoil(change)
        equal(render(2, "--cache", cache), plain, "damaged")
        equal(render(0, "--cache", cache), plain, "replaced")
    other = render(2, "--set", "/resampler=samplerate")
    equal(other[0] == plain[0], False, "the other resampler sounds the same")
    equal(render(2, "--cache", cache, "--set", "/resampler=samplerate"), other, "the other resampler, cold")
    equal(render(0, "--cache", cache, "--set", "/resampler=samplerate"), other, "the other resampler, warm")
    write(f"{folder}/a.wav", wav_bytes([sine(44100), sine(44100, 331)], rate=44100))
    changed = render(2)
    equal(changed[0] == plain[0], False, "the changed source sounds the same")
    equal(render(1, "--cache", cache), changed, "a changed source, cold")
    equal(render(0, "--cache", cache), changed, "a changed source, warm")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
