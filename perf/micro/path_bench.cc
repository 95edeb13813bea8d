// SPDX-License-Identifier: Apache-2.0
//
// The whole path of one core, from the frame that a port receives to the frame that it sends, in
// TSC ticks a message and a stage: OPTIONS, REGISTER refresh and full calls, against the budgets of
// DESIGN 10.
//
// The ports are lists of frames: what is measured is everything of ours and nothing of a driver.
// The peers' frames are made outside of the measured time, every answer is checked, and the clock
// is moved by hand so that as many transactions are live as at 500 calls, 500 REGISTERs and 500
// OPTIONS a second.
//
// usage: path_bench [--bindings N] [--calls N] [--rounds N]
#include "apps/sluice/adapters.h"
#include "apps/sluice/core_runtime.h"
#include "tests/support/frames.h"

#include <fmt/format.h>
#include <x86intrin.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace sluice {
namespace {

using dataplane::MacAddress;
using dataplane::RxFrame;
using dataplane::TxFrame;

constexpr MacAddress kPeerMac = {0x02, 0, 0, 0, 0, 0x99};
constexpr std::uint32_t kBurst = dataplane::Worker::kBurst;

// Receives what was put, keeps what was sent.
class ListPort final : public dataplane::FramePort {
 public:
  ListPort(std::string name, std::uint8_t last) : pool_(2176, 4096) {
    info_.name = std::move(name);
    info_.mac = {0x02, 0, 0, 0, 0, last};
  }
  const dataplane::PortInfo& info() const noexcept override { return info_; }
  std::uint32_t receive(std::uint16_t, std::span<RxFrame> out) noexcept override {
    const auto count =
        static_cast<std::uint32_t>(std::min<std::size_t>(out.size(), rx_.size() - next_));
    for (std::uint32_t i = 0; i < count; ++i) out[i] = std::move(rx_[next_++]);
    return count;
  }
  std::uint32_t transmit(std::uint16_t, std::span<TxFrame> frames) noexcept override {
    for (TxFrame& frame : frames) tx_.push_back(std::move(frame));
    return static_cast<std::uint32_t>(frames.size());
  }
  OwnedBytes allocate(std::uint32_t size, std::uint32_t headroom) noexcept override {
    return pool_.allocate(size, headroom);
  }
  std::uint32_t largest_buffer() const noexcept override { return 2176; }
  int wake_fd(std::uint16_t) noexcept override { return -1; }
  bool link_up() const noexcept override { return true; }

  void put(const test::Bytes& frame) {
    if (next_ == rx_.size()) {
      rx_.clear();
      next_ = 0;
    }
    RxFrame rx;
    rx.bytes = pool_.allocate(static_cast<std::uint32_t>(frame.size()), 128);
    SLUICE_CHECK(rx.bytes);
    std::copy(frame.begin(), frame.end(), rx.bytes.data());
    rx_.push_back(std::move(rx));
  }
  // Was there an ARP message among what was taken, since the last call?
  bool asked() { return std::exchange(asked_, false); }
  // UDP payloads sent since the last call.
  std::vector<std::string> take() {
    std::vector<std::string> texts;
    for (TxFrame& frame : tx_) {
      constexpr std::size_t kHeaders = 14 + 20 + 8;
      const std::string_view text = frame.bytes.text();
      if (text.size() > kHeaders && text[12] == 8 && text[13] == 0) {
        texts.emplace_back(text.substr(kHeaders));
      }
      asked_ |= text.size() > 14 && text[12] == 8 && text[13] == 6;
    }
    tx_.clear();
    return texts;
  }

 private:
  dataplane::PortInfo info_;
  BufferPool pool_;
  std::vector<RxFrame> rx_;
  std::size_t next_ = 0;
  std::vector<TxFrame> tx_;
  bool asked_ = false;
};

struct Stages {
  std::uint64_t total = 0, sink = 0, servant = 0, egress = 0;
};
Stages stages;  // of the turn in hand

class Stopwatch {
 public:
  explicit Stopwatch(std::uint64_t& sum) : sum_(sum), begin_(__rdtsc()) {}
  ~Stopwatch() { sum_ += __rdtsc() - begin_; }

 private:
  std::uint64_t& sum_;
  std::uint64_t begin_;
};

class TimedSink final : public dataplane::DatagramSink {
 public:
  explicit TimedSink(dataplane::DatagramSink& next) : next_(next) {}
  void on_datagrams(Core& core, std::span<dataplane::Datagram> burst) noexcept override {
    const Stopwatch watch(stages.sink);
    next_.on_datagrams(core, burst);
  }

 private:
  dataplane::DatagramSink& next_;
};

class TimedHandler final : public sip::InboundHandler {
 public:
  explicit TimedHandler(sip::InboundHandler& next) : next_(next) {}
  void on_message(Core& core, sip::InboundPointer inbound) noexcept override {
    const Stopwatch watch(stages.servant);
    next_.on_message(core, std::move(inbound));
  }

 private:
  sip::InboundHandler& next_;
};

class TimedEgress final : public dataplane::Egress {
 public:
  explicit TimedEgress(dataplane::Egress& next) : next_(next) {}
  OwnedBytes allocate(Core& core, std::uint32_t size) noexcept override {
    return next_.allocate(core, size);
  }
  void send_datagram(Core& core, ListenerId listener, const Endpoint& remote,
                     OwnedBytes payload) noexcept override {
    const Stopwatch watch(stages.egress);
    next_.send_datagram(core, listener, remote, std::move(payload));
  }

 private:
  dataplane::Egress& next_;
};

// What one kind of message cost, a value a burst.
struct Cost {
  std::string name;
  double budget;
  std::vector<Stages> bursts;
  std::vector<std::uint32_t> counts;
};

class Bench {
 public:
  Bench(std::uint32_t bindings, std::uint32_t transactions)
      : core_(0, Role::Both, clock_, HashKey{1, 2}),
        loop_(core_, IdlePolicy::Busy, nullptr),
        access_("access", 1),
        core_port_("core", 2),
        topology_(build_topology()),
        large_(1, 8),
        mesh_(std::array{std::vector<std::uint16_t>{0, 1}}, HashKey{3, 4}),
        listeners_(topology_, {"", ""}),
        reader_(reclaimer_),
        location_({.expected_aors = bindings, .memory_limit = std::uint64_t{8} << 30},
                  HashKey{5, 6}, reclaimer_, 1),
        dispatch_(HashKey{5, 6}, 1),
        policy_(std::make_unique<const registrar::Policy>(registrar::Options{},
                                                          std::vector<std::string>{"example.com"})),
        lookup_(location_),
        routes_(std::make_unique<const proxy::RouteTable>(*proxy::RouteTable::build(
            {.domains = {"example.com"}, .own_names = {"198.18.0.2:5060", "198.19.0.2:5060"}}))),
        resolver_(routes_) {
    const std::array<dataplane::WorkerQueue, 2> queues{{{&access_, 0, 0}, {&core_port_, 1, 0}}};
    worker_ =
        std::make_unique<dataplane::Worker>(topology_, mesh_, 0, large_, HashKey{7, 8}, queues);
    timed_egress_ = std::make_unique<TimedEgress>(*worker_);
    outbox_ = std::make_unique<CoreOutbox>(
        listeners_, access_, large_,
        std::vector<EgressLink>{{timed_egress_.get(), nullptr, &loop_}},
        std::vector<std::vector<std::uint8_t>>{{0}, {0}});
    sip::TransactionOptions options;
    options.invite_servers = options.invite_clients = transactions;
    options.non_invite_servers = options.non_invite_clients = transactions;
    options.messages = {{{512, transactions * 2},
                         {1'024, transactions},
                         {2'048, 64},
                         {4'096, 64},
                         {16'384, 8},
                         {65'536, 4}}};
    layer_ = std::make_unique<sip::TransactionLayer>(std::uint8_t{0}, options, sip::Limits{},
                                                     HashKey{9, 10}, *outbox_);
    registrar_ = std::make_unique<registrar::Registrar>(location_.writer(0));
    handler_ = std::make_unique<RegistrarHandler>(*registrar_, policy_);
    options_ = std::make_unique<options::OptionsServant>(draining_);
    servant_ = std::make_unique<proxy::ProxyServant>(
        routes_, resolver_,
        proxy::ProxyServant::Services{&lookup_, handler_.get(), options_.get()});
    proxy_ = std::make_unique<sip::Proxy>(
        *layer_, *outbox_, *servant_, resolver_, HashKey{11, 12},
        sip::ProxyOptions{.contexts = 2 * transactions, .branches = 2 * transactions});
    intake_ =
        std::make_unique<ServantIntake>(*layer_, nullptr, std::vector<intercept::InboundRing*>{});
    timed_handler_ = std::make_unique<TimedHandler>(*intake_);
    refuser_ = std::make_unique<intercept::Refuser>(*outbox_, HashKey{13, 14});
    inspection_ = std::make_unique<intercept::Inspection>(sip::Limits{}, *refuser_);
    ingress_ = std::make_unique<intercept::Ingress>(
        intercept::Ingress::Options{}, dispatch_,
        std::vector<intercept::ServantLink>{{timed_handler_.get(), nullptr, &loop_}}, *inspection_,
        *refuser_);
    timed_sink_ = std::make_unique<TimedSink>(*ingress_);
    worker_->set_sink(*timed_sink_);
    loop_.add(*worker_);
    loop_.set_quiescent([this] { reader_.quiescent(); });
    loop_.turn();  // announces
  }

  std::vector<std::string> from_access(const std::vector<std::string>& texts, Cost* cost) {
    for (const std::string& text : texts) {
      access_.put(frame(access_, "198.18.0.1:5060", "198.18.0.2:5060", text));
    }
    turn(texts.size(), cost);
    return core_port_.take();
  }
  std::vector<std::string> from_core(const std::vector<std::string>& texts, Cost* cost) {
    for (const std::string& text : texts) {
      core_port_.put(frame(core_port_, "198.19.0.1:5080", "198.19.0.2:5060", text));
    }
    turn(texts.size(), cost);
    return access_.take();
  }
  // What went back to where it came from.
  std::vector<std::string> to_access() { return access_.take(); }
  std::vector<std::string> to_core() { return core_port_.take(); }

  // Time goes by; the peers answer when they are asked who they are.
  void pass(Duration by) {
    clock_.advance(by);
    if (access_.asked() || core_port_.asked()) meet_neighbours();
    while (loop_.turn() != 0) {
    }
    access_.take();
    core_port_.take();
  }
  std::uint32_t live() const { return layer_->live(); }
  std::uint64_t bindings() const { return location_.bindings(); }

 private:
  static dataplane::Topology build_topology() {
    dataplane::TopologySpec spec;
    spec.ports.resize(2);
    spec.ports[0].name = "access";
    spec.ports[0].addresses = {*Prefix::parse("198.18.0.2/24")};
    spec.ports[1].name = "core";
    spec.ports[1].addresses = {*Prefix::parse("198.19.0.2/24")};
    spec.listeners = {{0, 0, *Endpoint::parse("198.18.0.2:5060"), Transport::Udp},
                      {1, 1, *Endpoint::parse("198.19.0.2:5060"), Transport::Udp}};
    return *dataplane::Topology::build(std::move(spec));
  }

  static test::Bytes frame(ListPort& port, std::string_view from, std::string_view to,
                           std::string_view text) {
    return test::udp_frame(kPeerMac, port.info().mac, *Endpoint::parse(from), *Endpoint::parse(to),
                           test::text(text));
  }

  void meet_neighbours() {
    for (auto* port : {&access_, &core_port_}) {
      const bool access = port == &access_;
      const auto peer = test::ip(access ? "198.18.0.1" : "198.19.0.1");
      const auto self = test::ip(access ? "198.18.0.2" : "198.19.0.2");
      port->put(test::ethernet(kPeerMac, port->info().mac, 0x0806,
                               test::arp(2, kPeerMac, peer, port->info().mac, self)));
    }
    loop_.turn();
  }

  void turn(std::size_t count, Cost* cost) {
    stages = {};
    {
      const Stopwatch watch(stages.total);
      loop_.turn();
    }
    if (cost == nullptr) return;
    cost->bursts.push_back(stages);
    cost->counts.push_back(static_cast<std::uint32_t>(count));
  }

  ManualClock clock_;
  Core core_;
  PollLoop loop_;
  ListPort access_, core_port_;
  dataplane::Topology topology_;
  dataplane::LargeBuffers large_;
  dataplane::BounceMesh mesh_;
  ListenerDirectory listeners_;
  rcu::Reclaimer reclaimer_;
  rcu::Reader reader_;
  store::Location location_;
  intercept::DispatchTable dispatch_;
  rcu::Cell<const registrar::Policy> policy_;
  LocationAdapter lookup_;
  RouteSnapshot routes_;
  proxy::TableResolver resolver_;
  std::atomic<bool> draining_{false};
  std::unique_ptr<dataplane::Worker> worker_;
  std::unique_ptr<TimedEgress> timed_egress_;
  std::unique_ptr<CoreOutbox> outbox_;
  std::unique_ptr<sip::TransactionLayer> layer_;
  std::unique_ptr<registrar::Registrar> registrar_;
  std::unique_ptr<RegistrarHandler> handler_;
  std::unique_ptr<options::OptionsServant> options_;
  std::unique_ptr<proxy::ProxyServant> servant_;
  std::unique_ptr<sip::Proxy> proxy_;
  std::unique_ptr<ServantIntake> intake_;
  std::unique_ptr<TimedHandler> timed_handler_;
  std::unique_ptr<intercept::Refuser> refuser_;
  std::unique_ptr<intercept::Inspection> inspection_;
  std::unique_ptr<intercept::Ingress> ingress_;
  std::unique_ptr<TimedSink> timed_sink_;
};

constexpr std::string_view kSdp =
    "v=0\r\no=user1 53655765 2353687637 IN IP4 198.18.0.1\r\ns=-\r\nc=IN IP4 198.18.0.1\r\nt=0 "
    "0\r\n"
    "m=audio 6000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

std::string header_of(std::string_view message, std::string_view name) {
  std::string lines;
  std::size_t at = 0;
  const std::string start = "\r\n" + std::string(name) + ":";
  while ((at = message.find(start, at)) != std::string_view::npos) {
    const std::size_t end = message.find("\r\n", at + 2);
    lines += std::string(message.substr(at + 2, end - at));
    at = end;
  }
  return lines;
}

std::string respond(std::string_view request, std::string_view status, std::string_view body) {
  std::string to = header_of(request, "To");
  if (to.find("tag=") == std::string::npos) to.insert(to.size() - 2, ";tag=uas");
  return fmt::format(
      "SIP/2.0 {}\r\n{}{}{}{}{}{}Contact: <sip:phone@198.19.0.1:5080>\r\n{}Content-Length: "
      "{}\r\n\r\n{}",
      status, header_of(request, "Via"), header_of(request, "From"), to,
      header_of(request, "Call-ID"), header_of(request, "CSeq"), header_of(request, "Record-Route"),
      body.empty() ? "" : "Content-Type: application/sdp\r\n", body.size(), body);
}

// The route set that a caller builds from a response: its Record-Route values from the last to the
// first.
std::string route_set(std::string_view response) {
  std::vector<std::string> values;
  std::string lines = header_of(response, "Record-Route");
  std::size_t at = 0;
  while ((at = lines.find('<', at)) != std::string::npos) {
    const std::size_t end = lines.find('>', at);
    values.push_back(lines.substr(at, end - at + 1));
    at = end;
  }
  std::string routes;
  for (auto value = values.rbegin(); value != values.rend(); ++value) {
    routes += "Route: " + *value + "\r\n";
  }
  return routes;
}

std::string request(std::string_view method, std::string_view uri, std::uint64_t call,
                    unsigned cseq, std::string_view to, std::string_view more,
                    std::string_view body) {
  return fmt::format(
      "{0} {1} SIP/2.0\r\nVia: SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bK{2:016x}-{3}-{0};rport\r\n"
      "Max-Forwards: 70\r\nFrom: \"Caller {2}\" <sip:caller{2}@example.com>;tag=c{2}\r\nTo: {4}\r\n"
      "Call-ID: {2}-{2:x}@198.18.0.1\r\nCSeq: {3} {0}\r\nContact: "
      "<sip:caller{2}@198.18.0.1:5060>\r\n"
      "User-Agent: path-bench\r\n{5}Content-Length: {6}\r\n\r\n{7}",
      method, uri, call, cseq, to, more, body.size(), body);
}

std::string user(std::uint64_t number) {
  return fmt::format("<sip:user{}@example.com>", number);
}

std::string register_text(std::uint64_t number, std::uint64_t serial) {
  return fmt::format(
      "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
      "198.18.0.1:5060;branch=z9hG4bKr{1:016x};rport\r\n"
      "Max-Forwards: 70\r\nFrom: {2};tag=r{0}\r\nTo: {2}\r\nCall-ID: reg-{0}@198.18.0.1\r\nCSeq: "
      "{3} REGISTER\r\n"
      "Contact: <sip:user{0}@198.19.0.1:5080>\r\nExpires: 3600\r\nUser-Agent: path-bench/1.0\r\n"
      "Supported: path, outbound\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\nContent-Length: "
      "0\r\n\r\n",
      number, serial, user(number), serial % 0x7fff'ffff + 1);
}

void expect(bool condition, std::string_view what, const std::vector<std::string>& got) {
  if (condition) return;
  fmt::print(stderr, "path_bench: {}; got {} messages, the first:\n{}\n", what, got.size(),
             got.empty() ? "" : got.front());
  std::exit(1);
}

bool all_start_with(const std::vector<std::string>& texts, std::string_view start) {
  return std::all_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return text.starts_with(start); });
}

double percentile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(p * static_cast<double>(values.size() - 1))];
}

void print_row(const Cost& cost) {
  std::vector<double> total, net, ingress, servant, egress;
  for (std::size_t i = 0; i < cost.bursts.size(); ++i) {
    const Stages& s = cost.bursts[i];
    const double n = cost.counts[i];
    total.push_back(static_cast<double>(s.total) / n);
    net.push_back(static_cast<double>(s.total - s.sink) / n);
    ingress.push_back(static_cast<double>(s.sink - s.servant) / n);
    servant.push_back(static_cast<double>(s.servant - s.egress) / n);
    egress.push_back(static_cast<double>(s.egress) / n);
  }
  fmt::print("{:<22} {:>7.0f} {:>7.0f} {:>7.0f}   {:>7.0f} {:>7.0f} {:>7.0f} {:>7.0f}   {}\n",
             cost.name, percentile(total, 0.5), percentile(total, 0.1), percentile(total, 0.9),
             percentile(net, 0.5), percentile(ingress, 0.5), percentile(servant, 0.5),
             percentile(egress, 0.5),
             cost.budget > 0 ? fmt::format("{:.0f}", cost.budget) : std::string());
}

struct Options {
  std::uint32_t bindings = 1'000'000;
  std::uint32_t calls = 16'384;
  std::uint32_t rounds = 5;
};

void run(const Options& options) {
  Bench bench(options.bindings, 65'536);
  std::uint64_t serial = 1;

  for (std::uint64_t first = 0; first < options.bindings; first += kBurst) {
    std::vector<std::string> texts;
    for (std::uint64_t i = 0; i < kBurst; ++i) texts.push_back(register_text(first + i, serial++));
    bench.from_access(texts, nullptr);
    const auto answers = bench.to_access();
    expect(answers.size() == kBurst && all_start_with(answers, "SIP/2.0 200 "), "REGISTER",
           answers);
    bench.pass(std::chrono::milliseconds{32});
  }
  fmt::print("{} bindings resident\n", bench.bindings());
  // An answer into the core network makes us ask for its neighbour.
  bench.from_core({request("OPTIONS", "sip:198.19.0.2", ++serial, 1, "<sip:198.19.0.2>", "", "")},
                  nullptr);
  bench.to_core();
  bench.pass(std::chrono::milliseconds{32});

  std::vector<Cost> costs{{"OPTIONS -> 200", 910, {}, {}},
                          {"REGISTER refresh", 2330, {}, {}},
                          {"INVITE -> 100, INVITE", 0, {}, {}},
                          {"180", 0, {}, {}},
                          {"200 (INVITE)", 0, {}, {}},
                          {"ACK", 0, {}, {}},
                          {"BYE", 0, {}, {}},
                          {"200 (BYE)", 0, {}, {}}};
  Cost call{"call, mean of 6", 2340, {}, {}};
  std::uint64_t number = 0;
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    for (std::uint32_t done = 0; done < options.calls / options.rounds; done += kBurst) {
      std::vector<std::string> texts;
      for (std::uint32_t i = 0; i < kBurst; ++i) {
        texts.push_back(
            request("OPTIONS", "sip:198.18.0.2", ++serial, 1, "<sip:198.18.0.2>", "", ""));
      }
      bench.from_access(texts, &costs[0]);
      auto back = bench.to_access();
      expect(back.size() == kBurst && all_start_with(back, "SIP/2.0 200 "), "OPTIONS", back);

      texts.clear();
      for (std::uint32_t i = 0; i < kBurst; ++i) {
        texts.push_back(register_text((number * 7919 + i * 104'729) % options.bindings, ++serial));
      }
      bench.from_access(texts, &costs[1]);
      back = bench.to_access();
      expect(back.size() == kBurst && all_start_with(back, "SIP/2.0 200 "), "REGISTER", back);

      std::vector<std::string> invites, bodies;
      const std::uint64_t first = number;
      for (std::uint32_t i = 0; i < kBurst; ++i, ++number) {
        const std::uint64_t callee = (number * 15'485'863) % options.bindings;
        invites.push_back(request(
            "INVITE", fmt::format("sip:user{}@example.com", callee),
            (std::uint64_t{1} << 40) + number, 1, user(callee),
            "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE\r\nSupported: timer, 100rel\r\n"
            "Content-Type: application/sdp\r\n",
            kSdp));
      }
      const std::size_t mark = costs[2].bursts.size();
      const auto at_phone = bench.from_access(invites, &costs[2]);
      expect(at_phone.size() == kBurst && all_start_with(at_phone, "INVITE "), "INVITE", at_phone);
      back = bench.to_access();
      expect(back.size() == kBurst && all_start_with(back, "SIP/2.0 100 "), "100", back);

      texts.clear();
      for (const auto& text : at_phone) texts.push_back(respond(text, "180 Ringing", ""));
      auto at_caller = bench.from_core(texts, &costs[3]);
      expect(at_caller.size() == kBurst && all_start_with(at_caller, "SIP/2.0 180 "), "180",
             at_caller);

      texts.clear();
      for (const auto& text : at_phone) texts.push_back(respond(text, "200 OK", kSdp));
      at_caller = bench.from_core(texts, &costs[4]);
      expect(at_caller.size() == kBurst && all_start_with(at_caller, "SIP/2.0 200 "), "200",
             at_caller);

      const std::string routes = route_set(at_caller.front());
      const auto in_dialog = [&](std::string_view method, unsigned cseq) {
        std::vector<std::string> out;
        for (std::uint32_t i = 0; i < kBurst; ++i) {
          const std::uint64_t callee = ((first + i) * 15'485'863) % options.bindings;
          out.push_back(request(method, "sip:phone@198.19.0.1:5080",
                                (std::uint64_t{1} << 40) + first + i, cseq,
                                user(callee) + ";tag=uas", routes, ""));
        }
        return out;
      };
      auto got = bench.from_access(in_dialog("ACK", 1), &costs[5]);
      expect(got.size() == kBurst && all_start_with(got, "ACK "), "ACK", got);
      got = bench.from_access(in_dialog("BYE", 2), &costs[6]);
      expect(got.size() == kBurst && all_start_with(got, "BYE "), "BYE", got);
      texts.clear();
      for (const auto& text : got) texts.push_back(respond(text, "200 OK", ""));
      got = bench.from_core(texts, &costs[7]);
      expect(got.size() == kBurst && all_start_with(got, "SIP/2.0 200 "), "200 to BYE", got);

      Stages sum;
      for (std::size_t kind = 2; kind < costs.size(); ++kind) {
        const Stages& one = costs[kind].bursts[mark];
        sum.total += one.total;
        sum.sink += one.sink;
        sum.servant += one.servant;
        sum.egress += one.egress;
      }
      call.bursts.push_back(sum);
      call.counts.push_back(6 * kBurst);
      bench.pass(std::chrono::milliseconds{64});
    }
  }

  fmt::print(
      "{} live transactions; TSC ticks a received message, median and 10th/90th percentile of {} "
      "bursts of {}\n\n",
      bench.live(), call.bursts.size(), kBurst);
  fmt::print("{:<22} {:>7} {:>7} {:>7}   {:>7} {:>7} {:>7} {:>7}   {}\n", "work", "median", "p10",
             "p90", "net", "ingress", "servant", "egress", "budget");
  for (const Cost& cost : costs) print_row(cost);
  print_row(call);
  bench.pass(std::chrono::seconds{40});
  expect(bench.live() == 0, "transactions are left", {});
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  sluice::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const auto value = static_cast<std::uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
    if (name == "--bindings") options.bindings = value;
    if (name == "--calls") options.calls = value;
    if (name == "--rounds") options.rounds = value;
  }
  sluice::run(options);
}
