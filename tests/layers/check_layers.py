#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds the tree to its rules: who may include whom, who owns which library, and the plain rules of style.

usage: check_layers.py ROOT       checks the tree, prints TAP
       check_layers.py --self-test    feeds every rule with what breaks it, prints TAP
"""
import os
import re
import sys

# What a folder may include beside itself. The longest folder that matches a file decides.
LAYERS = {
    "common/base": [],
    "common/math": ["common/base"],
    "common/digest": ["common/base"],
    "common/json": ["common/base"],
    "common/blobs": ["common/base", "common/digest"],
    "common/http": ["common/base"],
    "graph": ["common/base", "common/digest", "common/math"],
    "proto": ["common"],
    # What plugins a machine has: the command, a worker node and Pulse all need to know.
    "inventory": ["common", "graph"],
    # Signal, inner order included: kernels know no files, files know no order of work, nothing knows the instance.
    "engine/dsp": ["common/base", "common/math", "graph"],
    "engine/io": ["common/base", "common/digest", "common/math", "graph", "engine/dsp"],
    "engine/plan": ["common/base", "common/digest", "common/math", "graph"],
    "engine/host": ["common/base", "common/digest", "common/math", "graph", "engine/dsp"],
    "engine/run": ["common/base", "common/digest", "common/math", "graph", "engine/dsp", "engine/io", "engine/plan",
                   "engine/host"],
    "engine/instance": ["common/base", "common/digest", "common/math", "graph", "engine/dsp", "engine/io",
                        "engine/plan", "engine/run", "engine/host"],
    # The machine's plugins, asked of an instance: for the command and for a worker's agent.
    "engine/catalogue": ["common", "graph", "inventory", "engine/io", "engine/run", "engine/host", "engine/instance"],
    # The worker's agent: it knows the farm's wire and the parent's side of the instance, never the kernels.
    "engine/node": ["common", "graph", "inventory", "proto", "engine/io", "engine/run", "engine/host",
                    "engine/instance", "engine/catalogue"],
    # Pulse: the project knows no graph and nothing of it knows Signal.
    "pulse-daemon/project": ["common"],
    "pulse-daemon/compile": ["common", "graph", "pulse-daemon/project"],
    "pulse-daemon/farm": ["common"],
    "pulse-daemon/shard": ["common", "graph"],
    "pulse-daemon/store": ["common", "pulse-daemon/farm"],
    "pulse-daemon/media": ["common", "pulse-daemon/farm", "pulse-daemon/store"],
    "pulse-daemon/service": ["common", "graph", "proto", "inventory", "pulse-daemon/project", "pulse-daemon/compile",
                             "pulse-daemon/shard", "pulse-daemon/farm", "pulse-daemon/store", "pulse-daemon/media"],
    "pulse-daemon": ["common", "pulse-daemon/service"],
    # The one place where Pulse and Signal meet: through the parent's side of the instance, never into the kernels.
    "cli": ["common", "graph", "pulse-daemon/project", "pulse-daemon/compile", "pulse-daemon/shard", "inventory",
            "engine/instance", "engine/catalogue", "engine/run", "engine/io", "engine/host", "proto"],
    "tests": ["common", "graph", "proto", "inventory", "engine", "pulse-daemon", "cli", "tests", "bench"],
    "bench": ["common", "graph", "proto", "inventory", "engine", "pulse-daemon", "tests/support",
              "tests/pulse-daemon/service"],
}

# Each library's headers and the one place that may see them. Tests and benches may use any of them to check against.
OWNERS = {
    "jansson.h": "common/json",
    "nettle/": "common/digest",
    "curl/": "common/http",
    "sndfile.h": "engine/io",
    "soxr.h": "engine/io",
    "samplerate.h": "engine/io",
    "ebur128.h": "engine/io",
    "opus/": "engine/io",
    "vorbis/": "engine/io",
    "ogg/": "engine/io",
    "FLAC/": "engine/io",
    "lame/": "engine/io",
    "smf.h": "engine/io",
    "seccomp.h": "engine/instance",
    "lilv/": "engine/host",
    "lv2/": "engine/host",
    "protobuf-c/": "proto",
    "zmq.h": "proto/link",
    "czmq.h": "proto/link",
    "libpq-fe.h": "pulse-daemon/store/postgres.c",
    "sqlite3.h": "pulse-daemon/store/sqlite.c",
    "microhttpd.h": "web-aura/http",
    "check.h": "tests",
    "quadmath.h": "tests",
}
OWNER_EXEMPT = ("tests/", "bench/")

# The C library, POSIX and the compiler: anything else between <> needs an owner above.
SYSTEM = re.compile(
    r"^(assert|complex|ctype|errno|fenv|float|inttypes|iso646|limits|locale|math|setjmp|signal|stdalign|stdarg|stdatomic|"
    r"stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|threads|time|uchar|wchar|wctype|aio|arpa/inet|"
    r"dirent|dlfcn|fcntl|fnmatch|ftw|getopt|glob|malloc|netdb|netinet/in|netinet/tcp|poll|pthread|sched|semaphore|spawn|"
    r"sys/[a-z]+|syslog|termios|unistd|link|elf|linux/[a-z0-9_]+|[a-z]+mmintrin|immintrin|x86intrin|cpuid)\.h$")

# Headers of the system that a part of the tree must do without.
FORBIDDEN = [
    ("engine/", ("engine/node/", "engine/instance/"), re.compile(r"^(sys/socket|sys/un|netinet/|arpa/|netdb|poll)"),
     "Signal opens no sockets"),
    ("engine/", ("engine/node/", "engine/instance/"), re.compile(r"^(time|sys/time|sys/times)\.h$|^common/base/clock\.h$"),
     "Signal knows no clock but the injected one"),
    ("graph/", (), re.compile(r"^(time|sys/time|sys/socket|fcntl|unistd)\.h$"), "the render graph does no input or output"),
    ("pulse-daemon/farm/", (), re.compile(r"^(time|sys/time|sys/socket|unistd)\.h$"), "the scheduler core is pure"),
]

LINES_MAX = 600
COLUMNS_MAX = 120
SOURCE = (".c", ".h")
TEXT = SOURCE + (".py", ".sh", ".build", ".clang-format", ".editorconfig")
SKIPPED_FOLDERS = re.compile(r"^(build.*|out|\..*|__pycache__)$")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
SPDX = re.compile(r"SPDX-License-Identifier: MIT\b")


def inside(path, folder):
    return path == folder or path.startswith(folder if folder.endswith("/") else folder + "/")


def layer_of(path):
    fits = [folder for folder in LAYERS if inside(path, folder)]
    return max(fits, key=len) if fits else None


def includes_of(text):
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match.group(1), match.group(2)


def check_layers(path, text):
    layer = layer_of(path)
    if layer is None:
        yield f"{path}: its folder is not in the table of layers"
        return
    for line, quote, header in includes_of(text):
        if quote != '"':
            continue
        if "/" not in header:
            yield f'{path}:{line}: "{header}" is not named from the top of the tree'
        elif not any(inside(header, folder) for folder in [layer] + LAYERS[layer]):
            yield f"{path}:{line}: {layer} must not include {header}"


def check_owners(path, text):
    for line, quote, header in includes_of(text):
        if quote != "<" or SYSTEM.match(header):
            continue
        owner = next((place for name, place in OWNERS.items() if header == name or
                      (name.endswith("/") and header.startswith(name))), None)
        if owner is None:
            yield f"{path}:{line}: <{header}> has no owner in the table"
        elif not inside(path, owner) and not path.startswith(OWNER_EXEMPT):
            yield f"{path}:{line}: <{header}> belongs to {owner} alone"


def check_forbidden(path, text):
    for start, exempt, headers, why in FORBIDDEN:
        if path.startswith(start) and not path.startswith(tuple(exempt)):
            for line, _, header in includes_of(text):
                if headers.search(header):
                    yield f"{path}:{line}: {header}: {why}"


def check_head(path, text):
    lines = text.split("\n")
    first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
    if not SPDX.search(first):
        yield f"{path}:1: the first line does not name the licence: SPDX-License-Identifier: MIT"
    if path.endswith(SOURCE) and not (len(lines) > 1 and lines[1].startswith("/*")):
        yield f"{path}:2: the second line does not say the file's role"


def check_size(path, text):
    count = text.count("\n")
    if count > LINES_MAX:
        yield f"{path}: {count} lines; a file ends at {LINES_MAX}: split it by idea"


def check_whitespace(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line:
            yield f"{path}:{number}: a tab"
        if line != line.rstrip():
            yield f"{path}:{number}: space at the end of the line"
        if path.endswith(SOURCE) and len(line) > COLUMNS_MAX:
            yield f"{path}:{number}: {len(line)} columns; a line ends at {COLUMNS_MAX}"
    if text and not text.endswith("\n"):
        yield f"{path}: no line break at the end"


def check_finished(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if UNFINISHED.search(line):
            yield f"{path}:{number}: a note of something unfinished"


def check_guard(path, text):
    if path.endswith(".h"):
        guard = re.search(r"^#ifndef (\w+)\n#define (\w+)$", text, re.MULTILINE)
        if guard is None or guard.group(1) != guard.group(2):
            yield f"{path}: no include guard"


def check_tests(tree):
    """Every test_NAME.c or test_NAME_TOPIC.c stands where NAME.c (or NAME.h) stands, and its meson.build names it."""
    for path in tree:
        match = re.match(r"^tests/(.*/)?test_(\w+)\.c$", path)
        if match is None:
            continue
        source = (match.group(1) or "") + match.group(2)
        stems = [source] + [source[:at.start()] for at in re.finditer("_", source)]
        if not any(stem + ending in tree for stem in stems for ending in SOURCE):
            yield f"{path}: there is no {source}.c that it could test"
        build = tree.get(os.path.dirname(path) + "/meson.build", "")
        if not re.search(r"'(test_)?" + match.group(2) + r"(\.c)?'", build):
            yield f"{path}: its meson.build does not name it, so it never runs"


def check_cycles(tree):
    """No two folders include each other."""
    edges = {}
    for path, text in tree.items():
        if path.endswith(SOURCE) and layer_of(path) not in (None, "tests"):
            for _, quote, header in includes_of(text):
                target = layer_of(header)
                if quote == '"' and target not in (None, layer_of(path)):
                    edges.setdefault(layer_of(path), set()).add(target)
    for start in sorted(edges):
        for target in sorted(edges[start]):
            if start < target and start in edges.get(target, ()):
                yield f"{start} and {target} include each other"


def of_sources(check):
    return lambda tree: (fault for path in sorted(tree) if path.endswith(SOURCE) for fault in check(path, tree[path]))


def of_texts(check):
    return lambda tree: (fault for path in sorted(tree) for fault in check(path, tree[path]))


RULES = [
    ("folders include only what is below them", of_sources(check_layers)),
    ("no two folders include each other", check_cycles),
    ("each library is seen by its owner alone", of_sources(check_owners)),
    ("no sockets, clocks or files where none belong", of_sources(check_forbidden)),
    ("every file names its licence and its role", of_texts(check_head)),
    ("every header has a guard", of_sources(check_guard)),
    (f"no file is longer than {LINES_MAX} lines", of_texts(check_size)),
    ("no tabs, no space at line ends, no overlong lines", of_texts(check_whitespace)),
    ("nothing is noted as unfinished", of_texts(check_finished)),
    ("every test has its source and is run", check_tests),
]

HEAD = "/* SPDX-License-Identifier: MIT */\n/* A role. */\n"
# For each rule trees that break it. Every one must be found, and by that rule.
BROKEN = {
    "folders include only what is below them": [
        {"common/base/a.c": HEAD + '#include "graph/graph.h"\n'},
        {"graph/a.c": HEAD + '#include "common/json/json.h"\n'},
        {"graph/a.c": HEAD + '#include "engine/run/render.h"\n'},
        {"engine/dsp/a.c": HEAD + '  #  include "engine/io/media.h"\n'},
        {"engine/io/a.c": HEAD + '#include "engine/run/render.h"\n'},
        {"engine/run/a.c": HEAD + '#include "common/json/json.h"\n'},
        {"pulse-daemon/project/a.c": HEAD + '#include "engine/io/media.h"\n'},
        {"pulse-daemon/compile/a.c": HEAD + '#include "engine/instance/client.h"\n'},
        {"cli/a.c": HEAD + '#include "engine/dsp/kernels.h"\n'},
        {"cli/a.c": HEAD + '#include "command.h"\n'},
        {"graph/a.c": HEAD + '#include "tests/support/testing.h"\n'},
        {"stray/a.c": HEAD},
        {"common/a.c": HEAD},
    ],
    "no two folders include each other": [
        {"engine/io/a.c": HEAD + '#include "engine/dsp/b.h"\n', "engine/dsp/b.c": HEAD + '#include "engine/io/a.h"\n'},
    ],
    "each library is seen by its owner alone": [
        {"cli/a.c": HEAD + "#include <jansson.h>\n"},
        {"engine/run/a.c": HEAD + "#include <sndfile.h>\n"},
        {"graph/a.c": HEAD + "#include <nettle/sha2.h>\n"},
        {"cli/a.c": HEAD + "#include <zmq.h>\n"},
        {"common/json/a.c": HEAD + "#include <unheard/of.h>\n"},
    ],
    "no sockets, clocks or files where none belong": [
        {"engine/run/a.c": HEAD + "#include <sys/socket.h>\n"},
        {"engine/run/a.c": HEAD + "#include <time.h>\n"},
        {"engine/dsp/a.c": HEAD + '#include "common/base/clock.h"\n'},
        {"graph/a.c": HEAD + "#include <unistd.h>\n"},
    ],
    "every file names its licence and its role": [
        {"cli/a.c": "/* A role. */\n"},
        {"cli/a.c": "\n" + HEAD},
        {"cli/a.c": "/* SPDX-License-Identifier: MIT */\n#include <stdio.h>\n"},
        {"cli/meson.build": "x = 1\n"},
        {"tests/a.py": "#!/usr/bin/python3\n"},
    ],
    "every header has a guard": [
        {"cli/a.h": HEAD + "int a;\n"},
        {"cli/a.h": HEAD + "#ifndef A_H\n#define B_H\n#endif\n"},
    ],
    f"no file is longer than {LINES_MAX} lines": [
        {"cli/a.c": HEAD + "\n" * LINES_MAX},
    ],
    "no tabs, no space at line ends, no overlong lines": [
        {"cli/a.c": HEAD + "\tint a;\n"},
        {"cli/a.c": HEAD + "int a; \n"},
        {"cli/a.c": HEAD + "x" * (COLUMNS_MAX + 1) + "\n"},
        {"cli/a.c": HEAD + "int a;"},
    ],
    "nothing is noted as unfinished": [
        {"cli/a.c": HEAD + "/* " + "TO" + "DO: later */\n"},
        {"cli/meson.build": "# SPDX-License-Identifier: MIT\n# " + "FIX" + "ME\n"},
    ],
    "every test has its source and is run": [
        {"tests/graph/test_a.c": HEAD, "tests/graph/meson.build": "test('a', executable('a', 'test_a.c'))\n"},
        {"tests/graph/test_a.c": HEAD, "graph/a.c": HEAD, "tests/graph/meson.build": "test('b')\n"},
        {"tests/graph/test_a.c": HEAD, "graph/a.c": HEAD},
    ],
}
# A tree that keeps every rule.
WHOLE = {
    "graph/a.c": HEAD + '#include "graph/a.h"\n\n#include <string.h>\n\n#include "common/base/status.h"\n',
    "graph/a.h": HEAD + "#ifndef GRAPH_A_H\n#define GRAPH_A_H\n#endif\n",
    "common/json/b.c": HEAD + "#include <jansson.h>\n",
    "engine/instance/c.c": HEAD + '#include <sys/socket.h>\n#include "engine/run/render.h"\n',
    "tests/graph/test_a.c": HEAD + "#include <sndfile.h>\n#include <check.h>\n",
    "tests/graph/test_a_limits.c": HEAD,
    "tests/graph/meson.build": "# SPDX-License-Identifier: MIT\nforeach name : ['a', 'a_limits']\nendforeach\n",
    "tests/layers/d.py": "#!/usr/bin/python3\n# SPDX-License-Identifier: MIT\n",
}


def read_tree(root):
    tree = {}
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not SKIPPED_FOLDERS.match(name))
        for name in files:
            path = os.path.relpath(os.path.join(folder, name), root)
            if name.endswith(TEXT) or path == "dev":
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    tree[path] = file.read()
    return tree


def report(number, name, faults):
    for fault in faults:
        print("#", fault)
    print("not ok" if faults else "ok", number, "-", name)
    return not faults


def check_tree(root):
    tree = read_tree(root)
    print(f"1..{len(RULES) + 1}")
    good = report(1, "the tree is there", [] if len(tree) > 50 else [f"only {len(tree)} files in {root}"])
    for number, (name, rule) in enumerate(RULES, 2):
        good = report(number, name, list(rule(tree))) and good
    return good


def self_test():
    cases = [(name, tree) for name, _ in RULES for tree in BROKEN[name]]
    rules = dict(RULES)
    print(f"1..{len(cases) + 1}")
    good = report(1, "a tree that keeps the rules is left alone", [f for _, rule in RULES for f in rule(WHOLE)])
    for number, (name, tree) in enumerate(cases, 2):
        found = list(rules[name](tree))
        missed = [] if found else [f"not noticed: {tree}"]
        good = report(number, f"{name}: {found[0] if found else 'missed'}", missed) and good
    return good


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(0 if (self_test() if sys.argv[1] == "--self-test" else check_tree(sys.argv[1])) else 1)
