#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ports over real devices: port_echo at the edge of the lab, kernel sockets as its peers.

usage: ports.py BUILD_DIR [NAME_PART...]     (all tests whose name contains a part)

Needs root, or runs itself in a user namespace (then without af_xdp). Exit code 77: cannot run here.
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAB = str(ROOT / "ci" / "lab")
DEVICES = ("tap", "af_packet", "af_xdp")
SIDES = {"access": "198.18.0.2", "core": "198.19.0.2"}


class Failure(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failure(text)


def lab(*words, **options):
    done = subprocess.run([LAB, *words], capture_output=True, text=True, timeout=60, **options)
    check(done.returncode == 0, f"ci/lab {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


class Edge:
    """port_echo in sluice-edge; `reports` holds what it printed for each port when it was stopped."""

    def __init__(self, build, *options, program="port_echo"):
        devices = lab("devices").split()
        words = [LAB, "exec", "edge", f"{build}/tests/integration/{program}", *options]
        for device, address in zip(devices, SIDES.values()):
            words += ["--device", device]
            if program == "port_echo":
                words += ["--address", address]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.reports, self.errors = [], ""
        if self.process.stdout.readline().strip() != "ready":
            raise Failure(f"{program}: " + self.process.stderr.read().strip())

    def __enter__(self):
        try:
            lab("wait")
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            out, self.errors = self.process.communicate(timeout=20)
            self.reports = [json.loads(line) for line in out.splitlines()]

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Tests:
    def __init__(self, build, privileged):
        self.build = build
        self.devices = DEVICES if privileged else DEVICES[:2]

    @contextlib.contextmanager
    def edge(self, device, queues=1, up=(), options=(), program="port_echo"):
        lab("up", "--device", device, "--queues", str(queues), *up)
        if program == "port_echo":
            options = ["--queues", str(queues), *options]
        try:
            with Edge(self.build, *options, program=program) as edge:
                yield edge
        finally:
            lab("down")

    def load(self, side="access", accept_loss=False, **options):
        options = {"address": SIDES[side], **options}
        words = [LAB, "exec", side, f"{self.build}/tests/integration/udp_load"]
        for name, value in options.items():
            words += ["--" + name.replace("_", "-"), str(value)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        result = json.loads(done.stdout)
        print(f"#   {side} {options}: {result}")
        check(result["corrupt"] == 0, "an answer differs from what was sent")
        if not accept_loss:
            check(result["received"] > 0, "no answer")
            # A kernel queue may overflow on a machine that does other things; the port may not lose.
            check(result["received"] >= 0.99 * result["sent"], f"answers are missing: {result}")
        return result

    def check_reports(self, edge):
        check(len(edge.reports) == 2, "a port has not reported")
        for report in edge.reports:
            check(report["link_up"], f"link is down: {report}")
            check(report["bad_checksum"] == 0, f"bad checksums: {report}")
            check(report["copied"] == 0, f"an answer was copied: {report}")
            # What a driver still holds of its last burst may be out.
            missing = report["free_before"] - report["free_after"]
            check(missing <= 32 * len(report["queues"]), f"buffers have not come home: {report}")

    # --- each test_... runs once for each device it is given ---

    def test_echo_on_both_sides(self, device):
        with self.edge(device) as edge:
            for size in (16, 600, 1472):
                self.load(size=size, seconds=0.5)
            self.load("core", size=600, seconds=0.5)
        self.check_reports(edge)

    def test_echo_on_two_queues(self, device):
        with self.edge(device, queues=2) as edge:
            self.load(flows=32, window=4, seconds=1)
        self.check_reports(edge)
        queues = edge.reports[0]["queues"]
        if device == "af_xdp":
            check(len(queues) == 1 and "1 of the 2 queues" in edge.errors, "the clamp is not told")
            return
        check(len(queues) == 2 and min(queues) > 0, f"a queue has seen nothing: {queues}")

    def test_partial_checksums_of_a_local_peer(self, device):
        with self.edge(device, up=["--offload"]) as edge:
            self.load(size=600, seconds=0.5)
        self.check_reports(edge)
        report = edge.reports[0]
        if device == "tap":
            check(report["partial"] == 0, "the kernel fills checksums in on a tap")
        else:
            check(report["partial"] > 0, "a veth peer with offload on leaves checksums partial")

    def test_idle_edge_costs_little_and_wakes_up(self, device):
        with self.edge(device) as edge:
            before = edge.cpu_seconds()
            time.sleep(2)
            idle = (edge.cpu_seconds() - before) / 2
            result = self.load(window=1, pause_ms=20, seconds=2)
        print(f"#   idle CPU with two ports: {100 * idle:.1f} %")
        check(idle < 0.03, f"an idle edge with two ports uses {100 * idle:.1f} % of a CPU")
        check(result["median_us"] < 1000, f"the edge takes {result['median_us']} us to wake up")

    def test_other_mtu(self, device):
        with self.edge(device, up=["--mtu", "1300"], options=["--mtu", "1300"]) as edge:
            self.load(size=1272, seconds=0.3)
        self.check_reports(edge)

    def test_edge_returns_after_a_crash(self, device):
        lab("up", "--device", device)
        try:
            with Edge(self.build) as edge:
                edge.process.kill()
                edge.process.wait()
            with Edge(self.build) as edge:
                self.load(seconds=0.2)
            self.check_reports(edge)
        finally:
            lab("down")

    def test_stack_echo(self, device):
        """The whole stack over the port: neighbours, both families, fragments both ways, both sides."""
        with self.edge(device, program="stack_echo") as edge:
            for address in ("198.18.0.2", "fd00:18::2"):
                for size in (600, 1472, 12000, 65000):
                    if device == "af_packet" and size > 16000 and ":" not in address:
                        continue  # reassembled by the kernel, which has no room for it in the ring
                    self.load(address=address, size=size, window=2 if size > 1472 else 32, seconds=0.3)
            self.load("core", size=600, seconds=0.3)
        self.check_reports(edge)

    def test_super_packets_are_told_as_truncated(self):
        # The kernel reassembles before af_packet sees it: more than the ring's slot holds.
        with self.edge("af_packet") as edge:
            self.load(size=20000, window=1, seconds=0.1, accept_loss=True)
        check(edge.reports[0]["truncated"] > 0, f"not told: {edge.reports[0]}")
        self.check_reports(edge)

    def test_missing_privilege_is_named(self):
        lab("up", "--device", "tap")
        try:
            words = [LAB, "exec", "edge", "setpriv", "--bounding-set", "-net_admin",
                     "--inh-caps", "-net_admin",
                     f"{self.build}/tests/integration/port_echo", "--device", "net_tap0,iface=sl-access"]
            done = subprocess.run(words, capture_output=True, text=True, timeout=20)
            check(done.returncode == 1 and "CAP_NET_ADMIN" in done.stderr, done.stderr)
        finally:
            lab("down")

    def test_lab_leaves_nothing_behind(self):
        lab("up", "--device", "af_packet")
        again = lab("up", "--device", "af_packet")
        check("already" in again, "up is not idempotent")
        sleeper = subprocess.Popen([LAB, "exec", "access", "sleep", "1000"])
        time.sleep(0.2)
        lab("down")
        check(sleeper.wait(timeout=5) != 0, "a process has survived its lab")
        names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout
        check(os.environ["SLUICE_LAB"] not in names, names)

    def all(self):
        for name in dir(self):
            if not name.startswith("test_"):
                continue
            test = getattr(self, name)
            if test.__code__.co_argcount == 1:
                yield name[5:], test, ()
            else:
                for device in self.devices:
                    yield f"{name[5:]}/{device}", test, (device,)


def capable():
    status = pathlib.Path("/proc/self/status").read_text()
    effective = int(status.split("CapEff:")[1].split()[0], 16)
    return (effective >> 12) & (effective >> 21) & 1


def main():
    build, parts = str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2:]
    if not capable():
        if os.environ.get("SLUICE_ENTERED"):
            print("1..0 # skip: neither root nor user namespaces here")
            return 77
        os.environ["SLUICE_ENTERED"] = "1"
        os.execv(LAB, [LAB, "enter", sys.executable, __file__, *sys.argv[1:]])
    if not os.path.exists("/dev/net/tun"):
        print("1..0 # skip: there is no /dev/net/tun")
        return 77
    os.environ["SLUICE_LAB"] = f"ports{os.getpid()}"
    failed = 0
    for name, test, arguments in Tests(build, "SLUICE_ENTERED" not in os.environ).all():
        if parts and not any(part in name for part in parts):
            continue
        try:
            test(*arguments)
            print(f"ok - {name}", flush=True)
        except (Failure, subprocess.SubprocessError, ValueError) as error:
            failed += 1
            print(f"not ok - {name}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
