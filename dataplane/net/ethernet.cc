// SPDX-License-Identifier: Apache-2.0
//
// Ethernet II and IEEE 802.1Q / 802.1ad tags on the way in.
#include "dataplane/net/stack.h"

namespace sluice::dataplane {
namespace {

constexpr std::uint16_t kVlanIdMask = 0x0fff;

bool is_for(const PortQueue& port, const MacAddress& to) noexcept {
  // Group addresses go on: ARP and ND need them, and IP decides by its own destination.
  return to == port.mac() || wire::is_group(to);
}

}  // namespace

NetCounter Stack::ethernet_input(Core& core, PortQueue& in, RxFrame&& frame,
                                 bool bounced) noexcept {
  if (frame.truncated) return NetCounter::Truncated;
  Packet packet{in, std::move(frame.bytes)};
  if (packet.bytes.size() < wire::kEthernetLength) return NetCounter::EthernetShort;
  const std::uint8_t* at = packet.bytes.data();
  if (!is_for(in, wire::load_mac(at))) return NetCounter::EthernetNotUs;
  packet.sender = wire::load_mac(at + 6);
  if (wire::is_group(packet.sender) || packet.sender == in.mac()) {
    return NetCounter::EthernetSource;
  }
  packet.checksum = frame.checksum;
  packet.bounced = bounced;
  packet.group_frame = wire::is_group(wire::load_mac(at));

  std::uint32_t length = wire::kEthernetLength;
  std::uint16_t type = wire::load16(at + 12);
  std::uint16_t service_vlan = 0;
  std::uint16_t vlan = 0;
  if (type == wire::kEtherServiceVlan || type == wire::kEtherVlan) {
    const auto read_tag = [&](std::uint16_t& id) {
      if (packet.bytes.size() < length + wire::kVlanTagLength) return false;
      id = wire::load16(at + length) & kVlanIdMask;
      type = wire::load16(at + length + 2);
      length += wire::kVlanTagLength;
      return true;
    };
    const bool service = type == wire::kEtherServiceVlan;
    if (!read_tag(service ? service_vlan : vlan)) return NetCounter::EthernetShort;
    if (type == wire::kEtherVlan || type == wire::kEtherServiceVlan) {
      if (!service || in.spec().service_vlan == 0) return NetCounter::DoubleTag;
      if (!read_tag(vlan)) return NetCounter::EthernetShort;
    }
  }
  // VLAN id 0 is a priority tag: the frame belongs to no VLAN (IEEE 802.1Q 6.9.1).
  if (vlan != in.spec().vlan || service_vlan != in.spec().service_vlan) return NetCounter::Vlan;

  packet.l2_length = length;
  packet.bytes.trim_front(length);
  switch (type) {
    case wire::kEtherIpv4:
      return ipv4_input(core, packet);
    case wire::kEtherIpv6:
      return ipv6_input(core, packet);
    case wire::kEtherArp:
      return arp_input(core, in, std::move(packet.bytes));
    default:
      return NetCounter::EtherType;
  }
}

}  // namespace sluice::dataplane
