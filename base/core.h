// SPDX-License-Identifier: Apache-2.0
//
// Core: one thread of the packet path and what it owns. First argument of everything that runs
// there.
//
// Threads  Used by its own thread only; id() and role() are constant and may be read by any.
// Memory   Lives for the whole process. Components of a core are reached from it, never from
//          another.
// See      docs/architecture.md, "Cores and threads".
#pragma once

#include "base/clock.h"
#include "base/hash.h"
#include "base/timer_wheel.h"

#include <cstdint>

namespace sluice {

enum class Role : std::uint8_t { Poll = 1, Servant = 2, Both = 3 };

constexpr bool polls(Role role) {
  return (static_cast<unsigned>(role) & 1U) != 0;
}
constexpr bool serves(Role role) {
  return (static_cast<unsigned>(role) & 2U) != 0;
}

// Unpredictable to outsiders, repeatable in tests: SipHash in counter mode over a seed that wiring
// draws from the operating system once (and tests choose).
class Entropy {
 public:
  explicit Entropy(HashKey seed) : seed_(seed) {}

  std::uint64_t next() noexcept {
    const std::uint64_t at = counter_++;
    return siphash13(seed_, ByteView{reinterpret_cast<const std::uint8_t*>(&at), sizeof at});
  }
  // Uniform in [0, bound); bias below 2^-32 for the small bounds used here.
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

 private:
  HashKey seed_;
  std::uint64_t counter_ = 0;
};

class Core {
 public:
  Core(std::uint8_t id, Role role, Clock& clock, HashKey seed)
      : timers(clock.now()), entropy(seed), id_(id), role_(role), clock_(&clock) {
    refresh_time();
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  std::uint8_t id() const noexcept { return id_; }
  Role role() const noexcept { return role_; }

  // The time of this loop turn: read once per turn, the same for every message of a burst.
  Instant now() const noexcept { return now_; }
  WallTime wall() const noexcept { return wall_; }
  void refresh_time() noexcept {
    now_ = clock_->now();
    wall_ = clock_->wall();
  }

  void arm(Timer& timer, Duration after) noexcept { timers.arm(timer, now_, after); }

  TimerWheel timers;
  Entropy entropy;

 private:
  std::uint8_t id_;
  Role role_;
  Clock* clock_;
  Instant now_{};
  WallTime wall_{};
};

}  // namespace sluice
