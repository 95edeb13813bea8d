// SPDX-License-Identifier: Apache-2.0
//
// ARP: RFC 826; RFC 5227 for probes, announcements and conflicts.
#include "dataplane/net/stack.h"

namespace sluice::dataplane {
namespace {

constexpr std::uint16_t kRequest = 1;
constexpr std::uint16_t kReply = 2;

IpAddress load_v4(const std::uint8_t* at) noexcept {
  return IpAddress::from_bytes(IpFamily::V4, at);
}

}  // namespace

NetCounter Stack::arp_input(Core& core, PortQueue& in, OwnedBytes&& bytes) noexcept {
  const OwnedBytes owned = std::move(bytes);
  const std::uint8_t* at = owned.data();
  // Ethernet, IPv4, six and four bytes: nothing else exists on our ports.
  if (owned.size() < wire::kArpLength || wire::load16(at) != 1 ||
      wire::load16(at + 2) != wire::kEtherIpv4 || at[4] != 6 || at[5] != 4) {
    return NetCounter::ArpMalformed;
  }
  const std::uint16_t operation = wire::load16(at + 6);
  const MacAddress sender_mac = wire::load_mac(at + 8);
  const IpAddress sender = load_v4(at + 14);
  const IpAddress target = load_v4(at + 24);
  if ((operation != kRequest && operation != kReply) || wire::is_group(sender_mac) ||
      sender.is_multicast() || sender.is_broadcast() || sender.is_loopback()) {
    return NetCounter::ArpMalformed;
  }
  const std::uint16_t port = in.index();
  const bool for_us = topology_.owns(port, target);
  if (topology_.owns(port, sender)) {
    // RFC 5227 2.4 (c): keep the address and say so, but not in a shouting match.
    if (sender_mac != in.mac() && icmp_[port].take(core.now())) {
      send_arp(in, kRequest, wire::kBroadcastMac, MacAddress{}, sender, sender);
    }
    return NetCounter::ArpConflict;
  }
  // A sender of zero is a probe (RFC 5227 2.1.1): it may be answered but teaches nothing.
  const bool teaches = !sender.is_unspecified() && topology_.is_on_link(port, sender);
  if (operation == kRequest && for_us) {
    if (teaches) learn(core, port, sender, sender_mac, Evidence::Request);
    send_arp(in, kReply, sender_mac, sender_mac, target, sender);
    return NetCounter::Answered;
  }
  if (!teaches || (!for_us && sender != target)) {
    return for_us ? NetCounter::NeighbourIgnored : NetCounter::ArpNotUs;
  }
  const Evidence evidence = sender == target ? Evidence::Announce : Evidence::Reply;
  return learn(core, port, sender, sender_mac, evidence) ? NetCounter::NeighbourHeard
                                                         : NetCounter::NeighbourIgnored;
}

void Stack::send_arp(PortQueue& out, std::uint16_t operation, const MacAddress& to,
                     const MacAddress& target_mac, const IpAddress& sender,
                     const IpAddress& target) noexcept {
  TxFrame frame{out.allocate(wire::kArpLength)};
  if (!frame.bytes) return;
  std::uint8_t* at = frame.bytes.data();
  wire::store16(at, 1);
  wire::store16(at + 2, wire::kEtherIpv4);
  at[4] = 6;
  at[5] = 4;
  wire::store16(at + 6, operation);
  wire::store_mac(at + 8, out.mac());
  std::memcpy(at + 14, sender.bytes.data(), 4);
  wire::store_mac(at + 18, target_mac);
  std::memcpy(at + 24, target.bytes.data(), 4);
  out.send(std::move(frame), to, wire::kEtherArp);
}

}  // namespace sluice::dataplane
