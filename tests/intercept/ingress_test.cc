// SPDX-License-Identifier: Apache-2.0
#include "intercept/ingress.h"

#include "sipcore/txn/branch.h"
#include "tests/support/fake_outbox.h"
#include "tests/support/test_cores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

namespace sluice::intercept {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr HashKey kKey{1, 2};

std::string request(std::string_view method, std::string_view call_id,
                    std::string_view to = "<sip:bob@example.com>", std::string_view more = "") {
  const std::string name(method);
  return name + " sip:bob@example.com SIP/2.0\r\n" +
         "Via: SIP/2.0/UDP 198.18.0.1:5070;branch=z9hG4bK" + std::string(call_id) + ";rport\r\n" +
         "Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a1\r\nTo: " + std::string(to) +
         "\r\nCall-ID: " + std::string(call_id) + "\r\nCSeq: 7 " + name + "\r\n" +
         std::string(more) + "Content-Length: 0\r\n\r\n";
}

class Collector final : public sip::InboundHandler {
 public:
  void on_message(Core&, sip::InboundPointer inbound) noexcept override {
    got.push_back(std::string(inbound->essentials.call_id));
  }
  std::vector<std::string> got;
};

class IngressTest : public ::testing::Test {
 protected:
  // One poll core and `servants` servant cores behind rings of `ring` messages.
  void build(std::uint32_t servants, std::uint32_t ring = 16, Handoff handoff = Handoff::Decode,
             std::uint32_t messages = 64) {
    table_ = std::make_unique<DispatchTable>(kKey, servants);
    std::vector<ServantLink> links;
    for (std::uint32_t i = 0; i < servants; ++i) {
      rings_.push_back(std::make_unique<InboundRing>(ring));
      links.push_back({nullptr, rings_.back().get(), &cores_.loop(1)});
    }
    Ingress::Options options;
    options.handoff = handoff;
    options.messages = messages;
    ingress_ = std::make_unique<Ingress>(options, *table_, std::move(links), inspection_, refuser_);
  }

  void deliver(std::string_view text, std::string_view source = "198.18.0.1:5070") {
    dataplane::Datagram datagram;
    datagram.payload = OwnedBytes::copy_of(as_bytes(text));
    datagram.source = *Endpoint::parse(source);
    datagram.destination = *Endpoint::parse("198.18.0.2:5060");
    datagram.listener = 0;
    ingress_->on_datagrams(core_, {&datagram, 1});
  }

  // The servant whose ring has something, and how much.
  std::uint32_t waiting(std::size_t servant) { return rings_[servant]->size_hint(); }
  std::optional<std::size_t> take_one() {
    for (std::size_t i = 0; i < rings_.size(); ++i) {
      sip::InboundPointer inbound;
      if (rings_[i]->pop(inbound)) return i;
    }
    return std::nullopt;
  }
  std::uint64_t count(IngressCounter which) { return ingress_->counters()[which].value(); }

  test::TestCores cores_{2};
  Core& core_ = cores_.core();
  test::FakeOutbox outbox_;
  Refuser refuser_{outbox_, kKey};
  Inspection inspection_{sip::Limits{}, refuser_};
  std::unique_ptr<DispatchTable> table_;
  std::unique_ptr<Ingress> ingress_;
  // Last: what still waits in a ring goes home to the ingress's pool.
  std::vector<std::unique_ptr<InboundRing>> rings_;
};

TEST_F(IngressTest, ADialogItsCancelAndItsAckMeetOnOneServant) {
  build(8);
  for (int call = 0; call < 50; ++call) {
    const std::string id = "call-" + std::to_string(call);
    std::set<std::size_t> servants;
    for (const char* method : {"INVITE", "ACK", "CANCEL", "BYE"}) {
      deliver(request(method, id));
      servants.insert(take_one().value());
    }
    EXPECT_EQ(servants.size(), 1U) << id;
  }
}

TEST_F(IngressTest, SpreadsCallsOverAllServants) {
  build(4);
  std::vector<int> hits(4, 0);
  for (int call = 0; call < 400; ++call) {
    deliver(request("INVITE", "spread-" + std::to_string(call)));
    ++hits[take_one().value()];
  }
  for (const int count : hits) EXPECT_GT(count, 60);
}

TEST_F(IngressTest, RegisterGoesByItsAorHoweverItIsSpelled) {
  build(8);
  std::set<std::size_t> servants;
  int call = 0;
  for (const char* to : {"<sip:bob@example.com>", "\"Bob\" <sip:bob@EXAMPLE.com>;x=y",
                         "sip:bob@example.com", "<sip:b%6fb@example.com;transport=udp>"}) {
    deliver(request("REGISTER", "reg-" + std::to_string(call++), to));
    servants.insert(take_one().value());
  }
  EXPECT_EQ(servants.size(), 1U);
}

TEST_F(IngressTest, AResponseFollowsTheBranchThatWeMinted) {
  build(4);
  for (std::uint8_t servant = 0; servant < 4; ++servant) {
    const sip::Branch branch(servant, 0x1234'5678'9abc'def0ULL, 0x42);
    const std::string text =
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 198.18.0.2:5060;branch=" + std::string(branch.text()) +
        "\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: whatever\r\nCSeq: 1 "
        "INVITE\r\n\r\n";
    deliver(text);
    EXPECT_EQ(take_one(), servant);
  }
  deliver(
      "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 198.18.0.2:5060;branch=z9hG4bKforeign\r\n"
      "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: whatever\r\nCSeq: 1 "
      "INVITE\r\n\r\n");
  EXPECT_EQ(take_one(), std::nullopt);
  EXPECT_EQ(count(IngressCounter::NoServant), 1U);
}

TEST_F(IngressTest, NewWorkGets503AboveTheMarkAndDialogsPass) {
  build(1, 16);
  for (int i = 0; i < 13; ++i) deliver(request("INVITE", "fill-" + std::to_string(i)));
  EXPECT_EQ(waiting(0), 13U);
  deliver(request("INVITE", "late"));
  EXPECT_EQ(waiting(0), 13U);
  EXPECT_EQ(count(IngressCounter::ShedBusy), 1U);
  ASSERT_EQ(outbox_.sent.size(), 1U);
  EXPECT_THAT(outbox_.sent[0].text, StartsWith("SIP/2.0 503 Service Unavailable\r\n"));
  EXPECT_THAT(outbox_.sent[0].text, HasSubstr("\r\nRetry-After: 5\r\n"));
  EXPECT_THAT(outbox_.sent[0].text, HasSubstr(";rport=5070"));
  EXPECT_EQ(outbox_.sent[0].remote, *Endpoint::parse("198.18.0.1:5070"));

  deliver(request("BYE", "late", "<sip:bob@example.com>;tag=dialog"));
  deliver(request("CANCEL", "late"));
  deliver(request("ACK", "late"));
  EXPECT_EQ(waiting(0), 16U);
  deliver(request("BYE", "later", "<sip:bob@example.com>;tag=dialog"));
  EXPECT_EQ(count(IngressCounter::ShedFull), 1U);
}

TEST_F(IngressTest, RefusesWithTheParsersCodeAndNeverAnswersAnAck) {
  build(1);
  deliver(request("INVITE", "bad", "<sip:bob@example.com", ""));
  ASSERT_EQ(outbox_.sent.size(), 1U);
  EXPECT_THAT(outbox_.sent[0].text, StartsWith("SIP/2.0 400 "));
  deliver(request("ACK", "bad", "<sip:bob@example.com", ""));
  EXPECT_EQ(outbox_.sent.size(), 1U);
  EXPECT_EQ(waiting(0), 0U);
}

TEST_F(IngressTest, ARetransmissionIsRefusedWithTheSameTag) {
  build(1);
  deliver(request("INVITE", "twice", "<sip:bob@example.com", ""));
  deliver(request("INVITE", "twice", "<sip:bob@example.com", ""));
  ASSERT_EQ(outbox_.sent.size(), 2U);
  EXPECT_EQ(outbox_.sent[0].text, outbox_.sent[1].text);
}

TEST_F(IngressTest, JunkIsCountedAndNotAnswered) {
  build(1);
  deliver("\r\n\r\n");
  deliver("\r\n");
  deliver(std::string_view("\0\1\0\0\x21\x12\xa4\x42\0\0\0\0\0\0\0\0\0\0\0\0", 20));
  deliver("\x80\x81\x82 binary");
  deliver("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(count(IngressCounter::Empty), 2U);
  EXPECT_EQ(count(IngressCounter::Stun), 1U);
  std::uint64_t refused = 0;
  for (const Counter& counter : refuser_.reasons().all()) refused += counter.value();
  EXPECT_EQ(refused, 2U);
  EXPECT_TRUE(outbox_.sent.empty());
}

TEST_F(IngressTest, WithoutMessageObjectsItSheds) {
  build(1, 16, Handoff::Decode, 2);
  for (int i = 0; i < 5; ++i) deliver(request("INVITE", "dry-" + std::to_string(i)));
  EXPECT_EQ(count(IngressCounter::Dispatched), 2U);
  EXPECT_EQ(count(IngressCounter::ShedMemory), 3U);
  while (take_one()) {
  }
  EXPECT_EQ(ingress_->pool().count_free(), 2U);
}

// The ring and the pool between two real threads: nothing is lost, doubled or leaked.
TEST_F(IngressTest, HandsEverythingAcrossThreads) {
  build(1, 64, Handoff::Decode, 128);
  constexpr int kMessages = 20'000;
  std::atomic<int> received{0};
  std::atomic<bool> done{false};
  std::thread servant([&] {
    while (!done.load() || rings_[0]->size_hint() != 0) {
      sip::InboundPointer inbound;
      if (rings_[0]->pop(inbound)) {
        ++received;
      } else {
        std::this_thread::yield();
      }
    }
  });
  const std::string text = request("BYE", "threads", "<sip:bob@example.com>;tag=d");
  for (int i = 0; i < kMessages; ++i) deliver(text);
  done = true;
  servant.join();
  EXPECT_EQ(static_cast<std::uint64_t>(received.load()), count(IngressCounter::Dispatched));
  EXPECT_EQ(count(IngressCounter::Dispatched) + count(IngressCounter::ShedFull) +
                count(IngressCounter::ShedMemory),
            static_cast<std::uint64_t>(kMessages));
  EXPECT_EQ(ingress_->pool().count_free(), 128U);
}

}  // namespace
}  // namespace sluice::intercept
