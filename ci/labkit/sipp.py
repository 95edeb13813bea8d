# SPDX-License-Identifier: Apache-2.0
"""SIPp in the lab: start a scenario, read its statistics."""
import csv
import dataclasses
import pathlib
import subprocess
import time

from .lab import ACCESS, CORE, EDGE_ADDRESS, PEER, ROOT, LabError, host_port

SCENARIOS = ROOT / "perf/sipp"


@dataclasses.dataclass
class Result:
    """The last cumulative line of SIPp's statistics, and its exit code."""
    exit_code: int
    values: dict
    log: str

    def count(self, column):
        return int(float(self.values.get(f"{column}(C)", self.values.get(column, 0)) or 0))

    @property
    def successful(self):
        return self.count("SuccessfulCall")

    @property
    def failed(self):
        return self.count("FailedCall")

    @property
    def created(self):
        return self.count("TotalCallCreated")

    @property
    def unexpected(self):
        return self.count("FailedUnexpectedMessage") + self.count("OutOfCallMsgs")

    @property
    def retransmissions(self):
        return self.count("Retransmissions")

    def summary(self):
        return (f"{self.successful} successful, {self.failed} failed, {self.unexpected} unexpected, "
                f"{self.retransmissions} retransmissions")


class Sipp:
    """One SIPp process in a namespace of the lab."""

    def __init__(self, workspace, side, scenario, *, target=None, family=4, port=5060, calls=None,
                 rate=None, users=None, extra=(), label=None):
        self.workspace = workspace
        self.directory = workspace.directory / f"sipp-{label or pathlib.Path(scenario).stem}-{port}"
        while self.directory.exists():
            self.directory = self.directory.with_name(self.directory.name + "x")
        self.directory.mkdir()
        self.stats = self.directory / "stats.csv"
        local = PEER[side, family]
        argv = ["sipp"]
        if target:
            argv.append(target)
        path = pathlib.Path(scenario)
        argv += ["-sf", path if path.is_absolute() else SCENARIOS / scenario,
                 "-i", local if family == 4 else f"[{local}]", "-p", port, "-mi", local,
                 "-t", "u1", "-nostdin", "-trace_stat", "-stf", self.stats, "-fd", 1,
                 "-trace_err", "-error_file", self.directory / "errors.log",
                 "-buff_size", 4 * 1024 * 1024]
        if calls:
            argv += ["-m", calls]
        if rate:
            # A rate period of 100 ms spreads the calls instead of sending each second's in a burst.
            argv += ["-r", max(1, rate // 10), "-rp", 100, "-l", max(4000, rate * 4)]
        if users:
            injection = self.directory / "users.csv"
            injection.write_text("SEQUENTIAL\n" + "".join(f"{line}\n" for line in users))
            argv += ["-inf", injection]
        argv += list(extra)
        self.process = workspace.popen(side, argv, cwd=self.directory, stdin=subprocess.DEVNULL,
                                       stdout=(self.directory / "screen.log").open("w"),
                                       stderr=subprocess.STDOUT)

    def progress(self):
        """Finished calls so far (successful, failed)."""
        result = self.read()
        return result.successful, result.failed

    def read(self):
        values = {}
        try:
            with self.stats.open(newline="") as file:
                rows = list(csv.reader(file, delimiter=";"))
            if len(rows) >= 2:
                values = dict(zip(rows[0], rows[-1]))
        except FileNotFoundError:
            pass
        log = ""
        for name in ("errors.log", "screen.log"):
            path = self.directory / name
            if path.exists():
                log += path.read_text(errors="replace")[-2000:]
        code = self.process.poll()
        return Result(-1 if code is None else code, values, log)

    def wait(self, timeout, tick=None):
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.process.terminate()
                self.process.wait(10)
                raise LabError(f"SIPp did not end within {timeout} s: {self.read().summary()}\n"
                               f"{self.read().log}")
            if tick:
                tick(self)
            time.sleep(0.1)
        return self.read()

    def stop(self):
        # SIGUSR1: no new calls, finish the running ones, write the statistics.
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.read()


def user(number):
    return f"user{number:04d}"


def register(workspace, count, *, side=CORE, family=4, phone_port=5080, rate=500, domain="example.com",
             expires=600, port=5070):
    """`count` users register from `side`, with the phone at `phone_port` as their contact."""
    contact = host_port(PEER[side, family], phone_port)
    return Sipp(workspace, side, "register.xml", family=family, port=port, calls=count, rate=rate,
                target=host_port(EDGE_ADDRESS[side, family], 5060),
                users=[f"{user(i)};{domain};{contact};{expires}" for i in range(count)],
                label="register")


def wait_for_port(workspace, side, port, timeout=5):
    """Until somebody listens on that UDP port."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if f":{port} " in workspace.lab.check_output(side, ["ss", "-Huln"]).stdout:
            return
        time.sleep(0.05)
    raise LabError(f"nobody listens on UDP port {port} within {timeout} s")


def phone(workspace, *, side=CORE, family=4, port=5080, scenario="call_uas.xml"):
    """The phone that answers for every registered user; runs until it is stopped."""
    answering = Sipp(workspace, side, scenario, family=family, port=port, label="phone",
                     extra=["-l", 100000])
    wait_for_port(workspace, side, port)
    return answering


def call(workspace, count, *, users=1000, side=ACCESS, family=4, rate=500, domain="example.com",
         padding=0, hold=0, port=5060, scenario="call_uac.xml", extra=()):
    """`count` calls from `side` to the registered users, in turn."""
    pad = " " + "x" * padding if padding else ""
    return Sipp(workspace, side, scenario, family=family, port=port, calls=count, rate=rate,
                target=host_port(EDGE_ADDRESS[side, family], 5060),
                users=[f"{user(i)};{domain};{pad}" for i in range(users)],
                label="call", extra=["-d", hold, *extra])
