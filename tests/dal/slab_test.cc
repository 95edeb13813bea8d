// SPDX-License-Identifier: Apache-2.0
#include "dal/store/slab.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace sluice::store {
namespace {

TEST(Slab, BlocksDoNotOverlap) {
  Slab slab{64 << 20};
  std::mt19937 random{7};
  struct Lent {
    unsigned char* block;
    std::size_t size;
    unsigned char fill;
  };
  std::vector<Lent> lent;
  for (int i = 0; i < 20'000; ++i) {
    if (!lent.empty() && random() % 3 == 0) {
      std::swap(lent[random() % lent.size()], lent.back());
      const Lent back = lent.back();
      for (std::size_t at = 0; at < back.size; ++at) ASSERT_EQ(back.block[at], back.fill);
      lent.pop_back();
      Slab::release(back.block);
      continue;
    }
    const std::size_t size = 1 + random() % 600;
    auto* block = static_cast<unsigned char*>(slab.allocate(size));
    ASSERT_NE(block, nullptr);
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(block) % 16, 0U);
    const auto fill = static_cast<unsigned char>(random());
    std::memset(block, fill, size);
    lent.push_back({block, size, fill});
  }
  EXPECT_EQ(slab.lent(), lent.size());
  for (const Lent& one : lent) Slab::release(one.block);
  EXPECT_EQ(slab.lent(), 0U);
}

TEST(Slab, SteadyStateTakesNothingFromTheSystem) {
  Slab slab{64 << 20};
  std::vector<void*> blocks;
  std::uint64_t held = 0;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 10'000; ++i) blocks.push_back(slab.allocate(250));
    if (round == 0) held = slab.held();
    for (void* block : blocks) Slab::release(block);
    blocks.clear();
  }
  EXPECT_EQ(slab.held(), held);
}

TEST(Slab, RefusesAtTheLimitAndRecoversWhenBlocksComeHome) {
  Slab slab{2 << 20};
  std::vector<void*> blocks;
  while (void* block = slab.allocate(4096)) blocks.push_back(block);
  EXPECT_GT(blocks.size(), 400U);
  Slab::release(blocks.back());
  blocks.back() = slab.allocate(4096);
  EXPECT_NE(blocks.back(), nullptr);
  EXPECT_EQ(slab.allocate(Slab::kLargest + 1), nullptr);
  for (void* block : blocks) Slab::release(block);
}

TEST(Slab, LargeBlocksGoBackToTheSystem) {
  Slab slab{64 << 20};
  void* block = slab.allocate(500'000);
  ASSERT_NE(block, nullptr);
  std::memset(block, 1, 500'000);
  EXPECT_GE(slab.held(), 500'000U);
  Slab::release(block);
  EXPECT_EQ(slab.held(), 0U);
}

TEST(Slab, AnotherThreadMayRelease) {
  Slab slab{64 << 20};
  for (int round = 0; round < 20; ++round) {
    std::vector<void*> blocks;
    for (int i = 0; i < 1000; ++i) blocks.push_back(slab.allocate(100));
    std::thread worker([blocks] {
      for (void* block : blocks) Slab::release(block);
    });
    for (int i = 0; i < 1000; ++i) Slab::release(slab.allocate(100));
    worker.join();
  }
  EXPECT_EQ(slab.lent(), 0U);
}

}  // namespace
}  // namespace sluice::store
