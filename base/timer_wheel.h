// SPDX-License-Identifier: Apache-2.0
//
// TimerWheel: millions of timers per core, armed and cancelled in O(1).
//
// Hierarchical wheel of Varghese and Lauck (1987), scheme 6: 4 levels of 256 slots, 1 ms a tick, so
// 2^32 ms ahead. A timer sits in the coarsest slot that separates it from now and moves down a
// level when the wheel reaches that slot; it fires in the first tick at or after its deadline,
// never early.
//
// Threads  One core owns a wheel and every timer in it.
// Memory   The node is part of the object it belongs to (intrusive, 40 B); the wheel allocates
//          nothing.
//          A Timer disarms itself when destroyed.
// Errors   None. Arming an armed timer moves it.
#pragma once

#include "base/clock.h"

#include <array>
#include <cstdint>
#include <optional>

namespace sluice {

class Core;
class TimerWheel;

// Derive, or hold a CallbackTimer. on_timer() may arm or cancel any timer, and destroy itself.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool armed() const noexcept { return next_ != nullptr; }
  // Milliseconds on the monotonic axis; meaningful while armed.
  std::uint64_t deadline_ms() const noexcept { return deadline_ms_; }
  void cancel() noexcept;

 protected:
  virtual ~Timer() { cancel(); }
  virtual void on_timer(Core& core) = 0;

 private:
  friend class TimerWheel;
  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;
  TimerWheel* wheel_ = nullptr;
  std::uint64_t deadline_ms_ = 0;
};

class TimerWheel {
 public:
  explicit TimerWheel(Instant now);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Fires no earlier than `after` from `now`, at the next whole tick.
  void arm(Timer& timer, Instant now, Duration after) noexcept;

  // Fires what is due at `now`, oldest tick first, at most `budget` timers; the rest stays due and
  // the next call goes on with it. Returns how many fired.
  std::uint32_t advance(Core& core, Instant now, std::uint32_t budget = 256);

  // How long until advance() may have something to do: a lower bound, zero when something is due,
  // nullopt when no timer is armed. O(1) from the occupancy bits.
  std::optional<Duration> until_next(Instant now) const noexcept;

  std::uint64_t size() const noexcept { return size_; }

 private:
  friend class Timer;
  static constexpr int kLevels = 4;
  static constexpr int kSlotBits = 8;
  static constexpr std::uint32_t kSlots = 1U << kSlotBits;

  // Head of a circular list; a Timer so that links need no special case.
  struct Head final : Timer {
    void on_timer(Core&) override {}
  };
  struct Level {
    std::array<Head, kSlots> slots;
    std::array<std::uint64_t, kSlots / 64> occupied{};
  };

  void place(Timer& timer) noexcept;
  void unlink(Timer& timer) noexcept;
  void cascade(int level, std::uint32_t slot) noexcept;
  std::optional<std::uint64_t> next_tick() const noexcept;

  std::array<Level, kLevels> levels_;
  std::uint64_t tick_;  // every tick before this one has fired
  std::uint64_t size_ = 0;
};

// A timer that calls `(object->*method)(core)`; the usual way to have several in one class.
template <typename Object, void (Object::*kMethod)(Core&)>
class MemberTimer final : public Timer {
 public:
  explicit MemberTimer(Object& object) : object_(&object) {}

 private:
  void on_timer(Core& core) override { (object_->*kMethod)(core); }
  Object* object_;
};

}  // namespace sluice
