// SPDX-License-Identifier: Apache-2.0
//
// TestCores: N cores and one clock, stepped by hand in one thread, so that races become scripts.
#pragma once

#include "base/core.h"
#include "base/poll_loop.h"

#include <algorithm>
#include <memory>
#include <vector>

namespace sluice::test {

class TestCores {
 public:
  explicit TestCores(unsigned count = 1, Role role = Role::Both) {
    for (unsigned i = 0; i < count; ++i) {
      cores_.push_back(std::make_unique<Core>(static_cast<std::uint8_t>(i), role, clock,
                                              HashKey{0x5eed0000ULL + i, 0x1234567890abcdefULL}));
      loops_.push_back(std::make_unique<PollLoop>(*cores_.back(), IdlePolicy::Busy, nullptr));
    }
  }

  Core& core(unsigned index = 0) { return *cores_[index]; }
  PollLoop& loop(unsigned index = 0) { return *loops_[index]; }

  // One turn of one core at the present time.
  std::uint32_t step(unsigned index = 0) { return loops_[index]->turn(); }

  // Turns every core until none finds work.
  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& loop : loops_) busy |= loop->turn() != 0;
    }
  }

  // Moves time on in steps of `step`, settling after each.
  void advance(Duration by, Duration step = std::chrono::milliseconds{1}) {
    const Instant until = clock.now() + by;
    while (clock.now() < until) {
      clock.advance(std::min(step, until - clock.now()));
      settle();
    }
  }

  ManualClock clock;

 private:
  std::vector<std::unique_ptr<Core>> cores_;
  std::vector<std::unique_ptr<PollLoop>> loops_;
};

}  // namespace sluice::test
