# SPDX-License-Identifier: Apache-2.0
"""Hostile UDP, fragments and junk frames beside a steady call load, on the ASan build: no crash, no leak,
calls unharmed, every packet accounted for by a counter."""
import os
import subprocess
import time

import pytest

from conftest import ROOT, counters, total

from labkit import sipp
from labkit.lab import ACCESS, EDGE_ADDRESS, PEER


def test_hostile_traffic_beside_calls(lab):
    seconds = int(os.environ.get("HOSTILE_SECONDS", 15))
    sanitized = (ROOT / "build-asan/apps/sluice/sluice").exists()
    workspace = lab("af_packet")
    environment = {"ASAN_OPTIONS": "detect_leaks=1:exitcode=99:log_path=" + str(workspace.directory / "asan"),
                   "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
    # Inspected before dispatch, so that a refused message is not counted as dispatched too.
    edge = workspace.edge(build="build-asan" if sanitized else "build", environment=environment,
                          cores='both = [ 0 ]; handoff = "decode";')
    registered = sipp.register(workspace, 200, rate=200).wait(60)
    assert registered.successful == 200, registered.summary()
    phone = sipp.phone(workspace)
    rate = 50
    caller = sipp.call(workspace, rate * (seconds + 4), users=200, rate=rate)
    time.sleep(1)
    before = counters(edge)
    attacker = workspace.lab.check_output(
        ACCESS, ["python3", "-P", ROOT / "tests/integration/hostile.py", "--seconds", seconds,
                 "--rate", 2000, "--source", PEER[ACCESS, 4], "--target", EDGE_ADDRESS[ACCESS, 4],
                 "--source6", PEER[ACCESS, 6], "--target6", EDGE_ADDRESS[ACCESS, 6]], timeout=seconds + 60)
    assert attacker.returncode == 0, attacker.stderr
    sent = int(attacker.stdout.split()[-1])
    called = caller.wait(120)
    assert called.failed == 0 and called.exit_code == 0, f"{called.summary()}\n{called.log}"
    assert phone.stop().failed == 0
    assert edge.alive(), edge.log.read_text()
    time.sleep(1)
    after = counters(edge)

    def grew(name, labels=""):
        return total(after, name, labels) - total(before, name, labels)

    received = grew("port_rx_packets_total", 'port="access"')
    # The kernel's queue may overflow under the sanitizer; what DPDK did receive is what counts.
    assert received > 0.5 * sent
    assert grew("net_drops_total") > 0
    # Accounting, on everything since the start: each received packet has exactly one outcome.
    rx = total(after, "port_rx_packets_total")
    sent_rows = ('outcome="sent"', 'outcome="sent_elsewhere"')
    outcomes = sum(value for (name, labels), value in after.items()
                   if name == "net_packets_total" and labels not in sent_rows
                   or name == "net_drops_total" and 'reason="tx_' not in labels)
    assert rx == outcomes, f"received {rx}, accounted for {outcomes}"
    # And each delivered datagram: dispatched, kept alive, shed or refused.
    delivered = total(after, "net_packets_total", 'outcome="delivered"')
    fates = total(after, "ingress_datagrams_total") + total(after, "sip_refused_total")
    assert delivered == fates, f"delivered {delivered}, accounted for {fates}"
    assert edge.stop() == 0, edge.log.read_text()
    reports = list(workspace.directory.glob("asan*"))
    assert not reports, reports[0].read_text()
