// SPDX-License-Identifier: Apache-2.0
//
// What a worker counts: how packets end (drop_reasons.def) and what went through each port.
//
// Threads  Written by the worker's core, read by any (base/counters.h).
#pragma once

#include "base/counters.h"

#include <cstdint>
#include <span>

namespace sluice::dataplane {

enum class NetCounter : std::uint8_t {
#define RX_DONE(name, label, help) name,
#define RX_DROP(name, label, help) name,
#define TX_DONE(name, label, help) name,
#define TX_DROP(name, label, help) name,
#define EVENT(name, metric, help) name,
#include "dataplane/net/drop_reasons.def"
#undef RX_DONE
#undef RX_DROP
#undef TX_DONE
#undef TX_DROP
#undef EVENT
  Count
};

enum class NetCounterKind : std::uint8_t { RxDone, RxDrop, TxDone, TxDrop, Event };

constexpr std::size_t kNetCounters = static_cast<std::size_t>(NetCounter::Count);
using NetCounters = CounterBlock<NetCounter, kNetCounters>;

std::span<const CounterInfo> net_counter_infos() noexcept;
NetCounterKind kind_of(NetCounter counter) noexcept;
// Sum of the rows of one kind.
std::uint64_t total_of(const NetCounters& counters, NetCounterKind kind) noexcept;

enum class PortCounter : std::uint8_t { RxPackets, RxBytes, TxPackets, TxBytes, TxDropped, Count };
using PortCounters = CounterBlock<PortCounter, static_cast<std::size_t>(PortCounter::Count)>;

// The label port="..." is the registrar's to add.
std::span<const CounterInfo> port_counter_infos() noexcept;

}  // namespace sluice::dataplane
