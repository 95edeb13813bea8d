# SPDX-License-Identifier: Apache-2.0
"""An idle edge costs next to nothing, and is awake at once."""
import os
import statistics
import time

import pytest

from labkit.lab import ACCESS, EDGE_ADDRESS


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")



PING = """
import socket, time, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
for i in range(20):
    time.sleep(0.25)
    m = ("OPTIONS sip:%s SIP/2.0\\r\\nVia: SIP/2.0/UDP 198.18.0.1:9;branch=z9hG4bKidle%d;rport\\r\\n"
         "From: <sip:a@b>;tag=1\\r\\nTo: <sip:%s>\\r\\nCall-ID: idle%d\\r\\nCSeq: 1 OPTIONS\\r\\n"
         "Max-Forwards: 70\\r\\nContent-Length: 0\\r\\n\\r\\n") % (sys.argv[1], i, sys.argv[1], i)
    t = time.perf_counter()
    s.sendto(m.encode(), (sys.argv[1], 5060))
    answer = s.recv(4096)
    assert answer.startswith(b"SIP/2.0 200 "), answer
    print(time.perf_counter() - t)
"""


@pytest.mark.parametrize("device", ["tap", "af_packet"])
@pytest.mark.parametrize("cores", ["both = [ 0 ];", "poll = [ 0 ]; servant = [ 1 ];"],
                         ids=["combined", "split"])
def test_idle_edge_sleeps_and_wakes_at_once(lab, device, cores):
    workspace = lab(device)
    edge = workspace.edge(cores=cores)
    time.sleep(2)
    pid = edge.process.pid
    before, begin = cpu_seconds(pid), time.monotonic()
    time.sleep(10)
    share = (cpu_seconds(pid) - before) / (time.monotonic() - begin)
    assert share < 0.03, f"idle edge uses {share:.1%} of a core"

    done = workspace.lab.check_output(
        ACCESS, ["python3", "-c", PING, EDGE_ADDRESS[ACCESS, 4]], timeout=30)
    assert done.returncode == 0, done.stderr
    latencies = sorted(float(line) for line in done.stdout.split())
    # The median of round trips that each follow 250 ms of silence, both kernel stacks included.
    assert statistics.median(latencies) < 0.002, latencies
