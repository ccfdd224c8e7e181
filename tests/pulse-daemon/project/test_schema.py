# SPDX-License-Identifier: MIT
"""The loader and proto/project.schema.json say the same of the same projects. Each good project passes both, and comes
back from writing unchanged; each broken one is refused by the loader at the expected place with the expected words, and
by the schema exactly when the table says that a schema can see it. The validator is python3-jsonschema."""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

import broken

HERE = pathlib.Path(__file__).parent
CHUNK = 100


def check_all(program, paths, *options):
    """[(status, pointer, message)] of every path."""
    faults = {str(path): [] for path in paths}
    for first in range(0, len(paths), CHUNK):
        names = [str(path) for path in paths[first:first + CHUNK]]
        done = subprocess.run([program, *options, *names], stdout=subprocess.PIPE, check=True)
        for line in done.stdout.decode().splitlines():
            path, status, where, message = line.split("\t")
            faults[path].append((status, where, message))
    return faults


def judge_good(program, validator, paths):
    for path, told in check_all(program, paths, "--write").items():
        if [status for status, _, _ in told] != ["done"]:
            yield f"{path}: refused: {told}"
            continue
        read = json.loads(pathlib.Path(path).read_text())
        written = json.loads(pathlib.Path(path + ".written").read_text())
        if read != written:
            yield f"{path}: written back differently"
        yield from (f"{path}: the schema refuses it: {fault.message}" for fault in validator.iter_errors(read))


def judge_broken(entry, told, document, validator):
    name = entry["file"]
    found = [(where, message) for _, where, message in told]
    if any(status == "done" for status, _, _ in told):
        yield f"{name}: accepted"
        return
    if not entry["more"] and len(found) != len(entry["where"]):
        yield f"{name}: {len(found)} faults instead of {len(entry['where'])}: {found}"
    for where, words in zip(entry["where"], entry["words"]):
        if not any(where == place and words in message for place, message in found):
            yield f"{name}: no fault at {where!r} with {words!r}, but {found}"
    if entry["schema"] is not None and entry["schema"] == validator.is_valid(document):
        yield f"{name}: the schema {'accepts' if entry['schema'] else 'refuses'} it"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--schema", required=True, type=pathlib.Path)
    parser.add_argument("--examples", type=pathlib.Path, help="a folder of folders with more good projects")
    arguments = parser.parse_args()
    schema = json.loads(arguments.schema.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failures = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "good").mkdir()
        (folder / "broken").mkdir()
        good = []
        examples = sorted(arguments.examples.glob("*/*.json")) if arguments.examples else []
        for path in [*sorted((HERE / "corpus/valid").glob("*.json")), *examples]:
            good.append(folder / "good" / f"{len(good)}-{path.name}")
            good[-1].write_bytes(path.read_bytes())
        failures += judge_good(arguments.program, validator, good)

        index = broken.write_all(folder / "broken")
        told = check_all(arguments.program, [folder / "broken" / entry["file"] for entry in index])
        for entry in index:
            path = folder / "broken" / entry["file"]
            document = None if entry["schema"] is None else json.loads(path.read_text())
            failures += judge_broken(entry, told[str(path)], document, validator)
    for failure in failures:
        print(failure)
    print(f"{len(good)} good and {len(index)} broken projects, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
