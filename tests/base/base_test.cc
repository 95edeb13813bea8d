// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"
#include "base/endpoint.h"
#include "base/flow_id.h"
#include "base/hash.h"
#include "base/poll_loop.h"
#include "base/pool.h"
#include "base/ring.h"
#include "tests/support/test_cores.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace sluice {
namespace {

TEST(SipHash13, MatchesTheReferenceVectors) {
  // Key 00..0f, input 00..n-1; values of the published SipHash-1-3 test vector table.
  HashKey key;
  std::uint8_t bytes[16];
  for (std::uint8_t i = 0; i < 16; ++i) bytes[i] = i;
  std::memcpy(&key.k0, bytes, 8);
  std::memcpy(&key.k1, bytes + 8, 8);
  EXPECT_EQ(siphash13(key, ByteView{bytes, 0}), 0xabac0158050fc4dcULL);
  EXPECT_EQ(siphash13(key, ByteView{bytes, 1}), 0xc9f49bf37d57ca93ULL);
}

TEST(OwnedBytes, WindowGrowsAndShrinksInPlace) {
  OwnedBytes bytes = OwnedBytes::from_heap(10, 20);
  const std::uint8_t* body = bytes.data();
  EXPECT_EQ(bytes.prepend(8), body - 8);
  EXPECT_EQ(bytes.size(), 18U);
  EXPECT_EQ(bytes.trim_front(8), body);
  OwnedBytes moved = std::move(bytes);
  EXPECT_EQ(moved.data(), body);
  EXPECT_FALSE(bytes);  // NOLINT(bugprone-use-after-move): a moved-from owner is empty
}

TEST(BufferPool, RefusesWhenDryAndTakesBlocksBackFromAnyThread) {
  BufferPool pool(256, 3);
  {
    OwnedBytes a = pool.allocate(100, 28);
    OwnedBytes b = pool.allocate(100, 28);
    OwnedBytes c = pool.allocate(228, 28);
    EXPECT_TRUE(a && b && c);
    EXPECT_FALSE(pool.allocate(1, 0));
    std::thread([moved = std::move(a)]() mutable { moved.reset(); }).join();
    EXPECT_TRUE(pool.allocate(1, 0));
  }
  EXPECT_FALSE(pool.allocate(300, 0));
  EXPECT_EQ(pool.count_free(), 3U);
}

TEST(ObjectPool, RunsDestructorsAndRecycles) {
  struct Counted {
    explicit Counted(int* live) : live_(live) { ++*live_; }
    ~Counted() { --*live_; }
    int* live_;
  };
  int live = 0;
  ObjectPool<Counted> pool(2);
  {
    auto first = pool.make(&live);
    auto second = pool.make(&live);
    EXPECT_EQ(live, 2);
    EXPECT_EQ(pool.make(&live), nullptr);
  }
  EXPECT_EQ(live, 0);
  EXPECT_EQ(pool.count_free(), 2U);
}

TEST(Ring, RefusesWhenFullAndKeepsOrder) {
  Ring<int> ring(4);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.push(int{i}));
  EXPECT_FALSE(ring.push(9));
  EXPECT_EQ(ring.free_count(), 0U);
  int out[8] = {};
  EXPECT_EQ(ring.pop_burst(out), 4U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(out[i], i);
}

TEST(Ring, CarriesEverythingBetweenTwoThreads) {
  constexpr std::uint64_t kCount = 200'000;
  Ring<std::uint64_t> ring(64);
  std::thread producer([&] {
    for (std::uint64_t i = 1; i <= kCount;) {
      if (ring.push(std::uint64_t{i})) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  std::uint64_t last = 0;
  std::uint64_t batch[16];
  while (last < kCount) {
    const std::uint32_t count = ring.pop_burst(batch);
    if (count == 0) std::this_thread::yield();
    for (std::uint32_t i = 0; i < count; ++i) {
      ASSERT_EQ(batch[i], last + 1);
      last = batch[i];
    }
  }
  producer.join();
}

TEST(IpAddress, ParsesAndFormatsBothFamilies) {
  EXPECT_EQ(IpAddress::parse("198.18.0.1")->to_string(), "198.18.0.1");
  EXPECT_EQ(IpAddress::parse("[fd00:18::1]")->to_string(), "fd00:18::1");
  EXPECT_EQ(IpAddress::parse("2001:DB8:0:0:0:0:0:1")->to_string(), "2001:db8::1");
  EXPECT_FALSE(IpAddress::parse("198.18.0"));
  EXPECT_FALSE(IpAddress::parse("198.18.0.256"));
  EXPECT_FALSE(IpAddress::parse("[198.18.0.1]"));
  EXPECT_FALSE(IpAddress::parse(""));
  EXPECT_FALSE(IpAddress::parse("fe80::1%eth0"));
}

TEST(Endpoint, ParsesWithPort) {
  EXPECT_EQ(Endpoint::parse("198.18.0.1:5060")->to_string(), "198.18.0.1:5060");
  EXPECT_EQ(Endpoint::parse("[fd00::1]:5061")->to_string(), "[fd00::1]:5061");
  EXPECT_FALSE(Endpoint::parse("fd00::1:5061"));
  EXPECT_FALSE(Endpoint::parse("198.18.0.1:65536"));
  EXPECT_FALSE(Endpoint::parse("198.18.0.1:"));
  EXPECT_FALSE(Endpoint::parse("198.18.0.1"));
}

TEST(Prefix, ContainsByBits) {
  const Prefix net = *Prefix::parse("198.18.0.2/15");
  EXPECT_TRUE(net.contains(*IpAddress::parse("198.19.255.255")));
  EXPECT_FALSE(net.contains(*IpAddress::parse("198.20.0.0")));
  EXPECT_FALSE(net.contains(*IpAddress::parse("fd00::1")));
  EXPECT_TRUE(Prefix::parse("0.0.0.0/0")->contains(*IpAddress::parse("8.8.8.8")));
  EXPECT_FALSE(Prefix::parse("198.18.0.2/33"));
}

TEST(FlowId, KeepsItsParts) {
  const FlowId flow(200, 0xabcdef, 0xfedcba9);
  EXPECT_TRUE(flow);
  EXPECT_EQ(flow.poll_core(), 200);
  EXPECT_EQ(flow.slot(), 0xabcdefU);
  EXPECT_EQ(flow.generation(), 0xfedcba9U);
  EXPECT_FALSE(FlowId{});
}

class CountingPoller final : public Poller {
 public:
  std::uint32_t poll(Core&) override { return work-- > 0 ? 1 : 0; }
  void flush(Core&) override { ++flushes; }
  int work = 0;
  int flushes = 0;
};

TEST(PollLoop, ATurnPollsAdvancesFlushesAndReportsQuiescence) {
  test::TestCores cores;
  CountingPoller poller;
  poller.work = 1;
  int quiescent = 0;
  cores.loop().add(poller);
  cores.loop().set_quiescent([&] { ++quiescent; });
  EXPECT_EQ(cores.step(), 1U);
  EXPECT_EQ(cores.step(), 0U);
  EXPECT_EQ(poller.flushes, 2);
  EXPECT_EQ(quiescent, 2);
  EXPECT_EQ(cores.loop().counters()[LoopCounter::BusyTurns].value(), 1U);
}

// Stops its loop once it has been asked to sleep a few times.
class StoppingWait final : public IdleWait {
 public:
  void wait(Duration at_most) noexcept override {
    lengths.push_back(at_most);
    if (lengths.size() == 3) loop->stop();
  }
  void wake() noexcept override {}
  Duration longest() const noexcept override { return std::chrono::milliseconds{100}; }
  PollLoop* loop = nullptr;
  std::vector<Duration> lengths;
};

// A core that has never had work must sleep too: it used to spin until its first message.
TEST(PollLoop, SleepsLongerAndLongerFromTheStart) {
  SystemClock clock;
  Core core(0, Role::Servant, clock, HashKey{1, 2});
  StoppingWait wait;
  PollLoop loop(core, IdlePolicy::Adaptive, &wait);
  wait.loop = &loop;
  CountingPoller poller;
  poller.work = -1'000'000;
  loop.add(poller);
  loop.run();
  ASSERT_EQ(wait.lengths.size(), 3U);
  EXPECT_GT(wait.lengths[0], Duration::zero());
  EXPECT_EQ(wait.lengths[1], 2 * wait.lengths[0]);
  EXPECT_EQ(wait.lengths[2], 4 * wait.lengths[0]);
}

}  // namespace
}  // namespace sluice
