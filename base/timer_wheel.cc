// SPDX-License-Identifier: Apache-2.0
#include "base/timer_wheel.h"

#include "base/assert.h"

#include <bit>

namespace sluice {
namespace {

constexpr std::uint64_t to_tick_down(Instant instant) {
  return static_cast<std::uint64_t>(to_milliseconds(instant));
}

constexpr std::uint64_t to_tick_up(Instant instant) {
  const auto nanoseconds = static_cast<std::uint64_t>(instant.time_since_epoch().count());
  return (nanoseconds + 999'999) / 1'000'000;
}

}  // namespace

void Timer::cancel() noexcept {
  if (armed() && wheel_ != nullptr) wheel_->unlink(*this);
}

TimerWheel::TimerWheel(Instant now) : tick_(to_tick_down(now)) {
  for (Level& level : levels_) {
    for (Head& head : level.slots) head.next_ = head.previous_ = &head;
  }
}

TimerWheel::~TimerWheel() {
  // Owners may outlive the wheel: leave none of them pointing into it.
  for (Level& level : levels_) {
    for (Head& head : level.slots) {
      while (head.next_ != &head) unlink(*head.next_);
      head.next_ = head.previous_ = nullptr;
    }
  }
}

void TimerWheel::arm(Timer& timer, Instant now, Duration after) noexcept {
  timer.cancel();
  timer.wheel_ = this;
  if (after < Duration::zero()) after = Duration::zero();
  timer.deadline_ms_ = to_tick_up(now + after);
  ++size_;
  place(timer);
}

void TimerWheel::place(Timer& timer) noexcept {
  // The past fires in the tick that is processed next.
  const std::uint64_t due = timer.deadline_ms_ < tick_ ? tick_ : timer.deadline_ms_;
  // The highest bit in which due and tick_ differ names the level: within a level's 256 slots all
  // higher bits are equal, so a slot never mixes two turns of the wheel.
  const std::uint64_t differing = due ^ tick_;
  int level = differing == 0 ? 0 : (63 - std::countl_zero(differing)) / kSlotBits;
  std::uint64_t slot_source = due;
  if (level >= kLevels) {
    // Across a 2^32 ms boundary (49.7 days of uptime) the top level is used as a ring; what is
    // further away than one turn of it waits in its last slot, and cascade() places it again.
    level = kLevels - 1;
    const int shift = kSlotBits * level;
    if ((due >> shift) - (tick_ >> shift) >= kSlots) {
      slot_source = tick_ + ((std::uint64_t{kSlots} - 1) << shift);
    }
  }
  const auto slot = static_cast<std::uint32_t>(slot_source >> (kSlotBits * level)) & (kSlots - 1);
  Head& head = levels_[static_cast<std::size_t>(level)].slots[slot];
  timer.previous_ = head.previous_;
  timer.next_ = &head;
  head.previous_->next_ = &timer;
  head.previous_ = &timer;
  levels_[static_cast<std::size_t>(level)].occupied[slot / 64] |= std::uint64_t{1} << (slot % 64);
}

void TimerWheel::unlink(Timer& timer) noexcept {
  timer.previous_->next_ = timer.next_;
  timer.next_->previous_ = timer.previous_;
  // The occupancy bit of an emptied slot is cleared lazily, when the slot is reached.
  timer.next_ = timer.previous_ = nullptr;
  --size_;
}

void TimerWheel::cascade(int level, std::uint32_t slot) noexcept {
  Level& from = levels_[static_cast<std::size_t>(level)];
  Head& head = from.slots[slot];
  Timer* timer = head.next_;
  head.next_ = head.previous_ = &head;
  from.occupied[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  while (timer != &head) {
    Timer* next = timer->next_;
    place(*timer);
    timer = next;
  }
}

std::optional<std::uint64_t> TimerWheel::next_tick() const noexcept {
  for (int level = 0; level < kLevels; ++level) {
    const auto& occupied = levels_[static_cast<std::size_t>(level)].occupied;
    const int shift = kSlotBits * level;
    const auto current = static_cast<std::uint32_t>(tick_ >> shift) & (kSlots - 1);
    // Level 0 includes the current slot; a higher level's current slot has already come down.
    for (std::uint32_t slot = level == 0 ? current : current + 1; slot < kSlots;) {
      const std::uint64_t word = occupied[slot / 64] >> (slot % 64);
      if (word == 0) {
        slot = (slot / 64 + 1) * 64;
        continue;
      }
      slot += static_cast<std::uint32_t>(std::countr_zero(word));
      const std::uint64_t base = tick_ >> shift >> kSlotBits << kSlotBits;
      return (base + slot) << shift;
    }
  }
  // Only timers beyond the next 2^32 ms boundary are left.
  const auto& top = levels_[kLevels - 1].occupied;
  for (const std::uint64_t word : top) {
    if (word != 0) return ((tick_ >> 32) + 1) << 32;
  }
  return std::nullopt;
}

std::uint32_t TimerWheel::advance(Core& core, Instant now, std::uint32_t budget) {
  const std::uint64_t target = to_tick_down(now);
  std::uint32_t fired = 0;
  while (tick_ <= target) {
    const auto slot = static_cast<std::uint32_t>(tick_) & (kSlots - 1);
    Level& level = levels_[0];
    Head& head = level.slots[slot];
    // Fire one by one: a callback may cancel or arm any other timer, in this slot too.
    while (head.next_ != &head) {
      if (fired == budget) return fired;
      Timer& timer = *head.next_;
      unlink(timer);
      ++fired;
      timer.on_timer(core);
    }
    level.occupied[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
    if (tick_ == target) break;

    // Jump over empty ticks, but stop at every slot that has something in it.
    const auto next = next_tick();
    tick_ = next && *next <= target ? (*next > tick_ ? *next : tick_ + 1) : target;
    for (int up = kLevels - 1; up > 0; --up) {
      const int shift = kSlotBits * up;
      if ((tick_ & ((std::uint64_t{1} << shift) - 1)) != 0) continue;
      cascade(up, static_cast<std::uint32_t>(tick_ >> shift) & (kSlots - 1));
    }
  }
  return fired;
}

std::optional<Duration> TimerWheel::until_next(Instant now) const noexcept {
  if (size_ == 0) return std::nullopt;
  const auto next = next_tick();
  if (!next) return std::nullopt;
  const Instant due{std::chrono::milliseconds{*next}};
  return due <= now ? Duration::zero() : due - now;
}

}  // namespace sluice
