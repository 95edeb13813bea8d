// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/route_table.h"

#include <algorithm>

namespace sluice::dataplane {

RouteTable::Key RouteTable::key_of(const IpAddress& address) noexcept {
  Key key;
  for (std::size_t i = 0; i < 8; ++i) {
    key.high = key.high << 8 | address.bytes[i];
    key.low = key.low << 8 | address.bytes[i + 8];
  }
  return key;
}

RouteTable::Key RouteTable::last_of(const Prefix& prefix) noexcept {
  Key key = key_of(prefix.address);
  const unsigned length = prefix.length;
  if (length < 64) {
    key.high |= ~std::uint64_t{0} >> length;
    key.low = ~std::uint64_t{0};
  } else if (length < 128) {
    key.low |= ~std::uint64_t{0} >> (length - 64);
  }
  return key;
}

void RouteTable::build(std::span<const Route> routes) {
  routes_.assign(routes.begin(), routes.end());
  for (Route& route : routes_) {  // host bits of "198.18.0.2/24" are not part of the network
    for (std::size_t bit = route.prefix.length; bit < route.prefix.address.size() * 8; ++bit) {
      route.prefix.address.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
    }
  }
  build_family(IpFamily::V4, v4_);
  build_family(IpFamily::V6, v6_);
}

void RouteTable::build_family(IpFamily family, Family& out) {
  out = {};
  std::vector<Key> cuts = {Key{}};
  for (const Route& route : routes_) {
    if (route.prefix.address.family != family) continue;
    cuts.push_back(key_of(route.prefix.address));
    Key after = last_of(route.prefix);
    if (++after.low == 0) ++after.high;
    if (after != Key{}) cuts.push_back(after);
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  for (const Key& start : cuts) {
    std::int32_t best = -1;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
      const Prefix& prefix = routes_[i].prefix;
      if (prefix.address.family != family || start < key_of(prefix.address) ||
          last_of(prefix) < start) {
        continue;
      }
      if (best < 0 || prefix.length > routes_[static_cast<std::size_t>(best)].prefix.length) {
        best = static_cast<std::int32_t>(i);
      }
    }
    if (!out.route.empty() && out.route.back() == best) continue;
    out.starts.push_back(start);
    out.route.push_back(best);
  }
}

const Route* RouteTable::find(const IpAddress& remote) const noexcept {
  const Family& family = remote.is_v4() ? v4_ : v6_;
  const auto above = std::upper_bound(family.starts.begin(), family.starts.end(), key_of(remote));
  if (above == family.starts.begin()) return nullptr;
  const auto piece = static_cast<std::size_t>(above - family.starts.begin()) - 1;
  const std::int32_t route = family.route[piece];
  return route < 0 ? nullptr : &routes_[static_cast<std::size_t>(route)];
}

}  // namespace sluice::dataplane
