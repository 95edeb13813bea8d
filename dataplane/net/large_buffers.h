// SPDX-License-Identifier: Apache-2.0
//
// LargeBuffers: room for the largest datagram, one pool per core, made once for the whole process.
//
// Threads  allocate() takes from the pool of the core it runs on; a buffer may be freed on any
//          core.
// Memory   per_core x 64 KiB for each core, reserved at construction (touched only when used).
//          Outlives
//          every worker and every buffer.
// Errors   Empty when the core's pool is dry.
#pragma once

#include "base/core.h"
#include "base/pool.h"
#include "dataplane/net/wire.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace sluice::dataplane {

class LargeBuffers {
 public:
  static constexpr std::uint32_t kSize = wire::kLargestIpPayload + 1;

  // `cores` is one more than the highest core id.
  LargeBuffers(unsigned cores, std::uint32_t per_core) {
    for (unsigned i = 0; i < cores; ++i) {
      pools_.push_back(std::make_unique<BufferPool>(kSize + wire::kTxHeadroom, per_core));
    }
  }

  OwnedBytes allocate(const Core& core, std::uint32_t size) noexcept {
    SLUICE_CHECK(core.id() < pools_.size());
    return pools_[core.id()]->allocate(size, wire::kTxHeadroom);
  }

  // Owner core, or when nothing runs.
  std::uint32_t count_free(unsigned core) noexcept { return pools_[core]->count_free(); }

 private:
  std::vector<std::unique_ptr<BufferPool>> pools_;
};

}  // namespace sluice::dataplane
