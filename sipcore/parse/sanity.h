// SPDX-License-Identifier: Apache-2.0
//
// Essentials: the decoded headers that every message needs, and the checks that make them safe to
// use.
//
// RFC 3261 8.1.1 (mandatory fields), 16.3 step 1 (reasonable syntax), 18.2.1; strict where a
// difference lets someone smuggle a message past us, liberal where RFC 4475 says so.
//
// Memory   string_views into the message: keep them with it, or re-run after rebase().
#pragma once

#include "base/result.h"
#include "sipcore/parse/fields.h"
#include "sipcore/parse/message.h"

#include <cstdint>
#include <string_view>

namespace sluice::sip {

struct Essentials {
  Via via;  // topmost
  NameAddr from;
  NameAddr to;
  std::string_view from_tag;
  std::string_view to_tag;
  std::string_view call_id;
  CSeq cseq;
  std::uint32_t max_forwards = 70;
  bool has_max_forwards = false;
  bool rfc2543 = false;  // branch without the magic cookie (RFC 3261 8.1.1.7)
  Uri request_uri;       // requests only
};

// Decodes and checks one message. On an error `out` holds what was decoded before it and the
// rest is empty.
Result<void, ParseError> check(const Message& message, const Limits& limits,
                               Essentials& out) noexcept;

}  // namespace sluice::sip
