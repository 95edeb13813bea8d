// SPDX-License-Identifier: Apache-2.0
//
// Line scan: finds the line ends of a header section and whatever must not be in one.
//
// RFC 3261 7: lines end with CRLF and an empty line ends the header section; NUL, bare CR and bare
// LF are what request smuggling is made of (7.3.1 knows no such thing), so the scan says where the
// first one shows. The one legal NUL is a quoted-pair's (25.1; RFC 4475 3.1.1.2): the scan lets it
// pass after a backslash and says so, because only a reader of quoted strings can tell the rest.
//
// The scalar version is the reference; the others must agree with it in every bit (scan_test.cc,
// scan_differential_fuzz.cc). The best one for the machine is picked once, at start-up.
//
// Threads  Pure functions.
// Memory   Never read outside of [text, text + size).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::sip {

struct LineScan {
  static constexpr std::uint32_t kNoDefect = 0xffff'ffff;

  std::uint32_t count = 0;   // line ends written: offsets of LF, ascending
  bool complete = false;     // the last of them ends the empty line
  bool escaped_nul = false;  // NUL after a backslash seen
  // Offset where the first other NUL, LF without CR before it, or byte other than LF after a CR
  // stands (the end of the text, if it ends after a CR); kNoDefect if there is none before the scan
  // stopped.
  std::uint32_t defect = kNoDefect;

  friend bool operator==(const LineScan&, const LineScan&) = default;
};

// Scans [from, size) until `capacity` line ends are found (call again after the last one for more),
// the empty line is complete, or the text ends. `from` is the start of a line; size <= 65,535.
using ScanLines = LineScan (*)(const char* text, std::uint32_t from, std::uint32_t size,
                               std::uint16_t* ends, std::uint32_t capacity) noexcept;

LineScan scan_lines_scalar(const char* text, std::uint32_t from, std::uint32_t size,
                           std::uint16_t* ends, std::uint32_t capacity) noexcept;
LineScan scan_lines_sse42(const char* text, std::uint32_t from, std::uint32_t size,
                          std::uint16_t* ends, std::uint32_t capacity) noexcept;
LineScan scan_lines_avx2(const char* text, std::uint32_t from, std::uint32_t size,
                         std::uint16_t* ends, std::uint32_t capacity) noexcept;
LineScan scan_lines_avx512(const char* text, std::uint32_t from, std::uint32_t size,
                           std::uint16_t* ends, std::uint32_t capacity) noexcept;

struct ScanKernel {
  std::string_view name;
  ScanLines scan;
};
// Those that run on this machine, best first; the scalar reference is always the last.
std::span<const ScanKernel> scan_kernels() noexcept;

}  // namespace sluice::sip
