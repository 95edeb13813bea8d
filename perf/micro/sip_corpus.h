// SPDX-License-Identifier: Apache-2.0
//
// Corpus: many distinct messages of one shape, so that a branch predictor cannot learn one by
// heart.
#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#ifndef SLUICE_SOURCE_ROOT  // perf/micro/meson.build says where the tree is
#define SLUICE_SOURCE_ROOT "."
#endif

namespace sluice::perf {

// The vectors of tests/data/sip/accepted that stand for a day's traffic.
inline std::string read_vector(const std::string& name) {
  std::ifstream file(SLUICE_SOURCE_ROOT "/tests/data/sip/accepted/" + name + ".sip",
                     std::ios::binary);
  if (!file) throw std::runtime_error("no test vector " + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Copies of a message whose letters and digits differ inside of Call-ID, tags, branches and user
// names, and whose header fields are of different lengths.
class Corpus {
 public:
  Corpus(const std::string& message, std::size_t count, std::uint32_t seed = 1) {
    std::mt19937 random(seed);
    const auto letters = [&](std::size_t n) {
      std::string out(n, 'a');
      for (char& c : out) c = "abcdefghijklmnopqrstuvwxyz0123456789"[random() % 36];
      return out;
    };
    for (std::size_t i = 0; i < count; ++i) {
      std::string copy = message;
      replace_all(copy, "alice", "u" + letters(2 + random() % 8));
      replace_all(copy, "bob", "u" + letters(2 + random() % 8));
      replace_all(copy, "z9hG4bK", "z9hG4bK" + letters(random() % 12));
      replace_all(copy, "tag=", "tag=" + letters(random() % 10));
      replace_all(copy, "Call-ID: ", "Call-ID: " + letters(random() % 16));
      messages_.push_back(std::move(copy));
      bytes_ += messages_.back().size();
    }
  }

  // Shuffles several corpora into one.
  explicit Corpus(const std::vector<std::pair<std::string, std::size_t>>& mix) {
    for (const auto& [name, count] : mix) {
      const Corpus part(read_vector(name), count);
      messages_.insert(messages_.end(), part.messages_.begin(), part.messages_.end());
      bytes_ += part.bytes_;
    }
    std::mt19937 random(2);
    for (std::size_t i = messages_.size(); i > 1; --i) {
      std::swap(messages_[i - 1], messages_[random() % i]);
    }
  }

  const std::vector<std::string>& messages() const { return messages_; }
  double mean_size() const {
    return static_cast<double>(bytes_) / static_cast<double>(messages_.size());
  }

 private:
  static void replace_all(std::string& text, std::string_view from, const std::string& to) {
    const std::size_t body = text.find("\r\n\r\n");
    for (std::size_t at = text.find(from); at < body && at != std::string::npos;
         at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  }

  std::vector<std::string> messages_;
  std::size_t bytes_ = 0;
};

}  // namespace sluice::perf
