# SPDX-License-Identifier: Apache-2.0
"""Namespaces and links (ci/lab), and the edge process inside them."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

ACCESS = "access"
CORE = "core"
EDGE = "edge"

# The addresses that ci/lab gives to the two networks (DESIGN, "The lab").
PEER = {(ACCESS, 4): "198.18.0.1", (CORE, 4): "198.19.0.1",
        (ACCESS, 6): "fd00:18::1", (CORE, 6): "fd00:19::1"}
EDGE_ADDRESS = {(ACCESS, 4): "198.18.0.2", (CORE, 4): "198.19.0.2",
                (ACCESS, 6): "fd00:18::2", (CORE, 6): "fd00:19::2"}


def bracket(address):
    return f"[{address}]" if ":" in address else address


def host_port(address, port):
    return f"{bracket(address)}:{port}"


class LabError(Exception):
    """Something a person can act on; the text says what to do."""


class Lab:
    def __init__(self, device="tap", name=""):
        self.device = device
        self.env = dict(os.environ, SLUICE_LAB=name)
        self.suffix = f"-{name}" if name else ""

    def run(self, *args, check=True):
        done = subprocess.run([str(ROOT / "ci/lab"), *args], env=self.env, text=True,
                              capture_output=True)
        if check and done.returncode != 0:
            raise LabError(f"ci/lab {' '.join(args)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def up(self):
        self.run("down", check=False)
        self.run("up", "--device", self.device)

    def down(self):
        self.run("down", check=False)

    def namespace(self, side):
        return f"sluice-{side}{self.suffix}"

    def command(self, side, argv):
        return ["ip", "netns", "exec", self.namespace(side), *map(str, argv)]

    def popen(self, side, argv, **kwargs):
        return subprocess.Popen(self.command(side, argv), **kwargs)

    def check_output(self, side, argv, **kwargs):
        return subprocess.run(self.command(side, argv), text=True, capture_output=True, **kwargs)

    def devices(self):
        access, core = self.run("devices", "--device", self.device).split()
        return {ACCESS: access, CORE: core}


class Edge:
    """One sluice process in the lab, from a configuration that is written for it."""

    def __init__(self, lab, directory, cores="both = [ 0 ];", build="build", domain="example.com",
                 routes="", impair="", queues=1, extra="", wrapper=(), environment=None):
        self.lab = lab
        self.directory = pathlib.Path(directory)
        self.build = ROOT / build
        self.socket = self.directory / "control.sock"
        self.config = self.directory / "sluice.cfg"
        self.log = self.directory / "edge.log"
        self.wrapper = list(wrapper)
        self.environment = dict(os.environ, **(environment or {}))
        self.process = None
        devices = lab.devices()
        ports = ",\n".join(
            f'  {{ name = "{side}"; device = "{devices[side]}"; queues = {queues};\n'
            f'    address = [ "{EDGE_ADDRESS[side, 4]}/24", "{EDGE_ADDRESS[side, 6]}/64" ]; {impair} }}'
            for side in (ACCESS, CORE))
        listen = ",\n".join(
            f'  {{ uri = "sip:{host_port(EDGE_ADDRESS[side, family], 5060)};transport=udp"; }}'
            for side in (ACCESS, CORE) for family in (4, 6))
        self.config.write_text(
            f"ports = (\n{ports}\n);\n"
            f"cores = {{ {cores} }};\n"
            f"listen = (\n{listen}\n);\n"
            f'domains = ( {{ name = "{domain}"; registrar = "local"; }} );\n'
            f"{routes}\n{extra}\n"
            f'control = {{ socket = "{self.socket}"; http = "127.0.0.1:9465"; }};\n')

    def start(self, timeout=30):
        binary = self.build / "apps/sluice/sluice"
        out = self.log.open("w")
        self.process = self.lab.popen(
            EDGE, [*self.wrapper, binary, "--config", self.config], stdout=out,
            stderr=subprocess.STDOUT, env=self.environment)
        deadline = time.monotonic() + timeout
        while not self.socket.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise LabError(f"the edge did not start:\n{self.log.read_text()}")
            time.sleep(0.05)
        self.lab.run("attach")
        return self

    def ctl(self, *args):
        """A sluicectl command's --json answer."""
        done = subprocess.run([str(self.build / "apps/sluicectl/sluicectl"), "--socket",
                               str(self.socket), "--json", *args], text=True, capture_output=True)
        if done.returncode != 0:
            raise LabError(f"sluicectl {' '.join(args)}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def ctl_text(self, *args):
        return subprocess.run([str(self.build / "apps/sluicectl/sluicectl"), "--socket",
                               str(self.socket), *args], text=True, capture_output=True).stdout

    def stop(self, timeout=20):
        """Asks it to end; returns its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def alive(self):
        return self.process is not None and self.process.poll() is None


class Workspace:
    """A lab, a scratch folder and what runs in them; everything is gone after the with-block."""

    def __init__(self, device="tap", name="", keep=None):
        self.lab = Lab(device, name)
        self.keep = keep
        self.directory = None
        self.edges = []
        self.processes = []

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sluice-lab-"))
        self.lab.up()
        return self

    def edge(self, **kwargs):
        directory = self.directory / f"edge{len(self.edges)}"
        directory.mkdir()
        edge = Edge(self.lab, directory, **kwargs)
        self.edges.append(edge)
        return edge.start()

    def popen(self, side, argv, **kwargs):
        process = self.lab.popen(side, argv, **kwargs)
        self.processes.append(process)
        return process

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        for edge in self.edges:
            edge.stop()
        self.lab.down()
        if self.keep:
            shutil.copytree(self.directory, self.keep, dirs_exist_ok=True)
        shutil.rmtree(self.directory, ignore_errors=True)
