// SPDX-License-Identifier: Apache-2.0
//
// Responder: how a servant answers the request it was given. Implemented by the server transaction
// (and by the stateless responder), so that an application needs neither.
//
// Threads  The servant core that handed out the request.
// Memory   Everything is copied into the response before respond() returns.
// Errors   A response that cannot be built or sent is counted by the implementation; the peer's
//          retransmission is the recovery.
#pragma once

#include "base/core.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::sip {

struct HeaderLine {
  std::string_view name;
  std::string_view value;
};

// Via, From, To (with a tag added if it has none), Call-ID and CSeq come from the request
// (RFC 3261 8.2.6); Content-Length is always written.
struct Response {
  std::uint16_t status = 200;
  std::string_view reason = {};  // empty: the standard phrase
  std::span<const HeaderLine> headers = {};
  std::string_view body = {};  // with its Content-Type among `headers`
};

class Responder {
 public:
  virtual ~Responder() = default;
  virtual void respond(Core& core, const Response& response) = 0;
};

}  // namespace sluice::sip
