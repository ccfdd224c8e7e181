# SPDX-License-Identifier: MIT
"""The manual pages against what the programs say: test_manual.py LOOPHOLE PULSE NODE PAGE-OF-EACH."""
import os
import re
import sys

from tap import contains, environment, equal, read, run, run_tests

LOOPHOLE, PULSE, NODE = (os.path.abspath(path) for path in sys.argv[1:4])
PAGE, PULSE_PAGE, NODE_PAGE = (read(path).decode() for path in sys.argv[4:7])


def told(*command):
    done = run(list(command), env=environment())
    equal(done.returncode, 0, f"exit status of {command}: {done.talk}")
    return done.stdout.decode()


def rows_of(told_text):
    return set(re.findall(r"^  (?:-\w, |    )(--[a-z-]+)", told_text, re.M))


def described_in(section):
    return {"--" + name for name in re.findall(r"^\.It (?:Fl \w , )?Fl -([a-z-]+)", section, re.M)}


def section(page, mark, name):
    found = re.search(rf"^\.{mark} {name}\n(.*?)(?=^\.S[sh])", page, re.M | re.S)
    if found is None:
        raise AssertionError(f"the page has no section {name}")
    return found.group(1)


def variables_are_described(page, told_text):
    variables = set(re.findall(r"environment:\s+(\w+)", told_text))
    described = set(re.findall(r"Ev (\w+)", section(page, "Sh", "ENVIRONMENT")))
    equal(variables - described, set(), "variables that ENVIRONMENT does not have")


def commands():
    listing = told(LOOPHOLE, "--help")
    for name in re.findall(r"^  (\w+)  ", listing, re.M):
        if name == "help":
            continue
        text = told(LOOPHOLE, name, "--help")
        parts = re.findall(r"^  (\w+)  ", text.split("\nCommands:\n", 1)[1], re.M) if "\nCommands:\n" in text else []
        equal(told(LOOPHOLE, "help", name), text, f"help {name}")
        yield from ([name, part] for part in parts) if parts else [[name]]


def test_each_command_has_its_section(folder):
    synopsis = section(PAGE, "Sh", "SYNOPSIS")
    found = list(commands())
    for words in found:
        text = told(LOOPHOLE, *words, "--help")
        equal(told(LOOPHOLE, "help", *words), text, f"help {words}")
        equal(described_in(section(PAGE, "Ss", " ".join(words))), rows_of(text), f"options of {words}")
        contains(synopsis, words[0])
        variables_are_described(PAGE, text)
    equal(sorted(set(re.findall(r"^\.Ss (.*)", PAGE, re.M))), sorted(" ".join(words) for words in found), "sections")


def test_pulse(folder):
    text = told(PULSE, "--help")
    equal(described_in(section(PULSE_PAGE, "Sh", "OPTIONS")), rows_of(text), "options")
    variables_are_described(PULSE_PAGE, text)


def test_node(folder):
    text = told(NODE, "--help")
    equal(described_in(section(NODE_PAGE, "Sh", "OPTIONS")), rows_of(text), "options")
    variables_are_described(NODE_PAGE, text)


if __name__ == "__main__":
    sys.exit(run_tests([test_each_command_has_its_section, test_pulse, test_node]))
