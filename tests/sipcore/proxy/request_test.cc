// SPDX-License-Identifier: Apache-2.0
//
// RFC 3261 16.3 - 16.6: what is refused, and what a forwarded request looks like.
#include "tests/sipcore/proxy/proxy_fixture.h"

namespace sluice::test {
namespace {

using sip::ProxyCounter;

class ProxyRequestTest : public ProxyTest {};

TEST_F(ProxyRequestTest, ForwardsWithViaAndOneHopLess) {
  const SentMessage out = call();
  EXPECT_EQ(out.request_uri(), "sip:bob@198.18.0.9");
  EXPECT_EQ(out.remote, endpoint("198.18.0.9:5060"));
  const auto vias = out.headers("Via");
  ASSERT_EQ(vias.size(), 2U);
  EXPECT_TRUE(vias[0].starts_with("SIP/2.0/UDP 198.18.0.2:5060;branch=z9hG4bKs07"));
  EXPECT_TRUE(vias[0].ends_with(";rport"));
  EXPECT_EQ(vias[1], "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKcaller1");
  EXPECT_EQ(out.header("Max-Forwards"), "69");
  EXPECT_EQ(out.header("Max-Breadth"), "60");
  EXPECT_EQ(out.header("Record-Route"), "");
}

TEST_F(ProxyRequestTest, MissingMaxForwardsBecomes70) {
  invite.max_forwards = -1;
  EXPECT_EQ(call().header("Max-Forwards"), "70");
}

TEST_F(ProxyRequestTest, MaxForwardsZeroGets483) {
  invite.max_forwards = 0;
  receive(invite.str());
  EXPECT_EQ(wire.take_all(), "483");
  EXPECT_EQ(counted(ProxyCounter::RefusedTooManyHops), 1U);
}

TEST_F(ProxyRequestTest, UnknownSchemeGets416) {
  invite.uri = "http://example.com";
  receive(invite.str());
  EXPECT_EQ(wire.take_all(), "416");
}

TEST_F(ProxyRequestTest, ProxyRequireNamesWhatIsNotUnderstood) {
  invite.more = "Proxy-Require: foo, bar\r\n";
  receive(invite.str());
  const SentMessage refusal = take();
  EXPECT_EQ(refusal.what(), "420");
  EXPECT_EQ(refusal.header("Unsupported"), "foo, bar");
}

TEST_F(ProxyRequestTest, LoopGets482AndASpiralDoesNot) {
  // Sent back to us unchanged by the next hop.
  policy.follow_request_uri = true;
  invite.uri = "sip:bob@198.18.0.9";
  const SentMessage out = call();
  const std::string back =
      "INVITE sip:bob@198.18.0.9 SIP/2.0\r\nVia: SIP/2.0/UDP "
      "198.18.0.9:5060;branch=z9hG4bKelse\r\n" +
      out.text.substr(out.text.find("\r\n") + 2);
  from_bob(back);
  EXPECT_EQ(wire.take_all(), "482");
  EXPECT_EQ(counted(ProxyCounter::RefusedLoop), 1U);
  // The same with another Request-URI goes on.
  std::string spiral = back;
  spiral.replace(0, spiral.find("\r\n"), "INVITE sip:carol@198.18.0.9 SIP/2.0");
  spiral.replace(spiral.find("z9hG4bKelse"), 11, "z9hG4bKmore");
  from_bob(spiral);
  EXPECT_EQ(wire.take_all(), "INVITE 100");
}

TEST_F(ProxyRequestTest, UnresolvableTargetGets478) {
  policy.entries = {{"sip:bob@unknown.example"}};
  receive(invite.str());
  const SentMessage refusal = take();
  EXPECT_TRUE(refusal.text.starts_with("SIP/2.0 478 Unresolvable destination\r\n"));
  EXPECT_EQ(counted(ProxyCounter::Unresolvable), 1U);
}

TEST_F(ProxyRequestTest, RefusalOfThePolicyIsAnswered) {
  policy.decision = {.status = 404};
  receive(invite.str());
  EXPECT_EQ(wire.take_all(), "404");
}

TEST_F(ProxyRequestTest, NoTargetGets480) {
  policy.entries.clear();
  receive(invite.str());
  EXPECT_EQ(wire.take_all(), "480");
}

TEST_F(ProxyRequestTest, ViaOfTheCallerGetsReceivedAndRport) {
  invite.via = "SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bKnat";
  receive(invite.str(), "198.18.0.77:40000");
  EXPECT_EQ(take().headers("Via")[1],
            "SIP/2.0/UDP 10.0.0.1;rport=40000;branch=z9hG4bKnat;received=198.18.0.77");
}

TEST_F(ProxyRequestTest, ReceivedOfTheCallerIsNotBelieved) {
  invite.via = "SIP/2.0/UDP 10.0.0.1;received=1.2.3.4;branch=z9hG4bKnat";
  receive(invite.str());
  EXPECT_EQ(take().headers("Via")[1], "SIP/2.0/UDP 10.0.0.1;received=198.18.0.1;branch=z9hG4bKnat");
}

TEST_F(ProxyRequestTest, RecordRouteIsSingleOnOneNetwork) {
  policy.decision.record_route = true;
  invite.more = "Record-Route: <sip:far.example;lr>\r\n";
  const auto values = call().headers("Record-Route");
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(values[0], "<sip:198.18.0.2:5060;lr>");
  EXPECT_EQ(values[1], "<sip:far.example;lr>");
}

TEST_F(ProxyRequestTest, RecordRouteIsDoubleAcrossNetworks) {
  policy.decision.record_route = true;
  policy.entries = {{"sip:bob@198.19.0.1"}};
  const SentMessage out = call();
  EXPECT_EQ(out.listener, 1);
  const auto values = out.headers("Record-Route");
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(values[0], "<sip:198.19.0.2:5060;r2=on;lr>");
  EXPECT_EQ(values[1], "<sip:198.18.0.2:5060;r2=on;lr>");
}

TEST_F(ProxyRequestTest, RecordRouteIsDoubleAcrossTransports) {
  policy.decision.record_route = true;
  policy.entries = {{"sip:bob@198.18.0.9;transport=tcp"}};
  const SentMessage out = call();
  EXPECT_EQ(out.transport, Transport::Tcp);
  const auto values = out.headers("Record-Route");
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(values[0], "<sip:198.18.0.2:5061;transport=tcp;r2=on;lr>");
  EXPECT_TRUE(out.headers("Via")[0].starts_with("SIP/2.0/TCP 198.18.0.2:5061;"));
}

class ProxyRouteTest : public ProxyTest {
 protected:
  ProxyRouteTest() {
    invite.method = "BYE";
    invite.uri = "sip:bob@198.18.0.9:5080";
    invite.to += ";tag=bob";
  }
  SentMessage relay() {
    receive(invite.str());
    SentMessage out = take();
    EXPECT_EQ(out.what(), "BYE");
    from_bob(response_to(out.text, 200));
    EXPECT_EQ(wire.take_all(), "200");
    return out;
  }
};

TEST_F(ProxyRouteTest, OwnRouteIsTakenOut) {
  invite.more = "Route: <sip:198.18.0.2:5060;lr>\r\n";
  const SentMessage out = relay();
  EXPECT_TRUE(out.headers("Route").empty());
  EXPECT_EQ(out.remote, endpoint("198.18.0.9:5080"));
  EXPECT_TRUE(policy.routed_by_us);
}

TEST_F(ProxyRouteTest, BothHalvesOfADoubleRecordRouteAreTakenOut) {
  invite.more =
      "Route: <sip:198.18.0.2:5060;r2=on;lr>, <sip:198.19.0.2:5060;r2=on;lr>\r\n"
      "Route: <sip:198.18.0.5;lr>\r\n";
  const SentMessage out = relay();
  EXPECT_EQ(out.headers("Route"), std::vector<std::string>{"<sip:198.18.0.5;lr>"});
  EXPECT_EQ(out.remote, endpoint("198.18.0.5:5060"));
  EXPECT_EQ(out.request_uri(), "sip:bob@198.18.0.9:5080");
}

TEST_F(ProxyRouteTest, ASpiralsSecondRouteStays) {
  invite.more = "Route: <sip:198.18.0.2:5060;lr>, <sip:198.19.0.2:5060;lr>\r\n";
  const SentMessage out = relay();
  EXPECT_EQ(out.headers("Route"), std::vector<std::string>{"<sip:198.19.0.2:5060;lr>"});
}

TEST_F(ProxyRouteTest, ForeignRouteIsFollowedAndKept) {
  invite.more = "Route: <sip:198.18.0.5:5070;lr>,<sip:198.18.0.6;lr>\r\n";
  const SentMessage out = relay();
  EXPECT_EQ(out.header("Route"), "<sip:198.18.0.5:5070;lr>,<sip:198.18.0.6;lr>");
  EXPECT_EQ(out.remote, endpoint("198.18.0.5:5070"));
  EXPECT_FALSE(policy.routed_by_us);
}

TEST_F(ProxyRouteTest, StrictRouterBeforeUsIsUndone) {
  // 16.4: it put our Record-Route into the Request-URI and the target last.
  invite.uri = "sip:198.18.0.2:5060;lr";
  invite.more = "Route: <sip:198.18.0.5;lr>, <sip:bob@198.18.0.9>\r\n";
  const SentMessage out = relay();
  EXPECT_EQ(out.request_uri(), "sip:bob@198.18.0.9");
  EXPECT_EQ(out.headers("Route"), std::vector<std::string>{"<sip:198.18.0.5;lr>"});
  EXPECT_EQ(out.remote, endpoint("198.18.0.5:5060"));
  EXPECT_TRUE(policy.routed_by_us);
}

TEST_F(ProxyRouteTest, StrictRouterBehindUsIsServed) {
  // 16.6 step 6: it wants itself in the Request-URI and the target last.
  invite.more = "Route: <sip:198.18.0.2;lr>, <sip:198.18.0.5:5070>, <sip:198.18.0.6;lr>\r\n";
  const SentMessage out = relay();
  EXPECT_EQ(out.request_uri(), "sip:198.18.0.5:5070");
  EXPECT_EQ(out.headers("Route"),
            (std::vector<std::string>{"<sip:198.18.0.6;lr>", "<sip:bob@198.18.0.9:5080>"}));
  EXPECT_EQ(out.remote, endpoint("198.18.0.5:5070"));
}

TEST_F(ProxyRouteTest, StrictRouterAloneIsServed) {
  invite.more = "Route: <sip:198.18.0.5:5070>\r\n";
  const SentMessage out = relay();
  EXPECT_EQ(out.request_uri(), "sip:198.18.0.5:5070");
  EXPECT_EQ(out.headers("Route"), std::vector<std::string>{"<sip:bob@198.18.0.9:5080>"});
}

TEST_F(ProxyRequestTest, PathOfATargetIsPutInFront) {
  policy.entries = {{"sip:bob@10.0.0.1", 1000, "<sip:198.18.0.5;lr>, <sip:198.18.0.6;lr>"}};
  const SentMessage out = call();
  EXPECT_EQ(out.request_uri(), "sip:bob@10.0.0.1");
  EXPECT_EQ(out.header("Route"), "<sip:198.18.0.5;lr>, <sip:198.18.0.6;lr>");
  EXPECT_EQ(out.remote, endpoint("198.18.0.5:5060"));
}

TEST_F(ProxyRequestTest, ExplicitNextHopBeatsTheUri) {
  policy.entries = {
      {"sip:bob@10.0.0.1", 1000, "", sip::NextHop{Transport::Udp, endpoint("198.18.0.44:6060")}}};
  const SentMessage out = call();
  EXPECT_EQ(out.request_uri(), "sip:bob@10.0.0.1");
  EXPECT_EQ(out.remote, endpoint("198.18.0.44:6060"));
}

TEST_F(ProxyRequestTest, MaxBreadthIsSharedAndUsedUp) {
  policy.entries = {{"sip:a@198.18.0.9"}, {"sip:b@198.18.0.9"}, {"sip:c@198.18.0.9"}};
  invite.more = "Max-Breadth: 2\r\n";
  // Two at once are all that may be; the third waits for them.
  const auto branches = fork();
  ASSERT_EQ(branches.size(), 2U);
  EXPECT_EQ(branches[0].header("Max-Breadth"), "1");
  EXPECT_EQ(branches[1].header("Max-Breadth"), "1");
  from_bob(response_to(branches[0].text, 486));
  EXPECT_EQ(wire.take_all(), "ACK");
  from_bob(response_to(branches[1].text, 486));
  EXPECT_EQ(take().what(), "ACK");
  EXPECT_EQ(take().request_uri(), "sip:c@198.18.0.9");
}

TEST_F(ProxyRequestTest, MaxBreadthZeroGets440) {
  invite.more = "Max-Breadth: 0\r\n";
  receive(invite.str());
  EXPECT_EQ(wire.take_all(), "440");
}

TEST_F(ProxyRequestTest, HandlerAnswersInsteadOfTheProxy) {
  class Ok final : public sip::RequestHandler {
   public:
    void on_request(Core& core, const sip::Received&, sip::Responder& responder) override {
      responder.respond(core, {.status = 200});
    }
  } handler;
  policy.handler = &handler;
  invite.method = "REGISTER";
  receive(invite.str());
  EXPECT_EQ(wire.take_all(), "200");
  receive(invite.str());
  EXPECT_EQ(wire.take_all(), "200");
}

}  // namespace
}  // namespace sluice::test
