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
}

BlockPool::~BlockPool() { std::free(memory_); }

std::uint32_t BlockPool::count_free() noexcept {
  std::uint32_t count = count_ - fresh_;
  for (Link* link = free_; link != nullptr; link = link->next) ++count;
  for (Link* link = returned_.load(std::memory_order_acquire); link != nullptr; link = link->next) {
    ++count;
  }
  return count;
}

}  // namespace sluice
