// SPDX-License-Identifier: Apache-2.0
#include "sipcore/txn/branch.h"

#include <algorithm>

namespace sluice::sip {
namespace {

constexpr char kMark = 's';
constexpr std::size_t kServantAt = kMagicCookie.size() + 1;
constexpr std::size_t kLoopAt = kServantAt + 2;
constexpr std::size_t kUniqueAt = kLoopAt + 16;
static_assert(kUniqueAt + 16 == Branch::kLength);

void write_hex(std::uint64_t value, char* out, std::size_t digits) noexcept {
  for (std::size_t i = digits; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
}

std::optional<std::uint64_t> read_hex(std::string_view text) noexcept {
  std::uint64_t value = 0;
  for (const char c : text) {
    std::uint64_t digit;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<std::uint64_t>(c - 'a') + 10;
    } else {
      return std::nullopt;
    }
    value = value << 4 | digit;
  }
  return value;
}

bool has_our_shape(std::string_view branch) noexcept {
  return branch.size() == Branch::kLength && branch.starts_with(kMagicCookie) &&
         branch[kMagicCookie.size()] == kMark;
}

}  // namespace

Branch::Branch(std::uint8_t servant, std::uint64_t loop, std::uint64_t unique) noexcept {
  std::copy(kMagicCookie.begin(), kMagicCookie.end(), text_.begin());
  text_[kMagicCookie.size()] = kMark;
  write_hex(servant, &text_[kServantAt], 2);
  write_hex(loop, &text_[kLoopAt], 16);
  write_hex(unique, &text_[kUniqueAt], 16);
}

std::optional<std::uint8_t> servant_of_branch(std::string_view branch) noexcept {
  if (!has_our_shape(branch)) return std::nullopt;
  const auto servant = read_hex(branch.substr(kServantAt, 2));
  if (!servant || !read_hex(branch.substr(kLoopAt, 32))) return std::nullopt;
  return static_cast<std::uint8_t>(*servant);
}

std::optional<std::uint64_t> loop_part(std::string_view branch) noexcept {
  if (!has_our_shape(branch)) return std::nullopt;
  return read_hex(branch.substr(kLoopAt, 16));
}

}  // namespace sluice::sip
