// SPDX-License-Identifier: Apache-2.0
//
// Wiring: builds the cores, ports, tables and rings of a configuration and joins them.
//
// Threads  Built and destroyed by the control thread while no core runs.
// Memory   Owns everything of the packet path; the order of members is the order of dependence.
// Errors   Throws StartError with a sentence for the operator.
#pragma once

#include "apps/sluice/adapters.h"
#include "apps/sluice/core_runtime.h"
#include "base/counters.h"
#include "config/settings.h"
#include "dal/rcu/cell.h"
#include "dal/rcu/reader.h"
#include "dal/rcu/reclaimer.h"
#include "dal/store/location.h"
#include "dataplane/dpdk/eal.h"
#include "dataplane/dpdk/port.h"
#include "dataplane/net/bounce.h"
#include "dataplane/net/impaired_port.h"
#include "dataplane/net/large_buffers.h"
#include "dataplane/net/topology.h"

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice {

class StartError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Wiring {
 public:
  explicit Wiring(const config::Settings& settings);
  ~Wiring();
  Wiring(const Wiring&) = delete;
  Wiring& operator=(const Wiring&) = delete;

  // Launches every core; returns when all of them turn.
  void start();
  // Ends every core; returns when all of them have.
  void stop();

  // Refuse new work from now on (OPTIONS and new requests get 503).
  void drain() noexcept { draining_.store(true, std::memory_order_relaxed); }
  bool draining() const noexcept { return draining_.load(std::memory_order_relaxed); }
  // Transactions that still wait for an answer; relaxed.
  std::uint64_t unanswered() const noexcept;

  const config::Settings& settings() const noexcept { return settings_; }
  const CounterRegistry& counters() const noexcept { return registry_; }
  const std::vector<std::unique_ptr<CoreRuntime>>& cores() const noexcept { return cores_; }
  // What was opened, under the impairment if there is one.
  const std::vector<std::unique_ptr<dataplane::Port>>& ports() const noexcept { return ports_; }
  const dataplane::Topology& topology() const noexcept { return *topology_; }
  store::Location& location() noexcept { return *location_; }
  // The control thread's; offline from start() on, except inside an Online scope.
  rcu::Reader& reader() noexcept { return *reader_; }

 private:
  void open_ports();
  void build_topology();
  void build_sharing();
  void build_cores();
  void build_poll_side(CoreRuntime& core);
  void build_servant_side(CoreRuntime& core);
  void build_applications(CoreRuntime& core, std::uint8_t index);
  void join_loops();
  void register_counters();
  void run_core(CoreRuntime& core);

  std::size_t poll_count() const noexcept { return queues_.size(); }

  // Constant after construction.
  const config::Settings settings_;
  const HashKey dispatch_key_;
  const HashKey loop_key_;
  CorePlan plan_;
  SystemClock clock_;
  CounterRegistry registry_;

  std::unique_ptr<dataplane::Eal> eal_;
  std::vector<std::unique_ptr<dataplane::Port>> ports_;
  std::vector<std::unique_ptr<dataplane::ImpairedPort>> impaired_;  // nullptr where there is none
  std::unique_ptr<dataplane::Topology> topology_;
  std::unique_ptr<dataplane::LargeBuffers> large_;
  std::vector<std::vector<dataplane::WorkerQueue>> queues_;  // of each poll core
  std::vector<std::vector<std::uint8_t>> servers_;           // of each port: its poll cores
  std::unique_ptr<dataplane::BounceMesh> mesh_;
  std::unique_ptr<ListenerDirectory> listeners_;

  std::unique_ptr<rcu::Reclaimer> reclaimer_;
  std::unique_ptr<rcu::Reader> reader_;  // the control thread's
  std::unique_ptr<store::Location> location_;
  std::unique_ptr<LocationAdapter> lookup_;
  std::unique_ptr<RouteSnapshot> routes_;
  std::unique_ptr<proxy::TableResolver> resolver_;
  std::unique_ptr<rcu::Cell<const registrar::Policy>> policy_;
  std::unique_ptr<intercept::DispatchTable> dispatch_;
  // Rings by [from][to], in core ids and servant indices; nullptr on the same core.
  std::vector<std::vector<std::unique_ptr<intercept::InboundRing>>> inbound_;
  std::vector<std::vector<std::unique_ptr<OutboundRing>>> outbound_;

  std::vector<std::unique_ptr<CoreRuntime>> cores_;
  std::vector<CoreRuntime*> servants_;
  bool started_ = false;
  std::atomic<bool> draining_{false};
  std::atomic<unsigned> turning_{0};
};

}  // namespace sluice
