// SPDX-License-Identifier: Apache-2.0
//
// Two URIs, separated by a line feed: views stay inside, equivalence is symmetric and reflexive, a
// canonical AoR keeps its room.
#include "base/assert.h"
#include "sipcore/parse/uri.h"

#include <cstdint>
#include <memory>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::sip;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t newline = text.find('\n');
  const auto a = parse_uri(text.substr(0, newline));
  if (!a) return 0;
  SLUICE_CHECK(equivalent(*a, *a));
  static_cast<void>(a->param("transport"));
  char room[64];
  const std::size_t whole = canonical_aor(*a, room, sizeof room);
  SLUICE_CHECK(whole <= sizeof room);
  if (whole != 0) {
    const auto exact = std::make_unique<char[]>(whole);
    SLUICE_CHECK(canonical_aor(*a, exact.get(), whole) == whole);
    SLUICE_CHECK(canonical_aor(*a, exact.get(), whole - 1) == 0);
  }
  if (newline == std::string_view::npos) return 0;
  const auto b = parse_uri(text.substr(newline + 1));
  if (b) SLUICE_CHECK(equivalent(*a, *b) == equivalent(*b, *a));
  return 0;
}
