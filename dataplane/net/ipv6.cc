// SPDX-License-Identifier: Apache-2.0
//
// IPv6 in: RFC 8200 with its extension headers, a bounded number of them.
#include "dataplane/net/stack.h"

namespace sluice::dataplane {
namespace {

// Nothing legitimate has more; each one costs a step (RFC 8504 5.3 lets a host limit them).
constexpr int kMostExtensionHeaders = 4;

bool is_martian(const IpAddress& source) noexcept {
  // RFC 4291 2.5.5.2 and 2.5.3: mapped IPv4 and loopback never cross a wire.
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return source.is_multicast() || source.is_loopback() ||
         std::memcmp(source.bytes.data(), kMapped, sizeof kMapped) == 0;
}

}  // namespace

NetCounter Stack::ipv6_input(Core& core, Packet& packet) noexcept {
  OwnedBytes& bytes = packet.bytes;
  const std::uint8_t* at = bytes.data();
  if (bytes.size() < wire::kIpv6Length || at[0] >> 4 != 6) return NetCounter::IpMalformed;
  const std::uint32_t payload = wire::load16(at + 4);
  if (payload + wire::kIpv6Length > bytes.size()) return NetCounter::IpMalformed;
  packet.hop_limit = at[7];
  if (packet.hop_limit == 0) return NetCounter::IpTtl;
  packet.source = IpAddress::from_bytes(IpFamily::V6, at + 8);
  packet.destination = IpAddress::from_bytes(IpFamily::V6, at + 24);
  if (is_martian(packet.source) || is_ours(packet.in, packet.source)) return NetCounter::IpMartian;

  bytes.resize(wire::kIpv6Length + payload);
  std::uint32_t front = wire::kIpv6Length;
  std::uint8_t next = at[6];
  const bool group = packet.destination.is_multicast();
  if (!group && !is_ours(packet.in, packet.destination)) return NetCounter::IpNotUs;
  // Only neighbour discovery is spoken to groups, and it carries no extension header worth having.
  if (group && next != wire::kProtoIcmpv6) return NetCounter::IpGroup;
  if (!group && packet.group_frame) return NetCounter::IpGroup;
  // Duplicate address detection (RFC 4862) is the one thing that speaks without an address.
  if (packet.source.is_unspecified() && next != wire::kProtoIcmpv6) return NetCounter::IpMartian;

  const auto left = [&] { return bytes.size() - front; };
  if (next == wire::kProtoFragment) {
    // The fragment header comes first or not at all: anything in front of it is per fragment and of
    // no use to us, and the chain behind it is in the first fragment (RFC 7112).
    if (left() < wire::kFragmentHeaderLength) return NetCounter::IpOptions;
    const std::uint16_t field = wire::load16(at + front + 2);
    const std::uint32_t id = wire::load32(at + front + 4);
    next = at[front];
    front += wire::kFragmentHeaderLength;
    packet.protocol = next;
    packet.l3_length = front;
    const Fragment fragment{field & 0xfff8U, (field & 1U) != 0,
                            ByteView{at + front, bytes.size() - front}};
    // RFC 6946: a fragment that is the whole packet is independent of all others.
    if (fragment.offset != 0 || fragment.more) {
      bytes.trim_front(front);
      return fragment_input(core, packet, id, fragment);
    }
  }
  for (int headers = 0; next == wire::kProtoHopByHop || next == wire::kProtoDestinationOptions ||
                        next == wire::kProtoRouting;) {
    if (++headers > kMostExtensionHeaders || left() < 8) return NetCounter::IpOptions;
    const std::uint32_t length = (at[front + 1] + 1U) * 8;
    if (length > left()) return NetCounter::IpOptions;
    // RFC 5095, RFC 8200 4.4: with segments left this is source routing.
    if (next == wire::kProtoRouting && at[front + 3] != 0) return NetCounter::IpSourceRoute;
    next = at[front];
    front += length;
  }
  packet.protocol = next;
  packet.l3_length = front;
  bytes.trim_front(front);
  return transport_input(core, packet);
}

}  // namespace sluice::dataplane
