// SPDX-License-Identifier: Apache-2.0
//
// The request that goes on to a target (RFC 3261 16.6 steps 1-9), and the response that goes back
// (16.7 step 3).
//
// Read first: RFC 3261 16.6, 16.7 and 16.12; RFC 3581 4; RFC 5393 5; RFC 3327 5.3.
//
// Memory   Written in one pass into the caller's buffer; nothing is kept.
// Errors   0: cannot be written. More than the buffer holds: the size that it takes; nothing useful
//          is written.
#pragma once

#include "sipcore/outbound.h"
#include "sipcore/proxy/route_plan.h"
#include "sipcore/proxy/target.h"

#include <cstdint>
#include <optional>
#include <span>

namespace sluice::sip {

// 16.6 step 6: what becomes of Request-URI and Route for one target.
struct RouteStep {
  Uri next;                      // whom to send to (step 7), unless the target says so itself
  std::string_view request_uri;  // of the message as sent
  // Set: the next element is a strict router. It is in the Request-URI, the first Route value of
  // the target's or of the message's own is gone, and this URI is the last one.
  std::string_view last_route;
};
// nullopt: a URI on the way is unusable.
std::optional<RouteStep> step_to(const RoutePlan& plan, const Target& target) noexcept;

struct Forwarding {
  const Message& message;
  const Essentials& essentials;
  const Endpoint& source;  // of the request
  const RoutePlan& plan;
  const Target& target;
  const RouteStep& step;
  const Listener& out;               // leaves from here
  const Listener* record = nullptr;  // not null: Record-Route, and the request came in here
  std::string_view branch;
  std::uint32_t max_breadth = 0;  // 0: leave it alone
};
std::size_t write_forwarded(const Forwarding& forwarding, std::span<std::uint8_t> out) noexcept;

// Without our Via; `challenges`: complete header lines to add (16.7 step 7). 0 if nobody's Via is
// below ours.
std::size_t write_relayed_response(const Message& response, std::string_view challenges,
                                   std::span<std::uint8_t> out) noexcept;

}  // namespace sluice::sip
