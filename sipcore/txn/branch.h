// SPDX-License-Identifier: Apache-2.0
//
// Branch: the branch parameter of the Via that we add (RFC 3261 8.1.1.7 and 16.6 step 8).
//
//   z9hG4bK s 07 0123456789abcdef fedcba9876543210
//   cookie    |  loop part        unique part
//             servant, so that a response finds its core without a table
//
// The loop part is a keyed hash over what decides where a request goes (RFC 5393 4.2): the same
// request that meets it again has looped. The unique part is unpredictable. A transaction compares
// the whole text, so a forged or stale branch reaches some servant and matches nothing there.
//
// Memory   A value of 42 characters.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::sip {

constexpr std::string_view kMagicCookie = "z9hG4bK";

class Branch {
 public:
  static constexpr std::size_t kLength = 42;

  Branch() = default;
  Branch(std::uint8_t servant, std::uint64_t loop, std::uint64_t unique) noexcept;

  std::string_view text() const noexcept { return {text_.data(), text_.size()}; }

 private:
  std::array<char, kLength> text_{};
};

// nullopt: not of our making.
std::optional<std::uint8_t> servant_of_branch(std::string_view branch) noexcept;
std::optional<std::uint64_t> loop_part(std::string_view branch) noexcept;

}  // namespace sluice::sip
