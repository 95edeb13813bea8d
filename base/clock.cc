// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <ctime>

namespace sluice {

Instant SystemClock::now() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return Instant{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
}

WallTime SystemClock::wall() noexcept {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return WallTime{std::chrono::milliseconds{std::int64_t{time.tv_sec} * 1000 +
                                            std::int64_t{time.tv_nsec} / 1'000'000}};
}

}  // namespace sluice
