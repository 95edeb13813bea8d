#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles each header alone, and twice, so that it needs nothing before it and may come again.

check_headers.py BUILD [HEADER...]

Flags come from BUILD/compile_commands.json: those of a source beside the header (one that
includes it, if there is one), or of the nearest folder above or below. Runs in parallel, through
ccache where there is one.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
FOLDERS = ("base", "dal", "dataplane", "sipcore", "intercept", "config", "apps", "perf", "tests")


def headers():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.h")):
            yield path.relative_to(ROOT)


def flags_of(command):
    """Of a compile command: all but the compiler, the files and the dependency output."""
    words = command.split() if isinstance(command, list) else shlex.split(command)
    flags = []
    rest = iter(words[1:])
    for word in rest:
        if word in ("-o", "-MF", "-MQ", "-MT", "-c"):
            next(rest)
        elif word in ("-include", "-isystem", "-imacros", "-I"):
            flags += [word, next(rest)]
        elif word.startswith("-") and not word.startswith(("-M", "-g", "-O")):
            flags.append(word)
    return flags


class Flags:
    def __init__(self, build):
        entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
        self.by_folder = {}
        self.by_user = {}
        for entry in entries:
            source = pathlib.Path(entry["directory"], entry["file"]).resolve()
            if ROOT in source.parents:
                folder = source.relative_to(ROOT).parent
                flags = flags_of(entry["command"])
                self.by_folder.setdefault(folder, flags)
                for header in INCLUDE.findall(source.read_text(encoding="utf-8")):
                    if pathlib.Path(header).parent == folder:
                        self.by_user.setdefault(pathlib.Path(header), flags)
        if not self.by_folder:
            sys.exit(f"{build}: has no compile commands of this tree")

    def of(self, header):
        if header in self.by_user:
            return self.by_user[header]
        # A folder of headers alone borrows from the folder above, as its users do.
        for folder in header.parents:
            if folder in self.by_folder:
                return self.by_folder[folder]
            inside = [other for other in self.by_folder if folder in other.parents]
            if folder != pathlib.Path(".") and inside:
                return self.by_folder[min(inside)]
        return next(iter(self.by_folder.values()))


def compile_alone(build, flags, header):
    """Returns what the compiler says, nothing if it is content."""
    out = build / "ci" / "headers"
    source = out / (str(header).replace("/", "__") + ".cc")
    text = f'#include "{header}"\n#include "{header}"  // its guard\n'
    # An unchanged file keeps its time, and ccache its answer.
    if not source.exists() or source.read_text(encoding="utf-8") != text:
        source.write_text(text, encoding="utf-8")
    launcher = ["ccache"] if shutil.which("ccache") else []
    compiled = source.with_suffix(".o")
    command = [*launcher, "g++", *flags, "-O0", "-c", str(source), "-o", str(compiled)]
    run = subprocess.run(command, cwd=build, capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else run.stderr


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    chosen = [pathlib.Path(name) for name in sys.argv[2:]] or list(headers())
    (build / "ci" / "headers").mkdir(parents=True, exist_ok=True)
    flags = Flags(build)
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = pool.map(lambda header: compile_alone(build, flags.of(header), header), chosen)
        for header, text in zip(chosen, answers):
            if text:
                bad += 1
                print(f"{header}: does not compile alone\n{text}", file=sys.stderr)
    print(f"{len(chosen)} headers, {bad} that do not compile alone")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
