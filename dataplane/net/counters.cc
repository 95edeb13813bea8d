// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/counters.h"

namespace sluice::dataplane {
namespace {

constexpr CounterInfo kNetInfos[] = {
#define RX_DONE(name, label, help) {"net_packets_total", "outcome=\"" label "\"", help},
#define RX_DROP(name, label, help) {"net_drops_total", "reason=\"" label "\"", help},
#define TX_DONE(name, label, help) {"net_packets_total", "outcome=\"" label "\"", help},
#define TX_DROP(name, label, help) {"net_drops_total", "reason=\"" label "\"", help},
#define EVENT(name, metric, help) {metric, "", help},
#include "dataplane/net/drop_reasons.def"
#undef RX_DONE
#undef RX_DROP
#undef TX_DONE
#undef TX_DROP
#undef EVENT
};

constexpr NetCounterKind kKinds[] = {
#define RX_DONE(name, label, help) NetCounterKind::RxDone,
#define RX_DROP(name, label, help) NetCounterKind::RxDrop,
#define TX_DONE(name, label, help) NetCounterKind::TxDone,
#define TX_DROP(name, label, help) NetCounterKind::TxDrop,
#define EVENT(name, metric, help) NetCounterKind::Event,
#include "dataplane/net/drop_reasons.def"
#undef RX_DONE
#undef RX_DROP
#undef TX_DONE
#undef TX_DROP
#undef EVENT
};

constexpr CounterInfo kPortInfos[] = {
    {"port_rx_packets_total", "", "Frames received."},
    {"port_rx_bytes_total", "", "Bytes received, from the Ethernet header on."},
    {"port_tx_packets_total", "", "Frames given to the port."},
    {"port_tx_bytes_total", "", "Bytes given to the port, from the Ethernet header on."},
    {"port_tx_dropped_total", "", "Frames that the port did not take in time."},
};

static_assert(std::size(kNetInfos) == kNetCounters);
static_assert(std::size(kPortInfos) == static_cast<std::size_t>(PortCounter::Count));

}  // namespace

std::span<const CounterInfo> net_counter_infos() noexcept {
  return kNetInfos;
}

NetCounterKind kind_of(NetCounter counter) noexcept {
  return kKinds[static_cast<std::size_t>(counter)];
}

std::uint64_t total_of(const NetCounters& counters, NetCounterKind kind) noexcept {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kNetCounters; ++i) {
    if (kKinds[i] == kind) total += counters[static_cast<NetCounter>(i)].value();
  }
  return total;
}

std::span<const CounterInfo> port_counter_infos() noexcept {
  return kPortInfos;
}

}  // namespace sluice::dataplane
