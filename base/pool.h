// SPDX-License-Identifier: Apache-2.0
//
// BufferPool and ObjectPool: fixed blocks that one core hands out and any core may give back.
//
// Threads  allocate() on the owner core only; release from any thread, without a lock: a block
//          given
//          back by another core goes onto a stack that the owner takes whole when its own list is
//          dry.
// Memory   Everything is reserved at construction and touched when first lent, so a generous bound
//          costs
//          address space only; an empty pool refuses, it never grows. The pool must outlive every
//          block.
// Errors   An empty OwnedBytes / nullptr when the pool is dry. The caller counts and sheds.
#pragma once

#include "base/bytes.h"
#include "base/ring.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace sluice {

// The common part: blocks of equal size with a link in front of each.
class BlockPool {
 public:
  BlockPool(std::size_t block_size, std::uint32_t count);
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  void* allocate() noexcept {
    if (free_ == nullptr) {
      free_ = returned_.exchange(nullptr, std::memory_order_acquire);
      if (free_ == nullptr) return allocate_fresh();
    }
    Link* link = free_;
    free_ = link->next;
    return link + 1;
  }

  // Any thread. `block` came from some BlockPool::allocate().
  static void release(void* block) noexcept {
    Link* link = static_cast<Link*>(block) - 1;
    BlockPool& pool = *link->pool;
    Link* head = pool.returned_.load(std::memory_order_relaxed);
    do {
      link->next = head;
    } while (!pool.returned_.compare_exchange_weak(head, link, std::memory_order_release,
                                                   std::memory_order_relaxed));
  }

  std::size_t block_size() const noexcept { return block_size_; }
  std::uint32_t count() const noexcept { return count_; }
  // Blocks that are home, counted by walking: tests and shutdown checks, owner core only.
  std::uint32_t count_free() noexcept;

 private:
  struct alignas(16) Link {
    Link* next;
    BlockPool* pool;
  };

  // A block that was never lent: its memory has not been touched yet.
  void* allocate_fresh() noexcept {
    if (fresh_ == count_) return nullptr;
    return new (memory_ + stride_ * fresh_++) Link{nullptr, this} + 1;
  }

  // Constant after construction.
  std::size_t block_size_;
  std::uint32_t count_;
  std::size_t stride_;
  std::byte* memory_;
  // Owner core only.
  Link* free_ = nullptr;
  std::uint32_t fresh_ = 0;  // blocks from here on were never lent
  // Pushed by anyone, taken whole by the owner core: no ABA.
  alignas(kCacheLine) std::atomic<Link*> returned_{nullptr};
};

// Buffers of `block_size` usable bytes, headroom included.
class BufferPool {
 public:
  BufferPool(std::uint32_t block_size, std::uint32_t count) : blocks_(block_size, count) {}

  std::uint32_t block_size() const noexcept {
    return static_cast<std::uint32_t>(blocks_.block_size());
  }
  std::uint32_t count() const noexcept { return blocks_.count(); }
  std::uint32_t count_free() noexcept { return blocks_.count_free(); }

  OwnedBytes allocate(std::uint32_t size, std::uint32_t headroom) noexcept {
    if (std::uint64_t{size} + headroom > block_size()) return {};
    void* block = blocks_.allocate();
    if (block == nullptr) return {};
    return {static_cast<std::uint8_t*>(block),
            block_size(),
            headroom,
            size,
            block,
            &BlockPool::release};
  }

 private:
  BlockPool blocks_;
};

template <typename T>
class ObjectPool {
 public:
  struct Recycle {
    void operator()(T* object) const noexcept {
      object->~T();
      BlockPool::release(object);
    }
  };
  // Move-only; may be destroyed on any thread.
  using Pointer = std::unique_ptr<T, Recycle>;

  explicit ObjectPool(std::uint32_t count) : blocks_(sizeof(T), count) {
    static_assert(alignof(T) <= 16);
  }

  template <typename... Args>
  Pointer make(Args&&... args) {
    void* block = blocks_.allocate();
    if (block == nullptr) return nullptr;
    return Pointer(new (block) T(std::forward<Args>(args)...));
  }

  std::uint32_t count() const noexcept { return blocks_.count(); }
  std::uint32_t count_free() noexcept { return blocks_.count_free(); }

 private:
  BlockPool blocks_;
};

}  // namespace sluice
