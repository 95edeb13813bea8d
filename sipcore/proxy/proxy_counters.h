// SPDX-License-Identifier: Apache-2.0
//
// ProxyCounter: what a proxy core counts (proxy_counters.def).
#pragma once

#include "base/counters.h"

#include <cstdint>
#include <span>

namespace sluice::sip {

enum class ProxyCounter : std::uint8_t {
#define SLUICE_PROXY_COUNTER(name, metric, labels, help, kind) name,
#include "sipcore/proxy/proxy_counters.def"
#undef SLUICE_PROXY_COUNTER
  Count
};

using ProxyCounters = CounterBlock<ProxyCounter, static_cast<std::size_t>(ProxyCounter::Count)>;
std::span<const CounterInfo> proxy_counter_infos();

}  // namespace sluice::sip
