// SPDX-License-Identifier: Apache-2.0
#include "base/endpoint.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace sluice {
namespace {

std::optional<unsigned> parse_number(std::string_view text, unsigned most) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

std::size_t format_port(char* out, std::uint16_t port) noexcept {
  *out = ':';
  return static_cast<std::size_t>(std::to_chars(out + 1, out + 7, port).ptr - out);
}

}  // namespace

IpAddress IpAddress::v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  IpAddress address;
  address.bytes = {a, b, c, d};
  return address;
}

IpAddress IpAddress::from_bytes(IpFamily family, const std::uint8_t* network_order) {
  IpAddress address;
  address.family = family;
  std::memcpy(address.bytes.data(), network_order, address.size());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == std::string_view::npos) return std::nullopt;
  }
  char terminated[INET6_ADDRSTRLEN + 1];
  if (text.empty() || text.size() > INET6_ADDRSTRLEN) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  IpAddress address;
  address.family = text.find(':') == std::string_view::npos ? IpFamily::V4 : IpFamily::V6;
  if (inet_pton(address.is_v4() ? AF_INET : AF_INET6, terminated, address.bytes.data()) != 1) {
    return std::nullopt;
  }
  return address;
}

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes[0] & 0xf0) == 0xe0 : bytes[0] == 0xff;
}

bool IpAddress::is_broadcast() const {
  return is_v4() && std::all_of(bytes.begin(), bytes.begin() + 4,
                                [](std::uint8_t byte) { return byte == 0xff; });
}

bool IpAddress::is_link_local() const {
  return is_v4() ? bytes[0] == 169 && bytes[1] == 254
                 : bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes[0] == 127;
  return std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t b) { return b == 0; }) &&
         bytes[15] == 1;
}

std::size_t IpAddress::format(char* out, bool brackets) const noexcept {
  if (is_v4()) {
    char* at = out;
    for (int i = 0; i < 4; ++i) {
      if (i != 0) *at++ = '.';
      at = std::to_chars(at, at + 3, bytes[static_cast<std::size_t>(i)]).ptr;
    }
    return static_cast<std::size_t>(at - out);
  }
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  const std::size_t length = std::strlen(text);
  char* at = out;
  if (brackets) *at++ = '[';
  std::memcpy(at, text, length);
  at += length;
  if (brackets) *at++ = ']';
  return static_cast<std::size_t>(at - out);
}

std::string IpAddress::to_string() const {
  char text[64];
  return {text, format(text, false)};
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find(':') != std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(host);
  const auto port = parse_number(text.substr(colon + 1), 65535);
  if (!address || !port) return std::nullopt;
  return Endpoint{*address, static_cast<std::uint16_t>(*port)};
}

std::size_t Endpoint::format(char* out) const noexcept {
  const std::size_t length = address.format(out, true);
  return length + format_port(out + length, port);
}

std::string Endpoint::to_string() const {
  char text[64];
  return {text, format(text)};
}

std::uint64_t Endpoint::hash(const HashKey& key) const noexcept {
  std::uint8_t packed[18];
  std::memcpy(packed, address.bytes.data(), 16);
  std::memcpy(packed + 16, &port, 2);
  return siphash13(key, ByteView{packed, sizeof packed});
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned whole = address->is_v4() ? 32 : 128;
  if (slash == std::string_view::npos) return Prefix{*address, static_cast<std::uint8_t>(whole)};
  const auto length = parse_number(text.substr(slash + 1), whole);
  if (!length) return std::nullopt;
  return Prefix{*address, static_cast<std::uint8_t>(*length)};
}

bool Prefix::contains(const IpAddress& other) const noexcept {
  if (other.family != address.family) return false;
  const std::size_t whole = length / 8;
  const unsigned rest = length % 8;
  if (std::memcmp(address.bytes.data(), other.bytes.data(), whole) != 0) return false;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  return ((address.bytes[whole] ^ other.bytes[whole]) & mask) == 0;
}

std::string Prefix::to_string() const {
  return address.to_string() + "/" + std::to_string(length);
}

}  // namespace sluice
