// SPDX-License-Identifier: Apache-2.0
#include "apps/sluice/views.h"

#include <fmt/format.h>

#include <chrono>

namespace sluice {
namespace {

using std::chrono::steady_clock;

std::vector<control::PortInfo> list_ports(const Wiring& wiring) {
  std::vector<control::PortInfo> list;
  for (std::size_t p = 0; p < wiring.ports().size(); ++p) {
    const dataplane::Port& port = *wiring.ports()[p];
    const dataplane::PortStatistics statistics = port.statistics();
    const dataplane::PortStatus status = port.status();
    control::PortInfo info;
    info.name = port.info().name;
    info.device = status.device;
    for (const Prefix& address : wiring.settings().ports[p].addresses) {
      info.addresses.push_back(address.to_string());
    }
    info.mac = fmt::format("{:02x}", fmt::join(port.info().mac, ":"));
    info.link_up = status.link_up;
    info.queues = port.info().queues;
    info.mtu = port.info().mtu;
    info.rx_packets = statistics.received_frames;
    info.rx_bytes = statistics.received_bytes;
    info.rx_missed = statistics.missed;
    info.rx_errors = statistics.receive_errors + statistics.no_buffer;
    info.tx_packets = statistics.sent_frames;
    info.tx_bytes = statistics.sent_bytes;
    info.tx_errors = statistics.transmit_errors;
    list.push_back(std::move(info));
  }
  return list;
}

std::vector<control::CoreInfo> list_cores(const Wiring& wiring) {
  std::vector<control::CoreInfo> list;
  for (const auto& core : wiring.cores()) {
    const auto& counters = core->loop.counters();
    control::CoreInfo info;
    info.id = core->plan.id;
    info.cpu = core->plan.cpu;
    info.role = core->plan.role;
    info.turns = counters[LoopCounter::Turns].value();
    info.busy_turns = counters[LoopCounter::BusyTurns].value();
    info.sleeps = counters[LoopCounter::Sleeps].value();
    info.busy = std::chrono::nanoseconds{counters[LoopCounter::BusyNanoseconds].value()};
    if (core->intake) info.messages = core->intake->messages();
    list.push_back(info);
  }
  return list;
}

// From `kind="invite_server",state="proceeding"`.
std::string label_value(std::string_view labels, std::string_view name) {
  const std::string start = std::string(name) + "=\"";
  const std::size_t at = labels.find(start);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = labels.substr(at + start.size());
  return std::string(rest.substr(0, rest.find('"')));
}

std::vector<control::TransactionInfo> list_transactions(const Wiring& wiring) {
  std::vector<control::TransactionInfo> list;
  for (const auto& core : wiring.cores()) {
    if (!core->transactions) continue;
    const auto counters = core->transactions->counters().all();
    const auto infos = sip::txn_counter_infos();
    for (std::size_t i = 0; i < infos.size(); ++i) {
      if (infos[i].metric == "txn_live") {
        list.push_back({core->plan.id, label_value(infos[i].labels, "kind"),
                        label_value(infos[i].labels, "state"), counters[i].value()});
      }
    }
  }
  return list;
}

control::RegistrationSlice list_registrations(Wiring& wiring, std::uint64_t position,
                                              std::uint32_t budget) {
  control::RegistrationSlice slice;
  const Online online(wiring.reader());
  const rcu::ReadScope scope;
  const Instant now = SystemClock().now();
  rcu::TableCursor cursor;
  cursor.position = position;
  wiring.location().for_each_slice(scope, cursor, budget, [&](const store::Bindings& bindings) {
    for (std::uint32_t i = 0; i < bindings.size(); ++i) {
      const store::Binding row = bindings[i];
      control::RegistrationInfo info;
      info.aor = bindings.aor();
      info.contact = row.contact;
      if (row.received) info.received = row.received->to_string();
      info.user_agent = row.user_agent;
      info.expires = std::chrono::duration_cast<std::chrono::seconds>(row.expires - now).count();
      info.q = row.q;
      slice.rows.push_back(std::move(info));
    }
  });
  slice.next = cursor.position;
  slice.done = cursor.done;
  return slice;
}

}  // namespace

control::Sources make_sources(Wiring& wiring) {
  control::Sources sources;
  sources.version = SLUICE_VERSION;
  sources.uptime = [begin = steady_clock::now()] { return Duration(steady_clock::now() - begin); };
  sources.ready = [&wiring]() -> control::Health {
    if (wiring.draining()) return {false, "draining"};
    return {};
  };
  sources.ports = [&wiring] { return list_ports(wiring); };
  sources.cores = [&wiring] { return list_cores(wiring); };
  sources.transactions = [&wiring] { return list_transactions(wiring); };
  sources.registrations = [&wiring](std::uint64_t position, std::uint32_t budget) {
    return list_registrations(wiring, position, budget);
  };
  return sources;
}

}  // namespace sluice
