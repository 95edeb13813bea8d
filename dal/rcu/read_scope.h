// SPDX-License-Identifier: Apache-2.0
//
// ReadScope: the right to look at shared data; passed by const& to everything that returns some.
//
// With QSBR a reader pays nothing: what was found stays valid until its thread next reports
// quiescence, and the scope is there so that the type system says so. A pointer found under it is
// never a member, never in a ring, never kept for the next turn.
//
// Threads  Any thread that holds a Reader and is online.
// Errors   Debug builds assert both that, and that no scope is open when quiescence is reported.
#pragma once

#include "base/assert.h"

namespace sluice::rcu {

namespace detail {
struct ThreadState {
  bool online = false;
  int scopes = 0;
};
// Only debug builds look at it.
inline constinit thread_local ThreadState thread_state;
}  // namespace detail

class [[nodiscard]] ReadScope {
 public:
#ifdef NDEBUG
  ReadScope() noexcept {}
  ~ReadScope() {}
#else
  ReadScope() noexcept {
    SLUICE_ASSERT(detail::thread_state.online);
    ++detail::thread_state.scopes;
  }
  ~ReadScope() {
    --detail::thread_state.scopes;
  }
#endif
  ReadScope(const ReadScope&) = delete;
  ReadScope& operator=(const ReadScope&) = delete;
};

}  // namespace sluice::rcu
