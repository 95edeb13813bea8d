// SPDX-License-Identifier: Apache-2.0
//
// 2 x 32 bytes a block.
#include "sipcore/parse/scan_block.h"

#include <immintrin.h>

namespace sluice::sip {
namespace {

struct Avx2Masks {
  static BlockMasks of(const char* text) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + 32));
    return {equal(low, high, '\r'), equal(low, high, '\n'), equal(low, high, '\0')};
  }
  static std::uint64_t equal(__m256i low, __m256i high, char c) {
    const __m256i wanted = _mm256_set1_epi8(c);
    const auto first =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted)));
    const auto second =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)));
    return std::uint64_t{second} << 32 | first;
  }
};

}  // namespace

LineScan scan_lines_avx2(const char* text, std::uint32_t from, std::uint32_t size,
                         std::uint16_t* ends, std::uint32_t capacity) noexcept {
  return scan_lines_by_block<Avx2Masks>(text, from, size, ends, capacity);
}

}  // namespace sluice::sip
