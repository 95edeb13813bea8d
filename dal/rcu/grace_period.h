// SPDX-License-Identifier: Apache-2.0
//
// The ordering of a grace period as ThreadSanitizer is told it: every thread's last read happens
// before every free that the grace period allows. Private to this folder.
#pragma once

#include "dal/rcu/tsan.h"

namespace sluice::rcu::detail {

inline char grace_period_token;

inline void readers_are_done() noexcept {
  tsan_release(&grace_period_token);
}
inline void grace_period_is_over() noexcept {
  tsan_acquire(&grace_period_token);
}

}  // namespace sluice::rcu::detail
