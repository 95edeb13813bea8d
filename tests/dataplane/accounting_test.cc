// SPDX-License-Identifier: Apache-2.0
//
// The identity: what came in is the sum of how it ended, whatever comes in; and every buffer comes
// home.
#include "tests/dataplane/net_fixture.h"

#include <random>

namespace sluice::dataplane {
namespace {

const Endpoint kPhone = at("198.18.0.10:5062");
const Endpoint kEdge = at("198.18.0.2:5060");
const Endpoint kPhone6 = at("[fd00:18::10]:5062");
const Endpoint kEdge6 = at("[fd00:18::2]:5060");

// A frame that means something, to be spoilt.
Bytes some_frame(std::mt19937& random) {
  const auto pick = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };
  switch (pick(8)) {
    case 0:
      return ethernet(
          kPhoneMac, kAccessMac, 0x0806,
          arp(1 + pick(2), kPhoneMac,
              IpAddress::v4(198, 18, 0, static_cast<std::uint8_t>(pick(256))), {}, kEdge.address));
    case 1:
      return ip_frame(
          kPhoneMac, kAccessMac,
          ipv4(kPhone.address, kEdge.address, 1, icmp(pick(12), pick(5), 1400, pattern(pick(64)))));
    case 2:
      return ip_frame(
          kPhoneMac, kAccessMac,
          ipv6(kPhone6.address, kEdge6.address, 58,
               icmpv6(kPhone6.address, kEdge6.address, 128 + pick(10), 0, 0, pattern(pick(64))),
               255));
    case 3: {
      Ipv4Fields fields;
      fields.id = pick(4);
      fields.fragment = pick(8) | (pick(2) << 13);
      return ip_frame(kPhoneMac, kAccessMac,
                      ipv4(kPhone.address, kEdge.address, 17, pattern(8 * pick(6)), fields));
    }
    case 4: {
      Bytes fragment = {17, 0};
      put16(fragment, pick(8) * 8 | pick(2));
      put32(fragment, pick(4));
      put(fragment, pattern(8 * pick(6)));
      return ip_frame(kPhoneMac, kAccessMac, ipv6(kPhone6.address, kEdge6.address, 44, fragment));
    }
    case 5:
      return udp_frame(kPhoneMac, kAccessMac, kPhone6, kEdge6, pattern(pick(64)));
    default:
      return udp_frame(kPhoneMac, kAccessMac,
                       {IpAddress::v4(198, 18, 0, static_cast<std::uint8_t>(pick(256))), 5060},
                       kEdge, pattern(pick(64)));
  }
}

void spoil(std::mt19937& random, Bytes& frame) {
  for (unsigned n = random() % 4; n != 0 && !frame.empty(); --n) {
    frame[random() % frame.size()] ^= static_cast<std::uint8_t>(1U << random() % 8);
  }
  if (random() % 8 == 0) frame.resize(random() % (frame.size() + 8));
}

void run(unsigned workers, std::uint32_t seed) {
  NetLab lab(workers);
  lab.start();
  std::mt19937 random(seed);
  lab.access.discard = lab.core_port.discard = true;
  for (int i = 0; i < 20000; ++i) {
    Bytes frame = some_frame(random);
    if (random() % 2 == 0) spoil(random, frame);
    lab.access.put(frame, static_cast<std::uint16_t>(workers > 1 ? random() % 2 : 0),
                   static_cast<RxChecksum>(random() % 3), random() % 64 == 0);
    if (random() % 4 == 0) {
      const IpAddress to = IpAddress::v4(198, 18, static_cast<std::uint8_t>(random() % 2),
                                         static_cast<std::uint8_t>(random()));
      lab.send(random() % 8 == 0 ? kCoreV4 : kAccessV4, {to, 5060}, pattern(random() % 3000),
               static_cast<unsigned>(random() % workers));
    }
    if (random() % 16 == 0) lab.cores.settle();
    if (random() % 64 == 0) lab.cores.clock.advance(std::chrono::milliseconds{random() % 2000});
    lab.access.tx_room =
        random() % 128 == 0 ? static_cast<std::uint32_t>(random() % 4) : FakePort::kUnlimited;
  }
  lab.access.tx_room = FakePort::kUnlimited;
  lab.cores.settle();
  lab.expect_balanced();
  lab.cores.advance(std::chrono::seconds{70}, std::chrono::milliseconds{100});
  lab.expect_balanced();
  // Time has ended every wait: nothing is kept anywhere.
  EXPECT_EQ(lab.access.free_buffers(), lab.access.buffers());
  EXPECT_EQ(lab.core_port.free_buffers(), lab.core_port.buffers());
  for (unsigned i = 0; i < workers; ++i) {
    EXPECT_EQ(lab.worker[i]->waiting_for_neighbours(), 0U);
    EXPECT_EQ(lab.large.count_free(i), 128U);
    EXPECT_EQ(lab.cores.core(i).timers.size(), 0U);
  }
  EXPECT_GT(lab.count(NetCounter::Delivered), 1000U) << "the traffic must reach every layer";
  EXPECT_GT(lab.count(NetCounter::FragmentOverlap) + lab.count(NetCounter::FragmentPoisoned), 10U);
}

TEST(Accounting, EveryFrameEndsInOneRow) {
  run(1, 1);
}
TEST(Accounting, EveryFrameEndsInOneRowAcrossWorkers) {
  run(2, 2);
}

TEST(Accounting, PureNoise) {
  NetLab lab;
  lab.start();
  std::mt19937 random(3);
  for (int i = 0; i < 20000; ++i) {
    Bytes frame(random() % 128);
    for (auto& byte : frame) byte = static_cast<std::uint8_t>(random());
    if (frame.size() >= 14 && random() % 2 == 0) {
      std::copy(kAccessMac.begin(), kAccessMac.end(), frame.begin());
      set16(frame, 12, random() % 2 == 0 ? 0x0800 : 0x86dd);
    }
    lab.receive(frame);
  }
  lab.expect_balanced();
  EXPECT_EQ(lab.access.free_buffers() + lab.access.sent().size(), lab.access.buffers());
}

TEST(Accounting, EveryRowHasANameOfItsOwn) {
  std::vector<std::string> seen;
  for (const CounterInfo& info : net_counter_infos()) {
    seen.push_back(std::string{info.metric} + "{" + std::string{info.labels} + "}");
    EXPECT_FALSE(info.help.empty());
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
}

}  // namespace
}  // namespace sluice::dataplane
