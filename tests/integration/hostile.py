# SPDX-License-Identifier: Apache-2.0
"""Sends hostile frames from the access network to the edge: random bytes, truncated SIP, fragments, wrong
checksums and lengths, ARP and ND junk. Bounded in rate and time; prints how many it sent."""
import argparse
import random
import socket
import struct
import subprocess
import time

SIP = (b"INVITE sip:nobody@example.com SIP/2.0\r\nVia: SIP/2.0/UDP %s:5999;branch=z9hG4bK%d;rport\r\n"
       b"Max-Forwards: 70\r\nFrom: <sip:evil@example.com>;tag=%d\r\nTo: <sip:nobody@example.com>\r\n"
       b"Call-ID: hostile-%d\r\nCSeq: 1 INVITE\r\nContact: <sip:evil@%s:5999>\r\nContent-Length: 0\r\n\r\n")


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Attacker:
    def __init__(self, options):
        self.random = random.Random(options.seed)
        route = subprocess.run(["ip", "-o", "route", "get", options.target], text=True, capture_output=True,
                               check=True).stdout
        self.interface = route.split(" dev ")[1].split()[0]
        # One good packet, so that the kernel resolves the edge's address for us.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.sendto(b"\r\n", (options.target, 5060))
        time.sleep(0.3)
        entry = subprocess.run(["ip", "neigh", "show", options.target], text=True, capture_output=True).stdout
        self.target_mac = bytes.fromhex(entry.split("lladdr ")[1].split()[0].replace(":", ""))
        self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.raw.bind((self.interface, 0))
        self.mac = self.raw.getsockname()[4]
        self.source = socket.inet_aton(options.source)
        self.target = socket.inet_aton(options.target)
        self.source6 = socket.inet_pton(socket.AF_INET6, options.source6)
        self.target6 = socket.inet_pton(socket.AF_INET6, options.target6)
        self.text = options.source.encode()
        self.makers = [self.noise, self.broken_sip, self.truncated_sip, self.bad_udp_checksum,
                       self.bad_length,
                       self.fragments, self.overlapping, self.lone_fragment, self.bad_ip, self.arp, self.nd,
                       self.ipv6_noise, self.ethernet, self.spoofed]

    def bytes(self, most):
        return self.random.randbytes(self.random.randrange(most))

    def frame(self, ethertype, payload):
        return self.target_mac + self.mac + struct.pack("!H", ethertype) + payload

    def ipv4(self, payload, *, protocol=17, identifier=None, flags=0, source=None, spoil=False, length=None):
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, length or 20 + len(payload),
                             identifier or self.random.randrange(65536), flags, 64, protocol, 0,
                             source or self.source, self.target)
        check = checksum(header) ^ (0x5555 if spoil else 0)
        return self.frame(0x0800, header[:10] + struct.pack("!H", check) + header[12:] + payload)

    def udp(self, payload, *, spoil=False, length=None, port=5060, source=None):
        size = length if length is not None else 8 + len(payload)
        header = struct.pack("!HHHH", self.random.randrange(1, 65536), port, size, 0)
        pseudo = (source or self.source) + self.target + struct.pack("!BBH", 0, 17, size)
        check = checksum(pseudo + header + payload) or 0xffff
        return header[:6] + struct.pack("!H", check ^ (0x1111 if spoil else 0)) + payload

    def sip(self):
        number = self.random.randrange(1 << 30)
        return SIP % (self.text, number, number, number, self.text)

    def noise(self):
        return [self.ipv4(self.udp(self.bytes(1400)))]

    def broken_sip(self):
        message = bytearray(self.sip())
        for _ in range(self.random.randrange(1, 8)):
            message[self.random.randrange(len(message))] = self.random.randrange(256)
        return [self.ipv4(self.udp(bytes(message)))]

    def truncated_sip(self):
        message = self.sip()
        return [self.ipv4(self.udp(message[:self.random.randrange(len(message))]))]

    def bad_udp_checksum(self):
        return [self.ipv4(self.udp(self.sip(), spoil=True))]

    def bad_length(self):
        return [self.ipv4(self.udp(self.bytes(200), length=self.random.randrange(65536)))]

    def fragments(self):
        datagram = self.udp(self.bytes(6000))
        identifier = self.random.randrange(1, 65536)
        pieces = []
        for at in range(0, len(datagram), 1480):
            more = 0x2000 if at + 1480 < len(datagram) else 0
            pieces.append(self.ipv4(datagram[at:at + 1480], identifier=identifier, flags=more | at // 8))
        self.random.shuffle(pieces)
        return pieces[:self.random.randrange(1, len(pieces) + 1)]

    def overlapping(self):
        identifier = self.random.randrange(1, 65536)
        return [self.ipv4(self.random.randbytes(64), identifier=identifier,
                          flags=0x2000 | self.random.randrange(0, 6)) for _ in range(3)]

    def lone_fragment(self):
        return [self.ipv4(self.bytes(600), flags=self.random.randrange(1, 0x4000))]

    def bad_ip(self):
        kind = self.random.randrange(4)
        if kind == 0:
            return [self.ipv4(self.udp(self.bytes(100)), spoil=True)]
        if kind == 1:
            return [self.ipv4(self.bytes(100), length=self.random.randrange(1, 65536))]
        if kind == 2:
            return [self.ipv4(self.bytes(100), protocol=self.random.randrange(256))]
        return [self.frame(0x0800, self.random.randbytes(self.random.randrange(60)))]

    def arp(self):
        kind = self.random.randrange(3)
        if kind == 0:
            return [self.frame(0x0806, self.bytes(60))]
        # Lies about addresses that are not ours to claim; never the phone's own.
        claimed = bytes((198, 18, 0, self.random.randrange(100, 200)))
        return [self.frame(0x0806, struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, kind,
                                               self.random.randbytes(6), claimed, self.target_mac,
                                               self.target))]

    def ipv6(self, payload, next_header, hops=64):
        header = struct.pack("!IHBB", 6 << 28, len(payload), next_header, hops)
        return self.frame(0x86dd, header + self.source6 + self.target6 + payload)

    def nd(self):
        body = struct.pack("!BBHI", self.random.choice((133, 134, 135, 136, 137)), 0,
                           self.random.randrange(65536), 0) + self.bytes(80)
        return [self.ipv6(body, 58, self.random.choice((64, 255)))]

    def ipv6_noise(self):
        return [self.ipv6(self.bytes(300), self.random.choice((0, 17, 43, 44, 59, 60, 6)))]

    def ethernet(self):
        return [self.frame(self.random.randrange(65536), self.bytes(100)).ljust(14, b"\0")]

    def spoofed(self):
        source = bytes((self.random.choice((0, 127, 198, 224, 255)), 18, 0, self.random.randrange(256)))
        return [self.ipv4(self.udp(self.sip(), source=source), source=source)]

    def run(self, seconds, rate):
        sent = 0
        begin = time.monotonic()
        while (now := time.monotonic() - begin) < seconds:
            if sent > now * rate:
                time.sleep(0.002)
                continue
            for frame in self.random.choice(self.makers)():
                try:
                    self.raw.send(frame[:1514])
                    sent += 1
                except OSError:
                    time.sleep(0.001)
        return sent


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    for name in ("source", "target", "source6", "target6"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    print("sent", Attacker(options).run(options.seconds, options.rate))


main()
