// SPDX-License-Identifier: Apache-2.0
#include "sipcore/write/edit_list.h"

#include <charconv>

namespace sluice::sip {

void EditList::add(std::uint32_t begin, std::uint32_t end, std::string_view text) noexcept {
  if (!ok_ || count_ == kMaxEdits || begin < begin_ || end > end_) {
    ok_ = false;
    return;
  }
  // From the back, because edits mostly come in order. An insertion goes behind the others at its
  // place but before a range that starts there.
  std::uint32_t at = count_;
  while (at > 0) {
    const Edit& before = edits_[at - 1];
    const bool range_starts_here = before.begin == begin && before.end > before.begin;
    if (before.begin < begin || (before.begin == begin && !(begin == end && range_starts_here)))
      break;
    --at;
  }
  const bool clear_before = at == 0 || edits_[at - 1].end <= begin;
  const bool clear_after = at == count_ || edits_[at].begin >= end;
  if (!clear_before || !clear_after) {
    ok_ = false;
    return;
  }
  for (std::uint32_t i = count_; i > at; --i) edits_[i] = edits_[i - 1];
  edits_[at] = {begin, end, static_cast<std::uint32_t>(text.size()), text.data()};
  ++count_;
  size_ = size_ - (end - begin) + static_cast<std::uint32_t>(text.size());
}

std::string_view EditList::keep(std::initializer_list<std::string_view> parts) noexcept {
  const std::uint32_t begin = scratch_used_;
  for (const std::string_view part : parts) {
    if (part.size() > kScratch - scratch_used_) {
      ok_ = false;
      scratch_used_ = begin;
      return {};
    }
    std::memcpy(scratch_.data() + scratch_used_, part.data(), part.size());
    scratch_used_ += static_cast<std::uint32_t>(part.size());
  }
  return {scratch_.data() + begin, scratch_used_ - begin};
}

std::string_view EditList::keep_number(std::uint64_t number) noexcept {
  char digits[20];
  const char* end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  return keep(std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

std::uint8_t* EditList::write(std::uint8_t* out) const noexcept {
  SLUICE_ASSERT(ok_);
  std::uint32_t position = begin_;
  for (std::uint32_t i = 0; i < count_; ++i) {
    const Edit& edit = edits_[i];
    std::memcpy(out, base_ + position, edit.begin - position);
    out += edit.begin - position;
    if (edit.size != 0) std::memcpy(out, edit.text, edit.size);
    out += edit.size;
    position = edit.end;
  }
  if (end_ != position) std::memcpy(out, base_ + position, end_ - position);
  return out + (end_ - position);
}

}  // namespace sluice::sip
