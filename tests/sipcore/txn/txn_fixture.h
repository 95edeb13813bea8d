// SPDX-License-Identifier: Apache-2.0
//
// TxnTest: one transaction layer on one core, a wire, and a user that writes down what it hears.
// Every test ends with all timers run out and everything back in its pool.
#pragma once

#include "sipcore/txn/layer.h"
#include "tests/support/sip_text.h"
#include "tests/support/sip_wire.h"
#include "tests/support/test_cores.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::test {

using namespace std::chrono_literals;  // NOLINT: tests speak of 500ms

class RecordingUser : public sip::TransactionUser {
 public:
  void on_request(Core& core, sip::ServerTransaction& transaction,
                  const sip::Received& request) override {
    heard.push_back("request " + std::string(request.message().method_text()));
    server = &transaction;
    if (answer != 0) transaction.respond(core, {.status = answer});
  }
  void on_ack(Core&, const sip::Received&) override { heard.push_back("ack"); }
  void on_cancel(Core&, sip::ServerTransaction&, const sip::Received&) override {
    heard.push_back("cancel");
  }
  void on_response(Core&, sip::ClientTransaction&, const sip::Received& response) override {
    heard.push_back("response " + std::to_string(response.message().status()));
  }
  void on_timeout(Core&, sip::ClientTransaction&) override { heard.push_back("timeout"); }
  void on_transport_error(Core&, sip::ClientTransaction&) override {
    heard.push_back("transport error");
  }
  void on_ack_timeout(Core&, sip::ServerTransaction&) override { heard.push_back("ack timeout"); }
  void on_stray_response(Core&, const sip::Received&) override { heard.push_back("stray"); }
  void on_terminated(sip::ServerTransaction& transaction) override {
    if (server == &transaction) server = nullptr;
  }
  void on_terminated(sip::ClientTransaction& transaction) override {
    if (client == &transaction) client = nullptr;
  }

  // Since the last call, joined by ", ".
  std::string take() {
    std::string all;
    for (const std::string& each : heard) all += (all.empty() ? "" : ", ") + each;
    heard.clear();
    return all;
  }

  std::vector<std::string> heard;
  sip::ServerTransaction* server = nullptr;
  sip::ClientTransaction* client = nullptr;
  std::uint16_t answer = 0;  // not 0: to each request at once
};

inline sip::TransactionOptions small_options() {
  sip::TransactionOptions options;
  options.invite_servers = options.invite_clients = 64;
  options.non_invite_servers = options.non_invite_clients = 64;
  options.messages = {{{512, 64}, {1'024, 64}, {2'048, 64}, {4'096, 16}, {65'536, 4}, {0, 0}}};
  return options;
}

class TxnTest : public ::testing::Test {
 protected:
  TxnTest() { layer.set_user(user); }

  void TearDown() override {
    // Whoever is still unanswered never will be.
    if (user.server != nullptr) user.server->abandon();
    if (user.client != nullptr && user.client->state() == sip::TxnState::Proceeding) {
      user.client->abandon();
    }
    cores.advance(130s, 50ms);
    EXPECT_EQ(layer.live(), 0U);
    EXPECT_EQ(layer.lent(), 0U);
    EXPECT_EQ(cores.core().timers.size(), 0U);
    for (std::size_t i = 0; i < layer.counters().all().size(); ++i) {
      if (sip::txn_counter_infos()[i].kind == MetricKind::Gauge) {
        EXPECT_EQ(layer.counters().all()[i].value(), 0U) << sip::txn_counter_infos()[i].labels;
      }
    }
    wire.sent.clear();
    EXPECT_EQ(wire.lent(), 0U);
  }

  void receive(const std::string& text, std::string_view source = "198.18.0.1:5060",
               ListenerId listener = 0) {
    layer.on_message(cores.core(), wire.inbound(text, source, listener));
  }

  // Sends a request of ours; what went out is returned.
  std::string send(const std::string& method, ListenerId listener = 0) {
    const sip::Branch branch = layer.mint_branch(cores.core(), 0);
    const RequestText request{
        .method = method,
        .via = "SIP/2.0/UDP 198.18.0.2:5060;branch=" + std::string(branch.text())};
    const std::string text = request.str();
    OwnedBytes bytes = wire.allocate(cores.core(), static_cast<std::uint32_t>(text.size()));
    std::memcpy(bytes.data(), text.data(), text.size());
    user.client = layer.send_request(cores.core(),
                                     {.method = sip::method_from(method),
                                      .method_text = method,
                                      .branch = branch.text(),
                                      .bytes = std::move(bytes),
                                      .hop = {.remote = endpoint("198.18.0.9:5060"),
                                              .listener = listener,
                                              .transport = wire.listener(listener)->transport}});
    return wire.take().text;
  }

  // Runs for `time` and returns what was sent meanwhile.
  std::string after(Duration time, Duration step = 10ms) {
    cores.advance(time, step);
    return wire.take_all();
  }
  std::uint64_t counted(sip::TxnCounter counter) { return layer.counters()[counter].value(); }

  TestCores cores;
  SipWire wire;
  RecordingUser user;
  sip::TransactionLayer layer{7, small_options(), {}, {1, 2}, wire};
};

}  // namespace sluice::test
