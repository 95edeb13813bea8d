// SPDX-License-Identifier: Apache-2.0
//
// The two requests that are made from an INVITE of ours: CANCEL, and the ACK to a response other
// than 2xx.
//
// RFC 3261 9.1 (CANCEL), 17.1.1.3 (ACK): the INVITE's Request-URI, top Via alone, From, Call-ID,
// Route and CSeq number. They belong to the INVITE's transaction and go where it went.
//
// Threads  Pure functions.
// Memory   Written straight into the caller's buffer, which must not be that of an input; nothing
//          is kept.
// Errors   Each returns the size needed and writes only if it fits; 0 if the INVITE lacks what has
//          to be
//          copied (then it is not one that we sent).
#pragma once

#include "sipcore/parse/message.h"
#include "sipcore/responder.h"

#include <cstdint>
#include <span>

namespace sluice::sip {

// To (with its tag) comes from the response.
std::uint32_t write_ack(const Message& sent_invite, const Message& response,
                        std::span<std::uint8_t> out) noexcept;

// `headers`: Reason (RFC 3326) and the like.
std::uint32_t write_cancel(const Message& sent_invite, std::span<const HeaderLine> headers,
                           std::span<std::uint8_t> out) noexcept;

}  // namespace sluice::sip
