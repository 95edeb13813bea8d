// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/impaired_port.h"

#include "tests/dataplane/net_fixture.h"

namespace sluice::dataplane {
namespace {

const Endpoint kPhone = at("198.18.0.10:5062");
const Endpoint kEdge = at("198.18.0.2:5060");

Bytes numbered(unsigned number) {
  Bytes payload;
  put32(payload, number);
  return udp_frame(kPhoneMac, kAccessMac, kPhone, kEdge, payload);
}
unsigned number_of(ByteView frame) {
  return get16(frame, 44);
}

// Sends and receives `count` frames in bursts of 32; returns the numbers that came out.
struct Passage {
  std::vector<unsigned> rx;
  std::vector<unsigned> tx;
  unsigned wrong = 0;
};
Passage pass(ImpairedPort& port, FakePort& below, unsigned count) {
  Passage out;
  std::array<RxFrame, 32> burst;
  const auto receive = [&] {
    const std::uint32_t got = port.receive(0, burst);
    for (std::uint32_t i = 0; i < got; ++i) {
      const ByteView view = burst[i].bytes.view();
      out.rx.push_back(number_of(view));
      const Bytes frame{view.begin(), view.end()};
      out.wrong += frame != numbered(number_of(view));
      burst[i].bytes.reset();
    }
  };
  for (unsigned i = 0; i < count; ++i) {
    below.put(numbered(i));
    TxFrame frame{port.allocate(static_cast<std::uint32_t>(numbered(i).size()), 80)};
    const Bytes bytes = numbered(i);
    std::copy(bytes.begin(), bytes.end(), frame.bytes.data());
    EXPECT_EQ(port.transmit(0, {&frame, 1}), 1U);
    if (i % 32 == 31) receive();
    for (const TxFrame& sent : below.sent()) out.tx.push_back(number_of(sent.bytes.view()));
  }
  for (int i = 0; i < 100; ++i) receive();
  for (const TxFrame& sent : below.sent()) out.tx.push_back(number_of(sent.bytes.view()));
  return out;
}

std::uint64_t count(const ImpairedPort& port, ImpairmentCounter what) {
  return port.counters(0)[what].value();
}

TEST(ImpairedPort, ChangesNothingWithoutImpairment) {
  FakePort below("access", kAccessMac);
  ImpairedPort port(below, {});
  const Passage passage = pass(port, below, 320);
  ASSERT_EQ(passage.rx.size(), 320U);
  ASSERT_EQ(passage.tx.size(), 320U);
  EXPECT_TRUE(std::is_sorted(passage.rx.begin(), passage.rx.end()));
  EXPECT_TRUE(std::is_sorted(passage.tx.begin(), passage.tx.end()));
  EXPECT_EQ(passage.wrong, 0U);
}

TEST(ImpairedPort, DoesWhatItCounts) {
  FakePort below("access", kAccessMac);
  ImpairedPortOptions options;
  options.rx = options.tx = {0.1, 0.05, 0.05, 0.02};
  ImpairedPort port(below, options);
  const unsigned total = 10000;
  const Passage passage = pass(port, below, total);
  const auto lost = count(port, ImpairmentCounter::RxLost);
  EXPECT_NEAR(static_cast<double>(lost), 0.1 * total, 100);
  EXPECT_NEAR(static_cast<double>(count(port, ImpairmentCounter::TxLost)), 0.1 * total, 100);
  EXPECT_NEAR(static_cast<double>(count(port, ImpairmentCounter::RxDuplicated)), 450, 70);
  EXPECT_NEAR(static_cast<double>(count(port, ImpairmentCounter::RxCorrupted)), 180, 50);
  EXPECT_EQ(passage.rx.size(), total - lost + count(port, ImpairmentCounter::RxDuplicated));
  EXPECT_EQ(passage.tx.size(), total - count(port, ImpairmentCounter::TxLost) +
                                   count(port, ImpairmentCounter::TxDuplicated));
  EXPECT_GT(count(port, ImpairmentCounter::TxReordered), 300U);
  EXPECT_FALSE(std::is_sorted(passage.rx.begin(), passage.rx.end()));
  EXPECT_FALSE(std::is_sorted(passage.tx.begin(), passage.tx.end()));
  EXPECT_GE(passage.wrong, count(port, ImpairmentCounter::RxCorrupted) * 9 / 10);
  EXPECT_EQ(below.free_buffers(), below.buffers());
}

TEST(ImpairedPort, RepeatsItselfFromTheSameSeed) {
  const auto run = [](std::uint64_t seed) {
    FakePort below("access", kAccessMac);
    ImpairedPortOptions options;
    options.rx = options.tx = {0.2, 0.1, 0.1, 0.0};
    options.seed = seed;
    ImpairedPort port(below, options);
    return pass(port, below, 500).rx;
  };
  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), run(6));
}

TEST(ImpairedPort, SparesNeighbourProtocols) {
  for (const bool spare : {true, false}) {
    FakePort below("access", kAccessMac);
    ImpairedPortOptions options;
    options.rx.loss = 1;
    options.spare_neighbours = spare;
    ImpairedPort port(below, options);
    below.put(ethernet(kPhoneMac, kAccessMac, 0x0806,
                       arp(1, kPhoneMac, kPhone.address, {}, kEdge.address)));
    below.put(ethernet(kPhoneMac, kAccessMac, 0x8100,
                       vlan_tag(5, 0x0806, arp(1, kPhoneMac, kPhone.address, {}, kEdge.address))));
    below.put(ip_frame(kPhoneMac, kAccessMac,
                       ipv6(ip("fd00:18::10"), ip("fd00:18::2"), 58,
                            icmpv6(ip("fd00:18::10"), ip("fd00:18::2"), 135, 0, 0, Bytes(16)))));
    below.put(numbered(1));
    std::array<RxFrame, 8> burst;
    EXPECT_EQ(port.receive(0, burst), spare ? 3U : 0U);
  }
}

}  // namespace
}  // namespace sluice::dataplane
