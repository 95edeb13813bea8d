// SPDX-License-Identifier: Apache-2.0
//
// IPv4 in: RFC 791, RFC 1122 3.2.1. We are a host: what is not for us is dropped, never forwarded.
#include "dataplane/net/checksum.h"
#include "dataplane/net/stack.h"

namespace sluice::dataplane {
namespace {

constexpr std::uint8_t kEndOfOptions = 0;
constexpr std::uint8_t kNoOperation = 1;
constexpr std::uint8_t kLooseSourceRoute = 131;
constexpr std::uint8_t kStrictSourceRoute = 137;

// Nothing: go on. Options are walked for source routes (RFC 7126 4.3) and else skipped.
std::optional<NetCounter> refuse_options(ByteView options) noexcept {
  while (!options.empty()) {
    const std::uint8_t type = options[0];
    if (type == kEndOfOptions) return std::nullopt;
    if (type == kNoOperation) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2 || options[1] < 2 || options[1] > options.size()) {
      return NetCounter::IpOptions;
    }
    if (type == kLooseSourceRoute || type == kStrictSourceRoute) return NetCounter::IpSourceRoute;
    options = options.subspan(options[1]);
  }
  return std::nullopt;
}

// RFC 1122 3.2.1.3, RFC 6890: this network, loopback, multicast, reserved, broadcast.
bool is_martian(const IpAddress& source) noexcept {
  return source.bytes[0] == 0 || source.bytes[0] == 127 || source.bytes[0] >= 224;
}

}  // namespace

NetCounter Stack::ipv4_input(Core& core, Packet& packet) noexcept {
  OwnedBytes& bytes = packet.bytes;
  const std::uint8_t* at = bytes.data();
  if (bytes.size() < wire::kIpv4Length || at[0] >> 4 != 4) return NetCounter::IpMalformed;
  const std::uint32_t header = (at[0] & 0x0fU) * 4;
  const std::uint32_t total = wire::load16(at + 2);
  if (header < wire::kIpv4Length || total < header || total > bytes.size()) {
    return NetCounter::IpMalformed;
  }
  if (packet.checksum != RxChecksum::Good && checksum_finish(checksum_add({at, header})) != 0) {
    return NetCounter::IpChecksum;
  }
  if (at[8] == 0) return NetCounter::IpTtl;
  packet.source = IpAddress::from_bytes(IpFamily::V4, at + 12);
  packet.destination = IpAddress::from_bytes(IpFamily::V4, at + 16);
  const std::uint16_t port = packet.in.index();
  if (is_martian(packet.source) || topology_.owns(port, packet.source) ||
      topology_.is_subnet_broadcast(port, packet.source)) {
    return NetCounter::IpMartian;
  }
  if (!topology_.owns(port, packet.destination)) {
    const bool group = packet.destination.is_multicast() || packet.destination.is_broadcast() ||
                       topology_.is_subnet_broadcast(port, packet.destination);
    return group ? NetCounter::IpGroup : NetCounter::IpNotUs;
  }
  // RFC 1122 3.3.6: a link-layer broadcast must not carry a unicast packet.
  if (packet.group_frame) return NetCounter::IpGroup;
  if (header > wire::kIpv4Length) {
    const ByteView options{at + wire::kIpv4Length, header - wire::kIpv4Length};
    if (const auto refused = refuse_options(options)) return *refused;
  }

  packet.protocol = at[9];
  packet.hop_limit = at[8];
  packet.l3_length = header;
  const std::uint16_t fragment = wire::load16(at + 6);
  const std::uint16_t id = wire::load16(at + 4);
  bytes.resize(total);  // Ethernet padding goes
  bytes.trim_front(header);
  if ((fragment & (wire::kIpv4MoreFragments | wire::kIpv4OffsetMask)) == 0) {
    return transport_input(core, packet);
  }
  return fragment_input(core, packet, id,
                        {(fragment & std::uint32_t{wire::kIpv4OffsetMask}) * 8,
                         (fragment & wire::kIpv4MoreFragments) != 0, bytes.view()});
}

NetCounter Stack::fragment_input(Core& core, Packet& packet, std::uint32_t id,
                                 const Fragment& fragment) noexcept {
  const std::uint16_t port = packet.in.index();
  const FragmentKey key{packet.source, packet.destination, id, port, packet.protocol};
  if (!packet.bounced) {
    const auto owners = mesh_.owners(port);
    if (owners.size() > 1) {
      const auto owner = owners[key.hash(mesh_.key()) % owners.size()];
      if (owner != self_) {
        BounceItem item;
        item.kind = BounceItem::Kind::Frame;
        item.port = port;
        item.checksum = packet.checksum;
        item.bytes = std::move(packet.bytes);
        item.bytes.prepend(packet.l2_length + packet.l3_length);
        return push_to(owner, std::move(item)) ? NetCounter::Bounced : NetCounter::BounceFull;
      }
    }
  }
  OwnedBytes whole;
  const NetCounter outcome = reassembler_.add(core, key, fragment, whole);
  arm_tick(core);
  if (outcome != NetCounter::Delivered) return outcome;
  packet.bytes = std::move(whole);
  packet.checksum = RxChecksum::Unknown;  // a port sees fragments only
  packet.l3_length = 0;
  return transport_input(core, packet);
}

NetCounter Stack::transport_input(Core& core, Packet& packet) noexcept {
  if (packet.protocol == wire::kProtoUdp) return udp_input(core, packet);
  if (packet.destination.is_v4() && packet.protocol == wire::kProtoIcmp) {
    return icmp_input(core, packet);
  }
  if (packet.destination.is_v6() && packet.protocol == wire::kProtoIcmpv6) {
    return icmpv6_input(core, packet);
  }
  return NetCounter::IpProtocol;
}

bool Stack::is_ours(const PortQueue& port, const IpAddress& address) const noexcept {
  return topology_.owns(port.index(), address) || address == port.link_local();
}

}  // namespace sluice::dataplane
