// SPDX-License-Identifier: Apache-2.0
//
// Reader: one group of the file, asked for its keys. Every answer has the type and the range that
// keys.cc demands; what does not is reported, and the default stands in, so that one run finds
// every mistake.
//
// Threads  Any; nothing is shared.
// Memory   Borrows the node and the error list.
#pragma once

#include "base/clock.h"
#include "config/document.h"
#include "config/keys.h"
#include "config/loader.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::config {

// A value, where it stands, and how messages name it.
template <typename T>
struct Read {
  T value{};
  Place place;
  std::string path;    // "ports[0].address[1]"
  bool given = false;  // it stands in the file; otherwise `place` is the group's
  bool good = false;   // it is usable: given and right, or a default
};

// The text in quotes, with everything that a terminal might obey replaced.
std::string quoted(std::string_view text);

class Reader {
 public:
  // Reports every key of the group that the table does not know.
  Reader(const Node& node, std::string path, std::string group, Errors& errors);

  const Place& place() const { return place_; }
  const std::string& path() const { return path_; }

  Read<std::string> text(std::string_view name) const;  // Text and Choice
  std::vector<Read<std::string>> texts(std::string_view name) const;
  Read<std::int64_t> whole(std::string_view name) const;
  std::vector<Read<std::int64_t>> wholes(std::string_view name) const;
  Read<double> real(std::string_view name) const;
  Read<bool> flag(std::string_view name) const;
  Read<Duration> span(std::string_view name) const;

  // A missing optional group reads as an empty one, so that defaults apply.
  Reader group(std::string_view name) const;
  bool has(std::string_view name) const { return child(name) != nullptr; }
  std::vector<Reader> groups(std::string_view name) const;

  struct Size {
    bool is_empty;  // absent, or an array with nothing in it
    Place place;
  };
  Size size_of(std::string_view name) const;

  template <typename T>
  void error(const Read<T>& at, const std::string& what) const {
    error(at.place, at.path + " " + what);
  }
  void error(const Place& place, std::string text) const;

 private:
  // Stands in for a group that is absent: its place is the outer group's, and nothing is missing in
  // it.
  Reader(Place place, std::string path, std::string group, Errors& errors);

  const Node* child(std::string_view name) const;
  // The key's row and its node; the node is nullptr if absent (a missing required key is reported).
  std::pair<const KeyInfo*, const Node*> find(std::string_view name) const;
  std::string path_of(std::string_view name) const;
  std::string group_of(std::string_view name) const;
  void mismatch(const Place& place, const std::string& path, const KeyInfo& key,
                const Node& found) const;

  const Node* node_;  // nullptr: the group is absent
  Place place_;
  std::string path_;   // "ports[0]"
  std::string group_;  // "ports[]"
  Errors* errors_;
};

}  // namespace sluice::config
