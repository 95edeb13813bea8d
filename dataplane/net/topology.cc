// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/topology.h"

#include <bit>
#include <cstring>

namespace sluice::dataplane {
namespace {

// Not keyed: the table holds only what the operator configured, and a stranger's address just
// misses.
std::uint64_t mix(std::uint64_t value) noexcept {
  value ^= value >> 32;
  value *= 0x9e3779b97f4a7c15ULL;
  return value ^ value >> 29;
}

bool is_network_or_broadcast(const Prefix& prefix, const IpAddress& address) noexcept {
  if (!prefix.address.is_v4() || prefix.length >= 31 || !prefix.contains(address)) return false;
  std::uint32_t host = 0;
  for (std::size_t i = 0; i < 4; ++i) host = host << 8 | address.bytes[i];
  const std::uint32_t mask = prefix.length == 0 ? ~0U : ~0U >> prefix.length;
  return (host & mask) == mask || (host & mask) == 0;
}

std::string quoted(const std::string& name) {
  return "port \"" + name + "\"";
}

// Empty when the port is sound.
std::string complaint_about(const PortSpec& port) {
  if (port.addresses.empty()) return quoted(port.name) + " must have at least one address";
  for (const Prefix& prefix : port.addresses) {
    const IpAddress& address = prefix.address;
    if (address.is_unspecified() || address.is_multicast() || address.is_broadcast() ||
        address.is_loopback() || is_network_or_broadcast(prefix, address)) {
      return quoted(port.name) + ": " + prefix.to_string() + " is not the address of a host";
    }
  }
  if (port.vlan > 4094 || port.service_vlan > 4094) {
    return quoted(port.name) + ": a VLAN id is 1 to 4094";
  }
  if (port.service_vlan != 0 && port.vlan == 0) {
    return quoted(port.name) + ": a service VLAN needs a VLAN inside it";
  }
  if (port.gateway_v4 && !port.gateway_v4->is_v4()) {
    return quoted(port.name) + ": the IPv4 gateway is no IPv4 address";
  }
  if (port.gateway_v6 && !port.gateway_v6->is_v6()) {
    return quoted(port.name) + ": the IPv6 gateway is no IPv6 address";
  }
  if (port.mtu != 0 && port.mtu < 1280) return quoted(port.name) + ": the MTU is at least 1280";
  return {};
}

}  // namespace

void Topology::EndpointMap::reserve(std::size_t count) {
  slots_.assign(std::bit_ceil(count * 2 + 2), Slot{});
}

std::size_t Topology::EndpointMap::place(std::uint16_t port, const Endpoint& local) const noexcept {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, local.address.bytes.data(), 8);
  std::memcpy(&low, local.address.bytes.data() + 8, 8);
  const std::uint64_t rest = std::uint64_t{port} << 16 | local.port;
  return mix(high ^ mix(low ^ mix(rest))) & (slots_.size() - 1);
}

bool Topology::EndpointMap::insert(std::uint16_t port, const Endpoint& local, ListenerId listener) {
  std::size_t at = place(port, local);
  while (slots_[at].used) {
    if (slots_[at].port == port && slots_[at].local == local) return false;
    at = (at + 1) & (slots_.size() - 1);
  }
  slots_[at] = Slot{local, port, listener, true};
  return true;
}

const Topology::Slot* Topology::EndpointMap::find(std::uint16_t port,
                                                  const Endpoint& local) const noexcept {
  for (std::size_t at = place(port, local); slots_[at].used; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].local == local && slots_[at].port == port) return &slots_[at];
  }
  return nullptr;
}

Result<Topology, std::string> Topology::build(TopologySpec spec) {
  Topology out;
  out.spec_ = std::move(spec);
  const std::vector<PortSpec>& ports = out.spec_.ports;
  std::vector<Route> routes;
  std::size_t address_count = 0;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (std::string complaint = complaint_about(ports[i]); !complaint.empty()) {
      return fail(std::move(complaint));
    }
    const auto port = static_cast<std::uint16_t>(i);
    for (const Prefix& prefix : ports[i].addresses) routes.push_back({prefix, {}, port, true});
    address_count += ports[i].addresses.size();
  }
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const auto port = static_cast<std::uint16_t>(i);
    if (ports[i].gateway_v4)
      routes.push_back({{IpAddress{}, 0}, *ports[i].gateway_v4, port, false});
    if (ports[i].gateway_v6) {
      IpAddress any;
      any.family = IpFamily::V6;
      routes.push_back({{any, 0}, *ports[i].gateway_v6, port, false});
    }
  }
  for (const RouteSpec& route : out.spec_.routes) {
    if (route.port >= ports.size() || route.gateway.family != route.prefix.address.family) {
      return fail("route " + route.prefix.to_string() +
                  ": needs a port and a gateway of its family");
    }
    routes.push_back({route.prefix, route.gateway, route.port, false});
  }

  out.addresses_.reserve(address_count);
  for (std::size_t i = 0; i < ports.size(); ++i) {
    for (const Prefix& prefix : ports[i].addresses) {
      out.addresses_.insert(static_cast<std::uint16_t>(i), {prefix.address, 0}, kNoListener);
    }
  }
  out.all_.build(routes);
  out.of_port_.resize(ports.size());
  for (std::size_t i = 0; i < ports.size(); ++i) {
    std::vector<Route> own;
    for (const Route& route : routes) {
      if (route.port == i) own.push_back(route);
    }
    out.of_port_[i].build(own);
  }
  for (const Route& route : routes) {
    if (!route.on_link && !out.is_on_link(route.port, route.gateway) &&
        !route.gateway.is_link_local()) {
      return fail("gateway " + route.gateway.to_string() + " is not on a network of " +
                  quoted(ports[route.port].name));
    }
  }

  out.listeners_.reserve(out.spec_.listeners.size());
  for (std::size_t i = 0; i < out.spec_.listeners.size(); ++i) {
    const TopologyListener& listener = out.spec_.listeners[i];
    if (listener.port >= ports.size() || !out.owns(listener.port, listener.local.address)) {
      return fail("listener " + listener.local.to_string() + " is not on an address of its port");
    }
    if (listener.id == kNoListener) {
      return fail("listener " + listener.local.to_string() + " has no id");
    }
    if (listener.transport == Transport::Udp &&
        !out.listeners_.insert(listener.port, listener.local, listener.id)) {
      return fail("listener " + listener.local.to_string() + " is there twice");
    }
    if (out.by_id_.size() <= listener.id) out.by_id_.resize(listener.id + 1U, kNoListener);
    out.by_id_[listener.id] = static_cast<std::uint16_t>(i);
  }
  return out;
}

std::optional<NextHop> Topology::next_hop(const IpAddress& remote) const noexcept {
  const Route* route = all_.find(remote);
  if (route == nullptr) return std::nullopt;
  return NextHop{route->port, route->on_link ? remote : route->gateway};
}

std::optional<NextHop> Topology::next_hop(std::uint16_t port,
                                          const IpAddress& remote) const noexcept {
  // RFC 4007 section 5: a link-local address has no route, it is on the link it is spoken on.
  if (remote.is_v6() && remote.is_link_local()) return NextHop{port, remote};
  const Route* route = of_port_[port].find(remote);
  if (route == nullptr) return std::nullopt;
  return NextHop{port, route->on_link ? remote : route->gateway};
}

ListenerId Topology::find_listener(std::uint16_t port, const Endpoint& local) const noexcept {
  const Slot* slot = listeners_.find(port, local);
  return slot == nullptr ? kNoListener : slot->listener;
}

const TopologyListener* Topology::listener(ListenerId id) const noexcept {
  if (id >= by_id_.size() || by_id_[id] == kNoListener) return nullptr;
  return &spec_.listeners[by_id_[id]];
}

ListenerId Topology::select_listener(Transport transport, const IpAddress& remote) const noexcept {
  const Route* route = all_.find(remote);
  if (route == nullptr) return kNoListener;
  for (const TopologyListener& listener : spec_.listeners) {
    if (listener.port == route->port && listener.transport == transport &&
        listener.local.address.family == remote.family) {
      return listener.id;
    }
  }
  return kNoListener;
}

bool Topology::owns(std::uint16_t port, const IpAddress& address) const noexcept {
  return addresses_.find(port, {address, 0}) != nullptr;
}

bool Topology::is_gateway(std::uint16_t port, const IpAddress& address) const noexcept {
  const PortSpec& spec = spec_.ports[port];
  const auto& fixed = address.is_v4() ? spec.gateway_v4 : spec.gateway_v6;
  if (fixed == address) return true;
  for (const RouteSpec& route : spec_.routes) {
    if (route.port == port && route.gateway == address) return true;
  }
  return false;
}

bool Topology::is_on_link(std::uint16_t port, const IpAddress& address) const noexcept {
  for (const Prefix& prefix : spec_.ports[port].addresses) {
    if (prefix.contains(address)) return true;
  }
  return false;
}

bool Topology::is_subnet_broadcast(std::uint16_t port, const IpAddress& address) const noexcept {
  for (const Prefix& prefix : spec_.ports[port].addresses) {
    if (is_network_or_broadcast(prefix, address)) return true;
  }
  return false;
}

const IpAddress* Topology::source_for(std::uint16_t port,
                                      const IpAddress& neighbour) const noexcept {
  const IpAddress* first = nullptr;
  for (const Prefix& prefix : spec_.ports[port].addresses) {
    if (prefix.address.family != neighbour.family) continue;
    if (prefix.contains(neighbour)) return &prefix.address;
    if (first == nullptr) first = &prefix.address;
  }
  return first;
}

}  // namespace sluice::dataplane
