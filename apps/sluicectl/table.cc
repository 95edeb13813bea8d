// SPDX-License-Identifier: Apache-2.0
#include "apps/sluicectl/table.h"

#include <algorithm>
#include <utility>

namespace sluice::sluicectl {
namespace {

unsigned char byte_of(char c) {
  return static_cast<unsigned char>(c);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = byte_of(text[i]);
    // U+0080 to U+009F are C2 80 to C2 9F: a terminal may obey them like ESC [.
    const bool c1 = c == 0xc2 && i + 1 < text.size() && byte_of(text[i + 1]) < 0xa0;
    if (c1) ++i;
    out += c1 || c < 0x20 || c == 0x7f ? '?' : text[i];
  }
  return out;
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (byte_of(c) & 0xc0) != 0x80; }));
}

void Table::add_row(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t most = width(columns_[i].head);
    for (const auto& row : rows_) most = std::max(most, width(row[i]));
    widths.push_back(most);
  }
  std::string out = "\n";
  const auto add_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string& cell = cell_of(i);
      const std::string padding(widths[i] - width(cell), ' ');
      line += "  " + (columns_[i].align == Align::Right ? padding + cell : cell + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  add_line([&](std::size_t i) -> const std::string& { return columns_[i].head; });
  for (const auto& row : rows_) {
    add_line([&](std::size_t i) -> const std::string& { return row[i]; });
  }
  return out + "\n";
}

}  // namespace sluice::sluicectl
