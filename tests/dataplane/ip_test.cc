// SPDX-License-Identifier: Apache-2.0
//
// Ethernet, VLAN, IPv4, IPv6 and UDP input checks: each bad packet in its own row.
#include "dataplane/net/checksum.h"
#include "tests/dataplane/net_fixture.h"

namespace sluice::dataplane {
namespace {

using ::testing::SizeIs;

const Endpoint kPhone = at("198.18.0.10:5062");
const Endpoint kEdge = at("198.18.0.2:5060");
const Endpoint kPhone6 = at("[fd00:18::10]:5062");
const Endpoint kEdge6 = at("[fd00:18::2]:5060");

Bytes good() {
  return udp_frame(kPhoneMac, kAccessMac, kPhone, kEdge, text("OPTIONS"));
}
Bytes good6() {
  return udp_frame(kPhoneMac, kAccessMac, kPhone6, kEdge6, text("OPTIONS"));
}
void refresh_ipv4_checksum(Bytes& frame) {
  const std::size_t header = (frame[14] & 0x0fU) * 4;
  set16(frame, 24, 0);
  set16(frame, 24, checksum16(ByteView{frame}.subspan(14, header)));
}

// Receives one frame and expects it to end in one row.
void expect_ends_in(const Bytes& frame, NetCounter row, TopologySpec spec = lab_spec()) {
  NetLab lab(1, std::move(spec));
  lab.start();
  lab.receive(frame);
  EXPECT_EQ(lab.count(row), 1U);
  lab.expect_balanced();
  EXPECT_THAT(lab.sinks[0].got, SizeIs(row == NetCounter::Delivered ? 1 : 0));
}

TEST(Checksum, Rfc1071Example) {
  const Bytes example = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  Bytes out(2);
  wire::store_raw16(out.data(), checksum_fold(checksum_add(example)));
  EXPECT_EQ(get16(out, 0), 0xddf2U);
}

TEST(Checksum, AgreesWithTheTextbookLoopAtEveryLength) {
  for (std::size_t size = 0; size < 300; ++size) {
    Bytes bytes = pattern(size);
    if (size > 40) std::fill(bytes.begin() + 8, bytes.begin() + 40, 0xff);  // carries
    Bytes out(2);
    wire::store_raw16(out.data(), checksum_finish(checksum_add(bytes)));
    ASSERT_EQ(get16(out, 0), checksum16(bytes)) << size;
  }
}

TEST(Checksum, CarriesAcrossEveryLane) {
  const Bytes ones(64, 0xff);
  EXPECT_EQ(checksum_fold(checksum_add(ones)), 0xffff);
  EXPECT_EQ(checksum_fold(checksum_add(ones, ~std::uint64_t{0})), 0xffff);
}

TEST(Ethernet, DropsWhatIsNotForUs) {
  Bytes frame = good();
  frame[5] ^= 1;
  expect_ends_in(frame, NetCounter::EthernetNotUs);
  frame = good();
  frame[6] |= 1;
  expect_ends_in(frame, NetCounter::EthernetSource);
  frame = good();
  std::copy(kAccessMac.begin(), kAccessMac.end(), frame.begin() + 6);
  expect_ends_in(frame, NetCounter::EthernetSource);
  expect_ends_in(Bytes{}, NetCounter::EthernetShort);
  frame = good();
  frame.resize(13);
  expect_ends_in(frame, NetCounter::EthernetShort);
  frame = good();
  set16(frame, 12, 0x88cc);
  expect_ends_in(frame, NetCounter::EtherType);
  frame = good();
  std::fill(frame.begin(), frame.begin() + 6, 0xff);
  expect_ends_in(frame, NetCounter::IpGroup);  // RFC 1122 3.3.6
}

TEST(Ethernet, DropsTruncatedFrames) {
  NetLab lab;
  lab.start();
  lab.access.put(good(), 0, RxChecksum::Unknown, true);
  lab.cores.settle();
  EXPECT_EQ(lab.count(NetCounter::Truncated), 1U);
  EXPECT_THAT(lab.sinks[0].got, SizeIs(0));
}

TEST(Ethernet, IgnoresPadding) {
  NetLab lab;
  lab.start();
  Bytes frame = good();
  frame.resize(frame.size() + 20, 0xee);
  lab.receive(frame);
  ASSERT_THAT(lab.sinks[0].got, SizeIs(1));
  EXPECT_EQ(lab.sinks[0].got[0].payload, text("OPTIONS"));
}

Bytes tagged(const Bytes& frame, unsigned type, unsigned tag) {
  Bytes out{frame.begin(), frame.begin() + 12};
  put16(out, type);
  put16(out, tag);
  put(out, ByteView{frame}.subspan(12));
  return out;
}

TEST(Vlan, AcceptsPriorityTagOnUntaggedPort) {
  expect_ends_in(tagged(good(), 0x8100, 0xe000), NetCounter::Delivered);
  expect_ends_in(tagged(good(), 0x8100, 5), NetCounter::Vlan);
  expect_ends_in(tagged(tagged(good(), 0x8100, 5), 0x8100, 6), NetCounter::DoubleTag);
  expect_ends_in(tagged(tagged(good(), 0x8100, 5), 0x88a8, 6), NetCounter::DoubleTag);
  Bytes cut = tagged(good(), 0x8100, 0);
  cut.resize(17);
  expect_ends_in(cut, NetCounter::EthernetShort);
}

TEST(Vlan, SpeaksItsVlanBothWays) {
  TopologySpec spec = lab_spec();
  spec.ports[0].vlan = 100;
  expect_ends_in(good(), NetCounter::Vlan, spec);
  expect_ends_in(tagged(good(), 0x8100, 101), NetCounter::Vlan, spec);
  NetLab lab(1, spec);
  lab.start();
  lab.receive(tagged(good(), 0x8100, 0x6000 | 100));
  ASSERT_THAT(lab.sinks[0].got, SizeIs(1));
  lab.send(kAccessV4, kPhone, text("200"));
  const auto sent = lab.access.sent();
  ASSERT_FALSE(sent.empty());
  const Bytes answer = bytes_of(sent.back());
  EXPECT_EQ(get16(answer, 12), 0x8100U);
  EXPECT_EQ(get16(answer, 14), 100U);
  EXPECT_EQ(get16(answer, 16), 0x0800U);
  EXPECT_EQ(sent.back().l2_length, 18);
}

TEST(Vlan, SpeaksTwoTagsWhereConfigured) {
  TopologySpec spec = lab_spec();
  spec.ports[0].vlan = 100;
  spec.ports[0].service_vlan = 200;
  expect_ends_in(tagged(good(), 0x8100, 100), NetCounter::Vlan, spec);
  NetLab lab(1, spec);
  lab.start();
  lab.receive(tagged(tagged(good(), 0x8100, 100), 0x88a8, 200));
  ASSERT_THAT(lab.sinks[0].got, SizeIs(1));
  lab.send(kAccessV4, kPhone, text("200"));
  const Bytes answer = bytes_of(lab.access.sent().back());
  EXPECT_EQ(get16(answer, 12), 0x88a8U);
  EXPECT_EQ(get16(answer, 14), 200U);
  EXPECT_EQ(get16(answer, 16), 0x8100U);
  EXPECT_EQ(get16(answer, 18), 100U);
  EXPECT_EQ(get16(answer, 20), 0x0800U);
}

TEST(Ipv4, DropsMalformedHeaders) {
  Bytes frame = good();
  frame[14] = 0x55;  // version
  expect_ends_in(frame, NetCounter::IpMalformed);
  frame = good();
  frame[14] = 0x44;  // header length
  expect_ends_in(frame, NetCounter::IpMalformed);
  frame = good();
  set16(frame, 16, static_cast<unsigned>(frame.size() - 14 + 1));  // longer than the frame
  refresh_ipv4_checksum(frame);
  expect_ends_in(frame, NetCounter::IpMalformed);
  frame = good();
  set16(frame, 16, 19);
  refresh_ipv4_checksum(frame);
  expect_ends_in(frame, NetCounter::IpMalformed);
  frame = good();
  frame.resize(14 + 19);
  expect_ends_in(frame, NetCounter::IpMalformed);
  frame = good();
  frame[24] ^= 1;
  expect_ends_in(frame, NetCounter::IpChecksum);
  frame = good();
  frame[22] = 0;
  refresh_ipv4_checksum(frame);
  expect_ends_in(frame, NetCounter::IpTtl);
}

TEST(Ipv4, DropsMartians) {
  for (const char* source : {"0.0.0.1", "127.0.0.1", "224.0.0.5", "240.0.0.1", "255.255.255.255",
                             "198.18.0.2", "198.18.0.255", "198.18.0.0"}) {
    expect_ends_in(udp_frame(kPhoneMac, kAccessMac, {ip(source), 5060}, kEdge, text("x")),
                   NetCounter::IpMartian);
  }
}

TEST(Ipv4, TellsGroupsFromStrangers) {
  for (const char* to : {"224.0.1.75", "255.255.255.255", "198.18.0.255"}) {
    expect_ends_in(udp_frame(kPhoneMac, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, kPhone,
                             {ip(to), 5060}, text("x")),
                   NetCounter::IpGroup);
  }
  expect_ends_in(udp_frame(kPhoneMac, kAccessMac, kPhone, at("198.18.0.3:5060"), text("x")),
                 NetCounter::IpNotUs);
  // An address of the other port is not ours here (strong model).
  expect_ends_in(udp_frame(kPhoneMac, kAccessMac, kPhone, at("198.19.0.2:5060"), text("x")),
                 NetCounter::IpNotUs);
}

TEST(Ipv4, SkipsOptionsButNotSourceRoutes) {
  const auto with = [](Bytes options) {
    Ipv4Fields fields;
    fields.options = std::move(options);
    return ip_frame(kPhoneMac, kAccessMac,
                    ipv4(kPhone.address, kEdge.address, 17, udp(kPhone, kEdge, text("x")), fields));
  };
  expect_ends_in(with({0x94, 4, 0, 0}), NetCounter::Delivered);  // router alert
  expect_ends_in(with({1, 1, 1, 0}), NetCounter::Delivered);
  expect_ends_in(with({0, 131, 131, 131}), NetCounter::Delivered);  // behind the end of the list
  expect_ends_in(with({131, 4, 4, 0}), NetCounter::IpSourceRoute);
  expect_ends_in(with({1, 137, 3, 4}), NetCounter::IpSourceRoute);
  expect_ends_in(with({0x94, 1, 0, 0}), NetCounter::IpOptions);
  expect_ends_in(with({0x94, 5, 0, 0}), NetCounter::IpOptions);
  expect_ends_in(with({1, 1, 1, 7}), NetCounter::IpOptions);
}

TEST(Ipv4, DropsOtherProtocols) {
  expect_ends_in(
      ip_frame(kPhoneMac, kAccessMac, ipv4(kPhone.address, kEdge.address, 132, text("x"))),
      NetCounter::IpProtocol);
  expect_ends_in(
      ip_frame(kPhoneMac, kAccessMac, ipv4(kPhone.address, kEdge.address, 58, text("x"))),
      NetCounter::IpProtocol);
}

TEST(Ipv6, DropsMalformedHeaders) {
  Bytes frame = good6();
  frame[14] = 0x40;
  expect_ends_in(frame, NetCounter::IpMalformed);
  frame = good6();
  frame.resize(14 + 39);
  expect_ends_in(frame, NetCounter::IpMalformed);
  frame = good6();
  set16(frame, 18, get16(frame, 18) + 1);
  expect_ends_in(frame, NetCounter::IpMalformed);
  frame = good6();
  frame[21] = 0;
  expect_ends_in(frame, NetCounter::IpTtl);
}

TEST(Ipv6, DropsMartiansAndGroups) {
  for (const char* source : {"ff02::1", "::1", "::ffff:198.18.0.10", "fd00:18::2", "::"}) {
    expect_ends_in(udp_frame(kPhoneMac, kAccessMac, {ip(source), 5060}, kEdge6, text("x")),
                   NetCounter::IpMartian);
  }
  expect_ends_in(
      udp_frame(kPhoneMac, {0x33, 0x33, 0, 0, 0, 1}, kPhone6, at("[ff02::1]:5060"), text("x")),
      NetCounter::IpGroup);
  expect_ends_in(udp_frame(kPhoneMac, kAccessMac, kPhone6, at("[fd00:18::3]:5060"), text("x")),
                 NetCounter::IpNotUs);
}

Bytes with_extensions(const std::vector<std::pair<unsigned, Bytes>>& headers) {
  Bytes payload = udp(kPhone6, kEdge6, text("x"));
  unsigned next = 17;
  for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
    Bytes whole = header->second;
    whole[0] = static_cast<std::uint8_t>(next);
    put(whole, payload);
    payload = whole;
    next = header->first;
  }
  return ip_frame(kPhoneMac, kAccessMac, ipv6(kPhone6.address, kEdge6.address, next, payload));
}

TEST(Ipv6, WalksABoundedNumberOfExtensionHeaders) {
  const Bytes padding = {0, 0, 1, 4, 0, 0, 0, 0};
  expect_ends_in(with_extensions({{0, padding}, {60, padding}}), NetCounter::Delivered);
  expect_ends_in(with_extensions({{60, padding}, {60, padding}, {60, padding}, {60, padding}}),
                 NetCounter::Delivered);
  expect_ends_in(
      with_extensions({{60, padding}, {60, padding}, {60, padding}, {60, padding}, {60, padding}}),
      NetCounter::IpOptions);
  expect_ends_in(with_extensions({{60, {0, 200, 1, 4, 0, 0, 0, 0}}}), NetCounter::IpOptions);
  expect_ends_in(with_extensions({{43, {0, 0, 0, 0, 0, 0, 0, 0}}}), NetCounter::Delivered);
  expect_ends_in(with_extensions({{43, {0, 0, 0, 1, 0, 0, 0, 0}}}), NetCounter::IpSourceRoute);
  // A fragment header behind another header: per-fragment options, dropped.
  expect_ends_in(with_extensions({{0, padding}, {44, {0, 0, 0, 0, 0, 0, 0, 1}}}),
                 NetCounter::IpProtocol);
}

TEST(Udp, ChecksLengthAndPorts) {
  Bytes frame = good();
  set16(frame, 38, 7);
  expect_ends_in(frame, NetCounter::UdpMalformed);
  frame = good();
  set16(frame, 38, get16(frame, 38) + 1);
  expect_ends_in(frame, NetCounter::UdpMalformed);
  expect_ends_in(ip_frame(kPhoneMac, kAccessMac, ipv4(kPhone.address, kEdge.address, 17, Bytes(7))),
                 NetCounter::UdpMalformed);
  expect_ends_in(udp_frame(kPhoneMac, kAccessMac, at("198.18.0.10:0"), kEdge, text("x")),
                 NetCounter::UdpSource);
  expect_ends_in(udp_frame(kPhoneMac, kAccessMac, kPhone, at("198.18.0.2:5061"), text("x")),
                 NetCounter::UdpNoListener);
}

TEST(Udp, DeliversOnlyWhatItsLengthCovers) {
  NetLab lab;
  lab.start();
  Bytes datagram = udp(kPhone, kEdge, text("OPTIONS"));
  put(datagram, text("smuggled"));
  lab.receive(ip_frame(kPhoneMac, kAccessMac, ipv4(kPhone.address, kEdge.address, 17, datagram)));
  ASSERT_THAT(lab.sinks[0].got, SizeIs(1));
  EXPECT_EQ(lab.sinks[0].got[0].payload, text("OPTIONS"));
}

TEST(Udp, ChecksTheChecksum) {
  Bytes frame = good();
  frame.back() ^= 1;
  expect_ends_in(frame, NetCounter::UdpChecksum);
  frame = good();
  set16(frame, 40, 0);
  expect_ends_in(frame, NetCounter::Delivered);  // RFC 768: not computed
  frame = good6();
  frame.back() ^= 1;
  expect_ends_in(frame, NetCounter::UdpChecksum);
  frame = good6();
  set16(frame, 14 + 40 + 6, 0);
  expect_ends_in(frame, NetCounter::UdpChecksum);  // RFC 8200 8.1
}

TEST(Udp, BelievesThePortAboutChecksums) {
  NetLab lab;
  lab.start();
  Bytes frame = good();
  frame.back() ^= 1;
  lab.access.put(frame, 0, RxChecksum::Good);
  lab.access.put(good(), 0, RxChecksum::Bad);
  lab.cores.settle();
  EXPECT_EQ(lab.count(NetCounter::Delivered), 1U);
  EXPECT_EQ(lab.count(NetCounter::UdpChecksum), 1U);
}

TEST(Udp, AcceptsAPartialChecksumOnlyFromThisMachine) {
  Bytes frame = good();
  Bytes pseudo;
  put(pseudo, kPhone.address.view());
  put(pseudo, kEdge.address.view());
  put16(pseudo, 17);
  put16(pseudo, get16(frame, 38));
  set16(frame, 40, ~checksum16(pseudo) & 0xffff);
  expect_ends_in(frame, NetCounter::UdpChecksum);

  const auto topology = Topology::build(lab_spec());
  FakePort port("access", kAccessMac);
  port.mutable_info().accept_partial_checksum = true;
  const std::vector<std::vector<std::uint16_t>> ports_of = {{0}};
  BounceMesh mesh(ports_of, HashKey{1, 2});
  LargeBuffers large(1, 8);
  const WorkerQueue queue{&port, 0, 0};
  Worker worker(*topology, mesh, 0, large, HashKey{3, 4}, {&queue, 1});
  Collector sink;
  worker.set_sink(sink);
  TestCores cores;
  cores.loop().add(worker);
  port.put(frame);
  cores.settle();
  EXPECT_THAT(sink.got, SizeIs(1));
}

}  // namespace
}  // namespace sluice::dataplane
