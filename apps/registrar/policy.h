// SPDX-License-Identifier: Apache-2.0
//
// Policy: what the registrar is told by the configuration; one immutable snapshot, named in every
// call.
//
// Memory   Plain data. wiring publishes it in an rcu::Cell; a request uses one snapshot throughout.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::registrar {

struct Options {
  std::uint32_t default_expires = 3600;  // s; when the request names none
  std::uint32_t min_expires = 60;        // s; below it 423 (never from one hour on: RFC 3261 10.3)
  std::uint32_t max_expires = 7200;      // s; more is shortened to it
  // Thousandths of the granted lifetime: up to this much is cut off at random, to spread refreshes.
  std::uint32_t jitter = 0;
  std::uint32_t max_contacts = 10;  // of an AoR; at most store::Bindings::kMost
  // What a request beyond max_contacts does: refuse it, or drop the bindings that expire first.
  bool remove_existing = false;
};

class Policy {
 public:
  // Domains in any case and order.
  Policy(const Options& options, std::vector<std::string> domains);

  const Options& options() const noexcept { return options_; }
  // `host` in lower case.
  bool serves(std::string_view host) const noexcept;

 private:
  Options options_;
  std::vector<std::string> domains_;  // lower case, sorted
};

}  // namespace sluice::registrar
