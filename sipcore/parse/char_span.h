// SPDX-License-Identifier: Apache-2.0
//
// How far a run of characters of one set reaches, sixteen at a time.
//
// A set of ASCII characters is 8 rows of 16: a byte's low nibble picks a column (which rows have it), its
// high nibble the row's bit. Two shuffles and an AND say for 16 bytes who is in:
//
//   bytes        'v'  'i'  'a'  ';'         set: letters
//   column       row bits of 0x.6, 0x.9, 0x.1, 0x.b
//   row bit      7    6    6    3
//   and          !=0  !=0  !=0  0           span 3
//
// SSSE3, which the whole build may use (x86-64-v2).
//
// Memory   Never read outside of the text.
#pragma once

#include "sipcore/parse/chars.h"

#include <immintrin.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice::sip {

struct CharSet {
  alignas(16) std::array<std::uint8_t, 16> columns{};

  // All ASCII characters of these classes and those of `more`, but for those of `less`.
  static constexpr CharSet of(unsigned classes, std::string_view more = {},
                              std::string_view less = {}) {
    CharSet set;
    for (unsigned c = 0; c < 128; ++c) {
      const char text = static_cast<char>(c);
      const bool listed = more.find(text) != std::string_view::npos;
      const bool excluded = less.find(text) != std::string_view::npos;
      if (!(is(text, classes) || listed) || excluded) continue;
      auto& column = set.columns[c & 15];
      column = static_cast<std::uint8_t>(column | 1U << (c >> 4));
    }
    return set;
  }
};

// One bit a byte: is it in the set? Bytes above 127 never are.
inline std::uint32_t members(__m128i bytes, const CharSet& set) {
  const __m128i row_bits = _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m128i columns = _mm_load_si128(reinterpret_cast<const __m128i*>(set.columns.data()));
  const __m128i rows = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(0x0f));
  const __m128i found =
      _mm_and_si128(_mm_shuffle_epi8(columns, bytes), _mm_shuffle_epi8(row_bits, rows));
  const int out = _mm_movemask_epi8(_mm_cmpeq_epi8(found, _mm_setzero_si128()));
  return static_cast<std::uint32_t>(out) ^ 0xffffU;
}

// Fewer than 16 bytes with zeros behind them, from loads that overlap instead of reading on.
inline __m128i load_partial(const char* text, std::size_t size) {
  if (size >= 8) {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::memcpy(&low, text, 8);
    std::memcpy(&high, text + size - 8, 8);
    high = (high >> (8 * (15 - size))) >> 8;
    return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
  }
  std::uint64_t word = 0;
  if (size >= 4) {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    std::memcpy(&low, text, 4);
    std::memcpy(&high, text + size - 4, 4);
    word = low | std::uint64_t{high} << (8 * (size - 4));
  } else if (size > 0) {
    const auto byte = [&](std::size_t at) {
      return std::uint64_t{static_cast<std::uint8_t>(text[at])} << (8 * at);
    };
    word = byte(0) | byte(size / 2) | byte(size - 1);
  }
  return _mm_cvtsi64_si128(static_cast<long long>(word));
}

inline __m128i load_16(const char* text) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
}

// Offset of the first byte from `at` on that is not in the set; text.size() if all are.
inline std::size_t span_of(std::string_view text, std::size_t at, const CharSet& set) {
  const std::size_t size = text.size();
  for (; size - at >= 16; at += 16) {
    const std::uint32_t outside = members(load_16(text.data() + at), set) ^ 0xffffU;
    if (outside != 0) return at + static_cast<unsigned>(std::countr_zero(outside));
  }
  if (at == size) return size;
  std::uint32_t outside = 0;
  if (size >= 16) {  // the last sixteen, of which the first are known
    outside = members(load_16(text.data() + size - 16), set) ^ 0xffffU;
    outside >>= 16 - (size - at);
  } else {
    outside = members(load_partial(text.data() + at, size - at), set) ^ 0xffffU;
  }
  outside |= 1U << (size - at);
  return at + static_cast<unsigned>(std::countr_zero(outside));
}

inline bool all_of(std::string_view text, const CharSet& set) {
  return span_of(text, 0, set) == text.size();
}

}  // namespace sluice::sip
