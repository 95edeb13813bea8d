// SPDX-License-Identifier: Apache-2.0
#include "dal/store/slab.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace sluice::store {

Slab::~Slab() {
  for (std::byte* piece : pieces_) std::free(piece);
}

bool Slab::add_piece() noexcept {
  const std::uint64_t held = held_.load(std::memory_order_relaxed);
  if (held + kPiece > limit_) return false;
  void* piece = std::aligned_alloc(kPiece, kPiece);
  if (piece == nullptr) return false;
  madvise(piece, kPiece, MADV_HUGEPAGE);  // best effort
  pieces_.push_back(static_cast<std::byte*>(piece));
  held_.fetch_add(kPiece, std::memory_order_relaxed);
  return true;
}

void Slab::reserve(std::uint64_t bytes) {
  while (pieces_.size() * kPiece < bytes && add_piece()) {
    for (std::size_t at = 0; at < kPiece; at += 4096) pieces_.back()[at] = std::byte{0};
  }
}

void* Slab::allocate(std::size_t size) noexcept {
  if (size > kLargest) return allocate_large(size);
  const std::size_t index = (size + kStep - 1) / kStep;
  const std::size_t block_size = index * kStep;
  Class& from = classes_[index];
  if (from.free == nullptr) sort_returned(from.free);
  void* block = from.free;
  if (block != nullptr) {
    from.free = from.free->next;
    // The next one's link was written by another core: have it here before it is asked for.
    __builtin_prefetch(from.free, 1);
  } else {
    if (static_cast<std::size_t>(from.end - from.fresh) < block_size) {
      if (pieces_used_ == pieces_.size() && !add_piece()) return nullptr;
      std::byte* start = pieces_[pieces_used_] + spans_used_ * kSpan;
      if (++spans_used_ == kPiece / kSpan) {
        ++pieces_used_;
        spans_used_ = 0;
      }
      new (start) Span{this, static_cast<std::uint32_t>(block_size), 0};
      from.fresh = start + sizeof(Span);
      from.end = start + kSpan;
    }
    block = from.fresh;
    from.fresh += block_size;
  }
  allocated_.store(allocated_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return block;
}

void* Slab::allocate_large(std::size_t size) noexcept {
  const std::size_t bytes = (sizeof(Span) + size + kSpan - 1) / kSpan * kSpan;
  // Shared with release() on other threads, unlike the pieces: hence the exchange.
  if (held_.fetch_add(bytes, std::memory_order_relaxed) + bytes > limit_) {
    held_.fetch_sub(bytes, std::memory_order_relaxed);
    return nullptr;
  }
  void* start = std::aligned_alloc(kSpan, bytes);
  if (start == nullptr) {
    held_.fetch_sub(bytes, std::memory_order_relaxed);
    return nullptr;
  }
  new (start) Span{this, 0, static_cast<std::uint32_t>(bytes)};
  allocated_.store(allocated_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return static_cast<std::byte*>(start) + sizeof(Span);
}

void Slab::release(void* block) noexcept {
  Span& span = span_of(block);
  Slab& slab = *span.slab;
  if (span.block_size == 0) {
    slab.held_.fetch_sub(span.heap_bytes, std::memory_order_relaxed);
    std::free(&span);
  } else {
    Block* back = new (block) Block{slab.returned_.load(std::memory_order_relaxed)};
    while (!slab.returned_.compare_exchange_weak(back->next, back, std::memory_order_release,
                                                 std::memory_order_relaxed)) {
    }
  }
  // Last: the destructor may run when it has counted every block home.
  slab.released_.fetch_add(1, std::memory_order_release);
}

// A grace period sends thousands of blocks home at once: a bounded number of them a call, so that
// no message pays for all.
void Slab::sort_returned(const Block* const& wanted) noexcept {
  constexpr int kAtOnce = 32;
  for (int i = 0; i < kAtOnce && wanted == nullptr; ++i) {
    if (unsorted_ == nullptr) {
      if (returned_.load(std::memory_order_relaxed) == nullptr) return;
      unsorted_ = returned_.exchange(nullptr, std::memory_order_acquire);
    }
    Block* block = unsorted_;
    unsorted_ = block->next;
    Class& home = classes_[span_of(block).block_size / kStep];
    block->next = home.free;
    home.free = block;
  }
}

}  // namespace sluice::store
