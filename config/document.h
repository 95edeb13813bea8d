// SPDX-License-Identifier: Apache-2.0
//
// Node: a configuration file as a tree, before anybody asked what it means. Made by loader.cc, the
// only place that knows libconfig; read by reader.cc.
//
// Memory   A node owns its children.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::config {

struct Place {
  std::string file;
  unsigned line = 0;
};

struct Node {
  // A list "( )" holds anything, an array "[ ]" values of one type: libconfig's own difference.
  enum class Kind : std::uint8_t { Group, List, Array, String, Whole, Real, Flag };

  Kind kind = Kind::Group;
  std::string name;  // empty for an element of a list or array
  Place place;
  std::string text;            // String
  std::int64_t whole = 0;      // Whole
  double real = 0;             // Real; of a Whole too
  bool flag = false;           // Flag
  std::vector<Node> children;  // Group, List, Array

  bool is_sequence() const { return kind == Kind::List || kind == Kind::Array; }
};

}  // namespace sluice::config
