// SPDX-License-Identifier: Apache-2.0
#include "apps/sluice/wiring.h"

#include "apps/sluice/secrets.h"
#include "config/loader.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace sluice {
namespace {

// One ring per (poll core, servant core) and back: a few milliseconds of work at full speed, 8 KB.
constexpr std::uint32_t kRing = 1024;
constexpr std::uint32_t kLargeBuffersPerCore = 64;
// Of all location records; a record is about 250 B, more with long contacts.
constexpr std::uint64_t kBytesPerBinding = 1024;
constexpr std::uint64_t kLeastLocationMemory = std::uint64_t{64} << 20;

sip::Limits limits_of(const config::Limits& limits) {
  return {.message = limits.message,
          .headers = limits.headers,
          .header_line = limits.header_line,
          .uri = limits.uri,
          .via = limits.via};
}

sip::TransactionOptions transactions_of(const config::Settings& settings) {
  sip::TransactionOptions options;
  options.timers =
      sip::TimerOptions::from(settings.timers.t1, settings.timers.t2, settings.timers.t4);
  const std::uint32_t count = settings.capacity.transactions;
  options.invite_servers = options.invite_clients = count;
  options.non_invite_servers = options.non_invite_clients = count;
  // What a transaction keeps: an INVITE's request on both sides until it is answered, then one
  // response. Most messages are below 1 KB.
  options.messages = {{{512, count},
                       {1'024, count},
                       {2'048, count / 2},
                       {4'096, count / 8 + 8},
                       {16'384, count / 64 + 8},
                       {65'536, count / 256 + 4}}};
  return options;
}

std::vector<std::string> local_domains(const config::Settings& settings) {
  std::vector<std::string> domains;
  for (const config::Domain& domain : settings.domains) {
    if (domain.registrar != config::RegistrarMode::Local) continue;
    domains.push_back(domain.name);
    domains.insert(domains.end(), domain.aliases.begin(), domain.aliases.end());
  }
  return domains;
}

std::uint32_t in_seconds(Duration duration) {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

registrar::Options registrar_of(const config::Settings& settings) {
  registrar::Options options;
  options.default_expires = in_seconds(settings.registrar.default_expires);
  options.min_expires = in_seconds(settings.registrar.min_expires);
  options.max_expires = in_seconds(settings.registrar.max_expires);
  options.max_contacts = settings.registrar.max_contacts;
  options.jitter = static_cast<std::uint32_t>(settings.registrar.jitter * 1000);
  return options;
}

proxy::RouteTableInput routes_of(const config::Settings& settings,
                                 const ListenerDirectory& listeners) {
  proxy::RouteTableInput input;
  input.domains = local_domains(settings);
  for (std::size_t id = 0; id < listeners.size(); ++id) {
    const sip::Listener& listener = *listeners.find(static_cast<ListenerId>(id));
    input.own_names.emplace_back(listener.sent_by);
    input.own_names.push_back(listener.local.to_string());
  }
  for (const config::Route& route : settings.routes) {
    input.routes.push_back({.domain = route.domain, .next_hop = route.to});
  }
  for (const config::Host& host : settings.hosts) input.hosts.emplace_back(host.name, host.address);
  input.record_route = settings.proxy.record_route;
  return input;
}

}  // namespace

Wiring::Wiring(const config::Settings& settings)
    : settings_(settings), dispatch_key_(draw_key()), loop_key_(draw_key()) {
  plan_ = plan_cores(settings_.cores, config::Machine::here().cpus);
  open_ports();
  build_topology();
  build_sharing();
  build_cores();
  join_loops();
  register_counters();
}

Wiring::~Wiring() {
  stop();
  if (started_) reader_->online();
  // What still waits in a ring goes home to the pool of its core, so the rings end first.
  inbound_.clear();
  outbound_.clear();
  cores_.clear();
  policy_.reset();
  resolver_.reset();
  routes_.reset();
  lookup_.reset();
  location_.reset();
  reader_.reset();
  reclaimer_.reset();
  mesh_.reset();
  impaired_.clear();
  ports_.clear();
  eal_.reset();
}

void Wiring::open_ports() {
  dataplane::EalOptions options;
  for (const PlannedCore& core : plan_.cores) options.lcores.push_back({core.id, core.cpu});
  for (const config::Port& port : settings_.ports) options.devices.push_back(port.device);
  options.verbose = settings_.log.level == config::LogLevel::Debug;
  auto eal = dataplane::Eal::start(options);
  if (!eal) throw StartError(eal.error());
  eal_ = std::move(*eal);

  for (const config::Port& port : settings_.ports) {
    dataplane::PortOptions open;
    open.name = port.name;
    open.device = port.device;
    open.queues = port.queues;
    open.mtu = port.mtu;
    open.buffers = settings_.capacity.buffers / static_cast<std::uint32_t>(settings_.ports.size());
    auto opened = dataplane::Port::open(*eal_, open);
    if (!opened) throw StartError(opened.error());
    ports_.push_back(std::move(*opened));
    impaired_.push_back(nullptr);
    if (const auto& impair = port.impair) {
      const dataplane::Impairment both{impair->loss, impair->duplicate, impair->reorder,
                                       impair->corrupt};
      dataplane::ImpairedPortOptions impairment;
      impairment.rx = impairment.tx = both;
      impairment.seed = impair->seed + ports_.size();
      impaired_.back() = std::make_unique<dataplane::ImpairedPort>(*ports_.back(), impairment);
    }
  }

  // Queue q of port p goes to poll core (p + q) mod n: several ports with one queue each spread
  // too.
  const std::size_t pollers = plan_.with(polls).size();
  queues_.resize(pollers);
  servers_.resize(ports_.size());
  for (std::size_t p = 0; p < ports_.size(); ++p) {
    dataplane::FramePort* port =
        impaired_[p] ? static_cast<dataplane::FramePort*>(impaired_[p].get()) : ports_[p].get();
    for (std::uint16_t q = 0; q < port->info().queues; ++q) {
      const std::size_t owner = (p + q) % pollers;
      queues_[owner].push_back({port, static_cast<std::uint16_t>(p), q});
      auto& servers = servers_[p];
      if (std::find(servers.begin(), servers.end(), owner) == servers.end()) {
        servers.push_back(static_cast<std::uint8_t>(owner));
      }
    }
  }
  for (const auto& queues : queues_) {
    if (queues.empty()) {
      throw StartError(
          "cores: " + std::to_string(pollers) +
          " poll cores, but the ports have fewer queues: raise ports.queues or name fewer cores");
    }
  }
}

void Wiring::build_topology() {
  dataplane::TopologySpec spec;
  for (std::size_t p = 0; p < settings_.ports.size(); ++p) {
    const config::Port& port = settings_.ports[p];
    dataplane::PortSpec entry;
    entry.name = port.name;
    entry.addresses = port.addresses;
    entry.vlan = port.vlan;
    entry.mtu = port.mtu;
    for (const IpAddress& gateway : port.gateways) {
      (gateway.is_v4() ? entry.gateway_v4 : entry.gateway_v6) = gateway;
    }
    spec.ports.push_back(std::move(entry));
    for (const config::StaticRoute& route : port.routes) {
      spec.routes.push_back({route.to, route.via, static_cast<std::uint16_t>(p)});
    }
  }
  std::vector<std::string> advertised;
  for (std::size_t i = 0; i < settings_.listen.size(); ++i) {
    const config::Listen& listen = settings_.listen[i];
    spec.listeners.push_back({static_cast<ListenerId>(i), static_cast<std::uint16_t>(listen.port),
                              listen.local, listen.transport});
    advertised.push_back(listen.advertise);
  }
  auto topology = dataplane::Topology::build(std::move(spec));
  if (!topology) throw StartError(topology.error());
  topology_ = std::make_unique<dataplane::Topology>(std::move(*topology));
  listeners_ = std::make_unique<ListenerDirectory>(*topology_, std::move(advertised));
  large_ = std::make_unique<dataplane::LargeBuffers>(static_cast<unsigned>(plan_.cores.size()),
                                                     kLargeBuffersPerCore);
  std::vector<std::vector<std::uint16_t>> ports_of(queues_.size());
  for (std::size_t w = 0; w < queues_.size(); ++w) {
    for (const dataplane::WorkerQueue& queue : queues_[w]) ports_of[w].push_back(queue.index);
  }
  mesh_ = std::make_unique<dataplane::BounceMesh>(ports_of, draw_key());
}

void Wiring::build_sharing() {
  reclaimer_ = std::make_unique<rcu::Reclaimer>();
  reader_ = std::make_unique<rcu::Reader>(*reclaimer_);
  const auto servants = static_cast<unsigned>(plan_.with(serves).size());
  store::Location::Options options;
  options.expected_aors = std::min<std::uint32_t>(settings_.capacity.bindings, 1U << 20);
  options.memory_limit = kLeastLocationMemory + settings_.capacity.bindings * kBytesPerBinding;
  location_ = std::make_unique<store::Location>(options, dispatch_key_, *reclaimer_, servants);
  dispatch_ = std::make_unique<intercept::DispatchTable>(dispatch_key_, servants);
  auto routes = proxy::RouteTable::build(routes_of(settings_, *listeners_));
  if (!routes) throw StartError(routes.error());
  lookup_ = std::make_unique<LocationAdapter>(*location_);
  routes_ = std::make_unique<RouteSnapshot>(
      std::make_unique<const proxy::RouteTable>(std::move(*routes)));
  resolver_ = std::make_unique<proxy::TableResolver>(*routes_);
  policy_ = std::make_unique<rcu::Cell<const registrar::Policy>>(
      std::make_unique<const registrar::Policy>(registrar_of(settings_), local_domains(settings_)));
}

void Wiring::build_cores() {
  const IdlePolicy idle =
      settings_.cores.idle == config::Idle::Busy ? IdlePolicy::Busy : IdlePolicy::Adaptive;
  for (const PlannedCore& planned : plan_.cores) {
    cores_.push_back(std::make_unique<CoreRuntime>(planned, clock_, draw_key(), idle));
    if (serves(planned.role)) servants_.push_back(cores_.back().get());
  }
  // A ring wherever two different cores meet.
  inbound_.resize(cores_.size());
  outbound_.resize(cores_.size());
  for (auto& from : cores_) {
    if (!polls(from->plan.role)) continue;
    for (CoreRuntime* servant : servants_) {
      inbound_[from->plan.id].push_back(
          servant == from.get() ? nullptr : std::make_unique<intercept::InboundRing>(kRing));
    }
  }
  for (auto& from : cores_) {
    for (std::size_t to = 0; to < poll_count(); ++to) {
      outbound_[from->plan.id].push_back(
          to == from->plan.id ? nullptr : std::make_unique<OutboundRing>(kRing));
    }
  }

  for (auto& core : cores_) {
    if (polls(core->plan.role)) {
      core->worker = std::make_unique<dataplane::Worker>(*topology_, *mesh_, core->plan.id, *large_,
                                                         draw_key(), queues_[core->plan.id]);
    }
  }
  for (auto& core : cores_) {
    std::vector<EgressLink> links;
    for (std::size_t to = 0; to < poll_count(); ++to) {
      EgressLink link;
      if (to == core->plan.id) {
        link.local = core->worker.get();
      } else {
        link.ring = outbound_[core->plan.id][to].get();
      }
      link.loop = &cores_[to]->loop;
      links.push_back(link);
    }
    core->outbox = std::make_unique<CoreOutbox>(*listeners_, *queues_[0][0].port, *large_,
                                                std::move(links), servers_);
    core->refuser = std::make_unique<intercept::Refuser>(*core->outbox, loop_key_);
    core->inspection =
        std::make_unique<intercept::Inspection>(limits_of(settings_.limits), *core->refuser);
  }
  for (CoreRuntime* servant : servants_) build_servant_side(*servant);
  for (auto& core : cores_) {
    if (polls(core->plan.role)) build_poll_side(*core);
  }
}

void Wiring::build_servant_side(CoreRuntime& core) {
  const auto index = static_cast<std::uint8_t>(
      std::find(servants_.begin(), servants_.end(), &core) - servants_.begin());
  const sip::TransactionOptions options = transactions_of(settings_);
  core.transactions = std::make_unique<sip::TransactionLayer>(
      index, options, limits_of(settings_.limits), draw_key(), *core.outbox);
  build_applications(core, index);

  std::vector<intercept::InboundRing*> rings;
  for (std::size_t from = 0; from < poll_count(); ++from) {
    if (from != core.plan.id) rings.push_back(inbound_[from][index].get());
  }
  const bool inspects = settings_.cores.handoff == config::Handoff::Index;
  core.intake = std::make_unique<ServantIntake>(
      *core.transactions, inspects ? core.inspection.get() : nullptr, std::move(rings));
}

void Wiring::build_applications(CoreRuntime& core, std::uint8_t index) {
  core.registrar = std::make_unique<registrar::Registrar>(location_->writer(index));
  core.registrar_handler = std::make_unique<RegistrarHandler>(*core.registrar, *policy_);
  core.options = std::make_unique<options::OptionsServant>(draining_);
  core.policy = std::make_unique<proxy::ProxyServant>(
      *routes_, *resolver_,
      proxy::ProxyServant::Services{lookup_.get(), core.registrar_handler.get(),
                                    core.options.get()});
  sip::ProxyOptions options;
  options.timer_c = settings_.proxy.timer_c;
  // A context lives as long as its server transaction: one for each of both kinds.
  options.contexts = 2 * settings_.capacity.transactions;
  options.branches = 2 * settings_.capacity.transactions;
  core.proxy = std::make_unique<sip::Proxy>(*core.transactions, *core.outbox, *core.policy,
                                            *resolver_, loop_key_, options);
}

void Wiring::build_poll_side(CoreRuntime& core) {
  std::vector<intercept::ServantLink> links;
  for (std::size_t s = 0; s < servants_.size(); ++s) {
    intercept::ServantLink link;
    if (servants_[s] == &core) {
      link.local = core.intake.get();
    } else {
      link.ring = inbound_[core.plan.id][s].get();
    }
    link.loop = &servants_[s]->loop;
    links.push_back(link);
  }
  intercept::Ingress::Options options;
  options.limits = limits_of(settings_.limits);
  options.handoff = settings_.cores.handoff == config::Handoff::Index ? intercept::Handoff::Index
                                                                      : intercept::Handoff::Decode;
  options.messages = settings_.capacity.messages;
  core.ingress = std::make_unique<intercept::Ingress>(options, *dispatch_, std::move(links),
                                                      *core.inspection, *core.refuser);
  core.worker->set_sink(*core.ingress);
  std::vector<OutboundRing*> rings;
  for (auto& from : outbound_) {
    if (from[core.plan.id]) rings.push_back(from[core.plan.id].get());
  }
  core.egress = std::make_unique<EgressPoller>(*core.worker, std::move(rings));
}

void Wiring::join_loops() {
  for (auto& core : cores_) {
    PollLoop& loop = core->loop;
    if (core->intake) loop.add(*core->intake);
    if (core->egress) loop.add(*core->egress);
    // Last among those that poll and first to flush would be wrong: what the servant sends in
    // poll() leaves in the worker's flush() of the same turn.
    if (core->worker) {
      loop.add(*core->worker);
      mesh_->set_loop(core->plan.id, loop);
      for (const dataplane::WorkerQueue& queue : queues_[core->plan.id]) {
        core->idle.watch(queue.port->wake_fd(queue.queue));
      }
    }
    if (core->ingress) loop.add(*core->ingress);
    loop.add(*core->outbox);
  }
}

void Wiring::start() {
  for (auto& core : cores_) {
    if (!eal_->launch(core->plan.id, [this, &core] { run_core(*core); })) {
      throw StartError("core " + std::to_string(core->plan.id) + " could not be started");
    }
  }
  reader_->offline();
  started_ = true;
  while (turning_.load() < cores_.size()) std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

void Wiring::run_core(CoreRuntime& core) {
  rcu::Reader reader(*reclaimer_);
  core.loop.set_quiescent([&reader] { reader.quiescent(); });
  core.loop.set_offline([&reader](bool offline) { offline ? reader.offline() : reader.online(); });
  turning_.fetch_add(1);
  core.loop.run();
  core.loop.set_quiescent({});
  core.loop.set_offline({});
}

void Wiring::stop() {
  for (auto& core : cores_) core->loop.stop();
  if (eal_) eal_->join_all();
}

std::uint64_t Wiring::unanswered() const noexcept {
  std::uint64_t count = 0;
  for (const CoreRuntime* core : servants_) {
    const sip::TxnCounters& live = core->transactions->counters();
    for (const sip::TxnCounter which :
         {sip::TxnCounter::InviteServerProceeding, sip::TxnCounter::NonInviteServerTrying,
          sip::TxnCounter::NonInviteServerProceeding}) {
      count += live[which].value();
    }
  }
  return count;
}

}  // namespace sluice
