// SPDX-License-Identifier: Apache-2.0
//
// One header value through every typed parser; what a parser accepts, it accepts again from its own
// text.
#include "base/assert.h"
#include "sipcore/parse/fields.h"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::sip;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto via = parse_via(text); via) {
    const auto again = parse_via(via->text);
    SLUICE_CHECK(again && again->host == via->host && again->branch == via->branch);
    SLUICE_CHECK(via->has_rport == via->params.find("rport").has_value());
  }
  if (const auto address = parse_name_addr(text); address) {
    const auto again = parse_name_addr(address->text);
    SLUICE_CHECK(again && again->uri == address->uri && again->tag() == address->tag());
    std::string_view rest = address->params.text();
    Params::Param param;
    while (Params::next(rest, param)) SLUICE_CHECK(!param.name.empty());
  }
  static_cast<void>(parse_cseq(text));
  static_cast<void>(parse_number(text));
  if (const auto q = parse_q(text); q) SLUICE_CHECK(*q <= 1000);
  std::string_view list = text;
  std::string_view value;
  std::size_t left = list.size() + 1;
  while (next_value(list, value)) {
    SLUICE_CHECK(list.size() < left);
    left = list.size();
    SLUICE_CHECK(value == trim(value));
  }
  static_cast<void>(Params(text).find("tag"));
  return 0;
}
