// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/checksum.h"

#include "dataplane/net/wire.h"

#include <cstring>

namespace sluice::dataplane {
namespace {

inline std::uint64_t add_with_carry(std::uint64_t sum, std::uint64_t word) noexcept {
  sum += word;
  return sum + (sum < word ? 1 : 0);
}

inline std::uint64_t load(const std::uint8_t* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, 8);
  return word;
}

}  // namespace

std::uint64_t checksum_add(ByteView bytes, std::uint64_t seed) noexcept {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t sum = seed;
  if (left >= 32) {
    // Four chains: one carry chain alone would wait for itself at every word.
    std::uint64_t lane[4] = {seed, 0, 0, 0};
    for (; left >= 32; at += 32, left -= 32) {
      lane[0] = add_with_carry(lane[0], load(at));
      lane[1] = add_with_carry(lane[1], load(at + 8));
      lane[2] = add_with_carry(lane[2], load(at + 16));
      lane[3] = add_with_carry(lane[3], load(at + 24));
    }
    sum = add_with_carry(add_with_carry(lane[0], lane[1]), add_with_carry(lane[2], lane[3]));
  }
  for (; left >= 8; at += 8, left -= 8) sum = add_with_carry(sum, load(at));
  if (left != 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, left);
    sum = add_with_carry(sum, word);
  }
  return sum;
}

std::uint64_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                                std::uint8_t protocol, std::uint32_t length) noexcept {
  // The unused part of an IPv4 address is zero, so all sixteen bytes may be added.
  std::uint8_t rest[8] = {};
  wire::store32(rest, length);
  rest[7] = protocol;
  std::uint64_t sum = load(rest);
  sum = add_with_carry(sum, load(source.bytes.data()));
  sum = add_with_carry(sum, load(source.bytes.data() + 8));
  sum = add_with_carry(sum, load(destination.bytes.data()));
  return add_with_carry(sum, load(destination.bytes.data() + 8));
}

}  // namespace sluice::dataplane
