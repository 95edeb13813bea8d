// SPDX-License-Identifier: Apache-2.0
//
// The typed parsers once more, into a place that the caller has: saves check() the copies.
//
// Each expects a value-initialised `out`; false stands for the one error that its parse_ twin has.
#pragma once

#include "sipcore/parse/fields.h"
#include "sipcore/parse/uri.h"

#include <string_view>

namespace sluice::sip {

bool decode_via(std::string_view value, Via& via) noexcept;
bool decode_name_addr(std::string_view value, NameAddr& out) noexcept;
bool decode_uri(std::string_view text, Uri& uri) noexcept;

}  // namespace sluice::sip
