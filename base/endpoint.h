// SPDX-License-Identifier: Apache-2.0
//
// IpAddress, Endpoint, Prefix: where something is on the network, without <sys/socket.h>.
#pragma once

#include "base/hash.h"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

enum class IpFamily : std::uint8_t { V4 = 4, V6 = 6 };

// Network byte order. An IPv4 address fills the first four bytes and leaves the rest zero.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  IpFamily family = IpFamily::V4;

  static IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d);
  static IpAddress from_bytes(IpFamily family, const std::uint8_t* network_order);
  // Dotted quad, or RFC 4291 text with or without [brackets]; nothing else is accepted.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const { return family == IpFamily::V4; }
  bool is_v6() const { return family == IpFamily::V6; }
  std::size_t size() const { return is_v4() ? 4 : 16; }
  ByteView view() const { return {bytes.data(), size()}; }
  bool is_unspecified() const;
  bool is_multicast() const;
  bool is_broadcast() const;  // 255.255.255.255
  bool is_link_local() const;
  bool is_loopback() const;

  // RFC 5952 text, without brackets.
  std::string to_string() const;
  // Writes the text without a terminator, IPv6 in brackets if asked; returns its length (<= 48).
  std::size_t format(char* out, bool brackets) const noexcept;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;  // host byte order

  // "198.18.0.1:5060", "[fd00::1]:5060".
  static std::optional<Endpoint> parse(std::string_view text);
  std::string to_string() const;
  std::size_t format(char* out) const noexcept;  // length <= 54
  std::uint64_t hash(const HashKey& key) const noexcept;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// An address with a prefix length: an interface's address ("198.18.0.2/24") or a network.
struct Prefix {
  IpAddress address;
  std::uint8_t length = 0;  // bits

  // The length may be missing: then it is the address alone (/32 or /128).
  static std::optional<Prefix> parse(std::string_view text);
  bool contains(const IpAddress& other) const noexcept;
  std::string to_string() const;

  friend bool operator==(const Prefix&, const Prefix&) = default;
};

}  // namespace sluice
