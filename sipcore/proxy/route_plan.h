// SPDX-License-Identifier: Apache-2.0
//
// RoutePlan: what RFC 3261 16.4 makes of the Request-URI and the Route headers of a request.
//
// Memory   string_views into the message.
#pragma once

#include "sipcore/parse/sanity.h"
#include "sipcore/proxy/policy.h"

#include <cstdint>
#include <string_view>

namespace sluice::sip {

struct RoutePlan {
  Uri request_uri;
  std::string_view top;             // first Route value that stays; empty: none
  std::uint16_t values = 0;         // Route values in the message
  std::uint16_t removed_front = 0;  // ours: one, or two of a double Record-Route
  bool removed_last = false;        // a strict router had put our URI into the Request-URI, and
                                    // the Request-URI here
  // Does the Route value with this index stay?
  bool keeps(std::uint16_t index) const noexcept {
    return index >= removed_front && !(removed_last && index + 1 == values);
  }
};

RoutePlan plan_routes(Core& core, TargetPolicy& policy, const Message& message,
                      const Essentials& essentials);

}  // namespace sluice::sip
