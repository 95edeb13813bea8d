#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every metric that the sources declare has a row in docs/metrics.md.

Counters are known by their name, "..._total"; gauges by standing in a row that says Gauge. Metrics
of the whole process are written with their full name in apps/control/metrics.cc.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("base", "dal", "dataplane", "sipcore", "intercept", "apps")
COUNTER = re.compile(r'"([a-z][a-z0-9_]*_total)"')
GAUGE = re.compile(r'"([a-z][a-z0-9_]*)"[^;]*\bGauge\b')
FULL = re.compile(r'"((?:sluice|process)_[a-z0-9_]*[a-z0-9])"')


def declared():
    """Yields the exposed name of each metric and the file that declares it."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".h", ".cc", ".def"):
                continue
            name = path.relative_to(ROOT).as_posix()
            for line in path.read_text(encoding="utf-8").splitlines():
                if name == "apps/control/metrics.cc":
                    yield from ((metric, name) for metric in FULL.findall(line))
                    continue
                for metric in COUNTER.findall(line) + GAUGE.findall(line):
                    # What counts nanoseconds is shown in seconds: metrics have base units.
                    metric = metric.replace("_nanoseconds", "_seconds")
                    yield f"sluice_{metric}", name


def main():
    manual = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`((?:sluice|process)_[a-z0-9_]+)", manual))
    found = dict(declared())
    missing = sorted((path, metric) for metric, path in found.items() if metric not in documented)
    for path, metric in missing:
        print(f"{path}: {metric} is not in docs/metrics.md", file=sys.stderr)
    print(f"{len(found)} metrics, {len(missing)} of them not documented")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
