// SPDX-License-Identifier: Apache-2.0
//
// RouteTable: which domains are ours, by which names we are known, and where other domains are.
//
// Threads  Immutable once built: published as a snapshot, read on every core.
// Memory   Built on the control thread; lookups allocate nothing.
// Errors   build() says what is wrong with its input in one sentence.
#pragma once

#include "base/core.h"
#include "base/endpoint.h"
#include "base/result.h"
#include "sipcore/parse/uri.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice::proxy {

struct StaticRoute {
  std::string domain;    // "example.com", "*.example.com" (its subdomains), "*" (everything else)
  std::string next_hop;  // a sip or sips URI; the Request-URI of what is sent there stays as it is
  // The next hop wants to find itself in a Route header (a proxy that loose-routes) instead of
  // just getting the request.
  bool as_route = false;
};

struct RouteTableInput {
  std::vector<std::string> domains;  // whose users are in `location`
  // How we appear in Route and Via: "198.18.0.2:5060", "edge.example.com:5060"; without a port: any
  // port.
  std::vector<std::string> own_names;
  std::vector<StaticRoute> routes;
  std::vector<std::pair<std::string, IpAddress>> hosts;  // names that need no DNS
  bool record_route = true;                              // on INVITE, SUBSCRIBE, REFER and NOTIFY
};

class RouteTable {
 public:
  struct Route {
    std::string next_hop;
    std::string route_value;  // "<sip:...;lr>" if it goes into a Route header, else empty
  };

  static Result<RouteTable, std::string> build(const RouteTableInput& input);

  // Hosts compare without case; port 0: none given.
  bool is_self(std::string_view host, std::uint16_t port) const noexcept;
  bool is_local_domain(std::string_view host) const noexcept;
  // Exact match, else the longest suffix, else "*", else nullptr.
  const Route* route_for(std::string_view host) const noexcept;
  const IpAddress* address_of(std::string_view host) const noexcept;
  bool record_route() const noexcept { return record_route_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  template <typename T>
  using Map = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  Map<bool> domains_;
  Map<std::vector<std::uint16_t>> own_names_;  // ports; 0: any
  Map<Route> routes_;  // "example.com", ".example.com" for its subdomains, "*"
  Map<IpAddress> hosts_;
  bool record_route_ = true;
};

// Where the snapshot of this turn comes from.
class RouteTableSource {
 public:
  virtual ~RouteTableSource() = default;
  // Good for the rest of the core's turn.
  virtual const RouteTable& table(Core& core) const noexcept = 0;
};

}  // namespace sluice::proxy
