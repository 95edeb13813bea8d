#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks every #include of the tree against layers.toml.

check_layers.py [--root DIR] [--layers FILE] [--stamp FILE] [--depfile FILE]

Prints file:line and the rule for each violation; exit code 1 if there is one. The stamp is
written only when there is none; the depfile names every file and folder that was read, so that
ninja asks again when one changes, appears or goes.
"""

import argparse
import pathlib
import re
import sys
import tomllib

SOURCES = {".h", ".cc", ".def", ".inc"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Layers:
    def __init__(self, text):
        table = tomllib.loads(text)
        self.libraries = {name: [re.compile(pattern) for pattern in patterns]
                          for name, patterns in table["library"].items()}
        self.rows = {row["path"]: row for row in table["layer"]}
        self.folders = sorted({path.split("/")[0] for path in self.rows})
        for row in self.rows.values():
            for name in row["libraries"]:
                if name not in self.libraries:
                    sys.exit(f"layers.toml: {row['path']}: no library {name}")

    def row_of(self, path):
        """The row with the longest path that begins `path`, or None."""
        parts = path.split("/")
        for count in range(len(parts), 0, -1):
            row = self.rows.get("/".join(parts[:count]))
            if row is not None:
                return row
        return None

    def library_of(self, header):
        for name, patterns in self.libraries.items():
            if any(pattern.fullmatch(header) for pattern in patterns):
                return name
        return None

    def find_cycle(self):
        """Rows that may include each other in a ring; folders inside one another do not count."""
        def targets(row):
            for other in self.rows.values():
                if other is row or related(row["path"], other["path"]):
                    continue
                if any(within(other["path"], allowed) for allowed in row["include"]):
                    yield other

        done = set()

        def visit(row, trail):
            if row["path"] in trail:
                return trail[trail.index(row["path"]):] + [row["path"]]
            if row["path"] in done:
                return None
            for other in targets(row):
                ring = visit(other, trail + [row["path"]])
                if ring:
                    return ring
            done.add(row["path"])
            return None

        for row in self.rows.values():
            # Tests and benchmarks see each other's helpers; nothing else sees them.
            if row["path"] in ("tests", "perf"):
                continue
            ring = visit(row, [])
            if ring:
                return ring
        return None


def within(path, folder):
    return path == folder or path.startswith(folder + "/")


def related(one, other):
    return within(one, other) or within(other, one)


def check_include(layers, path, quote, header):
    """The violated rule as a sentence, or None."""
    row = layers.row_of(path)
    if row is None:
        return "stands in no folder of layers.toml"
    if header.split("/")[0] in layers.folders and "/" in header:
        if within(header, row["path"]) and layers.row_of(header) is row:
            return None
        if any(within(header, allowed) for allowed in row["include"]):
            return None
        allowed = ", ".join(row["include"]) or "nothing else of this tree"
        return f"{row['path']} may not include {header} (it may: {allowed})"
    if quote == '"':
        return f'"{header}" does not start at the root of the tree'
    library = layers.library_of(header)
    if library is None:
        return f"<{header}> belongs to no library of layers.toml"
    if library == "system" or library in row["libraries"]:
        return None
    allowed = ", ".join(row["libraries"]) or "none"
    return f"{row['path']} may not use {library}, <{header}> (libraries it may: {allowed})"


def check_tree(layers, root):
    """Returns the violations and every path that was read."""
    violations, read = [], []
    for folder in layers.folders:
        top = root / folder
        if not top.is_dir():
            continue
        read.append(top)
        for path in sorted(top.rglob("*")):
            if path.is_dir():
                read.append(path)
            if path.suffix not in SOURCES or not path.is_file():
                continue
            read.append(path)
            name = path.relative_to(root).as_posix()
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                rule = check_include(layers, name, match[1], match[2])
                if rule:
                    violations.append(f"{name}:{number}: {rule}")
    return violations, read


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Checks every #include against layers.toml.")
    parser.add_argument("--root", type=pathlib.Path, default=here.parent)
    parser.add_argument("--layers", type=pathlib.Path, default=here / "layers.toml")
    parser.add_argument("--stamp", type=pathlib.Path)
    parser.add_argument("--depfile", type=pathlib.Path)
    options = parser.parse_args()

    layers = Layers(options.layers.read_text(encoding="utf-8"))
    ring = layers.find_cycle()
    if ring:
        sys.exit("layers.toml: a cycle: " + " -> ".join(ring))
    violations, read = check_tree(layers, options.root)
    for violation in violations:
        print(violation, file=sys.stderr)
    if violations:
        return 1
    if options.depfile:
        names = " ".join(str(path.resolve()).replace(" ", "\\ ") for path in read)
        options.depfile.write_text(f"{options.stamp}: {names}\n", encoding="utf-8")
    if options.stamp:
        options.stamp.write_text("", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
