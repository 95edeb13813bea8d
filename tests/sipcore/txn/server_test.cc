// SPDX-License-Identifier: Apache-2.0
#include "tests/sipcore/txn/txn_fixture.h"

namespace sluice::test {
namespace {

using sip::TxnCounter;
using sip::TxnState;

constexpr ListenerId kTcp = 2;

class InviteServerTest : public TxnTest {
 protected:
  // The ACK to a response of ours that is not a 2xx.
  static std::string ack_for(const RequestText& invite, const SentMessage& response) {
    RequestText ack = invite;
    ack.method = "ACK";
    ack.to = response.header("To");
    return ack.str();
  }
  RequestText invite;
};

class NonInviteServerTest : public TxnTest {
 protected:
  RequestText request{.method = "OPTIONS"};
};

TEST_F(InviteServerTest, AnswersTryingAtOnceAndAbsorbsRetransmissions) {
  receive(invite.str());
  EXPECT_EQ(user.take(), "request INVITE");
  const SentMessage trying = wire.take();
  EXPECT_EQ(trying.what(), "100");
  EXPECT_EQ(trying.header("To"), "<sip:bob@example.com>");
  EXPECT_EQ(trying.remote, endpoint("198.18.0.1:5060"));
  receive(invite.str());
  EXPECT_EQ(user.take(), "");
  EXPECT_EQ(wire.take_all(), "100");
  user.server->respond(cores.core(), {.status = 180});
  EXPECT_EQ(wire.take_all(), "180");
  receive(invite.str());
  EXPECT_EQ(wire.take_all(), "180");
  EXPECT_EQ(counted(TxnCounter::RequestsAbsorbed), 2U);
  EXPECT_EQ(counted(TxnCounter::ResponsesRetransmitted), 2U);
}

TEST_F(InviteServerTest, TryingMayWaitForTheApplication) {
  sip::TransactionOptions patient = small_options();
  patient.timers.trying = 200ms;
  sip::TransactionLayer other(0, patient, {}, {1, 2}, wire);
  other.set_user(user);
  other.on_message(cores.core(), wire.inbound(invite.str(), "198.18.0.1:5060"));
  EXPECT_EQ(after(190ms), "");
  EXPECT_EQ(after(20ms), "100");
  EXPECT_EQ(after(1s), "");
  user.server->abandon();
}

TEST_F(InviteServerTest, RejectionRepeatsWithTimerGUntilAcknowledged) {
  receive(invite.str());
  wire.sent.clear();
  user.server->respond(cores.core(), {.status = 486});
  EXPECT_EQ(user.server->state(), TxnState::Completed);
  const SentMessage busy = wire.take();
  EXPECT_EQ(busy.what(), "486");
  EXPECT_NE(busy.header("To").find(";tag="), std::string::npos);
  EXPECT_EQ(after(510ms), "486");
  EXPECT_EQ(after(1s), "486");
  EXPECT_EQ(after(2s), "486");
  EXPECT_EQ(after(4s), "486");
  EXPECT_EQ(after(4s), "486");
  receive(invite.str());
  EXPECT_EQ(wire.take_all(), "486");
  receive(ack_for(invite, busy));
  EXPECT_EQ(user.server->state(), TxnState::Confirmed);
  receive(ack_for(invite, busy));
  receive(invite.str());
  EXPECT_EQ(after(4'900ms), "");
  EXPECT_NE(user.server, nullptr);
  after(200ms);
  EXPECT_EQ(user.server, nullptr);
  EXPECT_EQ(user.take(), "request INVITE");
  EXPECT_EQ(counted(TxnCounter::AcksAbsorbed), 2U);
}

TEST_F(InviteServerTest, TimerHGivesUpOnTheAck) {
  receive(invite.str());
  user.server->respond(cores.core(), {.status = 486});
  after(31'900ms);
  EXPECT_EQ(user.take(), "request INVITE");
  after(200ms);
  EXPECT_EQ(user.take(), "ack timeout");
  EXPECT_EQ(user.server, nullptr);
}

TEST_F(InviteServerTest, ReliableRejectionIsSentOnceAndEndsWithTheAck) {
  receive(invite.str(), "198.18.0.1:5060", kTcp);
  wire.sent.clear();
  user.server->respond(cores.core(), {.status = 486});
  const SentMessage busy = wire.take();
  EXPECT_EQ(after(10s), "");
  receive(ack_for(invite, busy), "198.18.0.1:5060", kTcp);
  EXPECT_EQ(user.server, nullptr);
}

TEST_F(InviteServerTest, AcceptedAbsorbsInvitesAndPassesAcksUntilTimerL) {
  receive(invite.str());
  wire.sent.clear();
  user.server->respond(cores.core(), {.status = 200});
  EXPECT_EQ(user.server->state(), TxnState::Accepted);
  const SentMessage ok = wire.take();
  EXPECT_EQ(ok.what(), "200");
  user.take();
  receive(invite.str());
  EXPECT_EQ(wire.take_all(), "");
  // A broken caller that acknowledges a 2xx with the INVITE's branch.
  RequestText ack = invite;
  ack.method = "ACK";
  receive(ack.str());
  EXPECT_EQ(user.take(), "ack");
  // A retransmission that came from downstream, or a second fork's.
  OwnedBytes again = wire.allocate(cores.core(), static_cast<std::uint32_t>(ok.text.size()));
  std::memcpy(again.data(), ok.text.data(), ok.text.size());
  EXPECT_TRUE(user.server->send_response(cores.core(), 200, std::move(again)));
  EXPECT_EQ(wire.take_all(), "200");
  user.server->respond(cores.core(), {.status = 486});
  EXPECT_EQ(wire.take_all(), "");
  EXPECT_EQ(after(31'900ms), "");
  EXPECT_NE(user.server, nullptr);
  after(200ms);
  EXPECT_EQ(user.server, nullptr);
}

TEST_F(InviteServerTest, CancelIsAnsweredAndTold) {
  receive(invite.str());
  wire.sent.clear();
  RequestText cancel = invite;
  cancel.method = "CANCEL";
  receive(cancel.str());
  EXPECT_EQ(user.take(), "request INVITE, cancel");
  EXPECT_EQ(wire.take_all(), "200");
  receive(cancel.str());
  EXPECT_EQ(user.take(), "");
  EXPECT_EQ(wire.take_all(), "200");
  user.server->respond(cores.core(), {.status = 487});
  EXPECT_EQ(wire.take_all(), "487");
}

TEST_F(InviteServerTest, CancelForNothingGets481) {
  RequestText cancel = invite;
  cancel.method = "CANCEL";
  receive(cancel.str());
  EXPECT_EQ(user.take(), "");
  EXPECT_EQ(wire.take_all(), "481");
  EXPECT_EQ(counted(TxnCounter::StrayCancels), 1U);
}

TEST_F(InviteServerTest, AckWithoutATransactionGoesUp) {
  RequestText ack = invite;
  ack.method = "ACK";
  ack.via = "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKnew";
  ack.to += ";tag=bob";
  receive(ack.str());
  EXPECT_EQ(user.take(), "ack");
  EXPECT_TRUE(wire.sent.empty());
}

TEST_F(InviteServerTest, SentByTellsEqualBranchesApart) {
  receive(invite.str());
  RequestText other = invite;
  other.via = "SIP/2.0/UDP 198.18.0.7:5060;branch=z9hG4bKcaller1";
  RequestText other_port = invite;
  other_port.via = "SIP/2.0/UDP 198.18.0.1:5070;branch=z9hG4bKcaller1";
  auto* first = user.server;
  receive(other.str(), "198.18.0.7:5060");
  auto* second = user.server;
  receive(other_port.str(), "198.18.0.1:5070");
  EXPECT_EQ(user.take(), "request INVITE, request INVITE, request INVITE");
  first->abandon();
  second->abandon();
}

TEST_F(InviteServerTest, HostOfSentByComparesWithoutCaseAndPortByDefault) {
  invite.via = "SIP/2.0/UDP Phone.Example.COM;branch=z9hG4bKx";
  receive(invite.str());
  invite.via = "SIP/2.0/UDP phone.example.com:5060;branch=z9hG4bKx";
  receive(invite.str());
  EXPECT_EQ(user.take(), "request INVITE");
}

TEST_F(InviteServerTest, LongBranchesAreCompared) {
  const std::string length(3'000, 'x');
  invite.via = "SIP/2.0/UDP 198.18.0.1;branch=z9hG4bK" + length + "1";
  receive(invite.str());
  auto* first = user.server;
  receive(invite.str());
  EXPECT_EQ(user.take(), "request INVITE");
  invite.via = "SIP/2.0/UDP 198.18.0.1;branch=z9hG4bK" + length + "2";
  receive(invite.str());
  EXPECT_EQ(user.take(), "request INVITE");
  first->abandon();
}

TEST_F(InviteServerTest, Rfc2543PeersAreMatchedByTheirOldRules) {
  invite.via = "SIP/2.0/UDP 198.18.0.1:5060;branch=1";
  receive(invite.str());
  receive(invite.str());
  EXPECT_EQ(user.take(), "request INVITE");
  RequestText cancel = invite;
  cancel.method = "CANCEL";
  receive(cancel.str());
  EXPECT_EQ(user.take(), "cancel");
  wire.sent.clear();
  user.server->respond(cores.core(), {.status = 487});
  const SentMessage final = wire.take();
  receive(ack_for(invite, final));
  EXPECT_EQ(user.take(), "");
  EXPECT_EQ(user.server->state(), TxnState::Confirmed);
  // A new call with the same meaningless branch is another transaction.
  invite.call_id = "call-2";
  receive(invite.str());
  EXPECT_EQ(user.take(), "request INVITE");
}

TEST_F(InviteServerTest, ExhaustionIsAnswered503WithoutState) {
  sip::TransactionOptions tiny = small_options();
  tiny.invite_servers = 1;
  sip::TransactionLayer layer_of_one(0, tiny, {}, {1, 2}, wire);
  layer_of_one.set_user(user);
  layer_of_one.on_message(cores.core(), wire.inbound(invite.str(), "198.18.0.1:5060"));
  auto* first = user.server;
  wire.sent.clear();
  RequestText second = invite;
  second.via = "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKcaller2";
  layer_of_one.on_message(cores.core(), wire.inbound(second.str(), "198.18.0.1:5060"));
  const SentMessage refusal = wire.take();
  EXPECT_EQ(refusal.what(), "503");
  EXPECT_EQ(refusal.header("Retry-After"), "5");
  EXPECT_EQ(user.take(), "request INVITE");
  // Its ACK is recognised by the tag, and is nobody's.
  layer_of_one.on_message(cores.core(), wire.inbound(ack_for(second, refusal), "198.18.0.1:5060"));
  EXPECT_EQ(user.take(), "");
  EXPECT_EQ(layer_of_one.counters()[TxnCounter::Shed].value(), 1U);
  first->abandon();
}

TEST_F(InviteServerTest, ResponsesGoWhereRportPoints) {
  invite.via = "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKnat;rport";
  receive(invite.str(), "198.18.0.77:40000");
  const SentMessage trying = wire.take();
  EXPECT_EQ(trying.remote, endpoint("198.18.0.77:40000"));
  EXPECT_NE(trying.header("Via").find("received=198.18.0.77"), std::string::npos);
  EXPECT_NE(trying.header("Via").find("rport=40000"), std::string::npos);
}

TEST_F(NonInviteServerTest, ImmediateAnswerIsRepeatedUntilTimerJ) {
  user.answer = 200;
  receive(request.str());
  EXPECT_EQ(wire.take_all(), "200");
  EXPECT_EQ(user.server->state(), TxnState::Completed);
  receive(request.str());
  EXPECT_EQ(wire.take_all(), "200");
  EXPECT_EQ(user.take(), "request OPTIONS");
  EXPECT_EQ(after(31'900ms), "");
  EXPECT_NE(user.server, nullptr);
  after(200ms);
  EXPECT_EQ(user.server, nullptr);
}

TEST_F(NonInviteServerTest, SecondFinalResponseIsRefused) {
  user.answer = 200;
  receive(request.str());
  wire.sent.clear();
  user.server->respond(cores.core(), {.status = 404});
  EXPECT_EQ(wire.take_all(), "");
  EXPECT_EQ(counted(TxnCounter::LateResponses), 1U);
}

TEST_F(NonInviteServerTest, ReliableAnswerEndsAtOnce) {
  user.answer = 200;
  receive(request.str(), "198.18.0.1:5060", kTcp);
  EXPECT_EQ(wire.take_all(), "200");
  EXPECT_EQ(user.server, nullptr);
}

TEST_F(NonInviteServerTest, TryingGoesOutOnlyWhenTheClientIsAtT2) {
  receive(request.str());
  EXPECT_EQ(wire.take_all(), "");
  receive(request.str());
  user.server->respond(cores.core(), {.status = 100});
  user.server->respond(cores.core(), {.status = 183});
  EXPECT_EQ(after(3'490ms), "");
  EXPECT_EQ(user.server->state(), TxnState::Trying);
  EXPECT_EQ(after(20ms), "100");
  EXPECT_EQ(user.server->state(), TxnState::Proceeding);
  receive(request.str());
  EXPECT_EQ(wire.take_all(), "100");
  user.server->respond(cores.core(), {.status = 200});
  EXPECT_EQ(wire.take_all(), "200");
}

TEST_F(NonInviteServerTest, NeverSends408) {
  receive(request.str());
  user.server->respond(cores.core(), {.status = 408});
  EXPECT_EQ(wire.take_all(), "");
  EXPECT_EQ(user.server, nullptr);
}

TEST_F(NonInviteServerTest, LateAnswerIsBuiltFromTheCopy) {
  request.body = "hello";
  receive(request.str());
  cores.advance(1s);
  const sip::HeaderLine headers[] = {{"Allow", "OPTIONS"}};
  user.server->respond(cores.core(), {.status = 200, .headers = headers});
  const SentMessage answer = wire.take();
  EXPECT_EQ(answer.what(), "200");
  EXPECT_EQ(answer.header("Allow"), "OPTIONS");
  EXPECT_EQ(answer.header("Call-ID"), "call-1");
  EXPECT_EQ(answer.header("CSeq"), "1 OPTIONS");
}

TEST_F(NonInviteServerTest, MalformedMessagesAreRefusedWithoutState) {
  receive("OPTIONS sip:x@example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n\r\n");
  EXPECT_EQ(user.take(), "");
  EXPECT_EQ(wire.take_all(), "400");
  EXPECT_EQ(counted(TxnCounter::Malformed), 1U);
}

}  // namespace
}  // namespace sluice::test
