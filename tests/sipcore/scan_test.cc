// SPDX-License-Identifier: Apache-2.0
#include "sipcore/parse/scan.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace sluice::sip {
namespace {

struct Scanned {
  LineScan scan;
  std::vector<std::uint16_t> ends;
};

Scanned scan_with(ScanLines scan, std::string_view text, std::uint32_t from,
                  std::uint32_t capacity) {
  // Exactly as large as the text, so that ASan sees a read beyond it.
  const auto bytes = std::make_unique<char[]>(text.size());
  std::copy(text.begin(), text.end(), bytes.get());
  std::vector<std::uint16_t> ends(capacity);
  Scanned out;
  out.scan =
      scan(bytes.get(), from, static_cast<std::uint32_t>(text.size()), ends.data(), capacity);
  ends.resize(out.scan.count);
  out.ends = ends;
  return out;
}

class Scan : public testing::TestWithParam<ScanKernel> {
 protected:
  Scanned scan(std::string_view text, std::uint32_t from = 0, std::uint32_t capacity = 64) {
    return scan_with(GetParam().scan, text, from, capacity);
  }
};

TEST_P(Scan, FindsLineEndsUpToTheEmptyLine) {
  const auto out = scan("ab\r\nc\r\n\r\nbody\r\n\r\n");
  EXPECT_EQ(out.ends, (std::vector<std::uint16_t>{3, 6, 8}));
  EXPECT_TRUE(out.scan.complete);
  EXPECT_EQ(out.scan.defect, LineScan::kNoDefect);
}

TEST_P(Scan, EmptyLineAtTheVeryStart) {
  const auto out = scan("xx\r\nrest", 2);
  EXPECT_EQ(out.ends, (std::vector<std::uint16_t>{3}));
  EXPECT_TRUE(out.scan.complete);
}

TEST_P(Scan, SaysWhereTheFirstDefectShows) {
  EXPECT_EQ(scan("a\nb\r\n\r\n").scan.defect, 1U);
  EXPECT_EQ(scan("a\rb\r\n\r\n").scan.defect, 2U);
  EXPECT_EQ(scan(std::string_view("a\0b\r\n\r\n", 7)).scan.defect, 1U);
  EXPECT_EQ(scan("ab\r").scan.defect, 3U);
  EXPECT_EQ(scan("ab\r\n\r\na\nb").scan.defect, LineScan::kNoDefect);
}

TEST_P(Scan, PassesAnEscapedNulAndSaysSo) {
  const auto out = scan(std::string_view("a\\\0b\r\n\r\n", 8));
  EXPECT_EQ(out.scan.defect, LineScan::kNoDefect);
  EXPECT_TRUE(out.scan.escaped_nul);
}

TEST_P(Scan, StopsAtItsCapacity) {
  const auto out = scan("a\r\nb\r\nc\rd\r\n\r\n", 0, 2);
  EXPECT_EQ(out.ends, (std::vector<std::uint16_t>{2, 5}));
  EXPECT_FALSE(out.scan.complete);
  EXPECT_EQ(out.scan.defect, LineScan::kNoDefect);
}

TEST_P(Scan, LineEndsOnEveryBlockBoundary) {
  for (std::size_t pad = 50; pad < 140; ++pad) {
    const std::string text = std::string(pad, 'x') + "\r\nab\r\n\r\n" + std::string(70, 'y');
    const auto out = scan(text);
    EXPECT_EQ(out.ends.back(), pad + 7) << pad;
    EXPECT_TRUE(out.scan.complete) << pad;
    EXPECT_EQ(out.scan.defect, LineScan::kNoDefect) << pad;
  }
}

TEST_P(Scan, AgreesWithTheReference) {
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 200, 'x');
    const auto density = static_cast<unsigned>(2 + random() % 20);
    for (char& c : text) {
      if (random() % density == 0) c = "\r\n\r\n\0\\a"[random() % 7];
    }
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      if (text[i] == '\r' && random() % 8 != 0) text[i + 1] = '\n';
    }
    const auto from = static_cast<std::uint32_t>(text.empty() ? 0 : random() % text.size());
    const auto capacity = static_cast<std::uint32_t>(1 + random() % 12);
    const auto expected = scan_with(scan_lines_scalar, text, from, capacity);
    const auto actual = scan(text, from, capacity);
    ASSERT_EQ(actual.scan, expected.scan) << testing::PrintToString(text) << " from " << from;
    ASSERT_EQ(actual.ends, expected.ends);
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Scan,
                         testing::ValuesIn(scan_kernels().begin(), scan_kernels().end()),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace sluice::sip
