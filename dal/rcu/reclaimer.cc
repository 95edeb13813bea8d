// SPDX-License-Identifier: Apache-2.0
#include "dal/rcu/reclaimer.h"

#include "base/assert.h"
#include "dal/rcu/grace_period.h"
#include "dal/rcu/read_scope.h"

#include <urcu/urcu-qsbr.h>

#include <cstddef>
#include <type_traits>

namespace sluice::rcu {

static_assert(sizeof(rcu_head) == sizeof(Retired::head));
static_assert(std::is_standard_layout_v<Retired> && offsetof(Retired, head) == 0);

Reclaimer::Reclaimer() : worker_(urcu_qsbr_create_call_rcu_data(URCU_CALL_RCU_RT, -1)) {
  SLUICE_CHECK(worker_ != nullptr);
}

Reclaimer::~Reclaimer() {
  barrier();
  urcu_qsbr_call_rcu_data_free(worker_);
}

void Reclaimer::barrier() noexcept {
  SLUICE_ASSERT(detail::thread_state.scopes == 0);
  detail::readers_are_done();
  urcu_qsbr_barrier();  // goes offline by itself if the caller is a registered thread
  static_cast<void>(freed_.load(std::memory_order_acquire));  // what the releases did is seen here
}

void Reclaimer::adopt_thread() noexcept {
  urcu_qsbr_set_thread_call_rcu_data(worker_);
}

void Reclaimer::release_thread() noexcept {
  urcu_qsbr_set_thread_call_rcu_data(nullptr);
}

void Reclaimer::hand_over(Retired* first, std::uint32_t count) noexcept {
  // A thread without a Reader would make liburcu start a worker of its own.
  SLUICE_CHECK(urcu_qsbr_get_thread_call_rcu_data() == worker_);
  handed_over_.fetch_add(count, std::memory_order_relaxed);
  first->reclaimer = this;
  detail::tsan_release(first);
  urcu_qsbr_call_rcu(reinterpret_cast<rcu_head*>(first->head), [](rcu_head* head) {
    auto* batch = reinterpret_cast<Retired*>(head);
    detail::tsan_acquire(batch);
    detail::grace_period_is_over();
    batch->reclaimer->free_batch(batch);
  });
}

void Reclaimer::free_batch(Retired* first) noexcept {
  std::uint64_t count = 0;
  while (first != nullptr) {
    Retired* next = first->next;
    first->release(first);
    first = next;
    ++count;
  }
  freed_.fetch_add(count, std::memory_order_release);
}

}  // namespace sluice::rcu
