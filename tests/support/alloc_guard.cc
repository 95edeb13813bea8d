// SPDX-License-Identifier: Apache-2.0
#include "tests/support/alloc_guard.h"

#include <cstdlib>
#include <new>

namespace {
thread_local std::uint64_t requests = 0;
}  // namespace

namespace sluice::test {
std::uint64_t heap_requests() noexcept {
  return requests;
}
}  // namespace sluice::test

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__GLIBC__)
// glibc keeps its own entry points apart from the public names; operator new comes through malloc.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  ++requests;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++requests;
  return __libc_calloc(count, size);
}
void* realloc(void* block, std::size_t size) {
  ++requests;
  return __libc_realloc(block, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++requests;
  return __libc_memalign(alignment, size);
}
}
#else
void* operator new(std::size_t size) {
  ++requests;
  if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
  std::abort();
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}
#endif
