// SPDX-License-Identifier: Apache-2.0
//
// ICMP (RFC 792, RFC 1122 3.2.2) and ICMPv6 (RFC 4443): echo, port unreachable, path MTU.
// Everything that makes us send is rate-limited per port, errors and answers alike (RFC 4443 2.4
// f).
#include "dataplane/net/checksum.h"
#include "dataplane/net/stack.h"

#include <algorithm>

namespace sluice::dataplane {
namespace {

// RFC 1812 4.3.2.3: as much of the packet as fits in 576 bytes; RFC 4443 2.4 c: in the minimum MTU.
constexpr std::uint32_t kQuoteV4 = 576 - wire::kIpv4Length - wire::kIcmpLength;
constexpr std::uint32_t kQuoteV6 = wire::kIpv6MinimumMtu - wire::kIpv6Length - wire::kIcmpLength;

}  // namespace

NetCounter Stack::icmp_input(Core& core, Packet& packet) noexcept {
  const ByteView message = packet.bytes.view();
  if (message.size() < wire::kIcmpLength || checksum_finish(checksum_add(message)) != 0) {
    return NetCounter::IcmpMalformed;
  }
  if (message[0] == wire::kIcmpEchoRequest && message[1] == 0) {
    return echo(core, packet, wire::kIcmpEchoReply);
  }
  if (message[0] == wire::kIcmpUnreachable && message[1] == wire::kIcmpCodeFragmentationNeeded) {
    return packet_too_big(core, packet, message.subspan(wire::kIcmpLength),
                          wire::load16(&message[6]));
  }
  return NetCounter::IcmpUnknown;
}

NetCounter Stack::icmpv6_input(Core& core, Packet& packet) noexcept {
  const ByteView message = packet.bytes.view();
  const std::uint64_t pseudo =
      pseudo_header_sum(packet.source, packet.destination, wire::kProtoIcmpv6,
                        static_cast<std::uint32_t>(message.size()));
  if (message.size() < wire::kIcmpLength || checksum_finish(checksum_add(message, pseudo)) != 0) {
    return NetCounter::IcmpMalformed;
  }
  const std::uint8_t type = message[0];
  if (type == wire::kNeighbourSolicitation || type == wire::kNeighbourAdvertisement) {
    // RFC 6980: neighbour discovery never comes in fragments.
    if (packet.l3_length == 0) return NetCounter::NdMalformed;
    return type == wire::kNeighbourSolicitation ? neighbour_solicitation(core, packet)
                                                : neighbour_advertisement(core, packet);
  }
  if (packet.destination.is_multicast()) return NetCounter::IpGroup;
  if (packet.source.is_unspecified()) return NetCounter::IpMartian;
  if (type == wire::kIcmpv6EchoRequest && message[1] == 0) {
    return echo(core, packet, wire::kIcmpv6EchoReply);
  }
  if (type == wire::kIcmpv6PacketTooBig) {
    return packet_too_big(core, packet, message.subspan(wire::kIcmpLength),
                          wire::load32(&message[4]));
  }
  return NetCounter::IcmpUnknown;
}

NetCounter Stack::echo(Core& core, Packet& packet, std::uint8_t reply_type) noexcept {
  const std::uint16_t port = packet.in.index();
  if (!packet.in.spec().icmp_echo || !icmp_[port].take(core.now())) {
    return NetCounter::IcmpLimited;
  }
  Outgoing reply;
  reply.source = packet.destination;
  reply.destination = packet.source;
  // Back to the station it came from: echo needs no route and no neighbour.
  reply.to = packet.sender;
  reply.protocol = packet.protocol;
  std::uint8_t* at = packet.bytes.data();
  at[0] = reply_type;
  wire::store16(at + 2, 0);
  const std::uint64_t pseudo =
      reply.source.is_v4()
          ? 0
          : pseudo_header_sum(reply.source, reply.destination, reply.protocol, packet.bytes.size());
  wire::store_raw16(at + 2, checksum_finish(checksum_add(packet.bytes.view(), pseudo)));
  ip_output(core, packet.in, reply, std::move(packet.bytes));
  return NetCounter::Answered;
}

NetCounter Stack::packet_too_big(Core& core, Packet& packet, ByteView quoted,
                                 std::uint32_t mtu) noexcept {
  // The quote must be a UDP datagram of one of our listeners; whether anything large was recently
  // sent to that destination, PathMtuCache knows. An attacker would have to guess both.
  const bool v4 = packet.destination.is_v4();
  const std::uint32_t least = v4 ? wire::kIpv4MinimumMtu : wire::kIpv6MinimumMtu;
  if (mtu < least || mtu > 0xffff) return NetCounter::IcmpInvalid;
  std::uint32_t header = v4 ? wire::kIpv4Length : wire::kIpv6Length;
  if (quoted.size() < header + wire::kUdpLength) return NetCounter::IcmpMalformed;
  std::uint8_t protocol = quoted[v4 ? 9 : 6];
  bool has_ports = true;
  if (v4) {
    header = (quoted[0] & 0x0fU) * 4;
    has_ports = (wire::load16(&quoted[6]) & wire::kIpv4OffsetMask) == 0;
  } else if (protocol == wire::kProtoFragment) {
    protocol = quoted[header];
    has_ports = (wire::load16(&quoted[header + 2]) & 0xfff8U) == 0;
    header += wire::kFragmentHeaderLength;
  }
  if (header < wire::kIpv4Length || quoted.size() < header + wire::kUdpLength ||
      protocol != wire::kProtoUdp || !has_ports) {
    return NetCounter::IcmpInvalid;
  }
  const IpFamily family = packet.destination.family;
  const std::uint8_t* addresses = &quoted[v4 ? 12 : 8];
  const Endpoint local{IpAddress::from_bytes(family, addresses), wire::load16(&quoted[header])};
  const IpAddress remote = IpAddress::from_bytes(family, addresses + local.address.size());
  const std::uint16_t port = packet.in.index();
  if (topology_.find_listener(port, local) == kNoListener || !icmp_[port].take(core.now())) {
    return NetCounter::IcmpInvalid;
  }
  const auto path_mtu = static_cast<std::uint16_t>(mtu);
  // It may concern what another worker has sent; each checks against its own cache.
  BounceItem news;
  news.kind = BounceItem::Kind::PathMtu;
  news.port = port;
  news.mtu = path_mtu;
  news.remote.address = remote;
  tell_peers(news);
  return path_mtus_.lower(core.now(), remote, path_mtu) ? NetCounter::IcmpNoted
                                                        : NetCounter::IcmpInvalid;
}

void Stack::send_port_unreachable(Core& core, const Packet& packet) noexcept {
  // After reassembly the header to quote is gone, and a group frame is never answered (RFC 1122
  // 3.2.2).
  if (packet.l3_length == 0 || packet.group_frame || !packet.in.spec().icmp_unreachable ||
      !icmp_[packet.in.index()].take(core.now())) {
    return;
  }
  const bool v4 = packet.destination.is_v4();
  const std::uint32_t whole = packet.l3_length + packet.bytes.size();
  const std::uint32_t quote = std::min(whole, v4 ? kQuoteV4 : kQuoteV6);
  OwnedBytes bytes = packet.in.allocate(wire::kIcmpLength + quote);
  if (!bytes) return;
  std::uint8_t* at = bytes.data();
  std::memset(at, 0, wire::kIcmpLength);
  at[0] = v4 ? wire::kIcmpUnreachable : wire::kIcmpv6Unreachable;
  at[1] = v4 ? wire::kIcmpCodePort : wire::kIcmpv6CodePort;
  std::memcpy(at + wire::kIcmpLength, packet.bytes.data() - packet.l3_length, quote);
  Outgoing error;
  error.source = packet.destination;
  error.destination = packet.source;
  error.to = packet.sender;
  error.protocol = v4 ? wire::kProtoIcmp : wire::kProtoIcmpv6;
  const std::uint64_t pseudo =
      v4 ? 0 : pseudo_header_sum(error.source, error.destination, error.protocol, bytes.size());
  wire::store_raw16(at + 2, checksum_finish(checksum_add(bytes.view(), pseudo)));
  if (ip_output(core, packet.in, error, std::move(bytes)) == Fit::Ok) {
    counters_[NetCounter::IcmpErrorsSent].add();
  }
}

}  // namespace sluice::dataplane
