# SPDX-License-Identifier: Apache-2.0
"""One packet in ten is lost in both directions: retransmission carries every call."""
from conftest import live_transactions, wait_until

from labkit import sipp


def test_every_call_completes_with_ten_percent_loss(lab):
    workspace = lab("tap")
    edge = workspace.edge(impair="impair = { loss = 0.1; seed = 7; };")
    registered = sipp.register(workspace, 200, rate=100).wait(120)
    assert registered.successful == 200, registered.summary()
    phone = sipp.phone(workspace, scenario="call_uas_lossy.xml")
    called = sipp.call(workspace, 1000, users=200, rate=50, extra=["-recv_timeout", 60000]).wait(180)
    assert called.successful == 1000, f"{called.summary()}\n{called.log}"
    assert called.retransmissions > 0
    phone.stop()
    wait_until(lambda: live_transactions(edge) == 0, 45, "the end of the last transaction")
