// SPDX-License-Identifier: Apache-2.0
//
// Target: one place to send a request to. TargetSet: the targets of one request (RFC 3261 16.5).
//
// Memory   A TargetSet holds the text of its targets; string_views it returns live as long as it
//          does.
// Errors   add() refuses what does not fit.
#pragma once

#include "base/endpoint.h"
#include "base/flow_id.h"
#include "base/slice.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace sluice::sip {

// Where the next element listens.
struct NextHop {
  Transport transport = Transport::Udp;
  Endpoint remote;
};

struct Target {
  std::string_view uri;  // the Request-URI of the forwarded request
  std::string_view
      route;  // Route values to put in front, comma-separated (a binding's Path, RFC 3327)
  std::uint16_t q = 1000;  // in thousandths; equal ones are tried in parallel, lower ones later
  // Set: go there, whatever URI and routes say (where a REGISTER really came from, a static route).
  std::optional<NextHop> next_hop;
  FlowId flow;                        // set: on this flow
  ListenerId listener = kNoListener;  // set: from this listener
};

class TargetSet {
 public:
  static constexpr std::size_t kMaxTargets = 16;

  TargetSet() = default;
  TargetSet(const TargetSet& other) noexcept { *this = other; }
  TargetSet& operator=(const TargetSet& other) noexcept {
    clear();
    for (std::size_t i = 0; i < other.size(); ++i) add(other[i]);
    return *this;
  }

  // Keeps the order of q, and of arrival among equals.
  bool add(const Target& target) noexcept {
    const std::size_t needed = target.uri.size() + target.route.size();
    if (end_ == kMaxTargets || text_size_ + needed > text_.size()) return false;
    Target copy = target;
    copy.uri = keep(target.uri);
    copy.route = keep(target.route);
    std::size_t at = end_++;
    for (; at > begin_ && targets_[at - 1].q < copy.q; --at) targets_[at] = targets_[at - 1];
    targets_[at] = copy;
    return true;
  }

  bool empty() const noexcept { return begin_ == end_; }
  std::size_t size() const noexcept { return end_ - begin_; }
  const Target& operator[](std::size_t index) const noexcept { return targets_[begin_ + index]; }

  // Takes the targets with the highest q off the front, at most `most`.
  std::span<const Target> take_group(std::size_t most) noexcept {
    const std::size_t first = begin_;
    while (begin_ < end_ && begin_ - first < most && targets_[begin_].q == targets_[first].q) {
      ++begin_;
    }
    return {&targets_[first], begin_ - first};
  }

  void clear() noexcept {
    begin_ = end_ = 0;
    text_size_ = 0;
  }

 private:
  std::string_view keep(std::string_view text) noexcept {
    if (text.empty()) return {};
    std::memcpy(&text_[text_size_], text.data(), text.size());
    const std::string_view kept{&text_[text_size_], text.size()};
    text_size_ += text.size();
    return kept;
  }

  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t text_size_ = 0;
  std::array<Target, kMaxTargets> targets_;
  std::array<char, 4096> text_;
};

}  // namespace sluice::sip
