// SPDX-License-Identifier: Apache-2.0
//
// Echo, port unreachable and path MTU, both families.
#include "tests/dataplane/net_fixture.h"

namespace sluice::dataplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::SizeIs;

const Endpoint kPhone = at("198.18.0.10:5062");
const Endpoint kEdge = at("198.18.0.2:5060");
const Endpoint kPhone6 = at("[fd00:18::10]:5062");
const Endpoint kEdge6 = at("[fd00:18::2]:5060");

Bytes ping(ByteView data) {
  return ip_frame(kPhoneMac, kAccessMac,
                  ipv4(kPhone.address, kEdge.address, 1, icmp(8, 0, 0x12340001, data)));
}

TEST(Icmp, AnswersEcho) {
  NetLab lab;
  lab.start();
  lab.receive(ping(text("are you there?!")));
  const auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(1));
  const Bytes frame = bytes_of(sent[0]);
  EXPECT_EQ(mac_at(frame, 0), kPhoneMac);
  const ByteView packet = ByteView{frame}.subspan(14);
  EXPECT_EQ(checksum16(packet.first(20)), 0U);
  EXPECT_EQ(IpAddress::from_bytes(IpFamily::V4, &packet[16]), kPhone.address);
  const Bytes reply{packet.begin() + 20, packet.end()};
  EXPECT_EQ(reply, icmp(0, 0, 0x12340001, text("are you there?!")));
  EXPECT_EQ(lab.count(NetCounter::Answered), 1U);
}

TEST(Icmpv6, AnswersEcho) {
  NetLab lab;
  lab.start();
  lab.receive(ip_frame(kPhoneMac, kAccessMac,
                       ipv6(kPhone6.address, kEdge6.address, 58,
                            icmpv6(kPhone6.address, kEdge6.address, 128, 0, 7, text("ping")))));
  const auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(bytes_of(sent[0]),
            ip_frame(kAccessMac, kPhoneMac,
                     ipv6(kEdge6.address, kPhone6.address, 58,
                          icmpv6(kEdge6.address, kPhone6.address, 129, 0, 7, text("ping")))));
}

TEST(Icmp, AnswersFragmentedEchoInFragments) {
  NetLab lab;
  lab.start();
  const Bytes data = pattern(3000);
  const Bytes request = icmp(8, 0, 1, data);
  for (std::size_t offset = 0; offset < request.size(); offset += 1480) {
    const std::size_t size = std::min<std::size_t>(1480, request.size() - offset);
    Ipv4Fields fields;
    fields.id = 9;
    fields.fragment =
        static_cast<unsigned>(offset / 8) | (offset + size < request.size() ? 0x2000U : 0U);
    lab.receive(ip_frame(
        kPhoneMac, kAccessMac,
        ipv4(kPhone.address, kEdge.address, 1, ByteView{request}.subspan(offset, size), fields)));
  }
  const auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(3));
  Bytes reply;
  for (const TxFrame& frame : sent) put(reply, frame.bytes.view().subspan(34));
  EXPECT_EQ(reply, icmp(0, 0, 1, data));
}

TEST(Icmp, LimitsEchoAndCanBeSwitchedOff) {
  TopologySpec spec = lab_spec();
  spec.ports[0].icmp_rate = 10;
  NetLab lab(1, spec);
  lab.start();
  for (int i = 0; i < 50; ++i) lab.receive(ping(text("x")));
  EXPECT_EQ(lab.count(NetCounter::Answered), 10U);
  EXPECT_EQ(lab.count(NetCounter::IcmpLimited), 40U);
  lab.cores.clock.advance(milliseconds{500});
  for (int i = 0; i < 50; ++i) lab.receive(ping(text("x")));
  EXPECT_EQ(lab.count(NetCounter::Answered), 15U);
  lab.expect_balanced();

  spec.ports[0].icmp_echo = false;
  NetLab silent(1, spec);
  silent.start();
  silent.receive(ping(text("x")));
  EXPECT_EQ(silent.count(NetCounter::IcmpLimited), 1U);
  EXPECT_THAT(silent.access.sent(), SizeIs(0));
}

TEST(Icmp, DropsMalformedAndUnknown) {
  NetLab lab;
  lab.start();
  Bytes bad = ping(text("x"));
  bad.back() ^= 1;
  lab.receive(bad);
  lab.receive(ip_frame(kPhoneMac, kAccessMac,
                       ipv4(kPhone.address, kEdge.address, 1, Bytes{8, 0, 0xf7, 0xff})));
  EXPECT_EQ(lab.count(NetCounter::IcmpMalformed), 2U);
  lab.receive(ip_frame(kPhoneMac, kAccessMac,
                       ipv4(kPhone.address, kEdge.address, 1, icmp(13, 0, 0, Bytes(12)))));
  EXPECT_EQ(lab.count(NetCounter::IcmpUnknown), 1U);
  lab.receive(ip_frame(kPhoneMac, kAccessMac,
                       ipv6(kPhone6.address, kEdge6.address, 58,
                            icmpv6(kPhone6.address, kEdge6.address, 134, 0, 0, Bytes(8)), 255)));
  EXPECT_EQ(lab.count(NetCounter::IcmpUnknown), 2U) << "router advertisements are not listened to";
  EXPECT_THAT(lab.access.sent(), SizeIs(0));
}

TEST(Icmp, SaysPortUnreachableWithAQuote) {
  NetLab lab;
  lab.start();
  const Bytes packet =
      ipv4(kPhone.address, kEdge.address, 17, udp(kPhone, at("198.18.0.2:9"), text("hello")));
  lab.receive(ip_frame(kPhoneMac, kAccessMac, packet));
  const auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(1));
  const Bytes frame = bytes_of(sent[0]);
  const Bytes error{frame.begin() + 34, frame.end()};
  EXPECT_EQ(error, icmp(3, 3, 0, packet));
  EXPECT_EQ(frame[23], 1);
  EXPECT_EQ(lab.count(NetCounter::IcmpErrorsSent), 1U);
}

TEST(Icmpv6, SaysPortUnreachableWithinTheMinimumMtu) {
  NetLab lab;
  lab.start();
  const Bytes packet =
      ipv6(kPhone6.address, kEdge6.address, 17, udp(kPhone6, at("[fd00:18::2]:9"), pattern(1400)));
  lab.receive(ip_frame(kPhoneMac, kAccessMac, packet));
  const auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(1));
  const Bytes frame = bytes_of(sent[0]);
  EXPECT_EQ(frame.size(), 14U + 1280U);
  const Bytes error{frame.begin() + 54, frame.end()};
  EXPECT_EQ(error,
            icmpv6(kEdge6.address, kPhone6.address, 1, 4, 0, ByteView{packet}.first(1280 - 48)));
}

TEST(Icmp, UnreachableCanBeSwitchedOff) {
  TopologySpec spec = lab_spec();
  spec.ports[0].icmp_unreachable = false;
  NetLab lab(1, spec);
  lab.start();
  lab.receive(udp_frame(kPhoneMac, kAccessMac, kPhone, at("198.18.0.2:9"), text("x")));
  EXPECT_EQ(lab.count(NetCounter::UdpNoListener), 1U);
  EXPECT_THAT(lab.access.sent(), SizeIs(0));
}

// Sizes of the layer 3 packets that were sent.
std::vector<std::size_t> sizes(FakePort& port) {
  std::vector<std::size_t> out;
  for (const TxFrame& frame : port.sent()) out.push_back(frame.bytes.size() - 14);
  return out;
}

Bytes too_big6(const Endpoint& source, const Endpoint& remote, std::uint32_t mtu) {
  const Bytes quoted = ipv6(source.address, remote.address, 17, udp(source, remote, pattern(100)));
  return ip_frame(kGatewayMac, kAccessMac,
                  ipv6(ip("fd00:18::fe"), kEdge6.address, 58,
                       icmpv6(ip("fd00:18::fe"), kEdge6.address, 2, 0, mtu, quoted)));
}

TEST(PathMtu, ShrinksForADestinationWeHaveSentTo) {
  NetLab lab;
  lab.start();
  lab.receive(udp_frame(kPhoneMac, kAccessMac, kPhone6, kEdge6, text("x")));
  lab.access.sent();
  lab.send(kAccessV6, kPhone6, pattern(1400));
  lab.access.sent();
  lab.receive(too_big6(kEdge6, kPhone6, 1300));
  EXPECT_EQ(lab.count(NetCounter::IcmpNoted), 1U);
  lab.send(kAccessV6, kPhone6, pattern(1400));
  for (const std::size_t size : sizes(lab.access)) EXPECT_LE(size, 1300U);
  EXPECT_EQ(lab.count(NetCounter::FragmentsSent), 2U);

  lab.cores.clock.advance(minutes{11});  // RFC 8201 5.3
  lab.send(kAccessV6, kPhone6, pattern(1400));
  EXPECT_EQ(lab.count(NetCounter::FragmentsSent), 2U);
}

TEST(PathMtu, DoesNotBelieveStrangers) {
  NetLab lab;
  lab.start();
  lab.receive(udp_frame(kPhoneMac, kAccessMac, kPhone6, kEdge6, text("x")));
  lab.receive(too_big6(kEdge6, kPhone6, 1300));  // nothing large was sent there
  lab.send(kAccessV6, kPhone6, pattern(1400));
  lab.receive(too_big6(kEdge6, kPhone6, 1279));                   // below the minimum
  lab.receive(too_big6(kEdge6, kPhone6, 70000));                  // above the maximum
  lab.receive(too_big6(kEdge6, kPhone6, 1500));                   // no news
  lab.receive(too_big6(at("[fd00:18::2]:999"), kPhone6, 1300));   // no such listener
  lab.receive(too_big6(at("[fd00:18::3]:5060"), kPhone6, 1300));  // not our address
  lab.receive(too_big6(kEdge6, at("[fd00:18::99]:5060"), 1300));  // not sent to
  EXPECT_EQ(lab.count(NetCounter::IcmpNoted), 0U);
  EXPECT_EQ(lab.count(NetCounter::IcmpInvalid), 7U);
  lab.access.sent();
  lab.send(kAccessV6, kPhone6, pattern(1400));
  EXPECT_EQ(lab.count(NetCounter::FragmentsSent), 0U);
  lab.expect_balanced();
}

TEST(PathMtu, NotesFragmentationNeeded) {
  NetLab lab;
  lab.start();
  lab.learn_phone();
  lab.send(kAccessV4, kPhone, pattern(1400));
  lab.access.sent();
  const Bytes quoted = ipv4(kEdge.address, kPhone.address, 17, udp(kEdge, kPhone, {}));
  const auto too_big = [&](std::uint32_t mtu) {
    lab.receive(ip_frame(kGatewayMac, kAccessMac,
                         ipv4(ip("198.18.0.254"), kEdge.address, 1, icmp(3, 4, mtu, quoted))));
  };
  too_big(551);
  too_big(0);  // a router from before RFC 1191
  EXPECT_EQ(lab.count(NetCounter::IcmpInvalid), 2U);
  too_big(1000);
  EXPECT_EQ(lab.count(NetCounter::IcmpNoted), 1U);
  lab.send(kAccessV4, kPhone, pattern(1400));
  const auto sent = sizes(lab.access);
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_LE(sent[0], 1000U);
}

TEST(PathMtu, ReadsTheQuoteOfAFragment) {
  NetLab lab;
  lab.start();
  lab.receive(udp_frame(kPhoneMac, kAccessMac, kPhone6, kEdge6, text("x")));
  lab.send(kAccessV6, kPhone6, pattern(3000));
  Bytes quoted_payload = {17, 0, 0, 1, 0, 0, 0, 9};
  put(quoted_payload, udp(kEdge6, kPhone6, pattern(64)));
  const Bytes quoted = ipv6(kEdge6.address, kPhone6.address, 44, quoted_payload);
  lab.receive(ip_frame(kGatewayMac, kAccessMac,
                       ipv6(ip("fd00:18::fe"), kEdge6.address, 58,
                            icmpv6(ip("fd00:18::fe"), kEdge6.address, 2, 0, 1400, quoted))));
  EXPECT_EQ(lab.count(NetCounter::IcmpNoted), 1U);
}

}  // namespace
}  // namespace sluice::dataplane
