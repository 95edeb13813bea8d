// SPDX-License-Identifier: Apache-2.0
//
// How far a run of characters of one set reaches, sixteen at a time.
//
// A set of ASCII characters is 8 rows of 16: a byte's low nibble picks a column (which rows have
// it), its high nibble the row's bit. Two shuffles and an AND say for 16 bytes who is in:
//
//   bytes        'v'  'i'  'a'  ';'         set: letters
//   column       row bits of 0x.6, 0x.9, 0x.1, 0x.b
//   row bit      7    6    6    3
//   and          !=0  !=0  !=0  0           span 3
//
// SSSE3, which the whole build may use (x86-64-v2).
//
// Memory   Nothing outside of the text is used; see load_up_to_16().
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

inline __m128i load_16(const char* text) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
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

// Fewer than 16 bytes with anything behind them. Tokens have all lengths, so load_partial() would
// cost a wrong guess of the branch predictor each time. A load that stays in the page of its first
// byte cannot fault, and what lies beyond the text is thrown away unread; the sanitizers rightly do
// not like it and get the other way.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLUICE_EXACT_LOADS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define SLUICE_EXACT_LOADS 1
#endif
#endif

inline __m128i load_up_to_16(const char* text, std::size_t size) {
#ifndef SLUICE_EXACT_LOADS
  constexpr std::uintptr_t kPage = 4096;
  if (size != 0 && (reinterpret_cast<std::uintptr_t>(text) & (kPage - 1)) <= kPage - 16) {
    return load_16(text);
  }
#endif
  return load_partial(text, size);
}

// The first `count` bytes, zeros for the rest.
inline __m128i keep_bytes(__m128i bytes, std::uint32_t count) {
  const __m128i numbers = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m128i limit = _mm_set1_epi8(static_cast<char>(count < 16 ? count : 16));
  return _mm_and_si128(bytes, _mm_cmplt_epi8(numbers, limit));
}

// Offset of the first byte from `at` on that is not in the set; text.size() if all are.
inline std::size_t span_of(std::string_view text, std::size_t at, const CharSet& set) {
  for (std::size_t left = text.size() - at; left >= 16; at += 16, left -= 16) {
    const std::uint32_t outside = members(load_16(text.data() + at), set) ^ 0xffffU;
    if (outside != 0) return at + static_cast<unsigned>(std::countr_zero(outside));
  }
  const std::size_t left = text.size() - at;
  const std::uint32_t outside = members(load_up_to_16(text.data() + at, left), set) ^ 0xffffU;
  return at + static_cast<unsigned>(std::countr_zero(outside | 1U << left));
}

inline bool all_of(std::string_view text, const CharSet& set) {
  return span_of(text, 0, set) == text.size();
}

}  // namespace sluice::sip
