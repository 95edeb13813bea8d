// SPDX-License-Identifier: Apache-2.0
#include "base/poll_loop.h"

#include <algorithm>

namespace sluice {
namespace {

// Adaptive idling, in this order: spin on pause for about 20 us, then sleep, doubling each time.
// Two cores share little and a sleep of a few microseconds costs as much as it saves (measured
// costs: docs/architecture.md, "Idle").
constexpr std::uint32_t kPauseTurns = 64;
constexpr Duration kFirstSleep = std::chrono::microseconds{50};

constexpr CounterInfo kInfos[] = {
    {"core_turns_total", "", "Turns of the poll loop.", MetricKind::Counter},
    {"core_busy_turns_total", "", "Turns that found work.", MetricKind::Counter},
    {"core_sleeps_total", "", "Times the core went to sleep.", MetricKind::Counter},
    {"core_busy_nanoseconds_total", "", "Time spent in turns that found work.",
     MetricKind::Counter},
    {"core_timers_fired_total", "", "Timers that fired.", MetricKind::Counter},
};
static_assert(std::size(kInfos) == static_cast<std::size_t>(LoopCounter::Count));

inline void pause_cpu() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

PollLoop::PollLoop(Core& core, IdlePolicy policy, IdleWait* idle)
    : core_(core), policy_(policy), idle_(idle), sleep_(kFirstSleep) {}

std::span<const CounterInfo> PollLoop::counter_infos() {
  return kInfos;
}

std::uint32_t PollLoop::turn() {
  core_.refresh_time();
  const Instant begin = core_.now();
  std::uint32_t work = 0;
  for (Poller* poller : pollers_) work += poller->poll(core_);
  const std::uint32_t fired = core_.timers.advance(core_, core_.now());
  for (Poller* poller : pollers_) poller->flush(core_);
  if (quiescent_) quiescent_();
  counters_[LoopCounter::Turns].add();
  if (fired != 0) counters_[LoopCounter::TimersFired].add(fired);
  work += fired;
  if (work != 0) {
    counters_[LoopCounter::BusyTurns].add();
    core_.refresh_time();
    counters_[LoopCounter::BusyNanoseconds].add(
        static_cast<std::uint64_t>((core_.now() - begin).count()));
  }
  return work;
}

void PollLoop::run() {
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (turn() != 0) {
      idle_turns_ = 0;
      sleep_ = kFirstSleep;
      continue;
    }
    if (policy_ == IdlePolicy::Adaptive) {
      idle();
    } else {
      pause_cpu();
    }
  }
}

void PollLoop::idle() {
  if (++idle_turns_ < kPauseTurns || idle_ == nullptr) {
    pause_cpu();
    return;
  }
  Duration length = std::min(sleep_, idle_->longest());
  if (const auto next = core_.timers.until_next(core_.now())) length = std::min(length, *next);
  if (length <= Duration::zero()) return;
  sleep_ = std::min<Duration>(sleep_ * 2, std::chrono::seconds{1});

  sleeping_.store(true, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // A producer that pushed before it saw `sleeping_` is seen here; one that pushes later wakes us.
  if (turn() == 0 && !stopping_.load(std::memory_order_relaxed)) {
    if (offline_) offline_(true);
    idle_->wait(length);
    if (offline_) offline_(false);
    counters_[LoopCounter::Sleeps].add();
  } else {
    idle_turns_ = 0;
    sleep_ = kFirstSleep;
  }
  sleeping_.store(false, std::memory_order_relaxed);
}

}  // namespace sluice
