// SPDX-License-Identifier: Apache-2.0
//
// The line scan on 64 bytes at a time, for kernels that can say where CR, LF and NUL are in a
// block.
//
//   text       V i a : _ x CR LF T o : _ y CR LF CR LF v =     (_ is a space)
//   cr         0 0 0 0 0 0 1  0  0 0 0 0 0 1  0  1  0  0 0
//   lf         0 0 0 0 0 0 0  1  0 0 0 0 0 0  1  0  1  0 0
//   cr << 1    0 0 0 0 0 0 0  1  0 0 0 0 0 0  1  0  1  0 0     differs from lf: a bare one
//   lf << 2    0 0 0 0 0 0 0  0  0 1 0 0 0 0  0  0  1  0 0     and lf and cr << 1: the empty line
//
// Memory   A last block that is not whole is copied aside, so nothing beyond `size` is read.
#pragma once

#include "sipcore/parse/scan.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace sluice::sip {

// One bit a byte, the lowest for the first.
struct BlockMasks {
  std::uint64_t cr;
  std::uint64_t lf;
  std::uint64_t nul;
};

// Line ends written per block without a branch. What stands in `ends` beyond the count is nobody's.
constexpr std::uint32_t kUnrolled = 3;

// Bits 0 to `bit`, inclusive.
inline std::uint64_t bits_up_to(unsigned bit) {
  return ~std::uint64_t{0} >> (63 - bit);
}

// The NULs that no backslash precedes; notes the others.
inline std::uint64_t unescaped(std::uint64_t nul, const char* text, std::uint32_t from,
                               std::uint32_t at, bool& escaped) {
  std::uint64_t left = nul;
  for (std::uint64_t rest = nul; rest != 0; rest &= rest - 1) {
    const std::uint32_t offset = at + static_cast<std::uint32_t>(std::countr_zero(rest));
    if (offset == from || text[offset - 1] != '\\') continue;
    escaped = true;
    left &= ~(rest & -rest);
  }
  return left;
}

// What one block hands to the next: bit 0 of the first, bits 0 and 1 of the second.
struct BlockCarry {
  std::uint64_t after_cr = 0;
  std::uint64_t two_after_lf = 2;  // a scan starts at a line's start: as if an LF stood before it
};

// Any block: the last one, one with the empty line, a NUL or a defect in it, or one for which
// `ends` may be too small. True: the scan stops here.
inline bool scan_block_with_care(const BlockMasks& masks, const char* text, std::uint32_t from,
                                 std::uint32_t at, std::uint32_t bytes, std::uint16_t* ends,
                                 std::uint32_t capacity, BlockCarry& carry, LineScan& scan) {
  const std::uint64_t valid = bits_up_to(bytes - 1);
  const std::uint64_t after_cr = ((masks.cr << 1) | carry.after_cr) & valid;
  const std::uint64_t empty_line = masks.lf & after_cr & ((masks.lf << 2) | carry.two_after_lf);
  std::uint64_t seen = valid;
  if (empty_line != 0) seen = bits_up_to(static_cast<unsigned>(std::countr_zero(empty_line)));
  bool stop = empty_line != 0;
  for (std::uint64_t lf = masks.lf & seen; lf != 0; lf &= lf - 1) {
    const auto bit = static_cast<unsigned>(std::countr_zero(lf));
    ends[scan.count++] = static_cast<std::uint16_t>(at + bit);
    if (scan.count == capacity) {
      stop = true;
      seen = bits_up_to(bit);
      break;
    }
  }
  scan.complete = (empty_line & seen) != 0;
  std::uint64_t nul = masks.nul & seen;
  if (nul != 0) nul = unescaped(nul, text, from, at, scan.escaped_nul);
  const std::uint64_t defects = ((masks.lf ^ after_cr) & seen) | nul;
  if (defects != 0 && scan.defect == LineScan::kNoDefect) {
    scan.defect = at + static_cast<std::uint32_t>(std::countr_zero(defects));
  }
  carry.after_cr = masks.cr >> (bytes - 1);
  carry.two_after_lf = masks.lf >> 62;
  return stop;
}

// Masks is a type of the kernel's own file (internal linkage), so that no two instances are merged
// by the linker although they are compiled for different machines. Masks::of(const char*) reads 64
// bytes.
template <typename Masks>
inline LineScan scan_lines_by_block(const char* text, std::uint32_t from, std::uint32_t size,
                                    std::uint16_t* ends, std::uint32_t capacity) {
  LineScan scan;
  BlockCarry carry;
  std::uint32_t at = from;
  for (; size - at >= 64; at += 64) {
    const BlockMasks masks = Masks::of(text + at);
    const std::uint64_t bare = masks.lf ^ ((masks.cr << 1) | carry.after_cr);
    const std::uint64_t empty_line = masks.lf & ((masks.lf << 2) | carry.two_after_lf);
    const auto found = static_cast<std::uint32_t>(std::popcount(masks.lf));
    if ((bare | masks.nul | empty_line) != 0 || found > kUnrolled ||
        scan.count + kUnrolled >= capacity) {
      if (scan_block_with_care(masks, text, from, at, 64, ends, capacity, carry, scan)) return scan;
      continue;
    }
    // How many lines end in a block is a coin toss to the branch predictor: always write kUnrolled
    // of them and count those that are.
    std::uint64_t lf = masks.lf;
    for (std::uint32_t i = 0; i < kUnrolled; ++i, lf &= lf - 1) {
      ends[scan.count + i] =
          static_cast<std::uint16_t>(at + static_cast<std::uint32_t>(std::countr_zero(lf)));
    }
    scan.count += found;
    carry.after_cr = masks.cr >> 63;
    carry.two_after_lf = masks.lf >> 62;
  }
  if (at < size) {
    alignas(64) char block[64] = {};
    std::memcpy(block, text + at, size - at);
    BlockMasks masks = Masks::of(block);
    masks.nul &= bits_up_to(size - at - 1);
    if (scan_block_with_care(masks, text, from, at, size - at, ends, capacity, carry, scan)) {
      return scan;
    }
  }
  if (carry.after_cr != 0 && scan.defect == LineScan::kNoDefect) scan.defect = size;
  return scan;
}

}  // namespace sluice::sip
