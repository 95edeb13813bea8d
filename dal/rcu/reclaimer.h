// SPDX-License-Identifier: Apache-2.0
//
// Reclaimer: the thread that frees what nobody can be reading any more. Retired: the hook by which
// an object is handed to it.
//
// The worker polls (URCU_CALL_RCU_RT), so handing over a batch costs a writer core an atomic
// exchange and never a futex; the price is a wake-up every 10 ms, which also makes each grace
// period serve all batches of that time.
//
// Threads  One per process, made by the control thread before it pins itself (the worker inherits
//          the
//          affinity). Release functions run on the worker.
// Memory   Bounded by what is retired between two grace periods; a core that is stuck holds
//          everything
//          back, which pending() shows and the watchdog ends.
// Errors   None.
#pragma once

#include <atomic>
#include <cstdint>

struct call_rcu_data;

namespace sluice::rcu {

class Reclaimer;

// Part of every object that is freed after a grace period; used from retire() on, so it may share
// its storage with something that only a live object needs. Retiring never allocates.
struct Retired {
  void* head[2];  // liburcu's rcu_head, used in the first object of a batch
  Retired* next;
  void (*release)(Retired*) noexcept;
  Reclaimer* reclaimer;
};

class Reclaimer {
 public:
  Reclaimer();
  // Waits for everything that was handed over.
  ~Reclaimer();
  Reclaimer(const Reclaimer&) = delete;
  Reclaimer& operator=(const Reclaimer&) = delete;

  // Returns when all batches that were handed over before the call have been freed. Blocks for some
  // ten milliseconds: control threads and tests only. The caller counts as quiescent.
  void barrier() noexcept;

  // Objects handed over and not yet freed. Any thread, stale is fine.
  std::uint64_t pending() const noexcept {
    return handed_over_.load(std::memory_order_relaxed) - freed_.load(std::memory_order_relaxed);
  }

 private:
  friend class Reader;
  friend class Writer;

  // From now on the calling thread's batches go to this worker.
  void adopt_thread() noexcept;
  static void release_thread() noexcept;
  void hand_over(Retired* first, std::uint32_t count) noexcept;
  void free_batch(Retired* first) noexcept;

  call_rcu_data* worker_;
  std::atomic<std::uint64_t> handed_over_{0};
  std::atomic<std::uint64_t> freed_{0};
};

}  // namespace sluice::rcu
