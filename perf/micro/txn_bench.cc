// SPDX-License-Identifier: Apache-2.0
//
// What a transaction costs: a request answered by an application, a request and its answer relayed
// by the proxy, a whole call relayed. In ns and in TSC ticks, a message received. Without network
// and without parsing: messages are indexed and checked before the clock starts, buffers come from
// warm pools.
//
//   txn_bench --benchmark_repetitions=7 --benchmark_report_aggregates_only=true
#include "sipcore/proxy/proxy.h"
#include "tests/support/sip_text.h"
#include "tests/support/sip_wire.h"
#include "tests/support/test_cores.h"

#include <benchmark/benchmark.h>
#include <x86intrin.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sluice::sip {
namespace {

using namespace std::chrono_literals;  // NOLINT: durations
using test::RequestText;

constexpr std::size_t kInFlight = 1'024;

class OnePeer final : public TargetPolicy {
 public:
  bool is_self(Core&, std::string_view host, std::uint16_t) override {
    return host == "198.18.0.2";
  }
  RequestHandler* handler_for(Core&, const RoutedRequest&) override { return handler; }
  Decision targets_for(Core&, const RoutedRequest&, TargetSet& targets) override {
    targets.add({.uri = "sip:bob@198.18.0.9:5062"});
    return {.record_route = true};
  }
  RequestHandler* handler = nullptr;
};

class Ok final : public RequestHandler {
 public:
  void on_request(Core& core, const Received&, Responder& responder) override {
    responder.respond(core, {.status = 200});
  }
};

TransactionOptions options() {
  TransactionOptions options;
  // Linger for 8 ms of virtual time, one per batch: the tables hold 8 batches.
  options.timers.i = options.timers.j = options.timers.k = options.timers.l = options.timers.m =
      options.timers.d = 8ms;
  options.invite_servers = options.invite_clients = options.non_invite_servers =
      options.non_invite_clients = 16 * kInFlight;
  options.messages = {{{512, 32 * kInFlight}, {1'024, 32 * kInFlight}, {4'096, 64}}};
  return options;
}

struct Bench {
  // One message, parsed and checked.
  struct Prepared {
    std::string text;
    Inbound inbound;
    Essentials essentials;
  };

  void prepare(std::vector<Prepared>& batch, std::size_t at, std::string text,
               std::string_view source) {
    Prepared& each = batch[at];
    each.text = std::move(text);
    each.inbound.source = test::endpoint(source);
    each.inbound.listener = 0;
    if (!each.inbound.message.parse(as_bytes(each.text), {}) ||
        !check(each.inbound.message, {}, each.essentials)) {
      std::abort();
    }
  }
  void receive(const Prepared& each) {
    layer.on_message(cores.core(), Received{each.inbound, each.essentials});
  }

  std::string request(const char* method, std::uint64_t id) {
    return RequestText{
        .method = method,
        .via = "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKcaller-" + std::to_string(id) + ";rport",
        .call_id = "a84b4c76e66710-" + std::to_string(id) + "@pc33.example.com",
        .more = "Contact: <sip:alice@198.18.0.1:5060>\r\nUser-Agent: phone/1.0\r\n",
        .body = std::string(300, 'v')}
        .str();
  }

  test::TestCores cores;
  test::SipWire wire;
  OnePeer policy;
  LiteralResolver resolver;
  TransactionLayer layer{1, options(), {}, {1, 2}, wire};
  Proxy proxy{
      layer,  wire,
      policy, resolver,
      {3, 4}, {.contexts = 16 * kInFlight, .branches = 16 * kInFlight, .waiting_targets = 1}};
  std::uint64_t number = 0;
};

double seconds_per_tick() {
  static const double value = [] {
    const auto begin = std::chrono::steady_clock::now();
    const std::uint64_t ticks = __rdtsc();
    while (std::chrono::steady_clock::now() - begin < 20ms) {
    }
    return 0.02 / static_cast<double>(__rdtsc() - ticks);
  }();
  return value;
}

// Runs batches of kInFlight requests, each followed by `answers` responses. Only the layer is
// timed.
void run(benchmark::State& state, Bench& bench, const char* method, std::vector<int> answers) {
  bench.wire.capture = false;
  std::vector<Bench::Prepared> batch(kInFlight);
  std::vector<std::string> sent(kInFlight);
  std::vector<double> ticks;
  std::uint64_t messages = 0;
  const auto timed = [&](std::size_t at) {
    const std::uint64_t begin = __rdtsc();
    bench.receive(batch[at]);
    ticks.push_back(static_cast<double>(__rdtsc() - begin));
  };
  for (auto _ : state) {
    double sum = 0;
    ticks.clear();
    const std::uint64_t first = bench.number;
    for (std::size_t i = 0; i < kInFlight; ++i) {
      bench.prepare(batch, i, bench.request(method, bench.number++), "198.18.0.1:5060");
    }
    for (std::size_t i = 0; i < kInFlight; ++i) {
      timed(i);
      sent[i] = bench.wire.last_request;
    }
    for (const int status : answers) {
      for (std::size_t i = 0; i < kInFlight; ++i) {
        bench.prepare(batch, i, test::response_to(sent[i], status), "198.18.0.9:5062");
      }
      for (std::size_t i = 0; i < kInFlight; ++i) timed(i);
    }
    messages += bench.number - first;
    // The median is what a message costs when nothing else runs on the core.
    std::nth_element(ticks.begin(), ticks.begin() + static_cast<long>(ticks.size() / 2),
                     ticks.end());
    state.counters["ticks/message"] = ticks[ticks.size() / 2];
    for (const double each : ticks) sum += each;
    state.SetIterationTime(sum * seconds_per_tick());
    bench.cores.advance(1ms);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(messages * (1 + answers.size())));
}

void BM_AnswerOptions(benchmark::State& state) {
  Bench bench;
  Ok handler;
  bench.policy.handler = &handler;
  run(state, bench, "OPTIONS", {});
}
void BM_RelayMessage(benchmark::State& state) {
  Bench bench;
  run(state, bench, "MESSAGE", {200});
}
void BM_RelayInvite(benchmark::State& state) {
  Bench bench;
  run(state, bench, "INVITE", {180, 200});
}

BENCHMARK(BM_AnswerOptions)->UseManualTime()->Iterations(200);
BENCHMARK(BM_RelayMessage)->UseManualTime()->Iterations(200);
BENCHMARK(BM_RelayInvite)->UseManualTime()->Iterations(200);

}  // namespace
}  // namespace sluice::sip

BENCHMARK_MAIN();
