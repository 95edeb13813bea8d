// SPDX-License-Identifier: Apache-2.0
#include "sipcore/proxy/proxy_counters.h"

namespace sluice::sip {

std::span<const CounterInfo> proxy_counter_infos() {
  static constexpr CounterInfo kInfos[] = {
#define SLUICE_PROXY_COUNTER(name, metric, labels, help, kind) \
  {metric, labels, help, MetricKind::kind},
#include "sipcore/proxy/proxy_counters.def"
#undef SLUICE_PROXY_COUNTER
  };
  static_assert(std::size(kInfos) == static_cast<std::size_t>(ProxyCounter::Count));
  return kInfos;
}

}  // namespace sluice::sip
