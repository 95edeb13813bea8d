// SPDX-License-Identifier: Apache-2.0
#include "dal/rcu/writer.h"

#include <utility>

namespace sluice::rcu {

void Writer::flush() noexcept {
  if (waiting_ == nullptr) return;
  reclaimer_.hand_over(std::exchange(waiting_, nullptr), std::exchange(count_, 0U));
}

#ifndef NDEBUG
namespace {
thread_local char identity;
}

void Writer::assert_same_thread() noexcept {
  const auto self = reinterpret_cast<std::uintptr_t>(&identity);
  if (thread_ == 0) thread_ = self;
  SLUICE_ASSERT(thread_ == self);
}
#endif

}  // namespace sluice::rcu
