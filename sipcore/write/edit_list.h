// SPDX-License-Identifier: Apache-2.0
//
// EditList: a message on its way through: keep this range, put that text there, in one pass of
// copies.
//
// A proxy changes a few lines of a message and relays the rest untouched (RFC 3261 16.6). Edits may
// come in any order, because header fields do; several insertions at one place keep theirs.
//
// Threads  One thread at a time.
// Memory   No heap: room for kMaxEdits edits and kScratch bytes of generated text. The message's
//          bytes
//          and every view passed in must live until write(); what keep() returns lives with the
//          list.
// Errors   Overflow or edits that overlap make ok() false for good: do not write() then.
#pragma once

#include "base/assert.h"
#include "base/slice.h"
#include "sipcore/parse/message.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>

namespace sluice::sip {

class EditList {
 public:
  static constexpr std::uint32_t kMaxEdits = 64;
  static constexpr std::uint32_t kScratch = 1024;

  // Positions are those of the message's slices; what stands before its start line is left out.
  explicit EditList(const Message& message) noexcept
      : base_(message.at(Slice{}).data()),
        begin_(message.start_line().offset),
        end_(begin_ + message.size()),
        size_(message.size()) {}
  explicit EditList(std::string_view original) noexcept
      : base_(original.data()),
        begin_(0),
        end_(static_cast<std::uint32_t>(original.size())),
        size_(end_) {}
  EditList(const EditList&) = delete;  // the views may point into scratch_
  EditList& operator=(const EditList&) = delete;

  void replace(Slice range, std::string_view text) noexcept {
    add(range.offset, range.end(), text);
  }
  void remove(Slice range) noexcept { add(range.offset, range.end(), {}); }
  void insert(std::uint32_t at, std::string_view text) noexcept { add(at, at, text); }

  // Generated text, joined and kept until the list dies.
  std::string_view keep(std::initializer_list<std::string_view> parts) noexcept;
  std::string_view keep(std::string_view text) noexcept { return keep({text}); }
  std::string_view keep_number(std::uint64_t number) noexcept;

  bool ok() const noexcept { return ok_; }
  std::uint32_t size() const noexcept { return size_; }  // of the result
  std::uint32_t edits() const noexcept { return count_; }
  // Writes size() bytes and returns the end.
  std::uint8_t* write(std::uint8_t* out) const noexcept;

 private:
  struct Edit {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint32_t size;  // of the text
    const char* text;
  };

  void add(std::uint32_t begin, std::uint32_t end, std::string_view text) noexcept;

  const char* base_;
  std::uint32_t begin_;
  std::uint32_t end_;
  std::uint32_t size_;
  std::uint32_t count_ = 0;
  std::uint32_t scratch_used_ = 0;
  bool ok_ = true;
  // Only the first count_ and scratch_used_ are ever read: left as they are to keep construction
  // cheap.
  std::array<Edit, kMaxEdits> edits_;  // ascending, without overlap
  std::array<char, kScratch> scratch_;
};

}  // namespace sluice::sip
