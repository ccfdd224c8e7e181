#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Sums up Meson's test logs: shows what failed and ends with "N passed, N failed".

usage: count.py TESTLOG.json...

Every TAP line counts as a test. A program that dies, hangs or breaks its own plan without a failed line counts as one
failed test, and so does a log that isn't there: nothing that did not run may look as if it had passed.
"""
import json
import re
import sys

TAP_LINE = re.compile(r"^(not )?ok\b(.*)$", re.MULTILINE)
SKIPPED = re.compile(r"#\s*skip\b", re.IGNORECASE)
FINE = {"OK", "EXPECTEDFAIL", "SKIP"}


def count_test(test):
    """(passed, failed, skipped) of one entry of the log."""
    lines = TAP_LINE.findall(test.get("stdout") or "")
    skipped = sum(1 for _, rest in lines if SKIPPED.search(rest))
    failed = sum(1 for fault, rest in lines if fault and not SKIPPED.search(rest))
    passed = len(lines) - failed - skipped
    if test["result"] == "SKIP" and not lines:
        return 0, 0, 1
    if test["result"] not in FINE and failed == 0:
        failed = 1
    if test["result"] in FINE and not lines:
        passed = 1
    return passed, failed, skipped


def show(log, test):
    print(f"\nFAILED in {log}: {test['name']} ({test['result']}, exit status {test.get('returncode')})")
    for stream in ("stdout", "stderr"):
        text = (test.get(stream) or "").rstrip()
        if text:
            print(f"--- {stream} of {test['name']}\n{text}")


def read(log):
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            return [json.loads(line) for line in file if line.strip()]
    except (OSError, ValueError) as error:
        print(f"\nFAILED: {log} cannot be read ({error}): its build or its tests did not run to the end")
        return []


def main(logs):
    total = [0, 0, 0]
    for log in logs:
        tests = read(log)
        here = [0, 0, 0]
        for test in tests:
            counts = count_test(test)
            here = [a + b for a, b in zip(here, counts)]
            if counts[1] > 0:
                show(log, test)
        if not tests:
            here[1] += 1
        print(f"{log}: {here[0]} passed, {here[1]} failed, {here[2]} skipped")
        total = [a + b for a, b in zip(total, here)]
    if total[2] > 0:
        print(f"{total[2]} skipped")
    print(f"{total[0]} passed, {total[1]} failed", flush=True)
    return 1 if total[1] > 0 or total[0] == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
