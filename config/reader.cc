// SPDX-License-Identifier: Apache-2.0
#include "config/reader.h"

#include "base/assert.h"
#include "config/duration.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace sluice::config {
namespace {

std::int64_t to_whole(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

double to_real(std::string_view text) {
  return std::strtod(std::string(text).c_str(), nullptr);
}

Duration to_span(std::string_view text) {
  return parse_duration(text).value_or(Duration::zero());
}

// What stands in the file, short and printable.
std::string found_text(const Node& node) {
  constexpr std::size_t kMost = 60;
  switch (node.kind) {
    case Node::Kind::Group:
      return "a group";
    case Node::Kind::List:
      return "a list";
    case Node::Kind::Array:
      return "an array";
    case Node::Kind::Whole:
      return std::to_string(node.whole);
    case Node::Kind::Real: {
      char text[32];
      return {text, std::to_chars(text, text + sizeof text, node.real).ptr};
    }
    case Node::Kind::Flag:
      return node.flag ? "true" : "false";
    case Node::Kind::String:
      break;
  }
  return quoted(std::string_view(node.text).substr(0, kMost)) +
         (node.text.size() > kMost ? "..." : "");
}

bool is_choice(std::string_view choices, std::string_view text) {
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    if (choices.substr(0, bar) == text) return true;
    choices = bar == std::string_view::npos ? std::string_view{} : choices.substr(bar + 1);
  }
  return false;
}

bool in_range(const KeyInfo& key, const Node& node) {
  return node.kind == Node::Kind::Whole && node.whole >= to_whole(key.low) &&
         node.whole <= to_whole(key.high);
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) out += c >= ' ' && c <= '~' ? c : '?';
  return out += '"';
}

Reader::Reader(const Node& node, std::string path, std::string group, Errors& errors)
    : node_(&node),
      place_(node.place),
      path_(std::move(path)),
      group_(std::move(group)),
      errors_(&errors) {
  for (const Node& inner : node.children) {
    if (find_key(group_, inner.name) != nullptr) continue;
    std::string text = "unknown key " + path_of(inner.name);
    if (const KeyInfo* near = nearest_key(group_, inner.name)) {
      text.append("; did you mean ").append(near->name).append("?");
    } else {
      text += "; known here: " + known_keys(group_);
    }
    error(inner.place, std::move(text));
  }
}

Reader::Reader(Place place, std::string path, std::string group, Errors& errors)
    : node_(nullptr),
      place_(std::move(place)),
      path_(std::move(path)),
      group_(std::move(group)),
      errors_(&errors) {}

void Reader::error(const Place& place, std::string text) const {
  errors_->push_back({place.file, place.line, std::move(text)});
}

const Node* Reader::child(std::string_view name) const {
  if (node_ == nullptr) return nullptr;
  for (const Node& inner : node_->children) {
    if (inner.name == name) return &inner;
  }
  return nullptr;
}

std::pair<const KeyInfo*, const Node*> Reader::find(std::string_view name) const {
  const KeyInfo* key = find_key(group_, name);
  SLUICE_CHECK(key != nullptr);
  const Node* node = child(name);
  if (node == nullptr && node_ != nullptr && key->need == Need::Required) {
    error(place(), path_of(name) + " is missing: it must be " + expectation(*key));
  }
  return {key, node};
}

std::string Reader::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : std::string(path_).append(".").append(name);
}

std::string Reader::group_of(std::string_view name) const {
  return group_.empty() ? std::string(name) : std::string(group_).append(".").append(name);
}

void Reader::mismatch(const Place& place, const std::string& path, const KeyInfo& key,
                      const Node& found) const {
  error(place, path + " must be " + expectation(key) + "; found " + found_text(found));
}

Read<std::string> Reader::text(std::string_view name) const {
  const auto [key, node] = find(name);
  Read<std::string> out{std::string(key->fallback), place(), path_of(name), node != nullptr,
                        node == nullptr && !key->fallback.empty()};
  if (node == nullptr) return out;
  out.place = node->place;
  if (node->kind != Node::Kind::String ||
      (key->shape == Shape::Choice && !is_choice(key->choices, node->text))) {
    mismatch(out.place, out.path, *key, *node);
    return out;
  }
  out.value = node->text;
  out.good = true;
  return out;
}

std::vector<Read<std::string>> Reader::texts(std::string_view name) const {
  const auto [key, node] = find(name);
  std::vector<Read<std::string>> out;
  if (node == nullptr) return out;
  if (node->kind == Node::Kind::String) {
    out.push_back({node->text, node->place, path_of(name), true, true});
    return out;
  }
  if (!node->is_sequence()) {
    mismatch(node->place, path_of(name), *key, *node);
    return out;
  }
  if (node->children.empty() && key->need == Need::Required) {
    error(node->place, path_of(name) + " must not be empty");
  }
  for (const Node& element : node->children) {
    std::string path = path_of(name) + "[" + std::to_string(&element - node->children.data()) + "]";
    if (element.kind != Node::Kind::String) {
      error(element.place, path + " must be a string; found " + found_text(element));
      continue;
    }
    out.push_back({element.text, element.place, std::move(path), true, true});
  }
  return out;
}

Read<std::int64_t> Reader::whole(std::string_view name) const {
  const auto [key, node] = find(name);
  Read<std::int64_t> out{to_whole(key->fallback), place(), path_of(name), node != nullptr,
                         node == nullptr};
  if (node == nullptr) return out;
  out.place = node->place;
  out.good = in_range(*key, *node);
  if (out.good) {
    out.value = node->whole;
  } else {
    mismatch(out.place, out.path, *key, *node);
  }
  return out;
}

std::vector<Read<std::int64_t>> Reader::wholes(std::string_view name) const {
  const auto [key, node] = find(name);
  std::vector<Read<std::int64_t>> out;
  if (node == nullptr) return out;
  if (!node->is_sequence()) {
    mismatch(node->place, path_of(name), *key, *node);
    return out;
  }
  for (const Node& element : node->children) {
    if (!in_range(*key, element)) {
      mismatch(element.place, path_of(name), *key, element);
      continue;
    }
    out.push_back({element.whole, element.place, path_of(name), true, true});
  }
  return out;
}

Read<double> Reader::real(std::string_view name) const {
  const auto [key, node] = find(name);
  Read<double> out{to_real(key->fallback), place(), path_of(name), node != nullptr,
                   node == nullptr};
  if (node == nullptr) return out;
  out.place = node->place;
  // Written so that a NaN fails.
  out.good = (node->kind == Node::Kind::Real || node->kind == Node::Kind::Whole) &&
             node->real >= to_real(key->low) && node->real <= to_real(key->high);
  if (out.good) {
    out.value = node->real;
  } else {
    mismatch(out.place, out.path, *key, *node);
  }
  return out;
}

Read<bool> Reader::flag(std::string_view name) const {
  const auto [key, node] = find(name);
  Read<bool> out{key->fallback == "true", place(), path_of(name), node != nullptr, node == nullptr};
  if (node == nullptr) return out;
  out.place = node->place;
  out.good = node->kind == Node::Kind::Flag;
  if (out.good) {
    out.value = node->flag;
  } else {
    mismatch(out.place, out.path, *key, *node);
  }
  return out;
}

Read<Duration> Reader::span(std::string_view name) const {
  const auto [key, node] = find(name);
  Read<Duration> out{to_span(key->fallback), place(), path_of(name), node != nullptr,
                     node == nullptr};
  if (node == nullptr) return out;
  out.place = node->place;
  const std::optional<Duration> given =
      node->kind == Node::Kind::String ? parse_duration(node->text) : std::nullopt;
  out.good = given && *given >= to_span(key->low) && *given <= to_span(key->high);
  if (out.good) {
    out.value = *given;
  } else {
    mismatch(out.place, out.path, *key, *node);
  }
  return out;
}

Reader Reader::group(std::string_view name) const {
  const auto [key, node] = find(name);
  if (node != nullptr && node->kind == Node::Kind::Group) {
    return {*node, path_of(name), group_of(name), *errors_};
  }
  if (node != nullptr) mismatch(node->place, path_of(name), *key, *node);
  return {place(), path_of(name), group_of(name), *errors_};
}

std::vector<Reader> Reader::groups(std::string_view name) const {
  const auto [key, node] = find(name);
  std::vector<Reader> out;
  if (node == nullptr) return out;
  if (node->kind != Node::Kind::List) {
    mismatch(node->place, path_of(name), *key, *node);
    return out;
  }
  if (node->children.empty() && key->need == Need::Required) {
    error(node->place, path_of(name) + " must not be empty");
  }
  for (const Node& element : node->children) {
    std::string path = path_of(name) + "[" + std::to_string(&element - node->children.data()) + "]";
    if (element.kind != Node::Kind::Group) {
      error(element.place, path + " must be a group { ... }; found " + found_text(element));
      continue;
    }
    out.emplace_back(element, std::move(path), group_of(name) + "[]", *errors_);
  }
  return out;
}

Reader::Size Reader::size_of(std::string_view name) const {
  const Node* node = child(name);
  if (node == nullptr) return {true, place()};
  return {node->is_sequence() && node->children.empty(), node->place};
}

}  // namespace sluice::config
