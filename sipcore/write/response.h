// SPDX-License-Identifier: Apache-2.0
//
// Responses made from the request they answer, and where they go.
//
// RFC 3261 8.2.6 (what is copied), 12.1.1 (Record-Route), 18.2.1 and 18.2.2 (received,
// destination); RFC 3581 (rport).
//
// Threads  Pure functions.
// Memory   Written straight into the caller's buffer, which must not be that of an input; nothing
//          is kept.
#pragma once

#include "base/endpoint.h"
#include "sipcore/parse/fields.h"
#include "sipcore/parse/message.h"
#include "sipcore/responder.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::sip {

// Writes the response into `out` if it fits and returns its size either way; 0 if the request has
// no Via to answer to. `source` is where the request really came from. `to_tag` is added to a To
// without a tag in every response but 100; empty: none is. Works on a request that parse() or
// check() refused: what it lacks, the response lacks.
std::uint32_t write_response(const Message& request, const Endpoint& source,
                             std::string_view to_tag, const Response& response,
                             std::span<std::uint8_t> out) noexcept;

// Where a response goes over UDP: the address the request came from; its source port if the Via
// asked for that with rport, else the port of sent-by or its default.
//
// maddr is not honoured. RFC 3261 18.2.2 has it (a SHOULD) for requests sent to a multicast group,
// which we do not listen to; from a unicast request it would let any stranger aim our responses,
// larger than the request, at an address of his choice.
Endpoint response_target(const Via& top, const Endpoint& source) noexcept;

// The standard phrase (RFC 3261 21 and the IANA registry); for a code without one, that of its
// class.
std::string_view reason_phrase(std::uint16_t status) noexcept;

}  // namespace sluice::sip
