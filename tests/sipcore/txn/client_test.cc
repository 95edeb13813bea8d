// SPDX-License-Identifier: Apache-2.0
#include "tests/sipcore/txn/txn_fixture.h"

namespace sluice::test {
namespace {

using sip::TxnCounter;
using sip::TxnState;

constexpr ListenerId kTcp = 2;

class InviteClientTest : public TxnTest {};
class NonInviteClientTest : public TxnTest {};

TEST_F(InviteClientTest, TimerADoublesUntilTimerBGivesUp) {
  send("INVITE");
  EXPECT_EQ(user.client->state(), TxnState::Calling);
  EXPECT_EQ(after(490ms), "");
  EXPECT_EQ(after(20ms), "INVITE");
  EXPECT_EQ(after(980ms), "");
  EXPECT_EQ(after(20ms), "INVITE");
  EXPECT_EQ(after(2s), "INVITE");
  // 3.5, 7.5, 15.5 and 31.5 s.
  EXPECT_EQ(after(28'400ms), "INVITE INVITE INVITE");
  EXPECT_EQ(user.take(), "");
  EXPECT_EQ(after(200ms), "");
  EXPECT_EQ(user.take(), "timeout");
  EXPECT_EQ(user.client, nullptr);
  EXPECT_EQ(counted(TxnCounter::TimerB), 1U);
  EXPECT_EQ(counted(TxnCounter::RequestsRetransmitted), 6U);
}

TEST_F(InviteClientTest, ReliableTransportNeverRetransmits) {
  send("INVITE", kTcp);
  EXPECT_EQ(after(33s), "");
  EXPECT_EQ(user.take(), "timeout");
}

TEST_F(InviteClientTest, ProvisionalStopsTimersAAndB) {
  const std::string invite = send("INVITE");
  receive(response_to(invite, 100));
  EXPECT_EQ(user.client->state(), TxnState::Proceeding);
  EXPECT_EQ(after(100s, 50ms), "");
  receive(response_to(invite, 180));
  receive(response_to(invite, 180));
  EXPECT_EQ(user.take(), "response 100, response 180, response 180");
}

TEST_F(InviteClientTest, RejectionIsAcknowledgedAndAbsorbedUntilTimerD) {
  const std::string invite = send("INVITE");
  receive(response_to(invite, 486));
  EXPECT_EQ(user.client->state(), TxnState::Completed);
  const SentMessage ack = wire.take();
  EXPECT_EQ(ack.what(), "ACK");
  EXPECT_EQ(ack.remote, endpoint("198.18.0.9:5060"));
  EXPECT_EQ(ack.header("To"), "<sip:bob@example.com>;tag=bob");
  EXPECT_EQ(ack.header("CSeq"), "1 ACK");
  receive(response_to(invite, 486));
  EXPECT_EQ(wire.take_all(), "ACK");
  EXPECT_EQ(user.take(), "response 486");
  EXPECT_EQ(after(31'900ms), "");
  EXPECT_NE(user.client, nullptr);
  after(200ms);
  EXPECT_EQ(user.client, nullptr);
  EXPECT_EQ(counted(TxnCounter::ResponsesAbsorbed), 1U);
  EXPECT_EQ(counted(TxnCounter::AcksRetransmitted), 1U);
}

TEST_F(InviteClientTest, ReliableRejectionEndsAtOnce) {
  const std::string invite = send("INVITE", kTcp);
  receive(response_to(invite, 486));
  EXPECT_EQ(wire.take_all(), "ACK");
  EXPECT_EQ(user.take(), "response 486");
  EXPECT_EQ(user.client, nullptr);
}

TEST_F(InviteClientTest, AcceptedPassesEvery2xxUntilTimerM) {
  const std::string invite = send("INVITE");
  receive(response_to(invite, 200));
  EXPECT_EQ(user.client->state(), TxnState::Accepted);
  receive(response_to(invite, 200));
  receive(response_to(invite, 200, "other-fork"));
  receive(response_to(invite, 486));
  EXPECT_EQ(user.take(), "response 200, response 200, response 200");
  EXPECT_EQ(counted(TxnCounter::LateResponses), 1U);
  EXPECT_EQ(after(31'900ms), "");
  EXPECT_NE(user.client, nullptr);
  after(200ms);
  EXPECT_EQ(user.client, nullptr);
  receive(response_to(invite, 200));
  EXPECT_EQ(user.take(), "stray");
}

TEST_F(InviteClientTest, SuccessAfterRejectionIsDropped) {
  const std::string invite = send("INVITE");
  receive(response_to(invite, 486));
  receive(response_to(invite, 200));
  EXPECT_EQ(user.take(), "response 486");
  EXPECT_EQ(counted(TxnCounter::LateResponses), 1U);
  wire.sent.clear();
}

TEST_F(InviteClientTest, CancelSharesTheBranchAndIsATransactionOfItsOwn) {
  const std::string invite = send("INVITE");
  receive(response_to(invite, 180));
  const sip::HeaderLine reason[] = {{"Reason", "SIP;cause=200"}};
  EXPECT_TRUE(layer.send_cancel(cores.core(), *user.client, reason));
  const SentMessage cancel = wire.take();
  EXPECT_EQ(cancel.what(), "CANCEL");
  EXPECT_EQ(cancel.header("Reason"), "SIP;cause=200");
  EXPECT_EQ(cancel.header("CSeq"), "1 CANCEL");
  EXPECT_NE(invite.find(cancel.header("Via")), std::string::npos);
  EXPECT_EQ(after(600ms), "CANCEL");
  receive(response_to(cancel.text, 200));
  receive(response_to(invite, 487));
  EXPECT_EQ(user.take(), "response 180, response 200, response 487");
  EXPECT_EQ(wire.take_all(), "ACK");
}

TEST_F(InviteClientTest, TransportErrorEndsIt) {
  const std::string invite = send("INVITE");
  const auto branch = invite.substr(invite.find("branch=") + 7, sip::Branch::kLength);
  layer.on_transport_error(cores.core(), branch, "INVITE");
  EXPECT_EQ(user.take(), "transport error");
  EXPECT_EQ(user.client, nullptr);
  layer.on_transport_error(cores.core(), branch, "INVITE");
  EXPECT_EQ(user.take(), "");
}

TEST_F(InviteClientTest, NoTransmitBufferIsSurvivedOverUdp) {
  wire.refuse = true;
  send("INVITE");
  ASSERT_NE(user.client, nullptr);
  EXPECT_EQ(counted(TxnCounter::SendFailures), 1U);
  wire.refuse = false;
  EXPECT_EQ(after(600ms), "INVITE");
}

TEST_F(InviteClientTest, AStreamThatRefusesIsAFailureAtOnce) {
  wire.refuse = true;
  send("INVITE", kTcp);
  EXPECT_EQ(user.client, nullptr);
}

TEST_F(NonInviteClientTest, TimerEDoublesToT2UntilTimerFGivesUp) {
  send("OPTIONS");
  EXPECT_EQ(user.client->state(), TxnState::Trying);
  EXPECT_EQ(after(510ms), "OPTIONS");
  EXPECT_EQ(after(1s), "OPTIONS");
  EXPECT_EQ(after(2s), "OPTIONS");
  EXPECT_EQ(after(4s), "OPTIONS");
  EXPECT_EQ(after(4s), "OPTIONS");
  EXPECT_EQ(after(20'400ms), "OPTIONS OPTIONS OPTIONS OPTIONS OPTIONS");
  EXPECT_EQ(user.take(), "");
  after(200ms);
  EXPECT_EQ(user.take(), "timeout");
  EXPECT_EQ(counted(TxnCounter::TimerF), 1U);
}

TEST_F(NonInviteClientTest, ProvisionalSlowsTimerEToT2) {
  const std::string request = send("OPTIONS");
  receive(response_to(request, 100));
  EXPECT_EQ(user.client->state(), TxnState::Proceeding);
  EXPECT_EQ(after(510ms), "OPTIONS");  // was armed before
  EXPECT_EQ(after(3'900ms), "");
  EXPECT_EQ(after(200ms), "OPTIONS");
  after(28s);
  EXPECT_EQ(user.take(), "response 100, timeout");
}

TEST_F(NonInviteClientTest, FinalAbsorbsUntilTimerK) {
  const std::string request = send("BYE");
  receive(response_to(request, 200));
  EXPECT_EQ(user.client->state(), TxnState::Completed);
  receive(response_to(request, 200));
  EXPECT_EQ(user.take(), "response 200");
  EXPECT_EQ(counted(TxnCounter::ResponsesAbsorbed), 1U);
  EXPECT_EQ(after(4'900ms), "");
  EXPECT_NE(user.client, nullptr);
  after(200ms);
  EXPECT_EQ(user.client, nullptr);
}

TEST_F(NonInviteClientTest, ReliableFinalEndsAtOnce) {
  const std::string request = send("BYE", kTcp);
  EXPECT_EQ(after(10s), "");
  receive(response_to(request, 200));
  EXPECT_EQ(user.client, nullptr);
}

TEST_F(NonInviteClientTest, MatchesTheWholeBranchAndTheMethod) {
  const std::string request = send("OPTIONS");
  std::string other_method = response_to(request, 200);
  other_method.replace(other_method.find("OPTIONS\r\n"), 7, "INVITE ");
  std::string other_branch = response_to(request, 200);
  const std::size_t last = other_branch.find("branch=") + 7 + sip::Branch::kLength - 1;
  other_branch[last] = other_branch[last] == '0' ? '1' : '0';
  receive(other_branch);
  EXPECT_EQ(user.take(), "stray");
  receive(response_to(request, 200));
  EXPECT_EQ(user.take(), "response 200");
}

TEST_F(NonInviteClientTest, NoRoomForTheCopyIsReported) {
  sip::TransactionOptions none = small_options();
  none.messages = {{{512, 0}}};
  sip::TransactionLayer empty(0, none, {}, {1, 2}, wire);
  empty.set_user(user);
  const std::string text = RequestText{.method = "OPTIONS"}.str();
  OwnedBytes bytes = wire.allocate(cores.core(), static_cast<std::uint32_t>(text.size()));
  EXPECT_EQ(empty.send_request(cores.core(), {.method = sip::Method::Options,
                                              .method_text = "OPTIONS",
                                              .branch = "z9hG4bKx",
                                              .bytes = std::move(bytes)}),
            nullptr);
  EXPECT_TRUE(wire.sent.empty());
}

}  // namespace
}  // namespace sluice::test
