// SPDX-License-Identifier: Apache-2.0
//
// The reference that every other kernel is tested against: one byte at a time.
#include "sipcore/parse/scan.h"

namespace sluice::sip {

LineScan scan_lines_scalar(const char* text, std::uint32_t from, std::uint32_t size,
                           std::uint16_t* ends, std::uint32_t capacity) noexcept {
  LineScan scan;
  bool after_cr = false;
  std::uint32_t line = from;
  for (std::uint32_t i = from; i < size; ++i) {
    const char c = text[i];
    const bool escaped_nul = c == '\0' && i != from && text[i - 1] == '\\';
    scan.escaped_nul |= escaped_nul;
    const bool defect = (c == '\0' && !escaped_nul) || (c == '\n') != after_cr;
    if (defect && scan.defect == LineScan::kNoDefect) scan.defect = i;
    if (c == '\n') {
      ends[scan.count++] = static_cast<std::uint16_t>(i);
      scan.complete = after_cr && i == line + 1;
      if (scan.complete || scan.count == capacity) return scan;
      line = i + 1;
    }
    after_cr = c == '\r';
  }
  if (after_cr && scan.defect == LineScan::kNoDefect) scan.defect = size;
  return scan;
}

}  // namespace sluice::sip
