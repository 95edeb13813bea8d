# SPDX-License-Identifier: Apache-2.0
"""tshark dissects everything that the edge emits: no malformed packet, no expert warning or error."""
import shutil
import subprocess
import time

import pytest

from conftest import assert_flawless, register_and_call

from labkit.lab import ACCESS, CORE, EDGE_ADDRESS

PI_WARN = 0x600000


def capture(workspace, side):
    path = workspace.directory / f"{side}.pcap"
    process = workspace.popen(side, ["tcpdump", "-i", "any", "-n", "-U", "-B", "65536", "-s", "0", "-w", path,
                                     "not port 22"], stderr=subprocess.DEVNULL)
    return path, process


def dissect(path, sources):
    mine = " || ".join(f"{'ipv6' if ':' in a else 'ip'}.src=={a}" for a in sources)
    done = subprocess.run(
        ["tshark", "-r", path, "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
         "-Y", f"({mine}) || (arp && arp.src.proto_ipv4=={sources[0]})", "-T", "fields", "-e", "frame.number",
         "-e", "frame.protocols", "-e", "_ws.malformed", "-e", "_ws.expert.severity",
         "-e", "_ws.expert.message", "-e", "sip.Method", "-e", "sip.Status-Code"],
        text=True, capture_output=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("family,padding", [(4, 0), (6, 0), (4, 2500)], ids=["ipv4", "ipv6", "large"])
def test_tshark_finds_nothing_wrong_with_what_we_emit(lab, family, padding):
    workspace = lab("tap")
    captures = {}
    edge = workspace.edge()
    for side in (ACCESS, CORE):
        captures[side] = capture(workspace, side)
    time.sleep(1)
    calls = 200
    assert_flawless(*register_and_call(workspace, calls=calls, rate=100, users=100, family=family,
                                       padding=padding), calls)
    time.sleep(1)
    seen = 0
    for side, (path, process) in captures.items():
        process.terminate()
        process.wait()
        rows = dissect(path, [EDGE_ADDRESS[side, 4], EDGE_ADDRESS[side, 6]])
        for number, protocols, malformed, severities, messages, method, status in rows:
            assert not malformed, (side, number, protocols, messages)
            worst = max((int(s, 0) for s in severities.split(",") if s), default=0)
            assert worst < PI_WARN, (side, number, protocols, messages)
            seen += bool(method or status)
    # Six messages of each call leave through the edge, and each registration's 200.
    assert seen >= 6 * calls + 100
    assert edge.stop() == 0
