// SPDX-License-Identifier: Apache-2.0
#include "sipcore/txn/txn_counters.h"

namespace sluice::sip {

std::span<const CounterInfo> txn_counter_infos() {
  static constexpr CounterInfo kInfos[] = {
#define SLUICE_TXN_COUNTER(name, metric, labels, help, kind) \
  {metric, labels, help, MetricKind::kind},
#include "sipcore/txn/txn_counters.def"
#undef SLUICE_TXN_COUNTER
  };
  static_assert(std::size(kInfos) == static_cast<std::size_t>(TxnCounter::Count));
  return kInfos;
}

}  // namespace sluice::sip
