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


def complaints(root, paths):
    """What clang-format says, by path; all files in one run, for its start takes longer than a file."""
    run = subprocess.run(["clang-format", "--dry-run", "-Werror", *paths], cwd=root, capture_output=True, text=True)
    known, said = set(paths), {}
    for line in run.stderr.splitlines():
        path = line.split(":", 1)[0]
        if path in known:
            said.setdefault(path, []).append(line)
    if (run.returncode != 0) != bool(said):
        sys.exit(f"clang-format ended with {run.returncode}: {run.stderr}")
    return said


def main(root):
    paths = list(sources(root))
    print(f"1..{len(paths)}", flush=True)
    said = complaints(root, paths)
    for number, path in enumerate(paths, 1):
        for line in said.get(path, [])[:10]:
            print("#", line)
        print("not ok" if path in said else "ok", number, "-", path, "(./dev format mends it)" if path in said else "")
    return bool(paths) and not said


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(0 if main(sys.argv[1]) else 1)
