// SPDX-License-Identifier: Apache-2.0
//
// Two sinks for one builder: the first adds up what the second then copies, so that a message is
// either written whole or not at all.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace sluice::sip {

class SizeSink {
 public:
  void put(std::string_view text) noexcept { size_ += static_cast<std::uint32_t>(text.size()); }
  std::uint32_t size() const noexcept { return size_; }

 private:
  std::uint32_t size_ = 0;
};

class CopySink {
 public:
  explicit CopySink(std::uint8_t* out) noexcept : out_(out) {}
  void put(std::string_view text) noexcept {
    if (!text.empty()) std::memcpy(out_, text.data(), text.size());
    out_ += text.size();
  }

 private:
  std::uint8_t* out_;
};

// Decimal digits on the stack.
class Digits {
 public:
  explicit Digits(std::uint64_t number) noexcept
      : size_(static_cast<std::size_t>(std::to_chars(text_, text_ + sizeof text_, number).ptr -
                                       text_)) {}
  operator std::string_view() const noexcept { return {text_, size_}; }  // NOLINT: a view by nature

 private:
  char text_[20];
  std::size_t size_;
};

// Runs build(sink) to learn the size, and again to write if `out` has the room. Returns the size.
template <typename Build>
std::uint32_t measure_and_write(std::span<std::uint8_t> out, Build&& build) noexcept {
  SizeSink sizes;
  build(sizes);
  if (sizes.size() <= out.size()) {
    CopySink copies(out.data());
    build(copies);
  }
  return sizes.size();
}

}  // namespace sluice::sip
