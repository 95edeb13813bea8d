// SPDX-License-Identifier: Apache-2.0
#include "dal/rcu/reader.h"

#include "dal/rcu/grace_period.h"
#include "dal/rcu/reclaimer.h"

#include <urcu/urcu-qsbr.h>

namespace sluice::rcu {

Reader::Reader(Reclaimer& reclaimer) {
  SLUICE_CHECK(!detail::thread_state.online);
  urcu_qsbr_register_thread();
  reclaimer.adopt_thread();
  detail::thread_state.online = true;
}

Reader::~Reader() {
  offline();
  Reclaimer::release_thread();
  urcu_qsbr_unregister_thread();
}

void Reader::quiescent() noexcept {
  SLUICE_ASSERT(detail::thread_state.scopes == 0);
  detail::readers_are_done();
  urcu_qsbr_quiescent_state();
}

void Reader::offline() noexcept {
  SLUICE_ASSERT(detail::thread_state.scopes == 0);
  detail::readers_are_done();
  detail::thread_state.online = false;
  urcu_qsbr_thread_offline();
}

void Reader::online() noexcept {
  urcu_qsbr_thread_online();
  detail::thread_state.online = true;
}

}  // namespace sluice::rcu
