// SPDX-License-Identifier: Apache-2.0
//
// Slab: memory for records of many sizes, handed out by one core and given back by any thread.
//
// Threads  allocate() on the owner core only. release() anywhere, without a lock: the block goes
//          onto a
//          stack that the owner takes whole when its own list of that size is dry.
// Memory   Spans of 64 kB, each cut into blocks of one size (steps of 16 B, so that a record wastes
//          8 B
//          on average); spans come from 2 MB pieces that ask for huge pages. Nothing goes back to
//          the system before the slab dies. reserve() takes what start-up expects, so that a
//          running core asks the system once per 2 MB of growth and never in steady state. Records
//          over kLargest come from the heap.
// Errors   nullptr at the limit.
#pragma once

#include "base/ring.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::store {

class Slab {
 public:
  static constexpr std::size_t kLargest = 8 * 1024;

  explicit Slab(std::uint64_t limit) : limit_(limit) {}
  // Blocks that are still lent die with it.
  ~Slab();
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  // 16-byte aligned.
  void* allocate(std::size_t size) noexcept;
  static void release(void* block) noexcept;

  // Takes and touches at least `bytes` now. Before the core runs.
  void reserve(std::uint64_t bytes);

  // Taken from the system; any thread.
  std::uint64_t held() const noexcept { return held_.load(std::memory_order_relaxed); }
  // Blocks that are not home. Exact when nobody allocates or releases meanwhile.
  std::uint64_t lent() const noexcept {
    return allocated_.load(std::memory_order_relaxed) - released_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kStep = 16;
  static constexpr std::size_t kSpan = std::size_t{64} << 10;
  static constexpr std::size_t kPiece = std::size_t{2} << 20;
  static constexpr std::size_t kClasses = kLargest / kStep + 1;

  struct Block {
    Block* next;
  };
  // At the start of every span; found from a block by its address.
  struct Span {
    Slab* slab;
    std::uint32_t block_size;  // 0: one large block
    std::uint32_t heap_bytes;  // of a large one
  };

  static Span& span_of(void* block) noexcept {
    return *reinterpret_cast<Span*>(reinterpret_cast<std::uintptr_t>(block) & ~(kSpan - 1));
  }
  bool add_piece() noexcept;
  void* allocate_large(std::size_t size) noexcept;
  void sort_returned(const Block* const& wanted) noexcept;

  // Owner core only.
  struct Class {
    Block* free = nullptr;
    std::byte* fresh = nullptr;  // not yet cut: [fresh, end)
    std::byte* end = nullptr;
  };
  std::array<Class, kClasses> classes_{};
  Block* unsorted_ = nullptr;  // taken from returned_, sizes mixed
  std::vector<std::byte*> pieces_;
  std::size_t pieces_used_ = 0;
  std::size_t spans_used_ = 0;  // of the piece in use
  const std::uint64_t limit_;
  // Written by the owner core, read by metrics.
  std::atomic<std::uint64_t> held_{0};
  std::atomic<std::uint64_t> allocated_{0};
  // Written by whoever releases.
  alignas(kCacheLine) std::atomic<Block*> returned_{nullptr};
  std::atomic<std::uint64_t> released_{0};
};

}  // namespace sluice::store
