// SPDX-License-Identifier: Apache-2.0
//
// 4 x 16 bytes a block: every machine that runs this build can do it.
#include "sipcore/parse/scan_block.h"

#include <immintrin.h>

namespace sluice::sip {
namespace {

struct Sse42Masks {
  static BlockMasks of(const char* text) {
    BlockMasks masks{0, 0, 0};
    for (unsigned i = 0; i < 4; ++i) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + i * 16));
      masks.cr |= equal(bytes, '\r') << (i * 16);
      masks.lf |= equal(bytes, '\n') << (i * 16);
      masks.nul |= equal(bytes, '\0') << (i * 16);
    }
    return masks;
  }
  static std::uint64_t equal(__m128i bytes, char c) {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c))));
  }
};

}  // namespace

LineScan scan_lines_sse42(const char* text, std::uint32_t from, std::uint32_t size,
                          std::uint16_t* ends, std::uint32_t capacity) noexcept {
  return scan_lines_by_block<Sse42Masks>(text, from, size, ends, capacity);
}

}  // namespace sluice::sip
