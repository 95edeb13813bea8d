// SPDX-License-Identifier: Apache-2.0
//
// Eal: the DPDK environment of this process: its memory, its lcores, its devices.
//
// Threads  start() on the thread that becomes the control thread (EAL's main lcore; it keeps its
//          CPU
//          affinity). Every lcore of the plan is a pinned thread that EAL makes; launch() gives it
//          its work. Threads created before start() do not inherit the signal mask that the tap
//          driver needs: start EAL first.
// Memory   Hugepages when there are enough of them, ordinary pages otherwise (then the amount is
//          fixed at start; untouched pages cost nothing). One Eal per process, and never a second
//          one: DPDK cannot be initialised twice.
// Errors   A sentence that says what is wrong and what to run.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sluice::dataplane {

struct LcorePlan {
  unsigned lcore;  // small number, the same as the Core's id
  unsigned cpu;    // several lcores may share one
};

enum class Hugepages : std::uint8_t { Auto, Never, Require };

struct EalOptions {
  std::vector<LcorePlan> lcores;
  Hugepages hugepages = Hugepages::Auto;
  std::uint32_t memory_mb = 512;
  // Device strings of all ports that will be opened, in the form of PortOptions::device. PCI
  // devices must be known at start; virtual ones are made when their port is opened.
  std::vector<std::string> devices;
  bool verbose = false;  // DPDK's own log to stderr
};

class Eal {
 public:
  static Result<std::unique_ptr<Eal>, std::string> start(const EalOptions& options);
  // Waits for every launched function, then gives everything back. Ports must be closed before.
  ~Eal();
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  // Runs `work` on the thread of `lcore`. False when the plan has no such lcore or it is busy.
  bool launch(unsigned lcore, std::function<void()> work);
  void join(unsigned lcore);
  void join_all();

  bool uses_hugepages() const noexcept { return hugepages_; }
  const std::vector<LcorePlan>& lcores() const noexcept { return lcores_; }

 private:
  struct Task;
  Eal(std::vector<LcorePlan> lcores, bool hugepages);

  std::vector<LcorePlan> lcores_;
  bool hugepages_;
  std::vector<std::unique_ptr<Task>> tasks_;  // one per lcore of the plan
};

}  // namespace sluice::dataplane
