// SPDX-License-Identifier: Apache-2.0
//
// The table of configuration keys: the one list that the checker obeys, that gives the defaults,
// and that docs/configuration.md prints.
//
// Threads  Constant.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::config {

enum class Shape : std::uint8_t {
  Text,
  Texts,   // one string, or an array or list of them
  Choice,  // one of a few strings
  Whole,
  Wholes,  // an array of whole numbers
  Real,
  Flag,
  Span,  // a duration
  Group,
  Groups,  // a list of groups
};

enum class Need : std::uint8_t { Optional, Required };

struct KeyInfo {
  std::string_view group;  // where the key stands: "" (the top), "ports[]", "ports[].impair"
  std::string_view name;
  Shape shape;
  Need need = Need::Optional;
  std::string_view fallback;  // as it would be written, without quotes; empty: none
  std::string_view low;       // Whole, Wholes, Real, Span: the least and the greatest value
  std::string_view high;
  std::string_view choices;  // Choice: "adaptive|busy"
  std::string_view help;     // a sentence or two, in Markdown
};

std::span<const KeyInfo> keys();

const KeyInfo* find_key(std::string_view group, std::string_view name);

// What a value of the key must be: `a whole number from 1 to 64`.
std::string expectation(const KeyInfo& key);

// The key of `group` that `typo` probably stands for; nullptr if none is near.
const KeyInfo* nearest_key(std::string_view group, std::string_view typo);

// "ports, cores, listen": every key of the group.
std::string known_keys(std::string_view group);

// The reference part of docs/configuration.md.
std::string reference_markdown();

}  // namespace sluice::config
