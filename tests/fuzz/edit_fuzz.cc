// SPDX-License-Identifier: Apache-2.0
//
// Random edits against a model that knows no cleverness: a string per byte of the original.
#include "base/assert.h"
#include "sipcore/write/edit_list.h"

#include <cstdint>
#include <string>
#include <vector>

namespace {

// before[i] goes in front of byte i; a removed byte is left out, a replacement stands in place of
// the first.
struct Model {
  explicit Model(std::string_view text)
      : original(text), before(text.size() + 1), at(text.size() + 1), taken(text.size()) {}

  bool edit(std::size_t begin, std::size_t end, std::string_view text) {
    if (end > original.size()) return false;
    if (begin == end) {
      // Strictly inside of a range that is gone.
      if (begin > 0 && begin < original.size() && taken[begin] != 0 &&
          taken[begin] == taken[begin - 1]) {
        return false;
      }
      before[begin] += text;
      return true;
    }
    for (std::size_t i = begin; i < end; ++i) {
      if (taken[i] != 0) return false;
      // An insertion strictly inside of the new range.
      if (i > begin && has_insert(i)) return false;
    }
    ++number;
    for (std::size_t i = begin; i < end; ++i) taken[i] = number;
    at[begin] = text;
    return true;
  }

  bool has_insert(std::size_t i) const { return inserted.size() > i && inserted[i]; }
  void mark_insert(std::size_t i) {
    if (inserted.size() <= i) inserted.resize(i + 1);
    inserted[i] = true;
  }

  std::string result() const {
    std::string out;
    for (std::size_t i = 0; i <= original.size(); ++i) {
      out += before[i];
      if (i == original.size()) break;
      out += at[i];
      if (taken[i] == 0) out += original[i];
    }
    return out;
  }

  std::string original;
  std::vector<std::string> before;
  std::vector<std::string> at;
  std::vector<int> taken;
  std::vector<bool> inserted;
  int number = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sluice::Slice;
  constexpr std::string_view kOriginal = "0123456789abcdefghijklmnopqrstuvwxyz";
  constexpr std::string_view kTexts = "ABCDEFGH";
  sluice::sip::EditList edits(kOriginal);
  Model model(kOriginal);
  std::uint32_t count = 0;
  for (std::size_t i = 0; i + 3 <= size; i += 3) {
    const std::uint16_t begin = data[i] % 40;
    const std::uint16_t length = data[i + 1] % 8;
    const std::string_view text = kTexts.substr(0, data[i + 2] % 8);
    bool expected = ++count <= sluice::sip::EditList::kMaxEdits &&
                    model.edit(begin, std::size_t{begin} + length, text);
    if (expected && length == 0) model.mark_insert(begin);
    if (length == 0) {
      edits.insert(begin, text);
    } else if (text.empty()) {
      edits.remove({begin, length});
    } else {
      edits.replace({begin, length}, text);
    }
    SLUICE_CHECK(edits.ok() == expected);
    if (!expected) return 0;
  }
  std::string out(edits.size(), '\0');
  auto* bytes = reinterpret_cast<std::uint8_t*>(out.data());
  SLUICE_CHECK(edits.write(bytes) == bytes + out.size());
  SLUICE_CHECK(out == model.result());
  return 0;
}
