// SPDX-License-Identifier: Apache-2.0
//
// The whole servant: transactions, proxy core and the decisions of ProxyServant, over a scripted
// wire.
#include "apps/proxy/servant.h"

#include "apps/options/servant.h"
#include "sipcore/proxy/proxy.h"
#include "tests/support/sip_text.h"
#include "tests/support/sip_wire.h"
#include "tests/support/test_cores.h"

#include <gtest/gtest.h>

#include <map>

namespace sluice::proxy {
namespace {

using namespace std::chrono_literals;  // NOLINT: tests speak of 500ms
using test::endpoint;
using test::RequestText;
using test::response_to;
using test::SentMessage;

class FakeLocation final : public LocationReader {
 public:
  struct Row {
    std::string contact;
    std::uint16_t q = 1000;
    std::optional<sip::NextHop> received = {};
    std::string path = {};
  };
  Answer lookup(Core&, std::string_view aor, BindingSink& sink) override {
    const auto user = rows.find(std::string(aor));
    if (user == rows.end()) return Answer::UnknownUser;
    if (user->second.empty()) return Answer::NotRegistered;
    for (const Row& row : user->second) {
      sink.on_binding(
          {.contact = row.contact, .q = row.q, .received = row.received, .path = row.path});
    }
    return Answer::Found;
  }
  std::map<std::string, std::vector<Row>> rows;
};

class FixedTable final : public RouteTableSource {
 public:
  explicit FixedTable(const RouteTableInput& input) : table_(*RouteTable::build(input)) {}
  const RouteTable& table(Core&) const noexcept override { return table_; }

 private:
  RouteTable table_;
};

class Registrar final : public sip::RequestHandler {
 public:
  void on_request(Core& core, const sip::Received&, sip::Responder& responder) override {
    responder.respond(core, {.status = 200, .reason = "Registered"});
  }
};

sip::TransactionOptions small() {
  sip::TransactionOptions options;
  options.invite_servers = options.invite_clients = 16;
  options.non_invite_servers = options.non_invite_clients = 16;
  options.messages = {{{1'024, 64}, {4'096, 16}, {65'536, 2}}};
  return options;
}

class ProxyServantTest : public ::testing::Test {
 protected:
  ProxyServantTest() {
    location.rows["bob@example.com"] = {{"sip:bob@198.18.0.9:5062"}};
    location.rows["away@example.com"] = {};
  }
  void TearDown() override {
    cores.advance(300s, 100ms);
    EXPECT_EQ(proxy_core.lent(), 0U);
    EXPECT_EQ(layer.lent(), 0U);
    EXPECT_EQ(cores.core().timers.size(), 0U);
    wire.sent.clear();
    EXPECT_EQ(wire.lent(), 0U);
  }
  void receive(const std::string& text, std::string_view source = "198.18.0.1:5060",
               ListenerId listener = 0) {
    layer.on_message(cores.core(), wire.inbound(text, source, listener));
  }
  // The first message that the request leads to.
  SentMessage ask() {
    receive(request.str());
    return wire.take();
  }

  test::TestCores cores;
  test::SipWire wire;
  FixedTable table{{.domains = {"example.com"},
                    .own_names = {"198.18.0.2:5060", "198.19.0.2:5060", "198.18.0.2:5061"},
                    .routes = {{"core.example", "sip:198.19.0.1:5070"},
                               {"*.trunk.example", "sip:sbc.trunk.example", true},
                               {"lost.example", "sip:nobody.knows"}},
                    .hosts = {{"sbc.trunk.example", IpAddress::v4(198, 19, 0, 7)}}}};
  TableResolver resolver{table};
  FakeLocation location;
  Registrar registrar;
  std::atomic<bool> draining{false};
  options::OptionsServant options_servant{draining};
  ProxyServant servant{table, resolver, {&location, &registrar, &options_servant}};
  sip::TransactionLayer layer{1, small(), {}, {1, 2}, wire};
  sip::Proxy proxy_core{layer,    wire,   servant,
                        resolver, {3, 4}, {.contexts = 16, .branches = 32, .waiting_targets = 2}};
  RequestText request;
};

TEST_F(ProxyServantTest, LocalUserIsLookedUpByCanonicalAor) {
  request.uri = "sip:bob@EXAMPLE.com;user=phone";
  const SentMessage out = ask();
  EXPECT_EQ(out.what(), "INVITE");
  EXPECT_EQ(out.request_uri(), "sip:bob@198.18.0.9:5062");
  EXPECT_EQ(out.remote, endpoint("198.18.0.9:5062"));
  EXPECT_EQ(out.header("Record-Route"), "<sip:198.18.0.2:5060;lr>");
}

TEST_F(ProxyServantTest, BindingBehindNatIsReachedWhereItRegisteredFrom) {
  location.rows["bob@example.com"] = {
      {"sip:bob@10.0.0.7", 1000, sip::NextHop{Transport::Udp, endpoint("198.18.0.50:1024")}}};
  const SentMessage out = ask();
  EXPECT_EQ(out.request_uri(), "sip:bob@10.0.0.7");
  EXPECT_EQ(out.remote, endpoint("198.18.0.50:1024"));
}

TEST_F(ProxyServantTest, PathOfABindingIsFollowed) {
  location.rows["bob@example.com"] = {{"sip:bob@10.0.0.7", 1000,
                                       sip::NextHop{Transport::Udp, endpoint("198.18.0.50:1024")},
                                       "<sip:198.18.0.60;lr>"}};
  const SentMessage out = ask();
  EXPECT_EQ(out.header("Route"), "<sip:198.18.0.60;lr>");
  EXPECT_EQ(out.remote, endpoint("198.18.0.60:5060"));
}

TEST_F(ProxyServantTest, UnknownUserGets404AndUnregistered480) {
  request.uri = "sip:nobody@example.com";
  EXPECT_EQ(ask().what(), "404");
  request.uri = "sip:away@example.com";
  request.via = "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKcaller2";
  EXPECT_EQ(ask().what(), "480");
}

TEST_F(ProxyServantTest, RegisterGoesToTheRegistrar) {
  request.method = "REGISTER";
  request.uri = "sip:example.com";
  const SentMessage answer = ask();
  EXPECT_TRUE(answer.text.starts_with("SIP/2.0 200 Registered\r\n"));
}

TEST_F(ProxyServantTest, RegisterForAForeignDomainIsNotRelayed) {
  request.method = "REGISTER";
  request.uri = "sip:elsewhere.example";
  EXPECT_EQ(ask().what(), "403");
}

TEST_F(ProxyServantTest, MissingRegistrarIs501) {
  ProxyServant bare(table, resolver, {.location = &location});
  sip::TransactionLayer other(2, small(), {}, {1, 2}, wire);
  sip::Proxy other_proxy(other, wire, bare, resolver, {3, 4},
                         {.contexts = 4, .branches = 4, .waiting_targets = 1});
  request.method = "REGISTER";
  request.uri = "sip:example.com";
  other.on_message(cores.core(), wire.inbound(request.str(), "198.18.0.1:5060"));
  EXPECT_EQ(wire.take_all(), "501");
}

TEST_F(ProxyServantTest, OptionsToTheEdgeIsAnsweredHere) {
  request.method = "OPTIONS";
  request.uri = "sip:198.18.0.2:5060";
  const SentMessage answer = ask();
  EXPECT_EQ(answer.what(), "200");
  EXPECT_NE(answer.header("Allow").find("INVITE"), std::string::npos);
}

TEST_F(ProxyServantTest, OptionsToAUserIsRelayed) {
  request.method = "OPTIONS";
  EXPECT_EQ(ask().what(), "OPTIONS");
}

TEST_F(ProxyServantTest, OptionsOutOfHopsIsAnsweredHere) {
  request.method = "OPTIONS";
  request.max_forwards = 0;
  EXPECT_EQ(ask().what(), "200");
}

TEST_F(ProxyServantTest, StaticRouteKeepsTheRequestUri) {
  request.uri = "sip:123@core.example";
  const SentMessage out = ask();
  EXPECT_EQ(out.request_uri(), "sip:123@core.example");
  EXPECT_EQ(out.remote, endpoint("198.19.0.1:5070"));
  EXPECT_EQ(out.listener, 1);
  EXPECT_TRUE(out.headers("Route").empty());
  EXPECT_EQ(out.headers("Record-Route").size(), 2U);
}

TEST_F(ProxyServantTest, StaticRouteAsRouteHeaderResolvesAKnownHost) {
  request.uri = "sip:123@a.trunk.example";
  const SentMessage out = ask();
  EXPECT_EQ(out.header("Route"), "<sip:sbc.trunk.example;lr>");
  EXPECT_EQ(out.remote, endpoint("198.19.0.7:5060"));
}

TEST_F(ProxyServantTest, UnknownNextHopGets478) {
  request.uri = "sip:123@lost.example";
  EXPECT_EQ(ask().what(), "478");
}

TEST_F(ProxyServantTest, NobodyRelaysThroughUs) {
  request.uri = "sip:victim@203.0.113.5";
  EXPECT_EQ(ask().what(), "403");
  request.via = "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKcaller2";
  request.more = "Route: <sip:198.18.0.2;lr>, <sip:203.0.113.5;lr>\r\n";
  request.uri = "sip:bob@example.com";
  EXPECT_EQ(ask().what(), "403");
  request.via = "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKcaller3";
  request.more = "Route: <sip:203.0.113.5;lr>\r\n";
  request.to += ";tag=made-up";
  EXPECT_EQ(ask().what(), "403");
}

TEST_F(ProxyServantTest, PreloadedRouteToUsAloneIsFine) {
  request.more = "Route: <sip:198.18.0.2;lr>\r\n";
  EXPECT_EQ(ask().what(), "INVITE");
}

TEST_F(ProxyServantTest, RequestsOfADialogFollowTheRouteSetBothWays) {
  // Alice calls into the core, across the networks; the dialog's routes come from what the edge
  // recorded.
  request.uri = "sip:123@core.example";
  const SentMessage invite = ask();
  EXPECT_EQ(wire.take_all(), "100");
  receive(response_to(invite.text, 200, "core", "Contact: <sip:123@198.19.0.1:5070>\r\n"),
          "198.19.0.1:5070", 1);
  const SentMessage ok = wire.take();
  EXPECT_EQ(ok.what(), "200");
  EXPECT_EQ(ok.remote, endpoint("198.18.0.1:5060"));
  const auto recorded = ok.headers("Record-Route");
  ASSERT_EQ(recorded.size(), 2U);

  // A UAC's route set is the recorded one backwards (RFC 3261 12.1.2).
  RequestText ack{.method = "ACK",
                  .uri = "sip:123@198.19.0.1:5070",
                  .via = "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKack",
                  .to = ok.header("To"),
                  .more = "Route: " + recorded[1] + "\r\nRoute: " + recorded[0] + "\r\n"};
  receive(ack.str());
  const SentMessage acked = wire.take();
  EXPECT_EQ(acked.what(), "ACK");
  EXPECT_EQ(acked.remote, endpoint("198.19.0.1:5070"));
  EXPECT_TRUE(acked.headers("Route").empty());

  // A UAS's route set is the recorded one as it stands (12.1.1).
  RequestText bye{.method = "BYE",
                  .uri = "sip:alice@198.18.0.1:5060",
                  .via = "SIP/2.0/UDP 198.19.0.1:5070;branch=z9hG4bKbye",
                  .from = ok.header("To"),
                  .to = request.from,
                  .more = "Route: " + recorded[0] + ", " + recorded[1] + "\r\n"};
  receive(bye.str(), "198.19.0.1:5070", 1);
  const SentMessage hung_up = wire.take();
  EXPECT_EQ(hung_up.what(), "BYE");
  EXPECT_EQ(hung_up.remote, endpoint("198.18.0.1:5060"));
  EXPECT_EQ(hung_up.listener, 0);
  EXPECT_TRUE(hung_up.headers("Route").empty());
  EXPECT_TRUE(hung_up.headers("Record-Route").empty());
  receive(response_to(hung_up.text, 200));
  EXPECT_EQ(wire.take_all(), "200");
}

TEST_F(ProxyServantTest, AckOfARefusedCallIsAbsorbed) {
  request.uri = "sip:nobody@example.com";
  const SentMessage refusal = ask();
  RequestText ack = request;
  ack.method = "ACK";
  ack.to = refusal.header("To");
  receive(ack.str());
  EXPECT_EQ(wire.take_all(), "");
}

TEST_F(ProxyServantTest, SeveralContactsRingTogetherAndByQ) {
  location.rows["bob@example.com"] = {{"sip:desk@198.18.0.9", 1000},
                                      {"sip:voicemail@198.18.0.9", 100},
                                      {"sip:mobile@198.18.0.9", 1000}};
  receive(request.str());
  EXPECT_EQ(wire.take_all(), "INVITE INVITE 100");
}

}  // namespace
}  // namespace sluice::proxy
