// SPDX-License-Identifier: Apache-2.0
#include "sipcore/txn/message_store.h"

namespace sluice::sip {

MessageStore::MessageStore(std::span<const MessageClass> classes) {
  for (const MessageClass& each : classes) {
    if (each.count == 0) continue;
    SLUICE_CHECK(pools_.empty() || pools_.back()->block_size() < each.size);
    pools_.push_back(std::make_unique<BufferPool>(each.size, each.count));
  }
}

std::uint32_t MessageStore::lent() noexcept {
  std::uint32_t lent = 0;
  for (const auto& pool : pools_) lent += pool->count() - pool->count_free();
  return lent;
}

}  // namespace sluice::sip
