// SPDX-License-Identifier: Apache-2.0
//
// Writer: the right to change cells and table shards, and the list of what the changes left behind.
//
// Every cell and every key of a table has one writer core; holding its Writer& is how that is said.
// What a change makes unreachable is retired here and goes to the Reclaimer in batches.
//
// Threads  One thread (which holds a Reader); asserted in debug builds.
// Memory   Retiring allocates nothing. Up to kBatch objects wait for the batch to fill: flush()
//          from a
//          timer or at the end of a change bounds how long.
#pragma once

#include "base/assert.h"
#include "dal/rcu/reclaimer.h"

#include <cstdint>

namespace sluice::rcu {

class Writer {
 public:
  static constexpr std::uint32_t kBatch = 64;

  explicit Writer(Reclaimer& reclaimer) noexcept : reclaimer_(reclaimer) {}
  // Flushes. What is left then needs a thread with a Reader.
  ~Writer() { flush(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // `object` cannot be found any more by readers that start now; release(&object) runs once all
  // readers that may have found it are done.
  void retire(Retired& object, void (*release)(Retired*) noexcept) noexcept {
    assert_same_thread();
    object.next = waiting_;
    object.release = release;
    waiting_ = &object;
    if (++count_ == kBatch) flush();
  }

  void flush() noexcept;

  std::uint32_t waiting() const noexcept { return count_; }
  Reclaimer& reclaimer() noexcept { return reclaimer_; }

 private:
#ifdef NDEBUG
  void assert_same_thread() noexcept {}
#else
  void assert_same_thread() noexcept;
#endif

  Reclaimer& reclaimer_;
  Retired* waiting_ = nullptr;
  std::uint32_t count_ = 0;
  std::uint64_t thread_ = 0;  // debug builds: who came first; 0 nobody yet
};

}  // namespace sluice::rcu
