# SPDX-License-Identifier: Apache-2.0
"""Every test of the project, part by part, and one closing line that counts them."""
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PARTS = ("lint", "unit", "examples", "sanitize", "fuzz", "integration")
# Built with clang and libFuzzer; the rest of the project with g++.
CLANG = {"CC": "clang-14", "CXX": "clang++-14"}
# TSan is for what runs on several threads; the rest of the suite is single-threaded by design.
THREADED = ("base", "dal_rcu", "dal_location", "intercept")


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []

    def ok(self, count=1):
        self.passed += count

    def fail(self, what):
        self.failed.append(what)
        print(f"  FAILED  {what}", flush=True)

    def skip(self, what):
        self.skipped.append(what)

    def check(self, what, argv, **kwargs):
        done = run(argv, **kwargs)
        if done.returncode == 0:
            self.ok()
        else:
            print(done.stdout[-8000:])
            self.fail(what)
        return done.returncode == 0


tally = Tally()


def run(argv, env=None, timeout=3600):
    try:
        return subprocess.run([str(a) for a in argv], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=dict(os.environ, **(env or {})),
                              timeout=timeout, errors="replace")
    except subprocess.TimeoutExpired as error:
        output = error.stdout or ""
        if isinstance(output, bytes):
            output = output.decode(errors="replace")
        return subprocess.CompletedProcess(argv, 124, output + f"\ntimed out after {timeout} s")


def setup(directory, *options, env=None):
    if (ROOT / directory / "build.ninja").exists():
        return
    done = run(["meson", "setup", directory, *options], env=env)
    if done.returncode != 0:
        print(done.stdout[-8000:])
        sys.exit(f"meson setup {directory} failed")


def build(directory, *options, env=None, targets=()):
    """Configures once, then builds; a failure is the end of the run."""
    setup(directory, *options, env=env)
    done = run(["ninja", "-C", directory, *targets])
    if done.returncode != 0:
        print(done.stdout[-8000:])
        sys.exit(f"building {directory} failed")


def tests_of(directory):
    done = run(["meson", "introspect", "--tests", directory])
    return json.loads(done.stdout)


def run_meson_suite(directory, suite, label, env=None, only=None, timeout=600):
    """Runs a suite's tests one by one and counts the cases that GoogleTest reports inside each."""
    for test in tests_of(directory):
        if suite not in [name.split(":")[-1] for name in test["suite"]]:
            continue
        if only is not None and not any(part in test["name"] for part in only):
            continue
        name = f"{label}/{test['name']}"
        extra = dict(test.get("env") or {}, **(env or {}))
        done = run(test["cmd"], env=extra, timeout=timeout)
        passed = re.search(r"\[  PASSED  \] (\d+) test", done.stdout)
        for case in re.findall(r"^\[  SKIPPED \] ([\w./]+)$", done.stdout, re.M):
            if f"{name}: {case}" not in tally.skipped:
                reason = re.search(rf"\[ RUN      \] {re.escape(case)}\n(?:.*: Skipped\n)?(.*)\n",
                                   done.stdout)
                tally.skip(f"{name}: {case}" + (f" ({reason.group(1)})" if reason else ""))
        failed = sorted(set(re.findall(r"^\[  FAILED  \] (\w+\.[\w/]+)", done.stdout, re.M)))
        if done.returncode == 0:
            tally.ok(int(passed.group(1)) if passed else 1)
            continue
        if passed:
            tally.ok(int(passed.group(1)))
        print(done.stdout[-6000:])
        for case in failed or [f"exit code {done.returncode}"]:
            tally.fail(f"{name}: {case}")


def part_lint():
    build("build")
    run_meson_suite("build", "lint", "lint")


def part_unit():
    build("build")
    run_meson_suite("build", "unit", "unit")


def part_examples():
    build("build")
    for example in sorted((ROOT / "config/examples").glob("*.cfg")):
        tally.check(f"examples/{example.name}", ["build/apps/sluice/sluice", "check", example])


def part_sanitize():
    # Warnings are errors in the main build; instrumented code makes g++ 12 warn about std::regex.
    flags = ["-Dbuildtype=debugoptimized", "-Db_lundef=false", "-Dperf=false", "-Dwerror=false"]
    build("build-asan", *flags, "-Db_sanitize=address,undefined")
    run_meson_suite("build-asan", "unit", "asan", env={
        "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})
    setup("build-tsan", *flags, "-Db_sanitize=thread")
    build("build-tsan", targets=[
        pathlib.Path(test["cmd"][0]).relative_to(ROOT / "build-tsan") for test in tests_of("build-tsan")
        if "unit" in [name.split(":")[-1] for name in test["suite"]]
        and any(part in test["name"] for part in THREADED)])
    run_meson_suite("build-tsan", "unit", "tsan", only=THREADED, env={
        "TSAN_OPTIONS": f"suppressions={ROOT / 'ci/tsan.supp'}:halt_on_error=1"})


def fuzz_targets():
    return [f"tests/fuzz/{path.stem}" for path in sorted((ROOT / "tests/fuzz").glob("*_fuzz.cc"))]


def part_fuzz():
    seconds = os.environ.get("FUZZ_SECONDS", "10")
    build("build-fuzz", "-Dfuzz=true", "-Dtests=false", "-Dperf=false", "-Db_lundef=false",
          "-Db_sanitize=address,undefined", "-Dcpp_args=-fsanitize=fuzzer-no-link", "-Dwerror=false",
          env=CLANG, targets=fuzz_targets())
    targets = sorted((ROOT / "build-fuzz/tests/fuzz").glob("*_fuzz"))
    if not targets:
        tally.fail("fuzz: no target was built")
    for target in targets:
        corpus = ROOT / "tests/data/corpus" / target.name
        work = ROOT / "build-fuzz/corpus" / target.name
        work.mkdir(parents=True, exist_ok=True)
        tally.check(f"fuzz/{target.name}", [
            target, f"-max_total_time={seconds}", "-rss_limit_mb=4096", "-timeout=10",
            f"-artifact_prefix={work}/", work, *([corpus] if corpus.is_dir() else [])],
            timeout=int(seconds) + 120)


def part_integration():
    build("build")
    if os.geteuid() != 0:
        tally.skip("integration: needs root for its network namespaces")
        return
    if (ROOT / "build-asan/build.ninja").exists():
        build("build-asan")
    report = ROOT / "build/integration.xml"
    done = subprocess.run(["/usr/bin/python3", "-P", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider",
                           "-o", "junit_family=xunit2", f"--junitxml={report}",
                           "tests/integration"], cwd=ROOT)
    if not report.exists():
        tally.fail(f"integration: pytest ended with {done.returncode}")
        return
    import xml.etree.ElementTree as tree
    for case in tree.parse(report).getroot().iter("testcase"):
        name = f"integration/{case.get('classname').split('.')[-1]}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            tally.fail(name)
        elif skipped is not None:
            tally.skip(f"{name} ({skipped.get('message')})")
        else:
            tally.ok()


def main():
    parts = sys.argv[1:] or list(PARTS)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        sys.exit(f"ci/test: no part named {', '.join(unknown)}; there are: {', '.join(PARTS)}")
    for part in parts:
        begin = time.monotonic()
        before = tally.passed
        print(f"== {part}", flush=True)
        globals()[f"part_{part}"]()
        print(f"   {tally.passed - before} passed in {time.monotonic() - begin:.0f} s", flush=True)
    for what in tally.skipped:
        print(f"skipped: {what}")
    for what in tally.failed:
        print(f"FAILED: {what}")
    print(f"{tally.passed} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped")
    sys.exit(1 if tally.failed else 0)


main()
