// SPDX-License-Identifier: Apache-2.0
#include "sipcore/parse/parse_error.h"

#include <array>

namespace sluice::sip {
namespace {

struct Row {
  std::string_view label;
  std::uint16_t code;
  std::string_view text;
};

constexpr std::array kRows = {
#define SLUICE_PARSE_ERROR(name, label, code, text) Row{label, code, text},
#include "sipcore/parse/parse_error.def"
#undef SLUICE_PARSE_ERROR
};

constexpr std::array kInfos = {
#define SLUICE_PARSE_ERROR(name, label, code, text) \
  CounterInfo{"sip_refused_total", "reason=\"" label "\"", "SIP messages refused by the parser"},
#include "sipcore/parse/parse_error.def"
#undef SLUICE_PARSE_ERROR
};

static_assert(kRows.size() == static_cast<std::size_t>(ParseError::Count));

const Row& row(ParseError error) {
  return kRows[static_cast<std::size_t>(error)];
}

}  // namespace

std::uint16_t response_code(ParseError error) noexcept {
  return row(error).code;
}
std::string_view label(ParseError error) noexcept {
  return row(error).label;
}
std::string_view text(ParseError error) noexcept {
  return row(error).text;
}
std::span<const CounterInfo> parse_error_infos() {
  return kInfos;
}

}  // namespace sluice::sip
