// SPDX-License-Identifier: Apache-2.0
//
// Time is an argument: an Instant on the monotonic axis of this process, a WallTime for what people
// and other machines read. Nothing below apps/sluice asks the operating system for either.
#pragma once

#include <chrono>
#include <cstdint>

namespace sluice {

using Duration = std::chrono::nanoseconds;

// The monotonic axis: nanoseconds since an arbitrary start, never set back.
struct MonotonicAxis {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicAxis, Duration>;
  static constexpr bool is_steady = true;
};

using Instant = MonotonicAxis::time_point;
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

constexpr std::int64_t to_milliseconds(Instant instant) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(instant.time_since_epoch()).count();
}

// Where a core takes its time from. Called once per loop turn, not per message.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() noexcept = 0;
  virtual WallTime wall() noexcept = 0;
};

// The operating system's clocks. Safe on every thread.
class SystemClock final : public Clock {
 public:
  Instant now() noexcept override;
  WallTime wall() noexcept override;
};

// Moves only when told to: tests and simulations.
class ManualClock final : public Clock {
 public:
  Instant now() noexcept override { return now_; }
  WallTime wall() noexcept override {
    return WallTime{std::chrono::milliseconds{1'700'000'000'000 + to_milliseconds(now_)}};
  }
  void advance(Duration by) { now_ += by; }
  void set(Instant to) { now_ = to; }

 private:
  Instant now_{std::chrono::seconds{1}};
};

}  // namespace sluice
