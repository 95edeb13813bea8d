// SPDX-License-Identifier: Apache-2.0
//
// ParseError: why a message or a part of it was refused (parse_error.def).
#pragma once

#include "base/counters.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::sip {

enum class ParseError : std::uint8_t {
#define SLUICE_PARSE_ERROR(name, label, code, text) name,
#include "sipcore/parse/parse_error.def"
#undef SLUICE_PARSE_ERROR
  Count
};

// The response code that a request with this error deserves; 0: drop it silently.
std::uint16_t response_code(ParseError error) noexcept;
std::string_view label(ParseError error) noexcept;
std::string_view text(ParseError error) noexcept;

using ParseErrorCounters = CounterBlock<ParseError, static_cast<std::size_t>(ParseError::Count)>;
// Rows for CounterRegistry: sluice_sip_refused_total{reason="..."}.
std::span<const CounterInfo> parse_error_infos();

}  // namespace sluice::sip
