// SPDX-License-Identifier: Apache-2.0
//
// Table: how every listing looks. A blank line, then two blanks of indent, CamelCase heads, columns
// two blanks apart, numbers to the right, and a blank line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::sluicectl {

enum class Align : unsigned char { Left, Right };

class Table {
 public:
  void add_column(std::string head, Align align) { columns_.push_back({std::move(head), align}); }
  // As many cells as columns.
  void add_row(std::vector<std::string> cells);
  std::string text() const;

 private:
  struct Column {
    std::string head;
    Align align;
  };
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Text from the network on a terminal: control characters, also those of C1, become "?".
std::string printable(std::string_view text);

// Characters, not bytes: the width of UTF-8 text without wide or combining characters.
std::size_t width(std::string_view text);

}  // namespace sluice::sluicectl
