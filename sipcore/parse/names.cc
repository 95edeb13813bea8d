// SPDX-License-Identifier: Apache-2.0
//
// Names to enumerators: methods by length, header names by a perfect hash found at compile time.
#include "sipcore/parse/chars.h"
#include "sipcore/parse/message.h"

#include <array>
#include <bit>
#include <cstring>

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

constexpr std::size_t kLongestName = 24;

constexpr std::uint64_t load_word(const char* at) {
  if (std::is_constant_evaluated()) {
    std::uint64_t word = 0;
    for (int i = 7; i >= 0; --i) word = word << 8 | static_cast<std::uint8_t>(at[i]);
    return word;
  }
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// 2..8 bytes in one word without reading outside of the name: two overlapping halves.
constexpr std::uint64_t load_short(const char* at, std::size_t size) {
  if (std::is_constant_evaluated() || size < 4) {
    std::uint64_t word = 0;
    for (std::size_t i = size; i-- > 0;) word = word << 8 | static_cast<std::uint8_t>(at[i]);
    return word;
  }
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  std::memcpy(&low, at, 4);
  std::memcpy(&high, at + size - 4, 4);
  // Shift the high half so that each byte stands where load_word() would have it.
  const unsigned overlap = static_cast<unsigned>(8 - size) * 8;
  return (std::uint64_t{high} << (32 - overlap)) | low;
}

// A name as words: bytes [0, 8), then the last eight, then bytes [8, 16) if it is longer than 16.
// The words of one name length always cover the same bytes, so equal words mean equal names.
struct Words {
  std::uint64_t first = 0;
  std::uint64_t middle = 0;
  std::uint64_t last = 0;
};

constexpr Words words_of(const char* at, std::size_t size) {
  if (size < 8) return {load_short(at, size), 0, 0};
  return {load_word(at), size > 16 ? load_word(at + 8) : 0, load_word(at + size - 8)};
}

constexpr Words operator|(Words a, Words b) {
  return {a.first | b.first, a.middle | b.middle, a.last | b.last};
}

struct Known {
  Words lower;  // the name in lower case
  Words fold;   // 0x20 where the name has a letter: what may differ
  std::uint8_t size = 0;
  HeaderId id = HeaderId::Other;
};

constexpr unsigned kHashBits = 9;

// The bits 0x20 are set in all bytes, so that the hash does not see case; the comparison does the rest.
constexpr std::size_t hash_of(const Words& words, std::size_t size, std::uint64_t seed) {
  constexpr std::uint64_t kCase = 0x2020202020202020;
  const std::uint64_t mixed = (words.first | kCase) ^ std::rotl(words.last | kCase, 23) ^ size;
  return static_cast<std::size_t>((mixed * seed) >> (64 - kHashBits));
}

constexpr Known make_known(std::size_t index) {
  Known known;
  const std::string_view name = kHeaders[index].name;
  std::array<char, kLongestName> lower{};
  std::array<char, kLongestName> fold{};
  for (std::size_t i = 0; i < name.size(); ++i) {
    lower[i] = to_lower(name[i]);
    fold[i] = lower[i] >= 'a' && lower[i] <= 'z' ? 0x20 : 0;
  }
  known.lower = words_of(lower.data(), name.size());
  known.fold = words_of(fold.data(), name.size());
  known.size = static_cast<std::uint8_t>(name.size());
  known.id = static_cast<HeaderId>(index);
  return known;
}

constexpr std::size_t kNames = kHeaders.size() - 1;

struct NameTable {
  std::uint64_t seed = 0;
  std::array<std::uint8_t, 1U << kHashBits> slot{};  // 1 + index into kKnown; 0: no name here
};

constexpr std::array<Known, kNames> make_all_known() {
  std::array<Known, kNames> known{};
  for (std::size_t i = 0; i < kNames; ++i) known[i] = make_known(i);
  return known;
}

constexpr std::array<Known, kNames> kKnown = make_all_known();

// Tries multipliers until no two names share a slot.
constexpr NameTable make_table() {
  std::uint64_t seed = 0x9e3779b97f4a7c15;
  for (int attempt = 0; attempt < 100'000; ++attempt) {
    NameTable table;
    table.seed = seed | 1;
    bool collision = false;
    for (std::size_t i = 0; i < kNames && !collision; ++i) {
      auto& slot = table.slot[hash_of(kKnown[i].lower, kKnown[i].size, table.seed)];
      collision = slot != 0;
      slot = static_cast<std::uint8_t>(i + 1);
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

HeaderId header_from(std::string_view name) noexcept {
  const std::size_t size = name.size();
  if (size < 2) {
    return size == 0 ? HeaderId::Other : kCompact[static_cast<std::uint8_t>(name[0])];
  }
  if (size > kLongestName) return HeaderId::Other;
  const Words words = words_of(name.data(), size);
  const std::size_t slot = kTable.slot[hash_of(words, size, kTable.seed)];
  if (slot == 0) return HeaderId::Other;
  const Known& known = kKnown[slot - 1];
  const Words folded = words | known.fold;
  const bool same = known.size == size && folded.first == known.lower.first &&
                    folded.middle == known.lower.middle && folded.last == known.lower.last;
  return same ? known.id : HeaderId::Other;
}

std::string_view to_string(HeaderId id) noexcept {
  return kHeaders[static_cast<std::size_t>(id)].name;
}

bool is_list(HeaderId id) noexcept {
  return kHeaders[static_cast<std::size_t>(id)].list;
}

}  // namespace sluice::sip
