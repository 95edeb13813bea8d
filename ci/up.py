# SPDX-License-Identifier: Apache-2.0
"""The show behind ci/up: registrations and calls through an edge in the lab."""
import argparse
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from labkit import sipp  # noqa: E402
from labkit.lab import ACCESS, CORE, EDGE_ADDRESS, LabError, Workspace  # noqa: E402

TTY = sys.stdout.isatty()
BOLD, DIM, GREEN, RED, OFF = ("\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m") if TTY else ("",) * 5


class Step:
    """One line that fills up while something happens, and says in the end how it went."""

    def __init__(self, title, total=None):
        self.title, self.total = title, total
        self.begin = time.monotonic()
        self.drawn = 0.0
        if not TTY:
            print(f"  {title} ...", flush=True)

    def show(self, done):
        if not TTY or time.monotonic() - self.drawn < 0.1:
            return
        self.drawn = time.monotonic()
        width = 28
        filled = width * min(done, self.total) // self.total
        print(f"\r  {self.title:<34} {'\u2588' * filled}{DIM}{'\u00b7' * (width - filled)}{OFF} "
              f"{done}/{self.total}", end="", flush=True)

    def end(self, good, text):
        mark = f"{GREEN}\u2713{OFF}" if good else f"{RED}\u2717{OFF}"
        seconds = time.monotonic() - self.begin
        lead = "\r\033[K" if TTY else ""
        print(f"{lead}  {mark} {self.title:<34} {text}  {DIM}{seconds:.1f} s{OFF}", flush=True)


def watch(step):
    def tick(process):
        good, bad = process.progress()
        step.show(good + bad)
    return tick


def milliseconds(result, name):
    """SIPp prints hh:mm:ss:uuuuuu."""
    text = result.values.get(f"ResponseTime{name}(C)", "")
    parts = text.split(":")
    if len(parts) != 4:
        return "?"
    hours, minutes, seconds, micro = map(int, parts)
    return f"{((hours * 60 + minutes) * 60 + seconds) * 1000 + micro / 1000:.1f} ms"


def counter(edge, name, labels=""):
    return sum(int(row["value"]) for row in edge.ctl("show", "counters")["counters"]
               if row["name"] == name and labels in row.get("labels", ""))


def act(workspace, options):
    print(f"\n{BOLD}sluice{OFF}  a SIP edge on DPDK  {DIM}(device: {options.device}){OFF}\n")

    step = Step("Starting the edge")
    edge = workspace.edge()
    step.end(True, f"sip:{EDGE_ADDRESS[ACCESS, 4]} | sip:{EDGE_ADDRESS[CORE, 4]}, IPv4 and IPv6")

    users = options.users
    step = Step(f"Registering {users} phones", users)
    registered = sipp.register(workspace, users, rate=options.rate).wait(120, watch(step))
    good = registered.exit_code == 0 and registered.successful == users
    step.end(good, registered.summary() if not good else f"{registered.successful} registered")

    phone = sipp.phone(workspace)
    step = Step(f"Calling them, {options.rate} calls/s", options.calls)
    called = sipp.call(workspace, options.calls, users=users, rate=options.rate).wait(
        60 + options.calls // options.rate * 3, watch(step))
    clean = called.exit_code == 0 and called.successful == options.calls and called.failed == 0
    good &= clean
    step.end(clean, called.summary())
    answered = phone.stop()

    bindings = edge.ctl("show", "registrations")
    cores = edge.ctl("show", "cores")["cores"]
    print(f"\n{BOLD}What happened{OFF}")
    rows = [
        ("Phones registered", f"{len(bindings['registrations'])} shown by sluicectl"),
        ("Calls", f"{called.successful} of {options.calls} completed: INVITE 100 180 200 ACK BYE 200"),
        ("Call set-up, mean", milliseconds(called, "invite")),
        ("Answered by the phone", f"{answered.created}"),
        ("Retransmissions seen",
         str(sum(result.retransmissions for result in (registered, called, answered)))),
    ]
    for core in cores:
        rows.append((f"Core {core['core']} ({core['role']})",
                     f"CPU {core['cpu']}, {core['messages']} messages, {core['busy_seconds']:.2f} s of work"))
    for title, text in rows:
        print(f"  {title:<24} {text}")
    verdict = f"{GREEN}All of it worked.{OFF}"
    if not good:
        verdict = f"{RED}Something failed{OFF}; the edge's log:\n{edge.log.read_text()}"
    print(f"\n  {verdict}\n", flush=True)
    return edge, good


def main():
    parser = argparse.ArgumentParser(prog="ci/up")
    parser.add_argument("--once", action="store_true", help="end after the calls; exit 0 if all succeeded")
    parser.add_argument("--device", choices=("tap", "af_packet", "af_xdp"), default="tap")
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rate", type=int, default=500, help="calls a second")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with Workspace(options.device) as workspace:
            edge, good = act(workspace, options)
            if options.once or not good:
                return 0 if good else 1
            print(f"The edge runs until Ctrl-C. Try from another terminal:\n"
                  f"  build/apps/sluicectl/sluicectl --socket {edge.socket} show cores\n"
                  f"  build/apps/sluicectl/sluicectl --socket {edge.socket} show registrations\n"
                  f"  ci/lab exec access sipp {EDGE_ADDRESS[ACCESS, 4]}:5060 -sn uac ...\n",
                  flush=True)
            while edge.alive():
                time.sleep(0.5)
            print(f"The edge ended by itself:\n{edge.log.read_text()}")
            return 1
    except KeyboardInterrupt:
        print("\nStopped; the lab is down.")
        return 0
    except LabError as error:
        print(f"\n{RED}{error}{OFF}", file=sys.stderr)
        return 1


sys.exit(main())
