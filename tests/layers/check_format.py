#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds the C sources to .clang-format: one TAP line a file.

usage: check_format.py ROOT
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True  # the tree stays as it is
from check_layers import SKIPPED_FOLDERS, SOURCE


def sources(root):
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not SKIPPED_FOLDERS.match(name))
        for name in sorted(files):
            if name.endswith(SOURCE):
                yield os.path.relpath(os.path.join(folder, name), root)


def is_formatted(root, path):
    run = subprocess.run(["clang-format", "--dry-run", "-Werror", path], cwd=root, capture_output=True, text=True)
    for line in run.stderr.splitlines()[:10]:
        print("#", line)
    return run.returncode == 0


def main(root):
    paths = list(sources(root))
    print(f"1..{len(paths)}")
    good = bool(paths)
    for number, path in enumerate(paths, 1):
        formatted = is_formatted(root, path)
        print("ok" if formatted else "not ok", number, "-", path, "" if formatted else "(./dev format mends it)")
        good = good and formatted
    return good


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(0 if main(sys.argv[1]) else 1)
