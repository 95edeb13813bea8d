# SPDX-License-Identifier: Apache-2.0
"""Kamailio as the core behind the edge: access calls a phone that is registered at Kamailio."""
import shutil
import subprocess
import time

import pytest

from conftest import ROOT, assert_flawless

from labkit import sipp
from labkit.lab import CORE, PEER

ROUTE = 'routes = ( { match = { domain = "core.test"; }; to = "sip:198.19.0.1:5060"; } );'


@pytest.mark.skipif(shutil.which("kamailio") is None, reason="Kamailio is not installed")
def test_access_calls_a_phone_registered_at_kamailio(lab):
    workspace = lab("tap")
    edge = workspace.edge(routes=ROUTE)
    kamailio = workspace.popen(
        CORE, ["kamailio", "-DD", "-E", "-m", "256", "-M", "16",
               "-f", ROOT / "tests/integration/kamailio.cfg",
               "-Y", workspace.directory, "-w", workspace.directory, "-L",
               "/usr/lib/x86_64-linux-gnu/kamailio/modules"],
        stdout=(workspace.directory / "kamailio.log").open("w"), stderr=subprocess.STDOUT)
    time.sleep(2)
    log = (workspace.directory / "kamailio.log").read_text
    assert kamailio.poll() is None, log()

    # The phones register straight at Kamailio, inside the core network.
    registered = sipp.Sipp(
        workspace, CORE, "register.xml", port=5070, calls=100, rate=100, label="register",
        target=f"{PEER[CORE, 4]}:5060",
        users=[f"{sipp.user(i)};core.test;{PEER[CORE, 4]}:5080;600" for i in range(100)]).wait(30)
    assert registered.successful == 100, f"{registered.summary()}\n{log()}"
    phone = sipp.phone(workspace)
    called = sipp.call(workspace, 1000, users=100, rate=200, domain="core.test").wait(60)
    assert_flawless(registered, called, phone.stop(), 1000)
    # An address nobody routes is refused, not relayed (no open relay).
    refused = sipp.call(workspace, 1, users=1, rate=10, domain="elsewhere.test", port=5064).wait(60)
    assert refused.failed == 1
    assert edge.stop() == 0
