// SPDX-License-Identifier: Apache-2.0
#include "sipcore/txn/branch.h"

#include "sipcore/txn/layer.h"
#include "sipcore/txn/transaction.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::sip {
namespace {

TEST(Branch, NamesItsServantAndItsLoopPart) {
  const Branch branch(0xab, 0x1122334455667788, 0xfedcba9876543210);
  EXPECT_EQ(branch.text(), "z9hG4bKsab1122334455667788fedcba9876543210");
  EXPECT_EQ(servant_of_branch(branch.text()), 0xab);
  EXPECT_EQ(loop_part(branch.text()), 0x1122334455667788U);
}

TEST(Branch, ForeignBranchesNameNobody) {
  const std::string good(Branch(7, 1, 2).text());
  EXPECT_EQ(servant_of_branch(""), std::nullopt);
  EXPECT_EQ(servant_of_branch("z9hG4bK"), std::nullopt);
  EXPECT_EQ(servant_of_branch("1"), std::nullopt);
  EXPECT_EQ(servant_of_branch(good + "0"), std::nullopt);
  EXPECT_EQ(servant_of_branch(good.substr(0, good.size() - 1)), std::nullopt);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = 'X';
    EXPECT_EQ(servant_of_branch(bad), std::nullopt) << bad;
  }
}

TEST(Timers, LateTryingIsWhenTimerEReachesT2) {
  EXPECT_EQ(TimerOptions{}.late_trying(), std::chrono::milliseconds{3'500});
  EXPECT_EQ(
      TimerOptions::from(std::chrono::seconds{1}, std::chrono::seconds{1}, std::chrono::seconds{5})
          .late_trying(),
      Duration::zero());
  EXPECT_EQ(TimerOptions::from(std::chrono::milliseconds{100}, std::chrono::seconds{4},
                               std::chrono::seconds{5})
                .b,
            std::chrono::milliseconds{6'400});
}

TEST(Transaction, AServerAndClientPairIsSmall) {
  EXPECT_LE(sizeof(InviteServer) + sizeof(InviteClient), 1'024U);
}

}  // namespace
}  // namespace sluice::sip
