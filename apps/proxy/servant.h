// SPDX-License-Identifier: Apache-2.0
//
// ProxyServant: decides for the proxy core where a request goes.
//
//   in a dialog, by a route set through us    by Route or Request-URI
//   REGISTER to one of our domains            registrar; 501 without one
//   OPTIONS to ourselves, or out of hops      options servant; 501 without one
//   a user of one of our domains              location: 404 unknown, 480 not registered
//   another domain with a static route        there
//   anything else                             403: nobody may relay through us
//
// Threads  One instance per servant core, or one for all: it has no state of its own.
// Memory   Lookups allocate nothing.
// Errors   Refusals are Decisions with a status.
#pragma once

#include "apps/proxy/location_reader.h"
#include "apps/proxy/route_table.h"
#include "sipcore/proxy/policy.h"
#include "sipcore/proxy/resolver.h"

namespace sluice::proxy {

// IP addresses, and the names that the table knows.
class TableResolver final : public sip::NextHopResolver {
 public:
  explicit TableResolver(const RouteTableSource& routes) : routes_(routes) {}
  std::optional<sip::NextHop> resolve(Core& core, const sip::Uri& uri) const noexcept override;

 private:
  const RouteTableSource& routes_;
};

class ProxyServant final : public sip::TargetPolicy {
 public:
  struct Services {
    LocationReader* location = nullptr;  // null: nobody is registered here
    sip::RequestHandler* registrar = nullptr;
    sip::RequestHandler* options = nullptr;
  };

  ProxyServant(const RouteTableSource& routes, const sip::NextHopResolver& resolver,
               const Services& services)
      : routes_(routes), resolver_(resolver), services_(services) {}

  bool is_self(Core& core, std::string_view host, std::uint16_t port) override;
  sip::RequestHandler* handler_for(Core& core, const sip::RoutedRequest& request) override;
  sip::Decision targets_for(Core& core, const sip::RoutedRequest& request,
                            sip::TargetSet& targets) override;

 private:
  sip::Decision to_user(Core& core, const sip::Uri& uri, sip::TargetSet& targets);
  sip::Decision to_domain(Core& core, const RouteTable& table, const sip::Uri& uri,
                          sip::TargetSet& targets);

  const RouteTableSource& routes_;
  const sip::NextHopResolver& resolver_;
  const Services services_;
};

}  // namespace sluice::proxy
