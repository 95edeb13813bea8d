// SPDX-License-Identifier: Apache-2.0
//
// SLUICE_CHECK: our own mistake, always checked. SLUICE_ASSERT: the same, debug builds only.
//
// Never for what a peer, an operator or the network did wrong: those are data (result.h).
#pragma once

namespace sluice {

[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace sluice

#define SLUICE_CHECK(condition)                        \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::sluice::check_failed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define SLUICE_ASSERT(condition) static_cast<void>(sizeof(static_cast<bool>(condition)))
#else
#define SLUICE_ASSERT(condition) SLUICE_CHECK(condition)
#endif
