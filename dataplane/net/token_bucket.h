// SPDX-License-Identifier: Apache-2.0
//
// TokenBucket: at most `rate` things a second, `rate` at once after a pause.
//
// Threads  One core.
#pragma once

#include "base/clock.h"

#include <algorithm>
#include <cstdint>

namespace sluice::dataplane {

class TokenBucket {
 public:
  explicit TokenBucket(std::uint32_t rate) : rate_(rate) {}

  bool take(Instant now) noexcept {
    if (rate_ == 0) return false;
    const Duration cost = Duration{std::chrono::seconds{1}} / rate_;
    // Every token moves spent_until_ on by its cost; it may not pass now, nor fall a second behind.
    spent_until_ = std::max(spent_until_, now - std::chrono::seconds{1});
    if (spent_until_ + cost > now) return false;
    spent_until_ += cost;
    return true;
  }

 private:
  std::uint32_t rate_;
  Instant spent_until_ = Instant{} - std::chrono::seconds{1};
};

}  // namespace sluice::dataplane
