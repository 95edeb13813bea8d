// SPDX-License-Identifier: Apache-2.0
//
// ProxyTest: a proxy between a caller (198.18.0.1), callees on the same side (198.18.0.9 and more)
// and a core on the other side (198.19.0.1). Every test ends with all timers run out and everything
// back in its pool.
#pragma once

#include "sipcore/proxy/proxy.h"
#include "tests/sipcore/txn/txn_fixture.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace sluice::test {

class ScriptedPolicy : public sip::TargetPolicy {
 public:
  struct Entry {
    std::string uri;
    std::uint16_t q = 1000;
    std::string route = {};
    std::optional<sip::NextHop> next_hop = {};
  };

  bool is_self(Core&, std::string_view host, std::uint16_t port) override {
    return (host == "198.18.0.2" || host == "198.19.0.2") && (port == 0 || port == 5060);
  }
  sip::RequestHandler* handler_for(Core&, const sip::RoutedRequest&) override { return handler; }
  sip::Decision targets_for(Core&, const sip::RoutedRequest& request,
                            sip::TargetSet& targets) override {
    request_uri = request.request_uri.text;
    top_route = request.top_route;
    routed_by_us = request.routed_by_us;
    if (request.in_dialog || follow_request_uri) {
      targets.add({.uri = request.request_uri.text});
    } else {
      for (const Entry& each : entries) {
        targets.add({.uri = each.uri, .route = each.route, .q = each.q, .next_hop = each.next_hop});
      }
    }
    return decision;
  }

  std::vector<Entry> entries{{"sip:bob@198.18.0.9"}};
  sip::Decision decision;
  sip::RequestHandler* handler = nullptr;
  bool follow_request_uri = false;
  // What targets_for() saw last.
  std::string request_uri;
  std::string top_route;
  bool routed_by_us = false;
};

inline sip::ProxyOptions small_proxy_options() {
  sip::ProxyOptions options;
  options.contexts = 64;
  options.branches = 128;
  options.waiting_targets = 4;
  return options;
}

class ProxyTest : public ::testing::Test {
 protected:
  void TearDown() override {
    cores.advance(400s, 100ms);
    EXPECT_EQ(proxy.lent(), 0U);
    EXPECT_EQ(proxy.counters()[sip::ProxyCounter::Contexts].value(), 0U);
    EXPECT_EQ(layer.live(), 0U);
    EXPECT_EQ(layer.lent(), 0U);
    EXPECT_EQ(cores.core().timers.size(), 0U);
    wire.sent.clear();
    EXPECT_EQ(wire.lent(), 0U);
  }

  void receive(const std::string& text, std::string_view source = "198.18.0.1:5060",
               ListenerId listener = 0) {
    layer.on_message(cores.core(), wire.inbound(text, source, listener));
  }
  void from_bob(const std::string& text) { receive(text, "198.18.0.9:5060"); }
  SentMessage take() { return wire.take(); }
  std::string after(Duration time, Duration step = 10ms) {
    cores.advance(time, step);
    return wire.take_all();
  }

  // The INVITE as it reaches the callee; the 100 to the caller is taken out.
  SentMessage call() {
    receive(invite.str());
    const SentMessage forwarded = take();
    EXPECT_EQ(forwarded.what(), "INVITE");
    EXPECT_EQ(wire.take_all(), "100");
    return forwarded;
  }
  // All INVITEs of a fork, by their Request-URI's order of sending.
  std::vector<SentMessage> fork() {
    receive(invite.str());
    std::vector<SentMessage> all;
    while (!wire.sent.empty()) {
      if (wire.sent.front().what() == "INVITE") {
        all.push_back(take());
      } else {
        take();
      }
    }
    return all;
  }
  std::string ack_for(const SentMessage& response) const {
    RequestText ack = invite;
    ack.method = "ACK";
    ack.to = response.header("To");
    return ack.str();
  }
  std::string cancel(std::string more = {}) const {
    RequestText request = invite;
    request.method = "CANCEL";
    request.more = std::move(more);
    return request.str();
  }
  std::uint64_t counted(sip::ProxyCounter counter) { return proxy.counters()[counter].value(); }

  RequestText invite;
  TestCores cores;
  SipWire wire;
  ScriptedPolicy policy;
  sip::LiteralResolver resolver;
  sip::TransactionLayer layer{7, small_options(), {}, {1, 2}, wire};
  sip::Proxy proxy{layer, wire, policy, resolver, {3, 4}, small_proxy_options()};
};

}  // namespace sluice::test
