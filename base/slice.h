// SPDX-License-Identifier: Apache-2.0
//
// Slice: a place in a buffer, not a pointer, so parsed text survives a move or copy of its bytes.
//
// Four bytes: a SIP message is at most 65,535 B here (the largest UDP datagram, RFC 768).
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

struct Slice {
  std::uint16_t offset = 0;
  std::uint16_t length = 0;

  constexpr bool empty() const { return length == 0; }
  constexpr std::uint32_t end() const { return std::uint32_t{offset} + length; }
  constexpr std::string_view in(std::string_view buffer) const {
    return {buffer.data() + offset, length};
  }
  friend constexpr bool operator==(Slice, Slice) = default;
};

}  // namespace sluice
