// SPDX-License-Identifier: Apache-2.0
//
// What ThreadSanitizer cannot see: liburcu is a system library without its instrumentation, so the
// two orderings it gives us (publish before find; last read before free) are stated here in words
// that the sanitizer understands. Nothing in any other build.
#pragma once

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SLUICE_CLANG_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#endif

namespace sluice::rcu::detail {

#if defined(__SANITIZE_THREAD__) || defined(SLUICE_CLANG_TSAN)
inline void tsan_release(void* at) noexcept {
  __tsan_release(at);
}
inline void tsan_acquire(void* at) noexcept {
  __tsan_acquire(at);
}
#else
inline void tsan_release(void*) noexcept {}
inline void tsan_acquire(void*) noexcept {}
#endif

}  // namespace sluice::rcu::detail
