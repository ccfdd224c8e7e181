#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every file of broken_media.py gets the answer that its manifest asks for, and no reader crashes or hangs."""
import os
import subprocess
import sys
import tempfile

LEAST = 100


def main():
    tool = sys.argv[1]
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "broken_media.py")
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, script, folder], check=True)
        with open(os.path.join(folder, "manifest.tsv"), encoding="utf-8") as file:
            manifest = [line.rstrip("\n").split("\t") for line in file]
        paths = [os.path.join(folder, name) for name, _, _ in manifest]
        run = subprocess.run([tool, "read", *paths], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=False)
        answers = dict((line.split("\t")[0], line.split("\t")[1:]) for line in run.stdout.decode().splitlines())
        for name, status, words in manifest:
            got = answers.get(name, ["nothing", "the reader stopped before it"])
            if got[0] != status or (status != "ok" and words not in got[1]):
                failures += 1
                print("%s: %s '%s' instead of %s '%s'" % (name, got[0], got[1], status, words))
            elif status != "ok" and len(got[1]) < 20:
                failures += 1
                print("%s: the message says too little: '%s'" % (name, got[1]))
    broken = sum(status != "ok" for _, status, _ in manifest)
    if run.returncode != 0 or broken < LEAST:
        failures += 1
        print("exit status %d, %d broken files" % (run.returncode, broken))
    print("%d broken files, %d odd ones that are whole, %d failures" % (broken, len(manifest) - broken, failures))
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
