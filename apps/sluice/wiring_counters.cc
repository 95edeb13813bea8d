// SPDX-License-Identifier: Apache-2.0
//
// Which counters there are: every block of every core, handed to the registry once.

#include "apps/sluice/wiring.h"

namespace sluice {

void Wiring::register_counters() {
  for (const auto& core : cores_) {
    const int id = core->plan.id;
    registry_.add(id, PollLoop::counter_infos(), core->loop.counters().all());
    registry_.add(id, outbox_counter_infos(), core->outbox->counters().all());
    registry_.add(id, sip::parse_error_infos(), core->refuser->reasons().all());
    registry_.add(id, intercept::refuser_counter_infos(), core->refuser->counters().all());
    if (core->worker) {
      registry_.add(id, dataplane::net_counter_infos(), core->worker->counters().all());
      for (const auto& queue : core->worker->queues()) {
        registry_.add(id, dataplane::port_counter_infos(), queue->counters().all(),
                      "port=\"" + queue->spec().name + "\"");
      }
      registry_.add(id, intercept::ingress_counter_infos(), core->ingress->counters().all());
    }
    if (core->transactions) {
      registry_.add(id, sip::txn_counter_infos(), core->transactions->counters().all());
      registry_.add(id, sip::proxy_counter_infos(), core->proxy->counters().all());
      registry_.add(id, registrar::registrar_counter_infos(), core->registrar->counters().all());
    }
  }
  for (unsigned w = 0; w < location_->writers(); ++w) {
    registry_.add(servants_[w]->plan.id, store::location_counter_infos(),
                  location_->writer(w).counters().all());
  }
  for (std::size_t p = 0; p < impaired_.size(); ++p) {
    if (!impaired_[p]) continue;
    for (std::uint16_t queue = 0; queue < impaired_[p]->info().queues; ++queue) {
      registry_.add(-1, dataplane::ImpairedPort::counter_infos(),
                    impaired_[p]->counters(queue).all(),
                    "port=\"" + settings_.ports[p].name + "\"");
    }
  }
  // The device's own count: what it had no room for never reached a core.
  for (const auto& port : ports_) {
    const std::string label = "port=\"" + port->info().name + "\"";
    const auto add = [&](std::string_view name, std::string_view help,
                         std::uint64_t dataplane::PortStatistics::*member) {
      registry_.add_computed(
          {name, "", help, MetricKind::Counter},
          [&port, member] { return static_cast<double>(port->statistics().*member); }, label);
    };
    add("port_rx_missed_total", "Frames that came while no receive descriptor was free.",
        &dataplane::PortStatistics::missed);
    add("port_rx_no_buffer_total", "Frames that came while the buffer pool was dry.",
        &dataplane::PortStatistics::no_buffer);
    add("port_rx_errors_total", "Frames that the device could not receive.",
        &dataplane::PortStatistics::receive_errors);
    add("port_tx_errors_total", "Frames that the device could not send.",
        &dataplane::PortStatistics::transmit_errors);
  }
  registry_.add_computed(
      {"rcu_retired", "", "Objects that wait for a grace period.", MetricKind::Gauge},
      [this] { return static_cast<double>(reclaimer_->pending()); });
}

}  // namespace sluice
