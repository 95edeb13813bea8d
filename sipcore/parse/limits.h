// SPDX-License-Identifier: Apache-2.0
//
// Limits: how large a message and its parts may be. Settings; the defaults fit real phones and
// carriers with room to spare. Exceeding one is a counted refusal with its own response code.
#pragma once

#include <cstdint>

namespace sluice::sip {

// Storage for the index; `Limits::headers` may be lower, never higher.
constexpr std::uint16_t kMaxHeaderFields = 192;

struct Limits {
  std::uint32_t message = 65'535;     // bytes; 513 Message Too Large
  std::uint16_t headers = 128;        // header fields; 400
  std::uint16_t header_line = 8'192;  // bytes of one field with its folds; 400
  std::uint16_t uri = 1'024;          // bytes of the Request-URI; 414
  std::uint16_t via = 70;             // Via values (Max-Forwards' own default); 400
};

}  // namespace sluice::sip
