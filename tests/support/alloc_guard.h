// SPDX-License-Identifier: Apache-2.0
//
// AllocGuard: how often the heap was asked for memory, to prove that the packet path never does.
//
// Link alloc_guard_dep: it replaces operator new and, outside of sanitizer builds, malloc and its
// kin for the whole test binary.
#pragma once

#include <cstdint>

namespace sluice::test {

// Of this thread, since it started.
std::uint64_t heap_requests() noexcept;

class AllocGuard {
 public:
  AllocGuard() : begin_(heap_requests()) {}
  std::uint64_t count() const { return heap_requests() - begin_; }

 private:
  std::uint64_t begin_;
};

}  // namespace sluice::test
