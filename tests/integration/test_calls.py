# SPDX-License-Identifier: Apache-2.0
"""Phones register in one network and are called from the other, over every driver and core shape."""
import os

import pytest

from conftest import assert_flawless, counters, live_transactions, register_and_call, total, wait_until

COMBINED = "both = [ 0 ];"
SPLIT = "poll = [ 0 ]; servant = [ 1 ];"
TWO_COMBINED = "both = [ 0, 1 ];"


def calls_of(default):
    return int(os.environ.get("CALLS", default))


@pytest.mark.parametrize("device", ["tap", "af_packet", "af_xdp"])
@pytest.mark.parametrize("cores", [COMBINED, SPLIT], ids=["combined", "split"])
@pytest.mark.parametrize("shape", ["ipv4", "ipv6", "large"])
def test_registers_and_calls(lab, device, cores, shape):
    # The whole 10,000 on each driver and shape; the variations of the message on fewer.
    calls = calls_of(10000 if shape == "ipv4" else 2000)
    workspace = lab(device)
    edge = workspace.edge(cores=cores)
    results = register_and_call(workspace, calls=calls, rate=1000, family=6 if shape == "ipv6" else 4,
                                padding=2500 if shape == "large" else 0)
    assert_flawless(*results, calls)
    assert len(edge.ctl("show", "registrations", "--limit", "5000")["registrations"]) == 1000
    if shape == "large":
        table = counters(edge)
        if device != "af_packet":  # there the kernel reassembles what it receives
            assert total(table, "net_packets_total", 'outcome="fragment_held"') >= calls
        assert total(table, "net_fragments_sent_total") >= calls
    # RFC 3261 17: the last transaction ends 64*T1 after its final response.
    if device == "tap" and shape == "ipv4":
        wait_until(lambda: live_transactions(edge) == 0, 40, "the end of the last transaction")
    assert edge.stop() == 0, edge.log.read_text()


def test_two_combined_cores_share_the_ports(lab):
    calls = calls_of(5000)
    workspace = lab("tap")
    edge = workspace.edge(cores=TWO_COMBINED, queues=2)
    assert_flawless(*register_and_call(workspace, calls=calls, rate=1000), calls)
    busy = [core["messages"] for core in edge.ctl("show", "cores")["cores"]]
    assert all(count > 0 for count in busy), busy
    assert edge.stop() == 0


@pytest.mark.parametrize("handoff", ["index", "decode"])
def test_either_hand_off_stage(lab, handoff):
    calls = calls_of(2000)
    workspace = lab("tap")
    workspace.edge(cores=SPLIT + f' handoff = "{handoff}";')
    assert_flawless(*register_and_call(workspace, calls=calls, rate=1000), calls)
