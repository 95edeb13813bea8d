// SPDX-License-Identifier: Apache-2.0
//
// Reader: a thread's registration with the grace-period system (liburcu, QSBR flavour).
//
// A registered thread that is online holds back every free until it reports quiescence, so it
// reports once per loop turn and goes offline before anything that blocks (PollLoop's two hooks).
//
// Threads  Made, used and destroyed by the thread it registers. Cheap enough for every loop turn:
//          two
//          loads and a compare unless a grace period is waiting.
// Memory   None. Must not outlive its Reclaimer.
#pragma once

#include "dal/rcu/read_scope.h"

namespace sluice::rcu {

class Reclaimer;

class Reader {
 public:
  // Registers the calling thread, online.
  explicit Reader(Reclaimer& reclaimer);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // "I hold nothing that I found before this call."
  void quiescent() noexcept;

  // Around anything that may block. Reading while offline is our own mistake.
  void offline() noexcept;
  void online() noexcept;
};

// The calling thread, offline for as long as this lives.
class [[nodiscard]] Offline {
 public:
  explicit Offline(Reader& reader) noexcept : reader_(reader) { reader_.offline(); }
  ~Offline() { reader_.online(); }
  Offline(const Offline&) = delete;
  Offline& operator=(const Offline&) = delete;

 private:
  Reader& reader_;
};

}  // namespace sluice::rcu
