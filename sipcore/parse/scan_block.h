// SPDX-License-Identifier: Apache-2.0
//
// The line scan on 64 bytes at a time, for kernels that can say where CR, LF and NUL are in a block.
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

// Masks is a type of the kernel's own file (internal linkage), so that no two instances are merged by the
// linker although they are compiled for different machines. Masks::of(const char*) reads 64 bytes.
template <typename Masks>
inline LineScan scan_lines_by_block(const char* text, std::uint32_t from, std::uint32_t size,
                                    std::uint16_t* ends, std::uint32_t capacity) {
  LineScan scan;
  std::uint64_t after_cr_in = 0;
  std::uint64_t two_after_lf_in = 2;  // `from` starts a line: as if an LF stood before it
  for (std::uint32_t at = from; at < size; at += 64) {
    BlockMasks masks;
    std::uint64_t valid = ~std::uint64_t{0};
    if (size - at >= 64) {
      masks = Masks::of(text + at);
    } else {
      alignas(64) char block[64] = {};
      std::memcpy(block, text + at, size - at);
      masks = Masks::of(block);
      valid = bits_up_to(size - at - 1);
      masks.nul &= valid;
    }
    const std::uint64_t after_cr = ((masks.cr << 1) | after_cr_in) & valid;
    const std::uint64_t empty_line = masks.lf & after_cr & ((masks.lf << 2) | two_after_lf_in);
    std::uint64_t lf = masks.lf;
    std::uint64_t seen = valid;
    if (empty_line != 0) {
      seen = bits_up_to(static_cast<unsigned>(std::countr_zero(empty_line)));
      lf &= seen;
    }
    bool stop = empty_line != 0;
    for (; lf != 0; lf &= lf - 1) {
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
    if (stop) return scan;
    after_cr_in = masks.cr >> 63;
    two_after_lf_in = masks.lf >> 62;
    if (size - at < 64) after_cr_in = masks.cr >> (size - at - 1);
  }
  if (after_cr_in != 0 && scan.defect == LineScan::kNoDefect) scan.defect = size;
  return scan;
}

}  // namespace sluice::sip
