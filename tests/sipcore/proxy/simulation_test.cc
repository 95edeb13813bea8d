// SPDX-License-Identifier: Apache-2.0
//
// Two phones and a proxy over a network that loses every tenth datagram and reorders the rest:
// every call ends as it was meant to, and nothing is left behind. Every run comes from a seed.
#include "sipcore/proxy/proxy.h"
#include "tests/sipcore/proxy/phone.h"
#include "tests/support/test_cores.h"

#include <gtest/gtest.h>

namespace sluice::test {
namespace {

using namespace std::chrono_literals;  // NOLINT: durations

class BobPolicy final : public sip::TargetPolicy {
 public:
  bool is_self(Core&, std::string_view host, std::uint16_t) override {
    return host == "198.18.0.2";
  }
  sip::RequestHandler* handler_for(Core&, const sip::RoutedRequest&) override { return nullptr; }
  sip::Decision targets_for(Core&, const sip::RoutedRequest& request,
                            sip::TargetSet& targets) override {
    targets.add({.uri = request.in_dialog ? request.request_uri.text : "sip:bob@198.18.0.9:5060"});
    return {.record_route = request.method() == sip::Method::Invite};
  }
};

class Simulation : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(Simulation, EveryCallEndsAsMeantAndNothingIsLeft) {
  TestCores cores;
  LossyNet net(GetParam(), 0.10);
  Phone alice(cores.core(), net, "198.18.0.1:5060", "198.18.0.2:5060", {1, 1});
  Phone bob(cores.core(), net, "198.18.0.9:5060", "198.18.0.2:5060", {2, 2});
  NetOutbox outbox(net, "198.18.0.2:5060");
  sip::TransactionOptions options;
  options.messages = {{{512, 4'096}, {1'024, 4'096}, {4'096, 64}}};
  sip::TransactionLayer layer(1, options, {}, {3, 3}, outbox);
  BobPolicy policy;
  sip::LiteralResolver resolver;
  sip::Proxy proxy(layer, outbox, policy, resolver, {4, 4}, {});
  net.attach(*Endpoint::parse("198.18.0.2:5060"),
             [&](const std::string& text, const Endpoint& from) {
               layer.on_message(cores.core(), outbox.inbound(text, from));
             });

  // 0-4: answered, 5-6: rejected, 7: cancelled while it rings, 8: caller hangs up, 9: callee does.
  constexpr int kCalls = 120;
  std::map<std::string, Instant> act_at;
  int placed = 0;
  std::map<std::string, bool> hung_up;
  const Instant begin = cores.clock.now();
  const auto kind = [](const std::string& id) { return std::stoi(id) % 10; };
  while (cores.clock.now() < begin + 130s) {
    cores.advance(4ms, 4ms);
    const Instant now = cores.clock.now();
    net.deliver(now);
    alice.tick();
    bob.tick();
    if (placed < kCalls && now >= begin + placed * 100ms) {
      const std::string id = std::to_string(placed++);
      alice.place(id, kind(id) == 7);
    }
    for (auto& [id, call] : bob.calls) {
      const auto [at, fresh] =
          act_at.emplace(id, now + std::chrono::milliseconds{net.random() % 2'000});
      if (fresh || now < at->second) continue;
      if (call.end.empty() && kind(id) != 7) {
        bob.ring(id, kind(id) == 5 || kind(id) == 6 ? Phone::Plan::Reject : Phone::Plan::Answer);
        at->second = now + 3s;
      } else if (call.end == "200" && alice.calls[id].end == "200" && !hung_up[id]) {
        hung_up[id] = true;
        (kind(id) == 9 ? bob : alice).hang_up(id);
      }
    }
  }
  ASSERT_EQ(placed, kCalls);
  EXPECT_GT(net.lost, net.sent / 20);
  for (const auto& [id, call] : alice.calls) {
    const char* expected = kind(id) == 7 ? "487" : kind(id) == 5 || kind(id) == 6 ? "486" : "200";
    EXPECT_EQ(call.end, expected) << "call " << id;
    EXPECT_EQ(bob.calls[id].end, expected) << "call " << id;
    if (call.end == "200") {
      EXPECT_TRUE(bob.calls[id].acknowledged) << "call " << id;
      EXPECT_TRUE(call.bye_done && bob.calls[id].bye_done) << "call " << id;
    }
  }
  EXPECT_GT(layer.counters()[sip::TxnCounter::RequestsAbsorbed].value(), 0U);
  EXPECT_EQ(layer.live(), 0U);
  EXPECT_EQ(layer.lent() + proxy.lent() + outbox.lent(), 0U);
  EXPECT_EQ(alice.lent() + bob.lent(), 0U);
  EXPECT_EQ(cores.core().timers.size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Simulation, ::testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace sluice::test
