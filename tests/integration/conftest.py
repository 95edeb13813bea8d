# SPDX-License-Identifier: Apache-2.0
"""Integration tests: the real daemon on DPDK ports in the lab's namespaces, with real peers."""
import os
import pathlib
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ci"))

from labkit import sipp  # noqa: E402
from labkit.lab import Workspace  # noqa: E402


@pytest.fixture
def lab(request):
    """lab(device) is a Workspace that goes down when the test ends."""
    opened = []

    def make(device="tap"):
        keep = os.environ.get("SLUICE_KEEP")
        workspace = Workspace(device, keep=keep and f"{keep}/{request.node.name}")
        opened.append(workspace)
        return workspace.__enter__()

    yield make
    for workspace in opened:
        workspace.__exit__()


def counters(edge):
    """{(name, labels): value} over all cores."""
    table = {}
    for row in edge.ctl("show", "counters")["counters"]:
        key = row["counter"], row.get("labels") or ""
        table[key] = table.get(key, 0) + int(row["value"])
    return table


def total(table, name, labels=""):
    return sum(value for (key, text), value in table.items() if key == name and labels in text)


def live_transactions(edge):
    return total(counters(edge), "txn_live")


def wait_until(condition, timeout, what):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.2)
    pytest.fail(f"{what} did not happen within {timeout} s")


def register_and_call(workspace, *, calls, rate, users=1000, family=4, padding=0, hold=0):
    """The main job: phones register in one network and are called from the other. Returns the three
    SIPp results: registrations, caller, phone."""
    registered = sipp.register(workspace, users, family=family, rate=rate).wait(120)
    assert registered.exit_code == 0 and registered.successful == users, registered.summary()
    phone = sipp.phone(workspace, family=family)
    called = sipp.call(workspace, calls, users=users, family=family, rate=rate, padding=padding,
                       hold=hold).wait(60 + calls / rate * 4)
    return registered, called, phone.stop()


def assert_flawless(registered, called, phone, calls):
    assert called.exit_code == 0, f"{called.summary()}\n{called.log}"
    assert called.successful == calls, called.summary()
    for result in (registered, called, phone):
        assert result.failed == 0, f"{result.summary()}\n{result.log}"
        assert result.unexpected == 0, f"{result.summary()}\n{result.log}"
        assert result.retransmissions == 0, f"{result.summary()}\n{result.log}"
