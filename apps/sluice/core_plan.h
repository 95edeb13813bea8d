// SPDX-License-Identifier: Apache-2.0
//
// CorePlan: which CPU runs which core in which role.
//
// "auto" shapes, measured in docs/performance.md: on a small machine two combined cores beat one
// poller and one servant; from eight CPUs on, five pollers to three servants balance.
#pragma once

#include "base/core.h"
#include "config/settings.h"

#include <cstdint>
#include <vector>

namespace sluice {

struct PlannedCore {
  std::uint8_t id = 0;  // index of the core, from 0
  unsigned cpu = 0;
  Role role = Role::Both;
};

struct CorePlan {
  std::vector<PlannedCore> cores;  // pollers first; never empty
  std::vector<unsigned> control;   // CPUs of the control thread; empty: unpinned

  std::vector<std::uint8_t> with(bool (*has)(Role)) const;
};

// `cpus`: those this process may use, ascending, never empty.
CorePlan plan_cores(const config::Cores& settings, const std::vector<unsigned>& cpus);

}  // namespace sluice
