// SPDX-License-Identifier: Apache-2.0
//
// PollLoop: what every core runs. A turn: read the clock, poll, advance the wheel, flush, report
// quiescence, and idle if nothing happened.
//
// Threads  One loop per core, run by that core's thread, or stepped by a test with turn(). wake()
//          and
//          stop() may be called from any thread.
// Memory   Pollers are borrowed and outlive the loop.
// Errors   None: a poller counts what it drops.
#pragma once

#include "base/core.h"
#include "base/counters.h"
#include "base/ring.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

namespace sluice {

// A source of work on a core: a port's queues, the rings from other cores.
class Poller {
 public:
  virtual ~Poller() = default;
  // Does a bounded amount of work; returns how many items it handled (zero: nothing to do).
  virtual std::uint32_t poll(Core& core) = 0;
  // Pushes out what poll() and timers have batched up.
  virtual void flush(Core&) {}
};

// Sleeps a core's thread and wakes it: an eventfd, plus the receive interrupts of ports that have
// them.
class IdleWait {
 public:
  virtual ~IdleWait() = default;
  // Returns on wake(), on a port's interrupt, or after `at_most`.
  virtual void wait(Duration at_most) noexcept = 0;
  virtual void wake() noexcept = 0;  // any thread
  // The longest sleep that still hears about new input in time: large when every source can wake
  // us.
  virtual Duration longest() const noexcept = 0;
};

enum class IdlePolicy : std::uint8_t { Busy, Adaptive };

enum class LoopCounter : std::uint8_t {
  Turns,
  BusyTurns,
  Sleeps,
  BusyNanoseconds,
  TimersFired,
  Count
};

class PollLoop {
 public:
  PollLoop(Core& core, IdlePolicy policy, IdleWait* idle);

  void add(Poller& poller) { pollers_.push_back(&poller); }
  // Called once per turn with no borrowed pointer held (RCU quiescent state), and around a sleep.
  void set_quiescent(std::function<void()> hook) { quiescent_ = std::move(hook); }
  void set_offline(std::function<void(bool offline)> hook) { offline_ = std::move(hook); }

  // One turn without idling; returns how much work it found. Tests step cores with this.
  std::uint32_t turn();
  // Turns until stop().
  void run();

  void stop() noexcept {
    stopping_.store(true, std::memory_order_relaxed);
    if (idle_ != nullptr) idle_->wake();
  }

  // Any thread, after it has put something into one of this core's rings. Costs a fence and a load
  // while the core is awake, a system call only when it sleeps.
  void notify() noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_relaxed)) idle_->wake();
  }

  Core& core() noexcept { return core_; }
  // Bumped every turn: the watchdog's pulse.
  std::uint64_t pulse() const noexcept { return counters_[LoopCounter::Turns].value(); }
  const CounterBlock<LoopCounter, static_cast<std::size_t>(LoopCounter::Count)>& counters() const {
    return counters_;
  }
  static std::span<const CounterInfo> counter_infos();

 private:
  void idle();

  // Constant once running.
  Core& core_;
  const IdlePolicy policy_;
  IdleWait* const idle_;
  std::vector<Poller*> pollers_;
  std::function<void()> quiescent_;
  std::function<void(bool)> offline_;
  // Own thread only.
  std::uint32_t idle_turns_ = 0;
  Duration sleep_;  // of the next one
  CounterBlock<LoopCounter, static_cast<std::size_t>(LoopCounter::Count)> counters_;
  // Shared.
  alignas(kCacheLine) std::atomic<bool> sleeping_{false};
  std::atomic<bool> stopping_{false};
};

}  // namespace sluice
