// SPDX-License-Identifier: Apache-2.0
//
// RFC 3261 16.7 - 16.10, RFC 6026, RFC 4320: responses, forks, CANCEL, Timer C.
#include "tests/sipcore/proxy/proxy_fixture.h"

namespace sluice::test {
namespace {

using sip::ProxyCounter;

class ProxyCallTest : public ProxyTest {};
class ProxyForkTest : public ProxyTest {
 protected:
  ProxyForkTest() { policy.entries = {{"sip:a@198.18.0.9"}, {"sip:b@198.18.0.9"}}; }
};
class ProxyNonInviteTest : public ProxyTest {
 protected:
  ProxyNonInviteTest() { invite.method = "MESSAGE"; }
  SentMessage relay() {
    receive(invite.str());
    return take();
  }
};

TEST_F(ProxyCallTest, RelaysACall) {
  const SentMessage out = call();
  from_bob(response_to(out.text, 100));
  EXPECT_EQ(wire.take_all(), "");
  from_bob(response_to(out.text, 180));
  const SentMessage ringing = take();
  EXPECT_EQ(ringing.what(), "180");
  EXPECT_EQ(ringing.headers("Via"), std::vector<std::string>{invite.via});
  EXPECT_EQ(ringing.remote, endpoint("198.18.0.1:5060"));
  from_bob(response_to(out.text, 200));
  const SentMessage ok = take();
  EXPECT_EQ(ok.what(), "200");
  EXPECT_EQ(ok.header("To"), "<sip:bob@example.com>;tag=bob");

  RequestText ack = invite;
  ack.method = "ACK";
  ack.uri = "sip:bob@198.18.0.9";
  ack.to = ok.header("To");
  ack.via = "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKack";
  receive(ack.str());
  const SentMessage relayed = take();
  EXPECT_EQ(relayed.what(), "ACK");
  EXPECT_EQ(relayed.remote, endpoint("198.18.0.9:5060"));
  EXPECT_EQ(relayed.headers("Via").size(), 2U);
  EXPECT_EQ(relayed.header("Max-Forwards"), "69");
  // A retransmitted ACK is relayed with the same branch.
  receive(ack.str());
  EXPECT_EQ(take().text, relayed.text);
}

TEST_F(ProxyCallTest, LostSuccessIsRepeatedEndToEnd) {
  const SentMessage out = call();
  from_bob(response_to(out.text, 200));
  EXPECT_EQ(wire.take_all(), "200");
  EXPECT_EQ(after(1s), "");  // not by us
  from_bob(response_to(out.text, 200));
  EXPECT_EQ(wire.take_all(), "200");
  receive(invite.str());  // the caller's INVITE was still on its way
  EXPECT_EQ(wire.take_all(), "");
  cores.advance(31s);
  from_bob(response_to(out.text, 200));
  EXPECT_EQ(wire.take_all(), "");  // RFC 6026: after Timer M it is a stray
}

TEST_F(ProxyCallTest, RejectionIsAcknowledgedHopByHop) {
  const SentMessage out = call();
  from_bob(response_to(out.text, 486));
  EXPECT_EQ(take().what(), "ACK");
  const SentMessage busy = take();
  EXPECT_EQ(busy.what(), "486");
  EXPECT_EQ(after(510ms), "486");
  receive(ack_for(busy));
  EXPECT_EQ(after(10s), "");
}

TEST_F(ProxyCallTest, SilenceBecomes408) {
  call();
  EXPECT_EQ(after(31'900ms), "INVITE INVITE INVITE INVITE INVITE INVITE");
  EXPECT_EQ(after(200ms), "408");
}

TEST_F(ProxyCallTest, OverloadOfTheCalleeBecomes500) {
  const SentMessage out = call();
  from_bob(response_to(out.text, 503));
  EXPECT_EQ(wire.take_all(), "ACK 500");
}

TEST_F(ProxyCallTest, TransportErrorBecomes500) {
  const SentMessage out = call();
  layer.on_transport_error(
      cores.core(), out.text.substr(out.text.find("branch=") + 7, sip::Branch::kLength), "INVITE");
  EXPECT_EQ(wire.take_all(), "503");
}

TEST_F(ProxyCallTest, CancelAfterRinging) {
  const SentMessage out = call();
  from_bob(response_to(out.text, 180));
  EXPECT_EQ(wire.take_all(), "180");
  receive(cancel("Reason: SIP;cause=480\r\n"));
  EXPECT_EQ(take().what(), "200");
  const SentMessage sent = take();
  EXPECT_EQ(sent.what(), "CANCEL");
  EXPECT_EQ(sent.header("Reason"), "SIP;cause=480");
  EXPECT_EQ(sent.request_uri(), "sip:bob@198.18.0.9");
  EXPECT_EQ(sent.header("Via"), out.header("Via"));
  from_bob(response_to(sent.text, 200));
  from_bob(response_to(out.text, 487));
  EXPECT_EQ(take().what(), "ACK");
  const SentMessage terminated = take();
  EXPECT_EQ(terminated.what(), "487");
  receive(ack_for(terminated));
  EXPECT_EQ(after(5s), "");
}

TEST_F(ProxyCallTest, CancelWaitsForTheFirstProvisional) {
  const SentMessage out = call();
  receive(cancel());
  EXPECT_EQ(wire.take_all(), "200");
  from_bob(response_to(out.text, 100));
  EXPECT_EQ(wire.take_all(), "CANCEL");
  from_bob(response_to(out.text, 180));
  EXPECT_EQ(wire.take_all(), "180");  // and no second CANCEL
  from_bob(response_to(out.text, 487));
  EXPECT_EQ(wire.take_all(), "ACK 487");
}

TEST_F(ProxyCallTest, CancelOfSilenceBecomes487) {
  call();
  receive(cancel());
  wire.sent.clear();
  after(31'900ms);
  EXPECT_EQ(after(200ms), "487");
}

TEST_F(ProxyCallTest, CancelThatIsIgnoredEndsTheBranch) {
  const SentMessage out = call();
  from_bob(response_to(out.text, 180));
  receive(cancel());
  wire.sent.clear();
  after(31'900ms);
  EXPECT_EQ(after(200ms), "487");
}

TEST_F(ProxyCallTest, SuccessCrossingACancelWins) {
  const SentMessage out = call();
  from_bob(response_to(out.text, 180));
  receive(cancel());
  EXPECT_EQ(wire.take_all(), "180 200 CANCEL");
  from_bob(response_to(out.text, 200));
  EXPECT_EQ(wire.take_all(), "200");
  receive(cancel());  // again: absorbed by its transaction
  EXPECT_EQ(wire.take_all(), "200");
}

TEST_F(ProxyCallTest, CancelAfterSuccessChangesNothing) {
  const SentMessage out = call();
  from_bob(response_to(out.text, 200));
  receive(cancel());
  EXPECT_EQ(wire.take_all(), "200 200");
}

TEST_F(ProxyCallTest, TimerCCancelsWhatRingsForTooLong) {
  const SentMessage out = call();
  from_bob(response_to(out.text, 180));
  wire.sent.clear();
  EXPECT_EQ(after(180s, 100ms), "");
  from_bob(response_to(out.text, 180));  // restarts it
  EXPECT_EQ(after(189s, 100ms), "180");
  EXPECT_EQ(after(2s), "CANCEL CANCEL");  // Timer E repeats it
  EXPECT_EQ(counted(ProxyCounter::TimerC), 1U);
  from_bob(response_to(out.text, 487));
  EXPECT_EQ(wire.take_all(), "ACK 487");
}

TEST_F(ProxyCallTest, TryingDoesNotRestartTimerC) {
  const SentMessage out = call();
  from_bob(response_to(out.text, 100));
  after(100s, 100ms);
  from_bob(response_to(out.text, 100));
  EXPECT_EQ(after(89s, 100ms), "");
  EXPECT_EQ(after(1'400ms).substr(0, 6), "CANCEL");
}

TEST_F(ProxyForkTest, FirstSuccessCancelsTheOthers) {
  const auto branches = fork();
  ASSERT_EQ(branches.size(), 2U);
  EXPECT_NE(branches[0].header("Via"), branches[1].header("Via"));
  EXPECT_EQ(branches[0].header("Max-Breadth"), "30");
  from_bob(response_to(branches[0].text, 180, "a"));
  from_bob(response_to(branches[1].text, 183, "b"));
  EXPECT_EQ(wire.take_all(), "180 183");
  from_bob(response_to(branches[0].text, 200, "a"));
  EXPECT_EQ(take().what(), "200");
  const SentMessage cancelled = take();
  EXPECT_EQ(cancelled.what(), "CANCEL");
  EXPECT_EQ(cancelled.request_uri(), "sip:b@198.18.0.9");
  EXPECT_EQ(cancelled.header("Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
  // It had answered already: both successes reach the caller.
  from_bob(response_to(branches[1].text, 200, "b"));
  const SentMessage second = take();
  EXPECT_EQ(second.what(), "200");
  EXPECT_EQ(second.header("To"), "<sip:bob@example.com>;tag=b");
}

TEST_F(ProxyForkTest, LateRejectionAfterSuccessIsOnlyAcknowledged) {
  const auto branches = fork();
  from_bob(response_to(branches[1].text, 180, "b"));
  from_bob(response_to(branches[0].text, 200, "a"));
  wire.sent.clear();
  from_bob(response_to(branches[1].text, 487, "b"));
  EXPECT_EQ(wire.take_all(), "ACK");
}

TEST_F(ProxyForkTest, BestResponseIsTheLowestClass) {
  const auto branches = fork();
  from_bob(response_to(branches[0].text, 500, "a"));
  EXPECT_EQ(wire.take_all(), "ACK");
  from_bob(response_to(branches[1].text, 404, "b"));
  EXPECT_EQ(wire.take_all(), "ACK 404");
}

TEST_F(ProxyForkTest, AKeptResponseCanBeTheBest) {
  const auto branches = fork();
  from_bob(response_to(branches[0].text, 302, "a", "Contact: <sip:c@198.18.0.9>\r\n"));
  from_bob(response_to(branches[1].text, 404, "b"));
  EXPECT_EQ(take().what(), "ACK");
  EXPECT_EQ(take().what(), "ACK");
  const SentMessage best = take();
  EXPECT_EQ(best.what(), "302");
  EXPECT_EQ(best.header("Contact"), "<sip:c@198.18.0.9>");
  EXPECT_EQ(best.headers("Via"), std::vector<std::string>{invite.via});
}

TEST_F(ProxyForkTest, DeclineCancelsTheRestAndIsTheLastWord) {
  const auto branches = fork();
  from_bob(response_to(branches[1].text, 180, "b"));
  EXPECT_EQ(wire.take_all(), "180");
  from_bob(response_to(branches[0].text, 603, "a"));
  EXPECT_EQ(wire.take_all(), "ACK CANCEL");
  from_bob(response_to(branches[1].text, 487, "b"));
  EXPECT_EQ(wire.take_all(), "ACK 603");
}

TEST_F(ProxyForkTest, SuccessAfterDeclineStillCounts) {
  const auto branches = fork();
  from_bob(response_to(branches[1].text, 180, "b"));
  from_bob(response_to(branches[0].text, 603, "a"));
  wire.sent.clear();
  from_bob(response_to(branches[1].text, 200, "b"));
  EXPECT_EQ(wire.take_all(), "200");
}

TEST_F(ProxyForkTest, ChallengesAreCollected) {
  const auto branches = fork();
  from_bob(response_to(branches[0].text, 401, "a", "WWW-Authenticate: Digest realm=\"a\"\r\n"));
  from_bob(response_to(branches[1].text, 407, "b", "Proxy-Authenticate: Digest realm=\"b\"\r\n"));
  take();
  take();
  const SentMessage challenge = take();
  EXPECT_TRUE(challenge.what() == "401" || challenge.what() == "407");
  EXPECT_EQ(challenge.header("WWW-Authenticate"), "Digest realm=\"a\"");
  EXPECT_EQ(challenge.header("Proxy-Authenticate"), "Digest realm=\"b\"");
}

TEST_F(ProxyForkTest, ATimeoutLosesAgainstAnAnswer) {
  const auto branches = fork();
  from_bob(response_to(branches[0].text, 486, "a"));
  wire.sent.clear();
  after(31'900ms);
  EXPECT_EQ(after(200ms), "486");
}

TEST_F(ProxyForkTest, LowerQIsTriedLater) {
  policy.entries = {
      {"sip:last@198.18.0.9", 100}, {"sip:a@198.18.0.9", 900}, {"sip:b@198.18.0.9", 900}};
  const auto branches = fork();
  ASSERT_EQ(branches.size(), 2U);
  cores.advance(5s);
  wire.sent.clear();
  from_bob(response_to(branches[0].text, 486, "a"));
  from_bob(response_to(branches[1].text, 486, "b"));
  EXPECT_EQ(take().what(), "ACK");
  EXPECT_EQ(take().what(), "ACK");
  const SentMessage last = take();
  EXPECT_EQ(last.what(), "INVITE");
  EXPECT_EQ(last.request_uri(), "sip:last@198.18.0.9");
  EXPECT_EQ(last.headers("Via").size(), 2U);
  EXPECT_EQ(last.header("Max-Forwards"), "69");
  from_bob(response_to(last.text, 200));
  EXPECT_EQ(wire.take_all(), "200");
}

TEST_F(ProxyForkTest, UnresolvableGroupsAreSkippedAtOnce) {
  policy.entries = {{"sip:a@nowhere.example", 900}, {"sip:b@198.18.0.9", 100}};
  const SentMessage out = call();
  EXPECT_EQ(out.request_uri(), "sip:b@198.18.0.9");
  from_bob(response_to(out.text, 404));
  EXPECT_EQ(wire.take_all(), "ACK 404");
}

TEST_F(ProxyForkTest, CancelDropsWhatHasNotBeenTried) {
  policy.entries = {{"sip:a@198.18.0.9", 900}, {"sip:b@198.18.0.9", 100}};
  const auto branches = fork();
  from_bob(response_to(branches[0].text, 180));
  receive(cancel());
  EXPECT_EQ(wire.take_all(), "180 200 CANCEL");
  from_bob(response_to(branches[0].text, 487));
  EXPECT_EQ(wire.take_all(), "ACK 487");
}

TEST_F(ProxyNonInviteTest, RelaysRequestAndResponse) {
  invite.body = "hello";
  const SentMessage out = relay();
  EXPECT_EQ(out.what(), "MESSAGE");
  EXPECT_EQ(out.body(), "hello");
  EXPECT_EQ(wire.take_all(), "");  // no 100
  from_bob(response_to(out.text, 100));
  EXPECT_EQ(wire.take_all(), "");
  from_bob(response_to(out.text, 200));
  EXPECT_EQ(wire.take_all(), "200");
  from_bob(response_to(out.text, 200));
  EXPECT_EQ(wire.take_all(), "");
  receive(invite.str());
  EXPECT_EQ(wire.take_all(), "200");
}

TEST_F(ProxyNonInviteTest, TimeoutIsTakenToTheGrave) {
  relay();
  const std::string sent = after(40s);
  EXPECT_EQ(sent.find("408"), std::string::npos);
  EXPECT_NE(sent.find("100"), std::string::npos);  // RFC 4320 4.1, at 3.5 s
  EXPECT_EQ(layer.counters()[sip::TxnCounter::NonInviteServerProceeding].value(), 0U);
}

TEST_F(ProxyNonInviteTest, TimeoutFromDownstreamIsNotRelayed) {
  const SentMessage out = relay();
  from_bob(response_to(out.text, 408));
  EXPECT_EQ(wire.take_all(), "");
}

TEST_F(ProxyNonInviteTest, OnlyTheFirstSuccessOfAForkIsRelayed) {
  policy.entries = {{"sip:a@198.18.0.9"}, {"sip:b@198.18.0.9"}};
  const SentMessage first = relay();
  const SentMessage second = take();
  from_bob(response_to(first.text, 200, "a"));
  EXPECT_EQ(wire.take_all(), "200");
  from_bob(response_to(second.text, 200, "b"));
  EXPECT_EQ(wire.take_all(), "");
}

TEST_F(ProxyCallTest, StrayResponsesAreNotRelayed) {
  from_bob(
      "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 198.18.0.2;branch=z9hG4bKnone\r\n"
      "Via: SIP/2.0/UDP 198.18.0.1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
      "To: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(wire.take_all(), "");
}

TEST_F(ProxyCallTest, DestructionEndsLiveCalls) {
  ScriptedPolicy other_policy;
  sip::TransactionLayer other(9, small_options(), {}, {1, 2}, wire);
  sip::Proxy other_proxy(other, wire, other_policy, resolver, {3, 4}, small_proxy_options());
  other.on_message(cores.core(), wire.inbound(invite.str(), "198.18.0.1:5060"));
  EXPECT_EQ(other.live(), 2U);
}

TEST(ProxyMemory, AnInviteBeingProxiedIsSmall) {
  EXPECT_LE(sizeof(sip::InviteServer) + sizeof(sip::InviteClient) + sizeof(sip::ResponseContext) +
                sizeof(sip::ProxyBranch),
            1'536U);
}

TEST_F(ProxyCallTest, NoContextLeftGets503) {
  for (int i = 0; i < 64; ++i) {
    invite.via = "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKn" + std::to_string(i);
    invite.call_id = "call-" + std::to_string(i);
    receive(invite.str());
    wire.sent.clear();
  }
  invite.via = "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKlast";
  receive(invite.str());
  EXPECT_EQ(wire.take_all(), "503");
}

}  // namespace
}  // namespace sluice::test
