// SPDX-License-Identifier: Apache-2.0
//
// Every message under tests/data/sip: the folder names the outcome of parse() and check().
#include "tests/sipcore/messages.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace sluice::sip {
namespace {

TEST(Vectors, EachHasTheOutcomeThatItsFolderNames) {
  const std::filesystem::path root = SLUICE_SOURCE_ROOT "/tests/data/sip";
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const test::Parsed parsed(test::read_file(entry.path()).value());
    EXPECT_EQ(test::name_of(parsed.error()), entry.path().parent_path().filename()) << entry.path();
    ++count;
  }
  EXPECT_GT(count, 20);
}

}  // namespace
}  // namespace sluice::sip
