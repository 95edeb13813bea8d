// SPDX-License-Identifier: Apache-2.0
//
// Every kernel of this machine against the scalar reference, bit for bit.
#include "base/assert.h"
#include "sipcore/parse/scan.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::sip;
  if (size < 2) return 0;
  const std::uint32_t capacity = 1 + data[0] % 32U;
  const auto text_size = static_cast<std::uint32_t>(std::min<std::size_t>(size - 2, 65'535));
  const std::uint32_t from = text_size == 0 ? 0 : data[1] % text_size;
  const auto text = std::make_unique<char[]>(text_size);
  std::memcpy(text.get(), data + 2, text_size);
  std::array<std::uint16_t, 32> expected_ends{};
  const LineScan expected =
      scan_lines_scalar(text.get(), from, text_size, expected_ends.data(), capacity);
  for (const ScanKernel& kernel : scan_kernels()) {
    std::array<std::uint16_t, 32> ends{};
    SLUICE_CHECK(kernel.scan(text.get(), from, text_size, ends.data(), capacity) == expected);
    SLUICE_CHECK(std::equal(ends.begin(), ends.begin() + expected.count, expected_ends.begin()));
  }
  return 0;
}
