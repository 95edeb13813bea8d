// SPDX-License-Identifier: Apache-2.0
//
// MessageStore: where transactions keep copies of messages, in blocks of a few sizes.
//
// Receive and transmit buffers go home at once; what a transaction may have to send again or look
// at again is copied here, so that 32 s of lingering never holds a NIC's buffer.
//
// Threads  One core.
// Memory   Reserved at construction; a copy takes the smallest block that fits, then a larger one.
// Errors   Empty OwnedBytes when there is no block: the caller sheds.
#pragma once

#include "base/pool.h"
#include "sipcore/txn/options.h"

#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace sluice::sip {

class MessageStore {
 public:
  explicit MessageStore(std::span<const MessageClass> classes);

  OwnedBytes reserve(std::uint32_t size) noexcept {
    for (const auto& pool : pools_) {
      if (pool->block_size() < size) continue;
      if (OwnedBytes block = pool->allocate(size, 0)) return block;
    }
    return {};
  }

  OwnedBytes copy(ByteView bytes) noexcept {
    OwnedBytes block = reserve(static_cast<std::uint32_t>(bytes.size()));
    if (block) std::memcpy(block.data(), bytes.data(), bytes.size());
    return block;
  }

  // Blocks that are out: tests and shutdown checks.
  std::uint32_t lent() noexcept;

 private:
  std::vector<std::unique_ptr<BufferPool>> pools_;  // constant after construction, ascending size
};

}  // namespace sluice::sip
