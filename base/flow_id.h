// SPDX-License-Identifier: Apache-2.0
//
// Transport, ListenerId, FlowId: how a message came in, and how to answer on the same way.
//
// FlowId is opaque to SIP code, which only hands it back. It names the poll core that owns the
// flow, so an answer finds its core without a lookup; a stream adds a slot and its generation, so
// that a late answer to a recycled slot is refused instead of reaching a stranger.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

enum class Transport : std::uint8_t { Udp, Tcp, Tls, Ws, Wss };

constexpr bool is_stream(Transport transport) {
  return transport != Transport::Udp;
}

// The Via and URI spelling (RFC 3261 20.42, RFC 7118 5).
constexpr std::string_view via_name(Transport transport) {
  constexpr std::string_view kNames[] = {"UDP", "TCP", "TLS", "WS", "WSS"};
  return kNames[static_cast<std::size_t>(transport)];
}
constexpr std::string_view uri_name(Transport transport) {
  constexpr std::string_view kNames[] = {"udp", "tcp", "tls", "ws", "wss"};
  return kNames[static_cast<std::size_t>(transport)];
}

// Index of a `listen` entry in the configuration snapshot.
using ListenerId = std::uint16_t;
constexpr ListenerId kNoListener = 0xffff;

class FlowId {
 public:
  constexpr FlowId() = default;
  constexpr FlowId(std::uint8_t poll_core, std::uint32_t slot, std::uint32_t generation)
      : value_((std::uint64_t{1} << 63) | (std::uint64_t{poll_core} << 52) |
               (std::uint64_t{slot & 0xff'ffff} << 28) | (generation & 0xfff'ffff)) {}

  constexpr explicit operator bool() const { return value_ != 0; }
  constexpr std::uint8_t poll_core() const {
    return static_cast<std::uint8_t>(value_ >> 52 & 0xff);
  }
  constexpr std::uint32_t slot() const {
    return static_cast<std::uint32_t>(value_ >> 28) & 0xff'ffff;
  }
  constexpr std::uint32_t generation() const {
    return static_cast<std::uint32_t>(value_) & 0xfff'ffff;
  }
  constexpr std::uint64_t value() const { return value_; }
  friend constexpr bool operator==(FlowId, FlowId) = default;

 private:
  std::uint64_t value_ = 0;
};

}  // namespace sluice
