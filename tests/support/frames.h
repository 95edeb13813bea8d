// SPDX-License-Identifier: Apache-2.0
//
// Hand-made frames: each function builds one layer around the bytes it is given, plainly, byte by
// byte, so that tests do not check the stack against itself. checksum16() is the textbook loop.
#pragma once

#include "base/endpoint.h"
#include "dataplane/api/frame_port.h"

#include <string_view>
#include <vector>

namespace sluice::test {

using Bytes = std::vector<std::uint8_t>;
using dataplane::MacAddress;

inline IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}
inline Endpoint at(std::string_view text) {
  return Endpoint::parse(text).value();
}

inline void put16(Bytes& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}
inline void put32(Bytes& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}
inline void put(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
inline void set16(Bytes& bytes, std::size_t at, unsigned value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}
inline unsigned get16(ByteView bytes, std::size_t at) {
  return bytes[at] * 256U + bytes[at + 1];
}

inline Bytes text(std::string_view text) {
  return {text.begin(), text.end()};
}
inline Bytes pattern(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return out;
}

// RFC 1071, one 16-bit word at a time.
inline unsigned checksum16(ByteView bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? std::uint64_t{bytes[i]} << 8 : bytes[i];
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return ~static_cast<unsigned>(sum) & 0xffff;
}
inline unsigned transport_checksum(const IpAddress& source, const IpAddress& destination,
                                   unsigned protocol, ByteView bytes) {
  Bytes all;
  put(all, source.view());
  put(all, destination.view());
  put32(all, static_cast<std::uint32_t>(bytes.size()));
  put32(all, protocol);
  put(all, bytes);
  return checksum16(all);
}

inline Bytes udp(const Endpoint& source, const Endpoint& destination, ByteView payload) {
  Bytes out;
  put16(out, source.port);
  put16(out, destination.port);
  put16(out, static_cast<unsigned>(payload.size() + 8));
  put16(out, 0);
  put(out, payload);
  const unsigned sum = transport_checksum(source.address, destination.address, 17, out);
  set16(out, 6, sum == 0 ? 0xffff : sum);
  return out;
}

struct Ipv4Fields {
  unsigned id = 1;
  unsigned fragment = 0;  // flags and offset, as on the wire
  unsigned ttl = 64;
  Bytes options = {};
};

inline Bytes ipv4(const IpAddress& source, const IpAddress& destination, unsigned protocol,
                  ByteView payload, const Ipv4Fields& fields = {}) {
  Bytes out;
  const std::size_t header = 20 + fields.options.size();
  out.push_back(static_cast<std::uint8_t>(0x40 | header / 4));
  out.push_back(0);
  put16(out, static_cast<unsigned>(header + payload.size()));
  put16(out, fields.id);
  put16(out, fields.fragment);
  out.push_back(static_cast<std::uint8_t>(fields.ttl));
  out.push_back(static_cast<std::uint8_t>(protocol));
  put16(out, 0);
  put(out, source.view());
  put(out, destination.view());
  put(out, fields.options);
  set16(out, 10, checksum16(out));
  put(out, payload);
  return out;
}

inline Bytes ipv6(const IpAddress& source, const IpAddress& destination, unsigned next,
                  ByteView payload, unsigned hop_limit = 64) {
  Bytes out;
  put32(out, 0x60000000);
  put16(out, static_cast<unsigned>(payload.size()));
  out.push_back(static_cast<std::uint8_t>(next));
  out.push_back(static_cast<std::uint8_t>(hop_limit));
  put(out, source.view());
  put(out, destination.view());
  put(out, payload);
  return out;
}

inline Bytes ip_packet(const IpAddress& source, const IpAddress& destination, unsigned protocol,
                       ByteView payload, unsigned hop_limit = 64) {
  if (source.is_v6()) return ipv6(source, destination, protocol, payload, hop_limit);
  Ipv4Fields fields;
  fields.ttl = hop_limit;
  return ipv4(source, destination, protocol, payload, fields);
}

inline Bytes ethernet(const MacAddress& from, const MacAddress& to, unsigned type,
                      ByteView payload) {
  Bytes out;
  put(out, to);
  put(out, from);
  put16(out, type);
  put(out, payload);
  return out;
}

inline Bytes vlan_tag(unsigned id, unsigned type, ByteView payload) {
  Bytes out;
  put16(out, id);
  put16(out, type);
  put(out, payload);
  return out;
}

inline Bytes ip_frame(const MacAddress& from, const MacAddress& to, const Bytes& packet) {
  return ethernet(from, to, packet.front() >> 4 == 4 ? 0x0800 : 0x86dd, packet);
}

inline Bytes udp_frame(const MacAddress& from, const MacAddress& to, const Endpoint& source,
                       const Endpoint& destination, ByteView payload) {
  return ip_frame(
      from, to,
      ip_packet(source.address, destination.address, 17, udp(source, destination, payload)));
}

inline Bytes arp(unsigned operation, const MacAddress& sender_mac, const IpAddress& sender,
                 const MacAddress& target_mac, const IpAddress& target) {
  Bytes out;
  put16(out, 1);
  put16(out, 0x0800);
  out.push_back(6);
  out.push_back(4);
  put16(out, operation);
  put(out, sender_mac);
  put(out, sender.view());
  put(out, target_mac);
  put(out, target.view());
  return out;
}

// Type, code, four bytes of the second word, the rest; with its checksum.
inline Bytes icmp(unsigned type, unsigned code, std::uint32_t word, ByteView rest) {
  Bytes out = {static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(code), 0, 0};
  put32(out, word);
  put(out, rest);
  set16(out, 2, checksum16(out));
  return out;
}
inline Bytes icmpv6(const IpAddress& source, const IpAddress& destination, unsigned type,
                    unsigned code, std::uint32_t word, ByteView rest) {
  Bytes out = {static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(code), 0, 0};
  put32(out, word);
  put(out, rest);
  set16(out, 2, transport_checksum(source, destination, 58, out));
  return out;
}

}  // namespace sluice::test
