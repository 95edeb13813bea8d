# SPDX-License-Identifier: Apache-2.0
"""One packet in ten is lost in both directions: retransmission carries every call."""
from conftest import ROOT, counters, live_transactions, total, wait_until

from labkit import sipp
from labkit.lab import CORE, PEER


def test_every_call_completes_with_ten_percent_loss(lab):
    workspace = lab("tap")
    edge = workspace.edge(impair="impair = { loss = 0.1; seed = 7; };")
    registered = sipp.register(workspace, 200, rate=100).wait(120)
    assert registered.successful == 200, registered.summary()
    workspace.popen(CORE, ["python3", "-P", ROOT / "tests/integration/phone.py", "--address", PEER[CORE, 4]])
    sipp.wait_for_port(workspace, CORE, 5080)
    called = sipp.call(workspace, 1000, users=200, rate=50).wait(180)
    assert called.successful == 1000, f"{called.summary()}\n{called.log}"
    assert called.retransmissions > 0
    table = counters(edge)
    assert total(table, "txn_timeouts_total") == 0
    wait_until(lambda: live_transactions(edge) == 0, 45, "the end of the last transaction")
