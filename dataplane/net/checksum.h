// SPDX-License-Identifier: Apache-2.0
//
// The Internet checksum (RFC 1071): 64-bit adds with end-around carry, folded to 16 bits at the
// end.
//
// Sums are kept as the words lie in memory, and what fold() and finish() return is stored with
// wire::store_raw16(): byte order drops out of ones' complement arithmetic.
//
// Threads  Pure functions.
#pragma once

#include "base/bytes.h"
#include "base/endpoint.h"

#include <cstdint>

namespace sluice::dataplane {

// Adds `bytes` to `seed`. Several pieces may be chained if all but the last have an even length.
std::uint64_t checksum_add(ByteView bytes, std::uint64_t seed = 0) noexcept;

// 16 bits, not complemented: what a checksum field holds when only the pseudo header is in it.
constexpr std::uint16_t checksum_fold(std::uint64_t sum) noexcept {
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

// What goes into a checksum field; zero over a whole packet that is intact.
constexpr std::uint16_t checksum_finish(std::uint64_t sum) noexcept {
  return static_cast<std::uint16_t>(~checksum_fold(sum));
}

// RFC 768 and RFC 8200 section 8.1; `length` is that of the upper layer packet.
std::uint64_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                                std::uint8_t protocol, std::uint32_t length) noexcept;

}  // namespace sluice::dataplane
