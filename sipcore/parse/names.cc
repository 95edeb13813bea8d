// SPDX-License-Identifier: Apache-2.0
//
// Names to enumerators: methods by length, header names by a perfect hash found at compile time.
#include "sipcore/parse/names.h"

#include "sipcore/parse/char_span.h"
#include "sipcore/parse/chars.h"
#include "sipcore/parse/fields.h"

#include <array>
#include <bit>

namespace sluice::sip {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Method::Count)> kMethods = {
#define SLUICE_METHOD(name, token) token,
#include "sipcore/parse/methods.def"
#undef SLUICE_METHOD
    ""};

struct HeaderRow {
  std::string_view name;
  char compact;
  bool list;
};

constexpr std::array<HeaderRow, static_cast<std::size_t>(HeaderId::Count)> kHeaders = {{
#define SLUICE_HEADER(name, text, compact, list) {text, compact, list},
#include "sipcore/parse/headers.def"
#undef SLUICE_HEADER
    {"", 0, false},
}};

constexpr std::size_t kNames = kHeaders.size() - 1;

// The first sixteen bytes of each name in lower case, zeros behind it, and 0x20 where it has a
// letter: what may differ. Most names end there; the tail of the others is compared singly.
struct Known {
  alignas(16) std::array<char, 16> lower{};
  alignas(16) std::array<char, 16> fold{};
};

constexpr std::array<Known, kNames> make_all_known() {
  std::array<Known, kNames> all{};
  for (std::size_t n = 0; n < kNames; ++n) {
    const std::string_view name = kHeaders[n].name;
    for (std::size_t i = 0; i < name.size() && i < 16; ++i) {
      const char c = to_lower(name[i]);
      all[n].lower[i] = c;
      all[n].fold[i] = c >= 'a' && c <= 'z' ? 0x20 : 0;
    }
  }
  return all;
}

alignas(64) constexpr std::array<Known, kNames> kKnown = make_all_known();

constexpr unsigned kHashBits = 9;

// The bits 0x20 are set in all bytes, so that the hash does not see case; the comparison does the
// rest.
constexpr std::size_t hash_of(std::uint64_t low, std::uint64_t high, std::size_t size,
                              std::uint64_t seed) {
  constexpr std::uint64_t kCase = 0x2020202020202020;
  const std::uint64_t mixed = (low | kCase) ^ std::rotl(high | kCase, 23) ^ size;
  return static_cast<std::size_t>((mixed * seed) >> (64 - kHashBits));
}

struct Slot {
  std::uint8_t name = 0;  // index into kKnown
  std::uint8_t size = 0;  // 0: no name here
};

struct NameTable {
  std::uint64_t seed = 0;
  std::array<Slot, 1U << kHashBits> slots{};
};

// Tries multipliers until no two names share a slot.
constexpr NameTable make_table() {
  const auto word = [](const std::array<char, 16>& name, std::size_t at) {
    std::uint64_t out = 0;
    for (std::size_t i = 8; i-- > 0;) out = out << 8 | static_cast<std::uint8_t>(name[at + i]);
    return out;
  };
  std::uint64_t seed = 0x9e3779b97f4a7c15;
  for (int attempt = 0; attempt < 100'000; ++attempt) {
    NameTable table;
    table.seed = seed | 1;
    bool collision = false;
    for (std::size_t i = 0; i < kNames && !collision; ++i) {
      const std::size_t size = kHeaders[i].name.size();
      const auto& lower = kKnown[i].lower;
      Slot& slot = table.slots[hash_of(word(lower, 0), word(lower, 8), size, table.seed)];
      collision = slot.size != 0;
      slot = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(size)};
    }
    if (!collision) return table;
    seed = seed * 6364136223846793005 + 1442695040888963407;
  }
  return {};
}

constexpr NameTable kTable = make_table();
static_assert(kTable.seed != 0, "no perfect hash for headers.def: widen kHashBits");

constexpr std::array<HeaderId, 256> make_compact() {
  std::array<HeaderId, 256> table{};
  table.fill(HeaderId::Other);
  for (std::size_t i = 0; i < kNames; ++i) {
    const char c = kHeaders[i].compact;
    if (c == 0) continue;
    table[static_cast<std::uint8_t>(c)] = static_cast<HeaderId>(i);
    table[static_cast<std::uint8_t>(c - 0x20)] = static_cast<HeaderId>(i);
  }
  return table;
}

constexpr std::array<HeaderId, 256> kCompact = make_compact();

}  // namespace

Method method_from(std::string_view token) noexcept {
  for (std::size_t i = 0; i < kMethods.size() - 1; ++i) {
    if (token == kMethods[i]) return static_cast<Method>(i);
  }
  return Method::Other;
}

std::string_view to_string(Method method) noexcept {
  return kMethods[static_cast<std::size_t>(method)];
}

HeaderId header_from_16(std::string_view name, __m128i first) noexcept {
  const std::size_t size = name.size();
  if (size == 1) return kCompact[static_cast<std::uint8_t>(name[0])];
  const auto low = static_cast<std::uint64_t>(_mm_cvtsi128_si64(first));
  const auto high = static_cast<std::uint64_t>(_mm_extract_epi64(first, 1));
  const Slot slot = kTable.slots[hash_of(low, high, size, kTable.seed)];
  const Known& known = kKnown[slot.name];
  const __m128i fold = _mm_load_si128(reinterpret_cast<const __m128i*>(known.fold.data()));
  const __m128i lower = _mm_load_si128(reinterpret_cast<const __m128i*>(known.lower.data()));
  const __m128i differ = _mm_xor_si128(_mm_or_si128(first, fold), lower);
  if (slot.size != size || _mm_testz_si128(differ, differ) == 0) return HeaderId::Other;
  if (size > 16 && !equals_no_case(name.substr(16), kHeaders[slot.name].name.substr(16))) {
    return HeaderId::Other;
  }
  return static_cast<HeaderId>(slot.name);
}

HeaderId header_from(std::string_view name) noexcept {
  if (name.empty()) return HeaderId::Other;
  return header_from_16(
      name, name.size() < 16 ? load_partial(name.data(), name.size()) : load_16(name.data()));
}

std::string_view to_string(HeaderId id) noexcept {
  return kHeaders[static_cast<std::size_t>(id)].name;
}

bool is_list(HeaderId id) noexcept {
  return kHeaders[static_cast<std::size_t>(id)].list;
}

}  // namespace sluice::sip
