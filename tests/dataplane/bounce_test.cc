// SPDX-License-Identifier: Apache-2.0
//
// Several workers on one port: fragments meet, neighbours are shared, datagrams find the port's
// owner.
#include "tests/dataplane/net_fixture.h"

namespace sluice::dataplane {
namespace {

using ::testing::SizeIs;

const Endpoint kPhone = at("198.18.0.10:5062");
const Endpoint kEdge = at("198.18.0.2:5060");

Bytes piece(ByteView datagram, std::size_t offset, std::size_t size, bool more, unsigned id) {
  Ipv4Fields fields;
  fields.id = id;
  fields.fragment = static_cast<unsigned>(offset / 8) | (more ? 0x2000U : 0U);
  return ip_frame(kPhoneMac, kAccessMac,
                  ipv4(kPhone.address, kEdge.address, 17, datagram.subspan(offset, size), fields));
}

TEST(Bounce, BringsFragmentsOfTwoQueuesTogether) {
  NetLab lab(2);
  lab.start();
  const Bytes payload = pattern(2000);
  const Bytes datagram = udp(kPhone, kEdge, payload);
  for (unsigned id = 0; id < 64; ++id) {
    lab.receive(piece(datagram, 0, 1480, true, id), id % 2);
    lab.receive(piece(datagram, 1480, 528, false, id), 1 - id % 2);
  }
  EXPECT_EQ(lab.sinks[0].got.size() + lab.sinks[1].got.size(), 64U);
  EXPECT_GT(lab.sinks[0].got.size(), 16U) << "both workers take part";
  EXPECT_GT(lab.sinks[1].got.size(), 16U);
  for (unsigned i = 0; i < 2; ++i) {
    for (const auto& got : lab.sinks[i].got) EXPECT_EQ(got.payload, payload);
  }
  EXPECT_EQ(lab.count(NetCounter::Bounced, 0), lab.count(NetCounter::BouncedIn, 1));
  EXPECT_EQ(lab.count(NetCounter::Bounced, 1), lab.count(NetCounter::BouncedIn, 0));
  EXPECT_EQ(lab.count(NetCounter::Bounced, 0) + lab.count(NetCounter::Bounced, 1), 64U);
  lab.expect_balanced();
  EXPECT_EQ(lab.access.free_buffers(), lab.access.buffers());
}

TEST(Bounce, CarriesVlanFramesWhole) {
  TopologySpec spec = lab_spec();
  spec.ports[0].vlan = 100;
  NetLab lab(2, spec);
  lab.start();
  const Bytes datagram = udp(kPhone, kEdge, pattern(2000));
  for (unsigned id = 0; id < 8; ++id) {
    for (const bool last : {false, true}) {
      const Bytes frame =
          last ? piece(datagram, 1480, 528, false, id) : piece(datagram, 0, 1480, true, id);
      Bytes out{frame.begin(), frame.begin() + 12};
      put16(out, 0x8100);
      put16(out, 100);
      put(out, ByteView{frame}.subspan(12));
      lab.receive(out, last ? 1 : 0);
    }
  }
  EXPECT_EQ(lab.sinks[0].got.size() + lab.sinks[1].got.size(), 8U);
}

TEST(Bounce, CountsAFullRing) {
  NetLab lab(2);
  lab.start();
  const Bytes datagram = udp(kPhone, kEdge, pattern(2000));
  for (unsigned id = 0; id < 400; ++id) lab.access.put(piece(datagram, 0, 1480, true, id));
  for (int i = 0; i < 20; ++i) lab.cores.step(0);  // worker 1 never gets its turn
  EXPECT_EQ(lab.count(NetCounter::Bounced, 0), 64U);
  EXPECT_GT(lab.count(NetCounter::BounceFull, 0), 0U);
  lab.cores.settle();
  lab.expect_balanced();
}

TEST(Bounce, SharesNeighbours) {
  NetLab lab(2);
  lab.start();
  lab.send(kAccessV4, kPhone, text("x"), 1);  // worker 1 asks
  EXPECT_THAT(lab.access.sent(1), SizeIs(1));
  // The answer lands on the queue of worker 0, which did not ask.
  lab.receive(
      ethernet(kPhoneMac, kAccessMac, 0x0806, arp(1, kPhoneMac, kPhone.address, {}, kEdge.address)),
      0);
  const auto sent = lab.access.sent(1);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(mac_at(bytes_of(sent[0]), 0), kPhoneMac);
  lab.expect_balanced();
}

TEST(Bounce, SharesRepliesThatLandOnTheWrongQueue) {
  NetLab lab(2);
  lab.start();
  lab.send(kAccessV4, kPhone, text("x"), 1);
  lab.access.sent(1);
  lab.receive(ethernet(kPhoneMac, kAccessMac, 0x0806,
                       arp(2, kPhoneMac, kPhone.address, kAccessMac, kEdge.address)),
              0);
  EXPECT_THAT(lab.access.sent(1), SizeIs(1));
}

TEST(Bounce, SendsThroughTheWorkerThatOwnsThePort) {
  NetLab lab(2);
  lab.start();
  lab.send(kCoreV4, at("198.19.0.10:5060"), text("x"), 0);  // worker 1 has the core port
  EXPECT_EQ(lab.count(NetCounter::TxBounced, 0), 1U);
  EXPECT_EQ(lab.count(NetCounter::TxSubmitted, 1), 1U);
  EXPECT_EQ(lab.worker[1]->waiting_for_neighbours(), 1U);
  EXPECT_THAT(lab.core_port.sent(), SizeIs(1));  // the ARP request
  lab.expect_balanced();
}

TEST(Bounce, TellsPeersAboutThePathMtu) {
  NetLab lab(2);
  lab.start();
  const Endpoint phone = at("[fd00:18::10]:5062");
  const Endpoint edge = at("[fd00:18::2]:5060");
  lab.receive(udp_frame(kPhoneMac, kAccessMac, phone, edge, text("x")), 1);
  lab.send(kAccessV6, phone, pattern(1400), 1);
  const Bytes quoted = ipv6(edge.address, phone.address, 17, udp(edge, phone, {}));
  lab.receive(ip_frame(kGatewayMac, kAccessMac,
                       ipv6(ip("fd00:18::fe"), edge.address, 58,
                            icmpv6(ip("fd00:18::fe"), edge.address, 2, 0, 1300, quoted))),
              0);
  lab.send(kAccessV6, phone, pattern(1400), 1);
  EXPECT_EQ(lab.count(NetCounter::FragmentsSent, 1), 2U);
}

TEST(Bounce, OnlyOneWorkerAnnouncesAPort) {
  NetLab lab(2);
  lab.cores.settle();
  EXPECT_THAT(lab.access.sent(0), SizeIs(4));
  EXPECT_THAT(lab.access.sent(1), SizeIs(2));  // asks for the gateways, no announcements
}

}  // namespace
}  // namespace sluice::dataplane
