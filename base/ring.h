// SPDX-License-Identifier: Apache-2.0
//
// Ring: a bounded queue from one producer core to one consumer core.
//
// Threads  push from exactly one thread, pop from exactly one other (or the same) thread.
// Memory   Fixed at construction. What is pushed is moved; the sender keeps nothing. Each side
//          keeps
//          a copy of the other's cursor on its own cache line and re-reads it only when it must.
// Errors   A full ring refuses; the caller decides what to shed. free_count() is exact for the
//          producer: it can only grow behind its back.
#pragma once

#include "base/assert.h"

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace sluice {

constexpr std::size_t kCacheLine = 64;

template <typename T>
class Ring {
 public:
  // Holds at least `capacity` elements (rounded up to a power of two).
  explicit Ring(std::uint32_t capacity)
      : mask_(std::bit_ceil(capacity < 2 ? 2U : capacity) - 1), slots_(new T[mask_ + 1]) {}
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  std::uint32_t capacity() const noexcept { return mask_ + 1; }

  // --- producer ---
  bool push(T&& item) noexcept { return push_burst({&item, 1}) == 1; }

  // Moves from the front of `items`; returns how many fitted.
  std::uint32_t push_burst(std::span<T> items) noexcept {
    const std::uint32_t head = producer_.cursor.load(std::memory_order_relaxed);
    std::uint32_t room = capacity() - (head - producer_.seen);
    if (room < items.size()) {
      producer_.seen = consumer_.cursor.load(std::memory_order_acquire);
      room = capacity() - (head - producer_.seen);
    }
    const auto count = static_cast<std::uint32_t>(items.size() < room ? items.size() : room);
    for (std::uint32_t i = 0; i < count; ++i) slots_[(head + i) & mask_] = std::move(items[i]);
    producer_.cursor.store(head + count, std::memory_order_release);
    return count;
  }

  std::uint32_t free_count() noexcept {
    producer_.seen = consumer_.cursor.load(std::memory_order_acquire);
    return capacity() - (producer_.cursor.load(std::memory_order_relaxed) - producer_.seen);
  }

  // --- consumer ---
  bool pop(T& item) noexcept { return pop_burst({&item, 1}) == 1; }

  std::uint32_t pop_burst(std::span<T> out) noexcept {
    const std::uint32_t tail = consumer_.cursor.load(std::memory_order_relaxed);
    std::uint32_t ready = consumer_.seen - tail;
    if (ready < out.size()) {
      consumer_.seen = producer_.cursor.load(std::memory_order_acquire);
      ready = consumer_.seen - tail;
    }
    const auto count = static_cast<std::uint32_t>(out.size() < ready ? out.size() : ready);
    for (std::uint32_t i = 0; i < count; ++i) out[i] = std::move(slots_[(tail + i) & mask_]);
    consumer_.cursor.store(tail + count, std::memory_order_release);
    return count;
  }

  // --- any thread; stale is fine ---
  std::uint32_t size_hint() const noexcept {
    const std::uint32_t tail = consumer_.cursor.load(std::memory_order_relaxed);
    return producer_.cursor.load(std::memory_order_relaxed) - tail;
  }

 private:
  struct alignas(kCacheLine) Side {
    std::atomic<std::uint32_t> cursor{0};
    std::uint32_t seen = 0;  // the other side's cursor, as last read; this side only
  };

  const std::uint32_t mask_;
  const std::unique_ptr<T[]> slots_;
  Side producer_;
  Side consumer_;
};

}  // namespace sluice
