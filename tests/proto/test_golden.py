#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The golden messages through another implementation of protobuf: the one in protoc-c's own compiler (Google's). What it
decodes and encodes again has the same bytes, and it knows every field.

usage: test_golden.py PROTOC_C SCHEMAS GOLDEN    prints TAP
"""
import subprocess
import sys


def run(protoc, schemas, mode, data):
    return subprocess.run([protoc, f"--proto_path={schemas}", f"--{mode}=wire.Envelope", "envelope.proto"],
                          input=data, stdout=subprocess.PIPE, check=True).stdout


def fault(protoc, schemas, name, data):
    text = run(protoc, schemas, "decode", data)
    if run(protoc, schemas, "encode", text) != data:
        return "it is encoded otherwise"
    lines = text.decode().splitlines()
    if f"{name} {{" not in lines:
        return f"there is no {name} in it"
    unknown = [line for line in lines if line.strip()[:1].isdigit()]
    return f"fields that the schema does not know: {unknown}" if unknown else None


def main():
    protoc, schemas, golden = sys.argv[1:]
    with open(golden, encoding="ascii") as file:
        messages = [line.split() for line in file]
    print(f"1..{len(messages)}")
    for number, (name, digits) in enumerate(messages, 1):
        what = fault(protoc, schemas, name, bytes.fromhex(digits))
        print(f"{'not ok' if what else 'ok'} {number} - {name}{': ' + what if what else ''}")


if __name__ == "__main__":
    main()
