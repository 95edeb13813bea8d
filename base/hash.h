// SPDX-License-Identifier: Apache-2.0
//
// Keyed hashing for everything a stranger can choose: Call-IDs, AoRs, branches, addresses.
//
// SipHash-1-3 (Aumasson, Bernstein 2012; the 1-3 rounds of most language runtimes) with a secret
// drawn at start-up, so that nobody outside can aim at one bucket or one core.
#pragma once

#include "base/bytes.h"

#include <cstdint>
#include <string_view>

namespace sluice {

struct HashKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
};

std::uint64_t siphash13(const HashKey& key, ByteView bytes) noexcept;

inline std::uint64_t siphash13(const HashKey& key, std::string_view text) noexcept {
  return siphash13(key, as_bytes(text));
}

}  // namespace sluice
