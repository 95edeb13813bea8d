// SPDX-License-Identifier: Apache-2.0
//
// Wire formats of layers 2 to 4: offsets, lengths and code points, and loads and stores in network
// order.
//
// Read first: RFC 826 (ARP), RFC 791 and 1122 (IPv4), RFC 8200 (IPv6), RFC 792 and 4443 (ICMP),
// RFC 4861 (neighbour discovery), RFC 768 (UDP), IEEE 802.1Q.
//
// Memory   Headers are read in place by offset: a struct laid over a frame would need it aligned.
// Errors   None here: the caller has checked the length before it loads.
#pragma once

#include "dataplane/api/frame_port.h"

#include <cstdint>
#include <cstring>

namespace sluice::dataplane::wire {

inline std::uint16_t load16(const std::uint8_t* at) noexcept {
  return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}
inline std::uint32_t load32(const std::uint8_t* at) noexcept {
  return std::uint32_t{load16(at)} << 16 | load16(at + 2);
}
inline void store16(std::uint8_t* at, std::uint32_t value) noexcept {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}
inline void store32(std::uint8_t* at, std::uint32_t value) noexcept {
  store16(at, value >> 16);
  store16(at + 2, value);
}
// As it lies in memory: for checksums, whose arithmetic does not care (RFC 1071 section 2 B).
inline std::uint16_t load_raw16(const std::uint8_t* at) noexcept {
  std::uint16_t value = 0;
  std::memcpy(&value, at, 2);
  return value;
}
inline void store_raw16(std::uint8_t* at, std::uint16_t value) noexcept {
  std::memcpy(at, &value, 2);
}

constexpr std::uint16_t kEtherIpv4 = 0x0800;
constexpr std::uint16_t kEtherArp = 0x0806;
constexpr std::uint16_t kEtherVlan = 0x8100;
constexpr std::uint16_t kEtherServiceVlan = 0x88a8;  // IEEE 802.1ad
constexpr std::uint16_t kEtherIpv6 = 0x86dd;

constexpr std::uint32_t kEthernetLength = 14;
constexpr std::uint32_t kVlanTagLength = 4;
constexpr std::uint32_t kArpLength = 28;
constexpr std::uint32_t kIpv4Length = 20;
constexpr std::uint32_t kIpv6Length = 40;
constexpr std::uint32_t kFragmentHeaderLength = 8;
constexpr std::uint32_t kUdpLength = 8;
constexpr std::uint32_t kIcmpLength = 8;

// Two tags, IPv6 and UDP in front of a payload: 14 + 8 + 40 + 8, rounded up.
constexpr std::uint32_t kTxHeadroom = 80;

constexpr std::uint8_t kProtoHopByHop = 0;
constexpr std::uint8_t kProtoIcmp = 1;
constexpr std::uint8_t kProtoUdp = 17;
constexpr std::uint8_t kProtoRouting = 43;
constexpr std::uint8_t kProtoFragment = 44;
constexpr std::uint8_t kProtoIcmpv6 = 58;
constexpr std::uint8_t kProtoNoNext = 59;
constexpr std::uint8_t kProtoDestinationOptions = 60;

constexpr std::uint16_t kIpv4DontFragment = 0x4000;
constexpr std::uint16_t kIpv4MoreFragments = 0x2000;
constexpr std::uint16_t kIpv4OffsetMask = 0x1fff;
constexpr std::uint8_t kHopLimit = 64;         // RFC 1700, what every host sends
constexpr std::uint8_t kOnLinkHopLimit = 255;  // RFC 4861 section 11: nothing that was forwarded
constexpr std::uint16_t kIpv6MinimumMtu = 1280;
// What Linux calls min_pmtu: below this a "fragmentation needed" is an attack on our packet count.
constexpr std::uint16_t kIpv4MinimumMtu = 552;
constexpr std::uint32_t kLargestIpPayload = 65535;

constexpr std::uint8_t kIcmpEchoReply = 0;
constexpr std::uint8_t kIcmpUnreachable = 3;
constexpr std::uint8_t kIcmpEchoRequest = 8;
constexpr std::uint8_t kIcmpCodePort = 3;
constexpr std::uint8_t kIcmpCodeFragmentationNeeded = 4;
constexpr std::uint8_t kIcmpv6Unreachable = 1;
constexpr std::uint8_t kIcmpv6PacketTooBig = 2;
constexpr std::uint8_t kIcmpv6CodePort = 4;
constexpr std::uint8_t kIcmpv6EchoRequest = 128;
constexpr std::uint8_t kIcmpv6EchoReply = 129;
constexpr std::uint8_t kNeighbourSolicitation = 135;
constexpr std::uint8_t kNeighbourAdvertisement = 136;

constexpr MacAddress kBroadcastMac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

inline MacAddress load_mac(const std::uint8_t* at) noexcept {
  MacAddress mac;
  std::memcpy(mac.data(), at, mac.size());
  return mac;
}
inline void store_mac(std::uint8_t* at, const MacAddress& mac) noexcept {
  std::memcpy(at, mac.data(), mac.size());
}
inline bool is_group(const MacAddress& mac) noexcept {
  return (mac[0] & 1U) != 0;
}

}  // namespace sluice::dataplane::wire
