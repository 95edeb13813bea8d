# SPDX-License-Identifier: Apache-2.0
"""A phone that stands any loss (SIPp's UAS gives a call up when an ACK is lost or an INVITE comes again):
180 and 200 to each INVITE, the 200 again until the ACK comes (RFC 3261 13.3.1.4), 200 to each BYE."""
import argparse
import heapq
import re
import socket
import time

T1, T2 = 0.5, 4.0


class Phone:
    def __init__(self, address, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((address, port))
        host = f"[{address}]" if ":" in address else address
        self.contact = f"Contact: <sip:phone@{host}:{port}>\r\n"
        self.waiting = {}  # Call-ID: the 200 that waits for its ACK, and to whom
        self.due = []      # (when, Call-ID, interval)

    @staticmethod
    def header(message, name):
        return "".join(re.findall(rf"(?im)^{name}:[^\r]*\r\n", message))

    def respond(self, message, status, more=""):
        to = self.header(message, "To")
        if ";tag=" not in to:
            to = to.replace("\r\n", ";tag=phone\r\n")
        return (f"SIP/2.0 {status}\r\n{self.header(message, 'Via')}{self.header(message, 'From')}{to}"
                f"{self.header(message, 'Call-ID')}{self.header(message, 'CSeq')}"
                f"{self.header(message, 'Record-Route')}{more}Content-Length: 0\r\n\r\n").encode()

    def receive(self, message, peer):
        method = message.split(" ", 1)[0]
        call = self.header(message, "Call-ID")
        if method == "INVITE":
            self.socket.sendto(self.respond(message, "180 Ringing", self.contact), peer)
            answer = self.respond(message, "200 OK", self.contact)
            self.socket.sendto(answer, peer)
            if call not in self.waiting:
                self.waiting[call] = (answer, peer)
                heapq.heappush(self.due, (time.monotonic() + T1, call, T1))
        elif method == "ACK":
            self.waiting.pop(call, None)
        elif method == "BYE":
            self.waiting.pop(call, None)
            self.socket.sendto(self.respond(message, "200 OK"), peer)

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.socket.settimeout(0.05)
            try:
                data, peer = self.socket.recvfrom(65535)
                self.receive(data.decode(errors="replace"), peer)
            except TimeoutError:
                pass
            while self.due and self.due[0][0] <= time.monotonic():
                when, call, interval = heapq.heappop(self.due)
                if call in self.waiting:
                    self.socket.sendto(*self.waiting[call])
                    interval = min(2 * interval, T2)
                    heapq.heappush(self.due, (when + interval, call, interval))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, default=5080)
    parser.add_argument("--seconds", type=int, default=180)
    options = parser.parse_args()
    Phone(options.address, options.port).run(options.seconds)
