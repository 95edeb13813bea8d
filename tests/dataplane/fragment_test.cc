// SPDX-License-Identifier: Apache-2.0
//
// Reassembly under attack, and fragmentation: what one edge cuts up another must put together.
#include "tests/dataplane/net_fixture.h"

namespace sluice::dataplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Each;
using ::testing::SizeIs;

const Endpoint kPhone = at("198.18.0.10:5062");
const Endpoint kEdge = at("198.18.0.2:5060");
const Endpoint kPhone6 = at("[fd00:18::10]:5062");
const Endpoint kEdge6 = at("[fd00:18::2]:5060");

struct Piece {
  std::size_t offset;
  std::size_t size;
  bool more;
};

Bytes v4_piece(ByteView datagram, const Piece& piece, unsigned id = 7,
               const Endpoint& from = kPhone) {
  Ipv4Fields fields;
  fields.id = id;
  fields.fragment = static_cast<unsigned>(piece.offset / 8) | (piece.more ? 0x2000U : 0U);
  return ip_frame(
      kPhoneMac, kAccessMac,
      ipv4(from.address, kEdge.address, 17, datagram.subspan(piece.offset, piece.size), fields));
}

Bytes v6_piece(ByteView datagram, const Piece& piece, std::uint32_t id = 7) {
  Bytes out = {17, 0};
  put16(out, static_cast<unsigned>(piece.offset) | (piece.more ? 1U : 0U));
  put32(out, id);
  put(out, datagram.subspan(piece.offset, piece.size));
  return ip_frame(kPhoneMac, kAccessMac, ipv6(kPhone6.address, kEdge6.address, 44, out));
}

std::vector<Piece> cut(std::size_t whole, std::size_t step) {
  std::vector<Piece> out;
  for (std::size_t offset = 0; offset < whole; offset += step) {
    const std::size_t size = std::min(step, whole - offset);
    out.push_back({offset, size, offset + size < whole});
  }
  return out;
}

TEST(Reassembly, PutsFragmentsTogetherInAnyOrder) {
  const Bytes payload = pattern(4000);
  const Bytes datagram = udp(kPhone, kEdge, payload);
  std::vector<Piece> pieces = cut(datagram.size(), 1480);
  std::sort(pieces.begin(), pieces.end(),
            [](const Piece& a, const Piece& b) { return a.offset < b.offset; });
  do {
    NetLab lab;
    lab.start();
    for (const Piece& piece : pieces) lab.receive(v4_piece(datagram, piece));
    ASSERT_THAT(lab.sinks[0].got, SizeIs(1));
    EXPECT_EQ(lab.sinks[0].got[0].payload, payload);
    EXPECT_EQ(lab.count(NetCounter::FragmentHeld), 2U);
    EXPECT_EQ(lab.count(NetCounter::Delivered), 1U);
    lab.expect_balanced();
  } while (std::next_permutation(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
    return a.offset < b.offset;
  }));
}

TEST(Reassembly, PutsIpv6FragmentsTogether) {
  NetLab lab;
  lab.start();
  const Bytes payload = pattern(12000);
  const Bytes datagram = udp(kPhone6, kEdge6, payload);
  for (const Piece& piece : cut(datagram.size(), 1232)) lab.receive(v6_piece(datagram, piece));
  ASSERT_THAT(lab.sinks[0].got, SizeIs(1));
  EXPECT_EQ(lab.sinks[0].got[0].payload, payload);
  EXPECT_EQ(lab.large.count_free(0), 128U);
}

TEST(Reassembly, TakesTheLargestDatagram) {
  NetLab lab;
  lab.start();
  const Bytes payload = pattern(65507);
  const Bytes datagram = udp(kPhone, kEdge, payload);
  for (const Piece& piece : cut(datagram.size(), 1480)) lab.receive(v4_piece(datagram, piece));
  ASSERT_THAT(lab.sinks[0].got, SizeIs(1));
  EXPECT_EQ(lab.sinks[0].got[0].payload, payload);
}

TEST(Reassembly, TakesAnIpv6AtomicFragment) {
  NetLab lab;
  lab.start();
  const Bytes datagram = udp(kPhone6, kEdge6, text("atomic"));
  // RFC 6946: independent of a real fragment with the same id.
  lab.receive(v6_piece(pattern(2000), {0, 800, true}));
  lab.receive(v6_piece(datagram, {0, datagram.size(), false}));
  ASSERT_THAT(lab.sinks[0].got, SizeIs(1));
  EXPECT_EQ(lab.sinks[0].got[0].payload, text("atomic"));
}

TEST(Reassembly, KeepsDatagramsApart) {
  NetLab lab;
  lab.start();
  const Endpoint other = at("198.18.0.11:5062");
  const Bytes a = udp(kPhone, kEdge, Bytes(2000, 'a'));
  const Bytes b = udp(kPhone, kEdge, Bytes(2000, 'b'));
  const Bytes c = udp(other, kEdge, Bytes(2000, 'c'));
  for (const Piece& piece : cut(a.size(), 1480)) {
    lab.receive(v4_piece(a, piece, 1));
    lab.receive(v4_piece(b, piece, 2));
    lab.receive(v4_piece(c, piece, 1, other));
  }
  ASSERT_THAT(lab.sinks[0].got, SizeIs(3));
  EXPECT_THAT(lab.sinks[0].got[0].payload, Each('a'));
  EXPECT_THAT(lab.sinks[0].got[1].payload, Each('b'));
  EXPECT_THAT(lab.sinks[0].got[2].payload, Each('c'));
}

TEST(Reassembly, IgnoresExactDuplicates) {
  NetLab lab;
  lab.start();
  const Bytes payload = pattern(4000);
  const Bytes datagram = udp(kPhone, kEdge, payload);
  const auto pieces = cut(datagram.size(), 1480);
  for (const std::size_t i : {0U, 0U, 2U, 2U, 1U}) {
    lab.receive(v4_piece(datagram, pieces[i]));
  }
  ASSERT_THAT(lab.sinks[0].got, SizeIs(1));
  EXPECT_EQ(lab.sinks[0].got[0].payload, payload);
  EXPECT_EQ(lab.count(NetCounter::FragmentDuplicate), 2U);
}

// Sends `first`, then `second`, then the rest of the datagram: it must never be delivered, and the
// id must stay poisoned until the time is up.
void expect_poisoned(const Piece& first, const Piece& second, bool changed = false) {
  NetLab lab;
  lab.start();
  Bytes datagram = udp(kPhone, kEdge, pattern(4000));
  lab.receive(v4_piece(datagram, first));
  Bytes altered = datagram;
  if (changed) altered[second.offset + 8] ^= 1;
  lab.receive(v4_piece(altered, second));
  EXPECT_EQ(lab.count(NetCounter::FragmentOverlap), 1U);
  const auto pieces = cut(datagram.size(), 1480);
  for (const Piece& piece : pieces) lab.receive(v4_piece(datagram, piece));
  EXPECT_EQ(lab.count(NetCounter::FragmentPoisoned), 3U);
  EXPECT_THAT(lab.sinks[0].got, SizeIs(0));
  EXPECT_EQ(lab.large.count_free(0), 128U) << "a poisoned datagram holds no buffer";
  lab.cores.advance(seconds{16}, milliseconds{250});
  for (const Piece& piece : pieces) lab.receive(v4_piece(datagram, piece));
  EXPECT_THAT(lab.sinks[0].got, SizeIs(1)) << "the id is good again";
  lab.expect_balanced();
}

TEST(Reassembly, PoisonsOverlaps) {
  expect_poisoned({0, 1480, true}, {1472, 800, true});        // tail over head
  expect_poisoned({1480, 1480, true}, {0, 1488, true});       // head over tail
  expect_poisoned({0, 1480, true}, {80, 160, true});          // inside
  expect_poisoned({80, 160, true}, {0, 1480, true});          // around
  expect_poisoned({0, 1480, true}, {0, 1472, true});          // same start, other end
  expect_poisoned({0, 1480, true}, {0, 1480, true}, true);    // same place, other bytes
  expect_poisoned({1480, 1480, true}, {1480, 1480, false});   // same place, now the last
  expect_poisoned({2960, 1048, false}, {2960, 1040, false});  // two ends
  expect_poisoned({2960, 1048, false}, {1480, 1480, false});  // an end in front of the end
  expect_poisoned({1480, 800, false}, {2960, 800, true});     // beyond the end
  expect_poisoned({2960, 800, true}, {1480, 800, false});     // an end in front of what is there
}

TEST(Reassembly, RefusesImpossibleFragments) {
  NetLab lab;
  lab.start();
  const Bytes datagram = pattern(65536);
  lab.receive(v4_piece(datagram, {0, 1479, true}));   // not a multiple of eight
  lab.receive(v4_piece(datagram, {8, 0, true}));      // empty
  lab.receive(v4_piece(datagram, {65528, 8, true}));  // one byte too far
  EXPECT_EQ(lab.count(NetCounter::FragmentMalformed), 3U);
  lab.receive(v6_piece(datagram, {0, 4, true}));
  EXPECT_EQ(lab.count(NetCounter::FragmentMalformed), 4U);
  EXPECT_EQ(lab.large.count_free(0), 128U);
  lab.expect_balanced();
}

TEST(Reassembly, BoundsTheNumberOfFragments) {
  NetLab lab;
  lab.start();
  const Bytes datagram = udp(kPhone, kEdge, pattern(49 * 8 - 8));
  for (const Piece& piece : cut(datagram.size(), 8)) lab.receive(v4_piece(datagram, piece));
  EXPECT_EQ(lab.count(NetCounter::FragmentTooMany), 1U);
  EXPECT_THAT(lab.sinks[0].got, SizeIs(0));
  const Bytes fits = udp(kPhone, kEdge, pattern(48 * 8 - 8));
  for (const Piece& piece : cut(fits.size(), 8)) lab.receive(v4_piece(fits, piece, 8));
  EXPECT_THAT(lab.sinks[0].got, SizeIs(1));
}

TEST(Reassembly, TimesOut) {
  NetLab lab;
  lab.start();
  const Bytes datagram = udp(kPhone, kEdge, pattern(2000));
  const auto pieces = cut(datagram.size(), 1480);
  lab.receive(v4_piece(datagram, pieces[0]));
  lab.receive(v6_piece(datagram, pieces[0]));
  lab.cores.advance(milliseconds{14'900}, milliseconds{50});
  EXPECT_EQ(lab.count(NetCounter::ReassemblyTimeouts), 0U);
  lab.cores.advance(milliseconds{400}, milliseconds{50});
  EXPECT_EQ(lab.count(NetCounter::ReassemblyTimeouts), 1U);
  lab.receive(v4_piece(datagram, pieces[1]));
  EXPECT_THAT(lab.sinks[0].got, SizeIs(0));
  lab.cores.advance(seconds{46}, milliseconds{50});
  EXPECT_EQ(lab.count(NetCounter::ReassemblyTimeouts), 3U);
  EXPECT_EQ(lab.large.count_free(0), 128U);
}

TEST(Reassembly, LetsOneSourceHaveItsShareOnly) {
  StackOptions options;
  options.reassembly.datagrams = 8;
  options.reassembly.per_source = 4;
  NetLab lab(1, lab_spec(), options);
  lab.start();
  const Endpoint victim = at("198.18.0.77:5060");
  const Bytes good = udp(victim, kEdge, pattern(2000));
  const auto pieces = cut(good.size(), 1480);
  lab.receive(v4_piece(good, pieces[0], 5, victim));
  const Bytes junk = pattern(2000);
  for (unsigned id = 100; id < 200; ++id) lab.receive(v4_piece(junk, {0, 1480, true}, id));
  EXPECT_EQ(lab.count(NetCounter::ReassemblyEvicted), 96U);
  lab.receive(v4_piece(good, pieces[1], 5, victim));
  EXPECT_THAT(lab.sinks[0].got, SizeIs(1)) << "the flood cost only itself";
}

TEST(Reassembly, GivesUpTheOldestWhenFull) {
  StackOptions options;
  options.reassembly.datagrams = 8;
  NetLab lab(1, lab_spec(), options);
  lab.start();
  for (unsigned i = 0; i < 9; ++i) {
    const Endpoint from{IpAddress::v4(198, 18, 0, static_cast<std::uint8_t>(20 + i)), 5060};
    lab.receive(v4_piece(pattern(2000), {0, 1480, true}, 1, from));
  }
  EXPECT_EQ(lab.count(NetCounter::ReassemblyEvicted), 1U);
  EXPECT_EQ(lab.large.count_free(0), 120U);
}

TEST(Reassembly, RefusesWhenThereIsNoMemory) {
  NetLab lab;
  lab.start();
  std::vector<OwnedBytes> hoard;
  while (OwnedBytes bytes = lab.large.allocate(lab.cores.core(), 1)) {
    hoard.push_back(std::move(bytes));
  }
  lab.receive(v4_piece(pattern(2000), {0, 1480, true}));
  EXPECT_EQ(lab.count(NetCounter::FragmentNoMemory), 1U);
  lab.expect_balanced();
}

TEST(Reassembly, ChecksTheChecksumOfTheWhole) {
  NetLab lab;
  lab.start();
  Bytes datagram = udp(kPhone, kEdge, pattern(2000));
  datagram.back() ^= 1;
  for (const Piece& piece : cut(datagram.size(), 1480)) {
    // A port verifies fragments, not the datagram.
    lab.access.put(v4_piece(datagram, piece), 0, RxChecksum::Good);
  }
  lab.cores.settle();
  EXPECT_EQ(lab.count(NetCounter::UdpChecksum), 1U);
}

// Sends `size` bytes and feeds what left back, with the addresses swapped by hand, into the other
// side.
void expect_round_trip(std::size_t size, bool v6, std::size_t frames) {
  NetLab lab;
  lab.start();
  const Endpoint& phone = v6 ? kPhone6 : kPhone;
  lab.receive(udp_frame(kPhoneMac, kAccessMac, phone, v6 ? kEdge6 : kEdge, text("x")));
  lab.send(v6 ? kAccessV6 : kAccessV4, phone, text("probe"));
  lab.access.sent();
  const Bytes payload = pattern(size);
  lab.send(v6 ? kAccessV6 : kAccessV4, phone, payload);
  const auto sent = lab.access.sent();
  ASSERT_THAT(sent, SizeIs(frames));
  Bytes whole;
  const std::size_t header = v6 ? 14 + 48 : 14 + 20;
  for (const TxFrame& frame : sent) {
    EXPECT_LE(frame.bytes.size(), 1514U);
    EXPECT_FALSE(frame.offload_udp_checksum);
    const ByteView view = frame.bytes.view();
    const std::size_t offset =
        v6 ? get16(view, 14 + 42) & 0xfff8U : (get16(view, 20) & 0x1fffU) * 8;
    const bool more = v6 ? (get16(view, 14 + 42) & 1U) != 0 : (get16(view, 20) & 0x2000U) != 0;
    EXPECT_EQ(offset, whole.size());
    EXPECT_EQ(more, &frame != &sent.back());
    if (!v6) {
      EXPECT_EQ(checksum16(view.subspan(14, 20)), 0U);
    }
    put(whole, view.subspan(header));
  }
  const IpAddress& us = v6 ? kEdge6.address : kEdge.address;
  EXPECT_EQ(transport_checksum(us, phone.address, 17, whole), 0U);
  EXPECT_EQ(get16(whole, 4), size + 8);
  EXPECT_TRUE(std::equal(payload.begin(), payload.end(), whole.begin() + 8, whole.end()));
}

TEST(Fragmentation, CutsToTheMtu) {
  expect_round_trip(1473, false, 2);
  expect_round_trip(12000, false, 9);
  expect_round_trip(65507, false, 45);
  expect_round_trip(12000, true, 9);
  expect_round_trip(65527, true, 46);
}

TEST(Fragmentation, SendsWholeWhatFits) {
  NetLab lab;
  lab.start();
  lab.learn_phone();
  lab.send(kAccessV4, kPhone, text("probe"));
  lab.access.sent();
  lab.send(kAccessV4, kPhone, pattern(1472));
  EXPECT_THAT(lab.access.sent(), SizeIs(1));
  EXPECT_EQ(lab.count(NetCounter::FragmentsSent), 0U);
}

TEST(Fragmentation, CountsADryPort) {
  NetLab lab;
  lab.start();
  lab.learn_phone();
  lab.send(kAccessV4, kPhone, text("probe"));
  lab.access.sent();
  std::vector<OwnedBytes> hoard;
  while (OwnedBytes bytes = lab.access.allocate(100, 80)) hoard.push_back(std::move(bytes));
  hoard.resize(hoard.size() - 3);
  lab.send(kAccessV4, kPhone, pattern(12000));
  EXPECT_EQ(lab.count(NetCounter::TxNoBuffer), 1U);
  lab.expect_balanced();
}

}  // namespace
}  // namespace sluice::dataplane
