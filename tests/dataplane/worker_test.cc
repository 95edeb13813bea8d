// SPDX-License-Identifier: Apache-2.0
#include "tests/dataplane/net_fixture.h"

namespace sluice::dataplane {
namespace {

using ::testing::ElementsAreArray;
using ::testing::SizeIs;

const Endpoint kPhone = at("198.18.0.10:5062");
const Endpoint kEdge = at("198.18.0.2:5060");
const Endpoint kPhone6 = at("[fd00:18::10]:5062");
const Endpoint kEdge6 = at("[fd00:18::2]:5060");

TEST(Worker, DeliversDatagramToListener) {
  NetLab lab;
  lab.start();
  lab.receive(udp_frame(kPhoneMac, kAccessMac, kPhone, kEdge, text("OPTIONS")));
  ASSERT_THAT(lab.sinks[0].got, SizeIs(1));
  const auto& got = lab.sinks[0].got[0];
  EXPECT_EQ(got.payload, text("OPTIONS"));
  EXPECT_EQ(got.source, kPhone);
  EXPECT_EQ(got.destination, kEdge);
  EXPECT_EQ(got.listener, kAccessV4);
  EXPECT_EQ(lab.count(NetCounter::Delivered), 1U);
  lab.expect_balanced();
}

TEST(Worker, DeliversIpv6Datagram) {
  NetLab lab;
  lab.start();
  lab.receive(udp_frame(kPhoneMac, kAccessMac, kPhone6, kEdge6, text("OPTIONS")));
  ASSERT_THAT(lab.sinks[0].got, SizeIs(1));
  EXPECT_EQ(lab.sinks[0].got[0].source, kPhone6);
  EXPECT_EQ(lab.sinks[0].got[0].listener, kAccessV6);
}

TEST(Worker, HandsABurstToTheSinkInOneCall) {
  NetLab lab;
  lab.start();
  for (int i = 0; i < 32; ++i) {
    lab.access.put(udp_frame(kPhoneMac, kAccessMac, kPhone, kEdge, text("OPTIONS")));
  }
  lab.cores.settle();
  EXPECT_EQ(lab.sinks[0].calls, 1U);
  EXPECT_THAT(lab.sinks[0].got, SizeIs(32));
}

TEST(Worker, TakesOneBurstPerTurn) {
  NetLab lab;
  lab.start();
  for (int i = 0; i < 100; ++i) {
    lab.access.put(udp_frame(kPhoneMac, kAccessMac, kPhone, kEdge, text("OPTIONS")));
  }
  lab.cores.step();
  EXPECT_THAT(lab.sinks[0].got, SizeIs(32));
}

TEST(Worker, AnswersThroughTheNeighbourTheDatagramCameFrom) {
  NetLab lab;
  lab.start();
  lab.receive(udp_frame(kPhoneMac, kAccessMac, kPhone, kEdge, text("OPTIONS")));
  lab.send(kAccessV4, kPhone, text("SIP/2.0 200 OK"));
  const auto sent = lab.access.sent();
  ASSERT_FALSE(sent.empty());
  Bytes answer = bytes_of(sent.back());
  // What was learned from traffic is used at once, and verified with a unicast request.
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(get16(bytes_of(sent[0]), 12), 0x0806U);
  EXPECT_EQ(mac_at(answer, 0), kPhoneMac);
  EXPECT_EQ(mac_at(answer, 6), kAccessMac);
  const ByteView packet = ByteView{answer}.subspan(14);
  EXPECT_EQ(checksum16(packet.first(20)), 0U);
  EXPECT_EQ(get16(packet, 2), packet.size());
  EXPECT_EQ(get16(packet, 6), 0U);  // DF clear
  EXPECT_EQ(transport_checksum(kEdge.address, kPhone.address, 17, packet.subspan(20)), 0U);
  EXPECT_EQ(get16(packet, 20), 5060U);
  EXPECT_EQ(get16(packet, 22), 5062U);
  const Bytes payload{packet.begin() + 28, packet.end()};
  EXPECT_EQ(payload, text("SIP/2.0 200 OK"));
}

TEST(Worker, AnswersOverIpv6) {
  NetLab lab;
  lab.start();
  lab.receive(udp_frame(kPhoneMac, kAccessMac, kPhone6, kEdge6, text("OPTIONS")));
  lab.send(kAccessV6, kPhone6, text("SIP/2.0 200 OK"));
  const auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(2));
  const Bytes answer = bytes_of(sent.back());
  const ByteView packet = ByteView{answer}.subspan(14);
  EXPECT_EQ(get16(answer, 12), 0x86ddU);
  EXPECT_EQ(get16(packet, 4), packet.size() - 40);
  EXPECT_EQ(packet[6], 17);
  EXPECT_EQ(transport_checksum(kEdge6.address, kPhone6.address, 17, packet.subspan(40)), 0U);
}

TEST(Worker, SendsToStrangersThroughTheGateway) {
  NetLab lab;
  lab.start();
  lab.receive(ethernet(kGatewayMac, kAccessMac, 0x0806,
                       arp(2, kGatewayMac, ip("198.18.0.254"), kAccessMac, ip("198.18.0.2"))));
  lab.send(kAccessV4, at("203.0.113.5:5060"), text("x"));
  const auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(mac_at(bytes_of(sent[0]), 0), kGatewayMac);
}

TEST(Worker, LeavesChecksumsToAPortThatHasTheOffload) {
  const auto topology = Topology::build(lab_spec());
  FakePort port("access", kAccessMac);
  port.mutable_info().tx_udp_checksum = port.mutable_info().tx_ipv4_checksum = true;
  const std::vector<std::vector<std::uint16_t>> ports_of = {{0}};
  BounceMesh mesh(ports_of, HashKey{1, 2});
  LargeBuffers large(1, 8);
  const WorkerQueue queue{&port, 0, 0};
  Worker worker(*topology, mesh, 0, large, HashKey{3, 4}, {&queue, 1});
  Collector sink;
  worker.set_sink(sink);
  TestCores cores;
  cores.loop().add(worker);
  port.put(udp_frame(kPhoneMac, kAccessMac, kPhone, kEdge, text("OPTIONS")));
  cores.settle();
  port.sent();
  OwnedBytes bytes = worker.allocate(cores.core(), 4);
  std::memcpy(bytes.data(), "1234", 4);
  worker.send_datagram(cores.core(), kAccessV4, kPhone, std::move(bytes));
  cores.settle();
  const auto sent = port.sent();
  ASSERT_FALSE(sent.empty());
  const TxFrame& frame = sent.back();
  EXPECT_TRUE(frame.offload_ipv4_checksum);
  EXPECT_TRUE(frame.offload_udp_checksum);
  EXPECT_EQ(frame.l2_length, 14);
  EXPECT_EQ(frame.l3_length, 20);
  const Bytes all = bytes_of(frame);
  EXPECT_EQ(get16(all, 24), 0U);
  Bytes pseudo;
  put(pseudo, kEdge.address.view());
  put(pseudo, kPhone.address.view());
  put16(pseudo, 17);
  put16(pseudo, 12);
  EXPECT_EQ(get16(all, 40), ~checksum16(pseudo) & 0xffff);
}

TEST(Worker, LendsPortBuffersAndLargeOnes) {
  NetLab lab;
  lab.start();
  const OwnedBytes small = lab.worker[0]->allocate(lab.cores.core(), 600);
  ASSERT_TRUE(small);
  EXPECT_EQ(small.size(), 600U);
  EXPECT_GE(small.headroom(), wire::kTxHeadroom);
  EXPECT_EQ(lab.access.free_buffers(), lab.access.buffers() - 1);
  const OwnedBytes large = lab.worker[0]->allocate(lab.cores.core(), 65507);
  ASSERT_TRUE(large);
  EXPECT_GE(large.headroom(), wire::kTxHeadroom);
  EXPECT_FALSE(lab.worker[0]->allocate(lab.cores.core(), 65537));
}

TEST(Worker, CountsWhyADatagramCannotLeave) {
  NetLab lab;
  lab.start();
  lab.send(99, kPhone, text("x"));
  EXPECT_EQ(lab.count(NetCounter::TxListener), 1U);
  lab.send(8, at("198.19.0.10:5060"), text("x"));  // a TCP listener
  EXPECT_EQ(lab.count(NetCounter::TxListener), 2U);
  lab.send(kCoreV4, at("203.0.113.5:5060"), text("x"));  // no gateway on that port
  EXPECT_EQ(lab.count(NetCounter::TxNoRoute), 1U);
  for (const char* remote : {"198.18.0.10:0", "224.0.0.1:5060", "255.255.255.255:5060",
                             "198.18.0.255:5060", "198.18.0.2:5060", "[fd00:18::10]:5060"}) {
    lab.send(kAccessV4, at(remote), text("x"));
  }
  EXPECT_EQ(lab.count(NetCounter::TxDestination), 6U);
  lab.send(kAccessV4, kPhone, Bytes(65508));
  EXPECT_EQ(lab.count(NetCounter::TxTooLarge), 1U);
  EXPECT_THAT(lab.access.sent(), SizeIs(0));
  lab.expect_balanced();
}

TEST(Worker, KeepsWhatThePortDidNotTakeForTheNextFlush) {
  NetLab lab;
  lab.start();
  lab.learn_phone();
  lab.access.tx_room = 0;
  OwnedBytes bytes = lab.worker[0]->allocate(lab.cores.core(), 4);
  std::memset(bytes.data(), 'x', 4);
  lab.worker[0]->send_datagram(lab.cores.core(), kAccessV4, kPhone, std::move(bytes));
  EXPECT_NE(lab.cores.step(), 0U) << "the core must not sleep on it";
  EXPECT_THAT(lab.access.sent(), SizeIs(0));
  lab.access.tx_room = FakePort::kUnlimited;
  lab.cores.settle();
  EXPECT_THAT(lab.access.sent(), SizeIs(2));  // the datagram, and the probe of what was learned
}

TEST(Worker, GivesUpOnAPortThatTakesNothing) {
  NetLab lab;
  lab.start();
  lab.learn_phone();
  lab.access.tx_room = 0;
  lab.send(kAccessV4, kPhone, text("x"));  // settles: the worker must come to rest
  const auto& queue = *lab.worker[0]->queues()[0];
  EXPECT_EQ(queue.counters()[PortCounter::TxDropped].value(), 2U);
  EXPECT_EQ(queue.pending(), 0U);
  EXPECT_EQ(lab.access.free_buffers(), lab.access.buffers());
}

TEST(Worker, CountsPacketsAndBytesPerPort) {
  NetLab lab;
  lab.start();
  const Bytes frame = udp_frame(kPhoneMac, kAccessMac, kPhone, kEdge, text("OPTIONS"));
  lab.receive(frame);
  const PortCounters& counters = lab.worker[0]->queues()[0]->counters();
  EXPECT_EQ(counters[PortCounter::RxPackets].value(), 1U);
  EXPECT_EQ(counters[PortCounter::RxBytes].value(), frame.size());
  EXPECT_GT(counters[PortCounter::TxPackets].value(), 0U);
}

TEST(Worker, AnnouncesItsAddressesThreeTimes) {
  NetLab lab;
  lab.cores.settle();
  auto sent = lab.access.sent();
  // Gratuitous ARP, unsolicited NA, a request for each gateway.
  ASSERT_THAT(sent, SizeIs(4));
  const Bytes gratuitous = bytes_of(sent[0]);
  EXPECT_EQ(gratuitous, ethernet(kAccessMac, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 0x0806,
                                 arp(1, kAccessMac, ip("198.18.0.2"), {}, ip("198.18.0.2"))));
  const Bytes advertisement = bytes_of(sent[1]);
  EXPECT_EQ(mac_at(advertisement, 0), (MacAddress{0x33, 0x33, 0, 0, 0, 1}));
  EXPECT_EQ(advertisement[14 + 40], 136);
  EXPECT_EQ(advertisement[14 + 44], 0x20);
  unsigned gratuitous_count = 1;
  for (int i = 0; i < 8; ++i) {
    lab.cores.advance(std::chrono::seconds{1}, std::chrono::milliseconds{50});
    for (const TxFrame& frame : lab.access.sent())
      gratuitous_count += bytes_of(frame) == gratuitous;
  }
  EXPECT_EQ(gratuitous_count, 3U);
  EXPECT_EQ(lab.cores.core().timers.size(), 0U) << "nothing ticks once nothing is pending";
}

}  // namespace
}  // namespace sluice::dataplane
