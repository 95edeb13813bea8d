// SPDX-License-Identifier: Apache-2.0
#include "apps/proxy/servant.h"

#include <array>

namespace sluice::proxy {

using sip::Decision;
using sip::Method;
using sip::RoutedRequest;
using sip::Target;
using sip::TargetSet;
using sip::Uri;

namespace {

constexpr Decision kRelayingDenied{.status = 403, .reason = "Relaying Denied"};

class TargetCollector final : public BindingSink {
 public:
  explicit TargetCollector(TargetSet& targets) : targets_(targets) {}
  void on_binding(const Binding& binding) override {
    Target target{.uri = binding.contact,
                  .route = binding.path,
                  .q = binding.q,
                  .flow = binding.flow,
                  .listener = binding.listener};
    // RFC 3327 5.3: a Path says where to go; the address behind it is another proxy's business.
    if (binding.path.empty()) target.next_hop = binding.received;
    targets_.add(target);  // the contacts with the highest q come first, and 16 are enough
  }

 private:
  TargetSet& targets_;
};

// RFC 3261 12.1 and RFC 6665 4.3: what makes a dialog, or may be the first that is heard of one.
bool wants_record_route(const RoutedRequest& request) {
  switch (request.method()) {
    case Method::Invite:
    case Method::Subscribe:
    case Method::Refer:
      return !request.in_dialog;
    case Method::Notify:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<sip::NextHop> TableResolver::resolve(Core& core, const Uri& uri) const noexcept {
  if (!uri.is_sip()) return std::nullopt;
  const auto transport = sip::transport_of(uri);
  if (!transport) return std::nullopt;
  const std::string_view host = sip::host_of(uri);
  auto address = IpAddress::parse(host);
  if (!address) {
    const IpAddress* known = routes_.table(core).address_of(host);
    if (known == nullptr) return std::nullopt;
    address = *known;
  }
  return sip::NextHop{*transport, {*address, sip::port_of(uri, *transport)}};
}

bool ProxyServant::is_self(Core& core, std::string_view host, std::uint16_t port) {
  return routes_.table(core).is_self(host, port);
}

sip::RequestHandler* ProxyServant::handler_for(Core& core, const RoutedRequest& request) {
  if (!request.top_route.empty()) return nullptr;
  const Uri& uri = request.request_uri;
  switch (request.method()) {
    case Method::Register:
      return uri.is_sip() && routes_.table(core).is_local_domain(uri.host) ? services_.registrar
                                                                           : nullptr;
    case Method::Options: {
      // RFC 3261 11: who gets it with no hop left may answer instead of refusing it.
      const sip::Essentials& essentials = request.received.essentials;
      const bool out_of_hops = essentials.has_max_forwards && essentials.max_forwards == 0;
      const bool to_us =
          uri.is_sip() && !uri.has_user && routes_.table(core).is_local_domain(uri.host);
      return to_us || out_of_hops ? services_.options : nullptr;
    }
    default:
      return nullptr;
  }
}

Decision ProxyServant::targets_for(Core& core, const RoutedRequest& request, TargetSet& targets) {
  const RouteTable& table = routes_.table(core);
  const Uri& uri = request.request_uri;
  Decision decision;
  const bool is_local = uri.is_sip() && table.is_local_domain(uri.host);
  if (request.in_dialog && request.routed_by_us && (!is_local || !request.top_route.empty())) {
    // 16.5: the route set says it all.
    targets.add({.uri = uri.text});
  } else if (!request.top_route.empty()) {
    // A Route that somebody made up, to have us deliver it.
    return kRelayingDenied;
  } else if (is_local) {
    if (request.method() == Method::Register ||
        (request.method() == Method::Options && !uri.has_user)) {
      return {.status = 501};
    }
    if (!uri.has_user) return {.status = 404};
    decision = to_user(core, uri, targets);
  } else {
    decision = to_domain(core, table, uri, targets);
  }
  decision.record_route = table.record_route() && wants_record_route(request);
  return decision;
}

Decision ProxyServant::to_user(Core& core, const Uri& uri, TargetSet& targets) {
  std::array<char, 512> aor;
  const std::size_t size = sip::canonical_aor(uri, aor.data(), aor.size());
  if (size == 0 || services_.location == nullptr) return {.status = 404};
  TargetCollector collector(targets);
  switch (services_.location->lookup(core, {aor.data(), size}, collector)) {
    case LocationReader::Answer::UnknownUser:
      return {.status = 404};
    case LocationReader::Answer::NotRegistered:
      return {.status = 480};
    case LocationReader::Answer::Found:
      break;
  }
  return {.status = static_cast<std::uint16_t>(targets.empty() ? 480 : 0)};
}

Decision ProxyServant::to_domain(Core& core, const RouteTable& table, const Uri& uri,
                                 TargetSet& targets) {
  // A tel or urn has no host: only "*" can mean it.
  const RouteTable::Route* route = table.route_for(uri.host);
  if (route == nullptr) return kRelayingDenied;
  if (!route->route_value.empty()) {
    targets.add({.uri = uri.text, .route = route->route_value});
    return {};
  }
  const auto next_hop = resolver_.resolve(core, *sip::parse_uri(route->next_hop));
  if (!next_hop) return {.status = 478, .reason = "Unresolvable destination"};
  targets.add({.uri = uri.text, .next_hop = next_hop});
  return {};
}

}  // namespace sluice::proxy
