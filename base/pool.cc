// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <cstdlib>

namespace sluice {

BlockPool::BlockPool(std::size_t block_size, std::uint32_t count)
    : block_size_(block_size), count_(count) {
  const std::size_t whole = sizeof(Link) + block_size;
  stride_ = (whole + kCacheLine - 1) / kCacheLine * kCacheLine;
  const std::size_t bytes = stride_ * (count == 0 ? 1 : count);
  memory_ = static_cast<std::byte*>(std::aligned_alloc(kCacheLine, bytes));
  SLUICE_CHECK(memory_ != nullptr);
  // Linked back to front, so that the first blocks are handed out first.
  for (std::uint32_t i = count; i-- > 0;) {
    Link* link = new (memory_ + stride_ * i) Link{free_, this};
    free_ = link;
  }
}

BlockPool::~BlockPool() { std::free(memory_); }

std::uint32_t BlockPool::count_free() noexcept {
  std::uint32_t count = 0;
  for (Link* link = free_; link != nullptr; link = link->next) ++count;
  for (Link* link = returned_.load(std::memory_order_acquire); link != nullptr; link = link->next) {
    ++count;
  }
  return count;
}

}  // namespace sluice
