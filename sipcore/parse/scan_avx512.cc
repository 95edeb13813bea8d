// SPDX-License-Identifier: Apache-2.0
//
// 64 bytes a block, compared straight into mask registers (AVX-512BW).
#include "sipcore/parse/scan_block.h"

#include <immintrin.h>

namespace sluice::sip {
namespace {

struct Avx512Masks {
  static BlockMasks of(const char* text) {
    const __m512i bytes = _mm512_loadu_si512(text);
    return {_mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\r')),
            _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\n')),
            _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\0'))};
  }
};

}  // namespace

LineScan scan_lines_avx512(const char* text, std::uint32_t from, std::uint32_t size,
                           std::uint16_t* ends, std::uint32_t capacity) noexcept {
  return scan_lines_by_block<Avx512Masks>(text, from, size, ends, capacity);
}

}  // namespace sluice::sip
