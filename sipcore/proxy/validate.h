// SPDX-License-Identifier: Apache-2.0
//
// The checks of RFC 3261 16.3 that only a forwarded request has to pass, and the loop hash of RFC
// 5393 4.2.
#pragma once

#include "base/hash.h"
#include "sipcore/proxy/route_plan.h"
#include "sipcore/received.h"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::sip {

// Over everything by which a request is routed here: the same again is a loop, anything else is a
// spiral. The top Via is left out, unlike in RFC 3261 16.6: it is a new one on every round.
std::uint64_t loop_hash(const HashKey& key, const Message& message,
                        const Essentials& essentials) noexcept;

struct Refusal {
  std::uint16_t status = 0;  // 0: passed
  std::array<char, 256> unsupported_text;
  std::size_t unsupported_size = 0;  // 420 names what it did not understand

  std::string_view unsupported() const noexcept {
    return {unsupported_text.data(), unsupported_size};
  }
};

Refusal validate(const Message& message, const Essentials& essentials, const RoutePlan& plan,
                 std::uint64_t loop, std::span<const std::string_view> supported) noexcept;

}  // namespace sluice::sip
