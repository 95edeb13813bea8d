// SPDX-License-Identifier: Apache-2.0
#include "base/timer_wheel.h"

#include "base/core.h"
#include "tests/support/test_cores.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <vector>

namespace sluice {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

class Probe final : public Timer {
 public:
  int fired = 0;
  Instant when{};
  std::function<void(Core&)> then;

 private:
  void on_timer(Core& core) override {
    ++fired;
    when = core.now();
    if (then) then(core);
  }
};

class TimerWheelTest : public ::testing::Test {
 protected:
  void run_until(Instant to) {
    cores.clock.set(to);
    core.refresh_time();
    while (core.timers.advance(core, core.now()) != 0) {
    }
  }
  void pass(Duration by) { run_until(cores.clock.now() + by); }

  test::TestCores cores;
  Core& core = cores.core();
};

TEST_F(TimerWheelTest, FiresAtItsTickAndNeverEarly) {
  Probe probe;
  core.arm(probe, milliseconds{500});
  pass(milliseconds{499});
  EXPECT_EQ(probe.fired, 0);
  pass(milliseconds{1});
  EXPECT_EQ(probe.fired, 1);
  EXPECT_FALSE(probe.armed());
}

TEST_F(TimerWheelTest, RoundsUpToTheNextTick) {
  Probe probe;
  core.arm(probe, microseconds{1});
  run_until(core.now());
  EXPECT_EQ(probe.fired, 0);
  pass(milliseconds{1});
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerWheelTest, CancelledTimerStaysSilent) {
  Probe probe;
  core.arm(probe, milliseconds{5});
  probe.cancel();
  pass(milliseconds{10});
  EXPECT_EQ(probe.fired, 0);
  EXPECT_EQ(core.timers.size(), 0U);
}

TEST_F(TimerWheelTest, RearmingMoves) {
  Probe probe;
  core.arm(probe, milliseconds{5});
  core.arm(probe, milliseconds{50});
  EXPECT_EQ(core.timers.size(), 1U);
  pass(milliseconds{20});
  EXPECT_EQ(probe.fired, 0);
  pass(milliseconds{30});
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerWheelTest, CallbackMayRearmItselfAndCancelItsNeighbour) {
  Probe first;
  Probe second;
  first.then = [&](Core& c) {
    second.cancel();
    if (first.fired < 3) c.arm(first, milliseconds{2});
  };
  core.arm(first, milliseconds{1});
  core.arm(second, milliseconds{1});
  for (int i = 0; i < 10; ++i) pass(milliseconds{1});
  EXPECT_EQ(first.fired, 3);
  EXPECT_EQ(second.fired, 0);
}

TEST_F(TimerWheelTest, DestroyedTimerLeavesTheWheel) {
  auto probe = std::make_unique<Probe>();
  core.arm(*probe, hours{1});
  probe.reset();
  EXPECT_EQ(core.timers.size(), 0U);
  pass(hours{2});
}

TEST_F(TimerWheelTest, BudgetCarriesOver) {
  std::vector<std::unique_ptr<Probe>> probes;
  for (int i = 0; i < 600; ++i) {
    probes.push_back(std::make_unique<Probe>());
    core.arm(*probes.back(), milliseconds{3});
  }
  cores.clock.advance(milliseconds{3});
  core.refresh_time();
  EXPECT_EQ(core.timers.advance(core, core.now(), 256), 256U);
  EXPECT_EQ(core.timers.advance(core, core.now(), 256), 256U);
  EXPECT_EQ(core.timers.advance(core, core.now(), 256), 88U);
}

TEST_F(TimerWheelTest, UntilNextIsALowerBoundAndReachesTheTimer) {
  EXPECT_FALSE(core.timers.until_next(core.now()).has_value());
  Probe probe;
  core.arm(probe, hours{3});
  const Instant due = core.now() + hours{3};
  int hops = 0;
  while (probe.fired == 0) {
    const auto wait = core.timers.until_next(core.now());
    ASSERT_TRUE(wait.has_value());
    ASSERT_LE(core.now() + *wait, due);
    pass(std::max<Duration>(*wait, milliseconds{1}));
    ASSERT_LT(++hops, 10);
  }
  EXPECT_EQ(probe.when, due);
}

// 2^32 ms after boot the millisecond counter outgrows the four levels.
TEST_F(TimerWheelTest, CrossesTheFortyNineDayBoundary) {
  const Instant boundary{milliseconds{std::int64_t{1} << 32}};
  cores.clock.set(boundary - milliseconds{1000});
  core.refresh_time();
  TimerWheel wheel(core.now());
  Probe near;
  Probe far;
  wheel.arm(near, core.now(), milliseconds{2000});
  wheel.arm(far, core.now(), hours{24 * 40});
  const Instant begin = core.now();
  for (int i = 0; i < 2100; ++i) {
    cores.clock.advance(milliseconds{1});
    core.refresh_time();
    wheel.advance(core, core.now());
  }
  EXPECT_EQ(near.fired, 1);
  EXPECT_EQ(near.when, begin + milliseconds{2000});
  cores.clock.set(begin + hours{24 * 40});
  core.refresh_time();
  while (wheel.advance(core, core.now()) != 0) {
  }
  EXPECT_EQ(far.fired, 1);
}

// Against a multimap: random arms, cancels and clock jumps.
TEST_F(TimerWheelTest, AgreesWithAModel) {
  std::mt19937_64 random(20260101);
  constexpr int kTimers = 400;
  std::vector<std::unique_ptr<Probe>> probes;
  std::vector<std::int64_t> expected(kTimers, -1);  // tick, -1: not armed
  for (int i = 0; i < kTimers; ++i) probes.push_back(std::make_unique<Probe>());
  for (int round = 0; round < 20'000; ++round) {
    const auto which = static_cast<std::size_t>(random() % kTimers);
    switch (random() % 4) {
      case 0:
      case 1: {
        const int magnitude = static_cast<int>(random() % 36);
        const auto after =
            milliseconds{static_cast<std::int64_t>(random() % (std::uint64_t{1} << magnitude))};
        core.arm(*probes[which], after);
        expected[which] = to_milliseconds(core.now() + after);
        break;
      }
      case 2:
        probes[which]->cancel();
        expected[which] = -1;
        break;
      default: {
        const int magnitude = static_cast<int>(random() % 30);
        pass(milliseconds{static_cast<std::int64_t>(random() % (std::uint64_t{1} << magnitude))});
        for (std::size_t i = 0; i < kTimers; ++i) {
          const bool due = expected[i] >= 0 && expected[i] <= to_milliseconds(core.now());
          ASSERT_EQ(probes[i]->armed(), expected[i] >= 0 && !due) << "timer " << i;
          ASSERT_EQ(probes[i]->fired, due ? 1 : 0);
          if (due) expected[i] = -1;
          probes[i]->fired = 0;
        }
      }
    }
  }
}

}  // namespace
}  // namespace sluice
