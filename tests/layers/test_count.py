#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checks tests/count.py: what it counts, and that nothing that did not run looks as if it had passed.

usage: test_count.py COUNT_PY
"""
import json
import os
import subprocess
import sys
import tempfile

TAP_GOOD = "ok 1 - a\nok 2 - b\n1..2\n"
TAP_BAD = "ok 1 - a\nnot ok 2 - b: why it failed\n1..2\n"
TAP_SKIP = "ok 1 - a\nok 2 - b # SKIP no disk\n1..2\n"


def entry(result, stdout="", code=0):
    return {"name": "t", "result": result, "stdout": stdout, "stderr": "words on stderr\n", "returncode": code}


# name, logs (None for one that is not there), last line, exit status, words that must be shown
CASES = [
    ("two good tests", [[entry("OK", TAP_GOOD)]], "2 passed, 0 failed", 0, None),
    ("logs are summed", [[entry("OK", TAP_GOOD)], [entry("OK", TAP_GOOD), entry("OK")]], "5 passed, 0 failed", 0, None),
    ("a failed test is shown", [[entry("FAIL", TAP_BAD, 1)]], "1 passed, 1 failed", 1, "why it failed"),
    ("a crash counts", [[entry("ERROR", "ok 1 - a\n", -11)]], "1 passed, 1 failed", 1, "words on stderr"),
    ("a plain program that fails", [[entry("FAIL", "", 1)]], "0 passed, 1 failed", 1, None),
    ("a timeout counts", [[entry("TIMEOUT")]], "0 passed, 1 failed", 1, None),
    ("skips are neither", [[entry("OK", TAP_SKIP)]], "1 passed, 0 failed", 0, "1 skipped"),
    ("only skips is no success", [[entry("SKIP")]], "0 passed, 0 failed", 1, None),
    ("a missing log counts", [[entry("OK", TAP_GOOD)], None], "2 passed, 1 failed", 1, "cannot be read"),
    ("an empty log counts", [[entry("OK", TAP_GOOD)], []], "2 passed, 1 failed", 1, None),
    ("no log at all is no success", [], "0 passed, 0 failed", 1, None),
]


def run_case(count, logs, last, status, words):
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, f"{i}.json") for i in range(len(logs))]
        for path, entries in zip(paths, logs):
            if entries is not None:
                with open(path, "w", encoding="utf-8") as file:
                    file.writelines(json.dumps(item) + "\n" for item in entries)
        run = subprocess.run([sys.executable, count] + paths, capture_output=True, text=True)
    good = run.stdout.splitlines()[-1] == last and run.returncode == status and (words is None or words in run.stdout)
    if not good:
        print("#", run.stdout.replace("\n", "\n# "))
    return good


def main(count):
    print(f"1..{len(CASES)}")
    results = []
    for number, (name, logs, last, status, words) in enumerate(CASES, 1):
        results.append(run_case(count, logs, last, status, words))
        print("ok" if results[-1] else "not ok", number, "-", name)
    return all(results)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(0 if main(sys.argv[1]) else 1)
