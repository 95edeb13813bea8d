// SPDX-License-Identifier: Apache-2.0
//
// Neighbour discovery, RFC 4861: solicitations (7.2.3 validates, 7.2.4 answers) and advertisements
// (7.2.5). Router advertisements are not listened to: gateways are configured.
#include "dataplane/net/checksum.h"
#include "dataplane/net/stack.h"

namespace sluice::dataplane {
namespace {

constexpr std::uint32_t kLength = 24;       // type to target address
constexpr std::uint32_t kOptionLength = 8;  // a link-layer address option on Ethernet
constexpr std::uint8_t kSourceLinkLayer = 1;
constexpr std::uint8_t kTargetLinkLayer = 2;
constexpr std::uint8_t kSolicited = 0x40;
constexpr std::uint8_t kOverride = 0x20;

IpAddress solicited_node(const IpAddress& target) noexcept {
  IpAddress group;  // ff02::1:ffXX:XXXX, RFC 4291 2.7.1
  group.family = IpFamily::V6;
  group.bytes = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  std::memcpy(&group.bytes[13], &target.bytes[13], 3);
  return group;
}

MacAddress multicast_mac(const IpAddress& group) noexcept {
  return {0x33, 0x33, group.bytes[12], group.bytes[13], group.bytes[14], group.bytes[15]};
}

// Walks all options, as RFC 4861 asks: one of length zero spoils the message. Returns false then.
bool find_option(ByteView options, std::uint8_t wanted, std::optional<MacAddress>& mac) noexcept {
  while (!options.empty()) {
    if (options.size() < 2 || options[1] == 0) return false;
    const std::size_t length = std::size_t{options[1]} * 8;
    if (length > options.size()) return false;
    if (options[0] == wanted && length == kOptionLength) mac = wire::load_mac(&options[2]);
    options = options.subspan(length);
  }
  return true;
}

}  // namespace

NetCounter Stack::neighbour_solicitation(Core& core, Packet& packet) noexcept {
  const ByteView message = packet.bytes.view();
  if (packet.hop_limit != wire::kOnLinkHopLimit || message.size() < kLength || message[1] != 0) {
    return NetCounter::NdMalformed;
  }
  const IpAddress target = IpAddress::from_bytes(IpFamily::V6, &message[8]);
  std::optional<MacAddress> mac;
  if (target.is_multicast() || !find_option(message.subspan(kLength), kSourceLinkLayer, mac)) {
    return NetCounter::NdMalformed;
  }
  const bool detecting = packet.source.is_unspecified();  // duplicate address detection
  if (detecting && (mac || packet.destination != solicited_node(target))) {
    return NetCounter::NdMalformed;
  }
  if (!is_ours(packet.in, target)) return NetCounter::NdNotUs;
  if (detecting) {
    // RFC 4862 5.4.3: the address is taken, tell everybody.
    IpAddress all_nodes;
    all_nodes.family = IpFamily::V6;
    all_nodes.bytes = {0xff, 0x02};
    all_nodes.bytes[15] = 1;
    send_advertisement(core, packet.in, target, all_nodes, multicast_mac(all_nodes), false);
    return NetCounter::Answered;
  }
  const MacAddress to = mac.value_or(packet.sender);
  if (wire::is_group(to)) return NetCounter::NdMalformed;
  const std::uint16_t port = packet.in.index();
  if (mac && (packet.source.is_link_local() || topology_.is_on_link(port, packet.source))) {
    learn(core, port, packet.source, to, Evidence::Request);
  }
  send_advertisement(core, packet.in, target, packet.source, to, true);
  return NetCounter::Answered;
}

NetCounter Stack::neighbour_advertisement(Core& core, Packet& packet) noexcept {
  const ByteView message = packet.bytes.view();
  if (packet.hop_limit != wire::kOnLinkHopLimit || message.size() < kLength || message[1] != 0) {
    return NetCounter::NdMalformed;
  }
  const bool solicited = (message[4] & kSolicited) != 0;
  const bool override_bit = (message[4] & kOverride) != 0;
  const IpAddress target = IpAddress::from_bytes(IpFamily::V6, &message[8]);
  std::optional<MacAddress> mac;
  if (target.is_multicast() || (packet.destination.is_multicast() && solicited) ||
      !find_option(message.subspan(kLength), kTargetLinkLayer, mac)) {
    return NetCounter::NdMalformed;
  }
  const std::uint16_t port = packet.in.index();
  if (is_ours(packet.in, target)) return NetCounter::ArpConflict;
  const NeighbourCache::Entry* entry = neighbours_.find(port, target);
  const bool usable = entry != nullptr && entry->usable();
  // 7.2.5: without the option it can confirm an address we know, but not tell us one.
  if (!mac && !usable) return NetCounter::NeighbourIgnored;
  const MacAddress known = mac ? *mac : entry->mac;
  if (usable && known != entry->mac && !override_bit) return NetCounter::NeighbourIgnored;
  const Evidence evidence = solicited ? Evidence::Reply : Evidence::Announce;
  return learn(core, port, target, known, evidence) ? NetCounter::NeighbourHeard
                                                    : NetCounter::NeighbourIgnored;
}

void Stack::send_solicitation(Core& core, PortQueue& out, const IpAddress& target,
                              const MacAddress* to) noexcept {
  OwnedBytes bytes = out.allocate(kLength + kOptionLength);
  if (!bytes) return;
  Outgoing packet;
  const IpAddress* ours =
      target.is_link_local() ? nullptr : topology_.source_for(out.index(), target);
  packet.source = ours == nullptr ? out.link_local() : *ours;
  packet.destination = to == nullptr ? solicited_node(target) : target;
  packet.to = to == nullptr ? multicast_mac(packet.destination) : *to;
  packet.protocol = wire::kProtoIcmpv6;
  packet.hop_limit = wire::kOnLinkHopLimit;
  std::uint8_t* at = bytes.data();
  std::memset(at, 0, bytes.size());
  at[0] = wire::kNeighbourSolicitation;
  std::memcpy(at + 8, target.bytes.data(), 16);
  at[24] = kSourceLinkLayer;
  at[25] = 1;
  wire::store_mac(at + 26, out.mac());
  wire::store_raw16(at + 2, checksum_finish(checksum_add(
                                bytes.view(), pseudo_header_sum(packet.source, packet.destination,
                                                                packet.protocol, bytes.size()))));
  ip_output(core, out, packet, std::move(bytes));
}

void Stack::send_advertisement(Core& core, PortQueue& out, const IpAddress& target,
                               const IpAddress& to, const MacAddress& to_mac,
                               bool solicited) noexcept {
  OwnedBytes bytes = out.allocate(kLength + kOptionLength);
  if (!bytes) return;
  Outgoing packet;
  packet.source = target;
  packet.destination = to;
  packet.to = to_mac;
  packet.protocol = wire::kProtoIcmpv6;
  packet.hop_limit = wire::kOnLinkHopLimit;
  std::uint8_t* at = bytes.data();
  std::memset(at, 0, bytes.size());
  at[0] = wire::kNeighbourAdvertisement;
  at[4] = solicited ? kSolicited | kOverride : kOverride;
  std::memcpy(at + 8, target.bytes.data(), 16);
  at[24] = kTargetLinkLayer;
  at[25] = 1;
  wire::store_mac(at + 26, out.mac());
  wire::store_raw16(at + 2, checksum_finish(checksum_add(
                                bytes.view(), pseudo_header_sum(packet.source, packet.destination,
                                                                packet.protocol, bytes.size()))));
  ip_output(core, out, packet, std::move(bytes));
}

}  // namespace sluice::dataplane
