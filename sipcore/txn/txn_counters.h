// SPDX-License-Identifier: Apache-2.0
//
// TxnCounter: what a transaction layer counts (txn_counters.def).
#pragma once

#include "base/counters.h"

#include <cstdint>
#include <span>

namespace sluice::sip {

enum class TxnCounter : std::uint8_t {
#define SLUICE_TXN_COUNTER(name, metric, labels, help, kind) name,
#include "sipcore/txn/txn_counters.def"
#undef SLUICE_TXN_COUNTER
  Count
};

using TxnCounters = CounterBlock<TxnCounter, static_cast<std::size_t>(TxnCounter::Count)>;
std::span<const CounterInfo> txn_counter_infos();

}  // namespace sluice::sip
