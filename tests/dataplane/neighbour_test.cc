// SPDX-License-Identifier: Apache-2.0
//
// ARP (RFC 826, 5227), neighbour discovery (RFC 4861) and the cache behind them.
#include "tests/dataplane/net_fixture.h"

namespace sluice::dataplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::SizeIs;

constexpr MacAddress kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
const IpAddress kUs = ip("198.18.0.2");
const IpAddress kUs6 = ip("fd00:18::2");
const IpAddress kPhone = ip("198.18.0.10");
const IpAddress kPhone6 = ip("fd00:18::10");
const IpAddress kSolicitedUs = ip("ff02::1:ff00:2");
const MacAddress kSolicitedMac = {0x33, 0x33, 0xff, 0, 0, 2};

Bytes arp_frame(unsigned operation, const MacAddress& from, const IpAddress& sender,
                const IpAddress& target, const MacAddress& to = kAccessMac) {
  return ethernet(from, to, 0x0806, arp(operation, from, sender, {}, target));
}

Bytes link_option(unsigned type, const MacAddress& mac) {
  Bytes out = {static_cast<std::uint8_t>(type), 1};
  put(out, mac);
  return out;
}

Bytes nd_frame(unsigned type, const MacAddress& from, const MacAddress& to, const IpAddress& source,
               const IpAddress& destination, std::uint32_t flags, const IpAddress& target,
               const Bytes& options, unsigned hop_limit = 255) {
  Bytes rest;
  put(rest, target.view());
  put(rest, options);
  return ip_frame(
      from, to,
      ipv6(source, destination, 58, icmpv6(source, destination, type, 0, flags, rest), hop_limit));
}

// Frames of one ethertype among what was sent.
std::vector<Bytes> sent_of(FakePort& port, unsigned type) {
  std::vector<Bytes> out;
  for (const TxFrame& frame : port.sent()) {
    if (get16(frame.bytes.view(), 12) == type) out.push_back(bytes_of(frame));
  }
  return out;
}

TEST(Arp, AnswersRequestForOurAddress) {
  NetLab lab;
  lab.start();
  lab.receive(arp_frame(1, kPhoneMac, kPhone, kUs, kBroadcast));
  const auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(bytes_of(sent[0]),
            ethernet(kAccessMac, kPhoneMac, 0x0806, arp(2, kAccessMac, kUs, kPhoneMac, kPhone)));
  EXPECT_EQ(lab.count(NetCounter::Answered), 1U);
}

TEST(Arp, IgnoresRequestForAnotherAddress) {
  NetLab lab;
  lab.start();
  lab.receive(arp_frame(1, kPhoneMac, kPhone, ip("198.18.0.3"), kBroadcast));
  lab.receive(arp_frame(1, kPhoneMac, kPhone, ip("198.19.0.2"), kBroadcast));  // the other port's
  EXPECT_THAT(lab.access.sent(), SizeIs(0));
  EXPECT_EQ(lab.count(NetCounter::ArpNotUs), 2U);
}

TEST(Arp, AnswersProbeWithoutLearning) {
  NetLab lab;
  lab.start();
  lab.receive(arp_frame(1, kPhoneMac, ip("0.0.0.0"), kUs, kBroadcast));
  EXPECT_THAT(lab.access.sent(), SizeIs(1));
  EXPECT_EQ(lab.count(NetCounter::Answered), 1U);
}

TEST(Arp, RefusesMalformedMessages) {
  NetLab lab;
  lab.start();
  Bytes frame = arp_frame(1, kPhoneMac, kPhone, kUs);
  for (const std::size_t at : {14U, 16U, 18U, 19U, 20U}) {
    Bytes bad = frame;
    bad[at] ^= 0x40;
    lab.receive(bad);
  }
  lab.receive({frame.begin(), frame.end() - 1});
  lab.receive(
      ethernet(kPhoneMac, kAccessMac, 0x0806, arp(2, {0x01, 0, 0x5e, 0, 0, 1}, kPhone, {}, kUs)));
  EXPECT_EQ(lab.count(NetCounter::ArpMalformed), 7U);
  EXPECT_THAT(lab.access.sent(), SizeIs(0));
}

TEST(Arp, DefendsOurAddressAgainstAnotherStation) {
  NetLab lab;
  lab.start();
  lab.receive(arp_frame(1, kOtherMac, kUs, kUs, kBroadcast));
  EXPECT_EQ(lab.count(NetCounter::ArpConflict), 1U);
  const auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(bytes_of(sent[0]),
            ethernet(kAccessMac, kBroadcast, 0x0806, arp(1, kAccessMac, kUs, {}, kUs)));
}

TEST(Arp, AsksOnceASecondAndQueuesSixteen) {
  NetLab lab;
  lab.start();
  const Endpoint remote{kPhone, 5060};
  for (int i = 0; i < 18; ++i) lab.send(kAccessV4, remote, text(std::string(1, char('a' + i))));
  auto requests = sent_of(lab.access, 0x0806);
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0],
            ethernet(kAccessMac, kBroadcast, 0x0806, arp(1, kAccessMac, kUs, {}, kPhone)));
  EXPECT_EQ(lab.count(NetCounter::TxNeighbourQueue), 2U);
  EXPECT_EQ(lab.worker[0]->waiting_for_neighbours(), 16U);
  lab.expect_balanced();

  lab.receive(arp_frame(2, kPhoneMac, kPhone, kUs));
  const auto sent = sent_of(lab.access, 0x0800);
  ASSERT_THAT(sent, SizeIs(16));
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(mac_at(sent[i], 0), kPhoneMac);
    EXPECT_EQ(sent[i].back(), 'a' + i);  // in order
  }
  EXPECT_EQ(lab.worker[0]->waiting_for_neighbours(), 0U);
  lab.expect_balanced();
}

TEST(Arp, GivesUpAfterThreeRequests) {
  NetLab lab;
  lab.cores.advance(seconds{5}, milliseconds{100});  // announcements and gateways are over
  lab.access.sent();
  const Endpoint remote{kPhone, 5060};
  lab.send(kAccessV4, remote, text("x"));
  unsigned requests = 0;
  for (int i = 0; i < 50; ++i) {
    requests += static_cast<unsigned>(sent_of(lab.access, 0x0806).size());
    lab.cores.advance(milliseconds{100});
  }
  EXPECT_EQ(requests, 3U);
  EXPECT_EQ(lab.count(NetCounter::TxUnreachable), 1U);
  EXPECT_EQ(lab.worker[0]->waiting_for_neighbours(), 0U);
  lab.expect_balanced();
  EXPECT_EQ(lab.access.free_buffers(), lab.access.buffers());
  EXPECT_EQ(lab.cores.core().timers.size(), 0U);
}

TEST(Arp, IgnoresRepliesNobodyAskedFor) {
  NetLab lab;
  lab.start();
  lab.receive(arp_frame(2, kPhoneMac, kPhone, kUs));
  EXPECT_EQ(lab.count(NetCounter::NeighbourIgnored), 1U);
  lab.send(kAccessV4, {kPhone, 5060}, text("x"));
  EXPECT_THAT(sent_of(lab.access, 0x0800), SizeIs(0)) << "the address was not learned";
}

TEST(Arp, KeepsReachableNeighbourAgainstUnsolicitedChange) {
  NetLab lab;
  lab.start();
  lab.send(kAccessV4, {kPhone, 5060}, text("x"));
  lab.receive(arp_frame(2, kPhoneMac, kPhone, kUs));
  lab.access.sent();
  lab.receive(arp_frame(2, kOtherMac, kPhone, kUs));
  lab.receive(arp_frame(1, kOtherMac, kPhone, kPhone, kBroadcast));
  lab.receive(arp_frame(1, kOtherMac, kPhone, kUs, kBroadcast));
  lab.receive(udp_frame(kOtherMac, kAccessMac, {kPhone, 5060}, {kUs, 5060}, text("spoofed")));
  lab.access.sent();
  lab.send(kAccessV4, {kPhone, 5060}, text("y"));
  const auto sent = sent_of(lab.access, 0x0800);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(mac_at(sent[0], 0), kPhoneMac);
}

TEST(Arp, ForgedTrafficDoesNotMoveAStaleNeighbour) {
  NetLab lab;
  lab.start();
  lab.learn_phone();  // from its request: Stale until it answers one of ours
  lab.receive(udp_frame(kOtherMac, kAccessMac, {kPhone, 5060}, {kUs, 5060}, text("spoofed")));
  lab.send(kAccessV4, {kPhone, 5060}, text("y"));
  const auto sent = sent_of(lab.access, 0x0800);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(mac_at(sent[0], 0), kPhoneMac);
}

TEST(Arp, FollowsAGatewayThatMoves) {
  NetLab lab;
  lab.start();
  const IpAddress gateway = ip("198.18.0.254");
  lab.receive(arp_frame(2, kGatewayMac, gateway, kUs));
  lab.receive(arp_frame(1, kOtherMac, gateway, gateway, kBroadcast));
  lab.send(kAccessV4, at("203.0.113.7:5060"), text("x"));
  const auto sent = sent_of(lab.access, 0x0800);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(mac_at(sent[0], 0), kOtherMac);
}

TEST(Arp, ProbesAStaleNeighbourAndKeepsUsingIt) {
  NetLab lab;
  lab.start();
  lab.send(kAccessV4, {kPhone, 5060}, text("x"));
  lab.receive(arp_frame(2, kPhoneMac, kPhone, kUs));
  lab.cores.advance(seconds{31}, milliseconds{100});
  lab.access.sent();
  lab.send(kAccessV4, {kPhone, 5060}, text("y"));
  auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(2));
  const Bytes probe = bytes_of(sent[0]);
  EXPECT_EQ(probe, ethernet(kAccessMac, kPhoneMac, 0x0806, arp(1, kAccessMac, kUs, {}, kPhone)));
  EXPECT_EQ(mac_at(bytes_of(sent[1]), 0), kPhoneMac);
  // No answer: after three probes it is asked for like a stranger.
  lab.cores.advance(seconds{4}, milliseconds{100});
  EXPECT_THAT(sent_of(lab.access, 0x0806), SizeIs(2));
  lab.send(kAccessV4, {kPhone, 5060}, text("z"));
  const auto asked = lab.access.sent();
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(mac_at(bytes_of(asked[0]), 0), kBroadcast);
}

TEST(Arp, LearnsFromTrafficOnlyWhoIsOnTheLinkOrTheGateway) {
  NetLab lab;
  lab.start();
  // Off-link and through the gateway: the gateway entry is Incomplete, traffic fills it.
  lab.receive(udp_frame(kGatewayMac, kAccessMac, at("203.0.113.5:5060"), {kUs, 5060}, text("x")));
  lab.send(kAccessV4, at("203.0.113.9:5060"), text("y"));
  const auto sent = sent_of(lab.access, 0x0800);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(mac_at(sent[0], 0), kGatewayMac);
}

TEST(Arp, DoesNotLearnFromTrafficWithoutARoute) {
  NetLab lab;
  lab.start();
  const Bytes frame =
      udp_frame(kOtherMac, kCoreMac, at("203.0.113.5:5060"), at("198.19.0.2:5060"), text("x"));
  Bytes tagged{frame.begin(), frame.begin() + 12};
  put16(tagged, 0x8100);
  put16(tagged, 12);
  put(tagged, ByteView{frame}.subspan(12));
  lab.core_port.put(tagged);
  lab.cores.settle();
  EXPECT_EQ(lab.count(NetCounter::Delivered), 1U);
  EXPECT_THAT(lab.core_port.sent(), SizeIs(0));
}

TEST(NeighbourCache, GivesUpTheOldestButNeverAGateway) {
  NetCounters counters;
  NeighbourCache cache(8, 256, HashKey{1, 2}, counters);
  const Instant start{seconds{100}};
  cache.resolve(start, 0, ip("198.18.0.254"), true);
  for (unsigned i = 1; i <= 50; ++i) {
    cache.resolve(start + seconds{i}, 0, IpAddress::v4(198, 18, 0, static_cast<std::uint8_t>(i)),
                  false);
  }
  EXPECT_NE(cache.find(0, ip("198.18.0.254")), nullptr);
  EXPECT_EQ(cache.find(0, ip("198.18.0.43")), nullptr);
  EXPECT_NE(cache.find(0, ip("198.18.0.44")), nullptr);
  EXPECT_NE(cache.find(0, ip("198.18.0.50")), nullptr);
  EXPECT_EQ(counters[NetCounter::NeighbourEvicted].value(), 43U);
}

TEST(NeighbourCache, CountsWhatWaitedForAnEntryThatIsGivenUp) {
  NetCounters counters;
  NeighbourCache cache(8, 256, HashKey{1, 2}, counters);
  const Instant start{seconds{100}};
  auto [entry, ask] = cache.resolve(start, 0, ip("198.18.0.99"), false);
  ASSERT_TRUE(cache.wait_for(*entry, {OwnedBytes::from_heap(8), at("198.18.0.99:1"), 0}));
  for (unsigned i = 1; i <= 8; ++i) {
    cache.resolve(start + seconds{i}, 0, IpAddress::v4(198, 18, 0, static_cast<std::uint8_t>(i)),
                  false);
  }
  EXPECT_EQ(counters[NetCounter::TxUnreachable].value(), 1U);
  EXPECT_EQ(cache.waiting(), 0U);
}

TEST(NeighbourCache, BoundsWhatWaitsInAll) {
  NetCounters counters;
  NeighbourCache cache(64, 4, HashKey{1, 2}, counters);
  unsigned kept = 0;
  for (unsigned i = 0; i < 6; ++i) {
    auto [entry, ask] =
        cache.resolve(Instant{}, 0, IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(i)), false);
    kept += cache.wait_for(*entry, {OwnedBytes::from_heap(8), at("198.18.0.99:1"), 0});
  }
  EXPECT_EQ(kept, 4U);
}

TEST(NeighbourDiscovery, AnswersSolicitation) {
  NetLab lab;
  lab.start();
  lab.receive(nd_frame(135, kPhoneMac, kSolicitedMac, kPhone6, kSolicitedUs, 0, kUs6,
                       link_option(1, kPhoneMac)));
  const auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(1));
  const Bytes expected = nd_frame(136, kAccessMac, kPhoneMac, kUs6, kPhone6, 0x60000000, kUs6,
                                  link_option(2, kAccessMac));
  EXPECT_EQ(bytes_of(sent[0]), expected);
}

TEST(NeighbourDiscovery, AnswersDuplicateAddressDetectionToAllNodes) {
  NetLab lab;
  lab.start();
  lab.receive(nd_frame(135, kPhoneMac, kSolicitedMac, ip("::"), kSolicitedUs, 0, kUs6, {}));
  const auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(bytes_of(sent[0]),
            nd_frame(136, kAccessMac, {0x33, 0x33, 0, 0, 0, 1}, kUs6, ip("ff02::1"), 0x20000000,
                     kUs6, link_option(2, kAccessMac)));
}

TEST(NeighbourDiscovery, AnswersForTheLinkLocalAddress) {
  NetLab lab;
  lab.start();
  const IpAddress ours = ip("fe80::ff:fe00:1");  // EUI-64 of 02:00:00:00:00:01
  const IpAddress router = ip("fe80::1");
  lab.receive(nd_frame(135, kGatewayMac, {0x33, 0x33, 0xff, 0, 0, 1}, router, ip("ff02::1:ff00:1"),
                       0, ours, link_option(1, kGatewayMac)));
  EXPECT_EQ(lab.count(NetCounter::Answered), 1U);
  EXPECT_THAT(lab.access.sent(), SizeIs(1));
}

TEST(NeighbourDiscovery, RefusesWhatRfc4861SaysToDiscard) {
  NetLab lab;
  lab.start();
  const auto solicit = [&](const IpAddress& source, const IpAddress& destination,
                           const IpAddress& target, const Bytes& options, unsigned hops) {
    lab.receive(nd_frame(135, kPhoneMac, destination.is_multicast() ? kSolicitedMac : kAccessMac,
                         source, destination, 0, target, options, hops));
  };
  solicit(kPhone6, kSolicitedUs, kUs6, link_option(1, kPhoneMac), 254);  // was forwarded
  solicit(kPhone6, kSolicitedUs, ip("ff02::1"), {}, 255);                // multicast target
  solicit(ip("::"), kSolicitedUs, kUs6, link_option(1, kPhoneMac), 255);
  solicit(ip("::"), kUs6, kUs6, {}, 255);                               // DAD not to the group
  solicit(kPhone6, kSolicitedUs, kUs6, {1, 0, 0, 0, 0, 0, 0, 0}, 255);  // option of length zero
  solicit(kPhone6, kSolicitedUs, kUs6, {1, 2, 0, 0, 0, 0, 0, 0}, 255);  // option beyond the end
  // Solicited advertisement to a group.
  lab.receive(nd_frame(136, kPhoneMac, {0x33, 0x33, 0, 0, 0, 1}, kPhone6, ip("ff02::1"), 0x40000000,
                       kPhone6, {}));
  EXPECT_EQ(lab.count(NetCounter::NdMalformed), 7U);
  solicit(kPhone6, ip("ff02::1:ff00:3"), ip("fd00:18::3"), link_option(1, kPhoneMac), 255);
  EXPECT_EQ(lab.count(NetCounter::NdNotUs), 1U);
  EXPECT_THAT(lab.access.sent(), SizeIs(0));
  lab.expect_balanced();
}

TEST(NeighbourDiscovery, ResolvesAndSends) {
  NetLab lab;
  lab.start();
  lab.send(kAccessV6, {kPhone6, 5060}, text("x"));
  auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(bytes_of(sent[0]),
            nd_frame(135, kAccessMac, {0x33, 0x33, 0xff, 0, 0, 0x10}, kUs6, ip("ff02::1:ff00:10"),
                     0, kPhone6, link_option(1, kAccessMac)));
  lab.receive(nd_frame(136, kPhoneMac, kAccessMac, kPhone6, kUs6, 0x60000000, kPhone6,
                       link_option(2, kPhoneMac)));
  sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(mac_at(bytes_of(sent[0]), 0), kPhoneMac);
}

TEST(NeighbourDiscovery, KeepsReachableNeighbourAgainstUnsolicitedAdvertisement) {
  NetLab lab;
  lab.start();
  lab.send(kAccessV6, {kPhone6, 5060}, text("x"));
  lab.receive(nd_frame(136, kPhoneMac, kAccessMac, kPhone6, kUs6, 0x60000000, kPhone6,
                       link_option(2, kPhoneMac)));
  lab.receive(nd_frame(136, kOtherMac, {0x33, 0x33, 0, 0, 0, 1}, kPhone6, ip("ff02::1"), 0x20000000,
                       kPhone6, link_option(2, kOtherMac)));
  lab.receive(nd_frame(136, kOtherMac, kAccessMac, kPhone6, kUs6, 0x60000000, kPhone6,
                       link_option(2, kOtherMac)));
  lab.access.sent();
  lab.send(kAccessV6, {kPhone6, 5060}, text("y"));
  const auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(mac_at(bytes_of(sent[0]), 0), kPhoneMac);
}

TEST(NeighbourDiscovery, RefusesFragmentedMessages) {
  NetLab lab;
  lab.start();
  Bytes rest;
  put(rest, kUs6.view());
  put(rest, link_option(1, kPhoneMac));
  const Bytes message = icmpv6(kPhone6, kUs6, 135, 0, 0, rest);
  for (unsigned i = 0; i < 2; ++i) {
    Bytes fragment = {58, 0};
    put16(fragment, i == 0 ? 1 : 16);
    put32(fragment, 77);
    put(fragment, ByteView{message}.subspan(i * 16, 16));
    lab.receive(ip_frame(kPhoneMac, kAccessMac, ipv6(kPhone6, kUs6, 44, fragment, 255)));
  }
  EXPECT_EQ(lab.count(NetCounter::NdMalformed), 1U);  // RFC 6980
  EXPECT_THAT(lab.access.sent(), SizeIs(0));
}

}  // namespace
}  // namespace sluice::dataplane
