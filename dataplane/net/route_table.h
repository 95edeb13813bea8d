// SPDX-License-Identifier: Apache-2.0
//
// RouteTable: longest prefix match by one binary search.
//
// build() cuts the address space at every prefix border and stores for each piece the longest
// prefix that covers it, so that a lookup has no back-tracking: 1,024 routes are at most 11 steps.
// rte_lpm would cost 64 MB for the same and know IPv4 only.
//
// Threads  Immutable after build().
// Memory   Two sorted arrays a family.
#pragma once

#include "base/endpoint.h"

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::dataplane {

struct Route {
  Prefix prefix;
  IpAddress gateway;  // meaningless when on_link
  std::uint16_t port = 0;
  bool on_link = false;  // a connected network: the remote is its own next hop
};

class RouteTable {
 public:
  // Of equal prefixes the first wins.
  void build(std::span<const Route> routes);
  const Route* find(const IpAddress& remote) const noexcept;

 private:
  // An address as a number; an IPv4 address sits in the top 32 bits.
  struct Key {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Family {
    std::vector<Key> starts;
    std::vector<std::int32_t> route;  // index into routes_, or -1
  };

  static Key key_of(const IpAddress& address) noexcept;
  static Key last_of(const Prefix& prefix) noexcept;
  void build_family(IpFamily family, Family& out);

  std::vector<Route> routes_;
  Family v4_;
  Family v6_;
};

}  // namespace sluice::dataplane
