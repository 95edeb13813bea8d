// SPDX-License-Identifier: Apache-2.0
#include "apps/sluice/core_plan.h"

#include <algorithm>

namespace sluice {
namespace {

config::Cores plan_auto(const std::vector<unsigned>& cpus) {
  config::Cores plan;
  const std::size_t count = cpus.size();
  if (count <= 2) {
    plan.both = cpus;
    return plan;
  }
  plan.control = {cpus.front()};
  const std::vector<unsigned> rest(cpus.begin() + 1, cpus.end());
  if (rest.size() < 7) {
    plan.both = rest;
    return plan;
  }
  const std::size_t pollers = std::max<std::size_t>(1, rest.size() * 5 / 8);
  plan.poll.assign(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(pollers));
  plan.servant.assign(rest.begin() + static_cast<std::ptrdiff_t>(pollers), rest.end());
  return plan;
}

}  // namespace

std::vector<std::uint8_t> CorePlan::with(bool (*has)(Role)) const {
  std::vector<std::uint8_t> ids;
  for (const PlannedCore& core : cores) {
    if (has(core.role)) ids.push_back(core.id);
  }
  return ids;
}

CorePlan plan_cores(const config::Cores& settings, const std::vector<unsigned>& cpus) {
  const config::Cores chosen = settings.automatic ? plan_auto(cpus) : settings;
  CorePlan plan;
  const auto add = [&](const std::vector<unsigned>& list, Role role) {
    for (const unsigned cpu : list) {
      plan.cores.push_back({static_cast<std::uint8_t>(plan.cores.size()), cpu, role});
    }
  };
  add(chosen.both, Role::Both);
  add(chosen.poll, Role::Poll);
  add(chosen.servant, Role::Servant);
  plan.control = chosen.control;
  return plan;
}

}  // namespace sluice
