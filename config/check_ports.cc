// SPDX-License-Identifier: Apache-2.0
#include "config/check_ports.h"

#include "config/net_text.h"

#include <algorithm>

namespace sluice::config {
namespace {

bool is_port_name(std::string_view text) {
  return !text.empty() && text.size() <= 31 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

// "net_tap0,iface=sluice0" -> "net_tap0"
std::string_view device_name(std::string_view device) {
  return device.substr(0, device.find(','));
}

bool is_on_link(const IpAddress& hop, const Port& port) {
  // Routers of IPv6 are known by their link-local addresses (RFC 4861 4.2).
  if (hop.is_v6() && hop.is_link_local()) return true;
  return std::any_of(port.addresses.begin(), port.addresses.end(),
                     [&](const Prefix& own) { return own.contains(hop); });
}

bool is_own(const IpAddress& hop, const Port& port) {
  return std::any_of(port.addresses.begin(), port.addresses.end(),
                     [&](const Prefix& own) { return own.address == hop; });
}

// A next hop: an address on a network of the port, but not the port's own.
std::optional<IpAddress> check_hop(const Reader& entry, const Read<std::string>& text,
                                   const Port& port) {
  const auto hop = IpAddress::parse(text.value);
  if (!hop) {
    entry.error(text, "must be an address; found " + quoted(text.value));
    return std::nullopt;
  }
  // With no address read there is nothing to compare with, and that has been said.
  if (port.addresses.empty()) return hop;
  if (is_own(*hop, port)) {
    entry.error(text, "is " + hop->to_string() + ", which is the port's own address");
  } else if (!is_on_link(*hop, port)) {
    entry.error(text, "is " + hop->to_string() +
                          ", which is on no network of the port; there are " +
                          all_addresses({port}));
  }
  return hop;
}

void check_addresses(const Reader& entry, const std::vector<Port>& before, Port& port) {
  for (const auto& text : entry.texts("address")) {
    const auto prefix = Prefix::parse(text.value);
    if (!prefix || text.value.find('/') == std::string::npos) {
      entry.error(text, "must be ADDRESS/LENGTH; found " + quoted(text.value));
      continue;
    }
    const IpAddress& address = prefix->address;
    if (address.is_unspecified() || address.is_multicast() || address.is_broadcast() ||
        address.is_loopback()) {
      entry.error(text, "must be the address of a host; found " + quoted(text.value));
      continue;
    }
    if (port_of(address, before) || is_own(address, port)) {
      entry.error(text, "repeats " + address.to_string());
      continue;
    }
    port.addresses.push_back(*prefix);
  }
}

void check_gateways(const Reader& entry, Port& port) {
  for (const auto& text : entry.texts("gateway")) {
    const auto hop = check_hop(entry, text, port);
    if (!hop) continue;
    const bool again =
        std::any_of(port.gateways.begin(), port.gateways.end(),
                    [&](const IpAddress& other) { return other.family == hop->family; });
    if (again) {
      entry.error(text, std::string("is a second gateway for ") + (hop->is_v4() ? "IPv4" : "IPv6"));
      continue;
    }
    port.gateways.push_back(*hop);
  }
}

void check_static_routes(const Reader& entry, Port& port) {
  for (const Reader& route : entry.groups("routes")) {
    const auto to = route.text("to");
    const auto via = route.text("via");
    if (!to.good || !via.good) continue;
    const auto prefix = Prefix::parse(to.value);
    const auto hop = check_hop(route, via, port);
    if (!prefix) {
      route.error(to, "must be NETWORK/LENGTH; found " + quoted(to.value));
      continue;
    }
    if (const Prefix network = network_of(*prefix); network != *prefix) {
      route.error(to, "must be a network: " + network.to_string() + "; found " + quoted(to.value));
    }
    if (!hop) continue;
    if (hop->family != prefix->address.family) {
      route.error(via, "must be of the same family as " + prefix->to_string());
    }
    port.routes.push_back({*prefix, *hop});
  }
}

std::optional<Impairment> check_impairment(const Reader& entry) {
  if (!entry.has("impair")) return std::nullopt;
  const Reader in = entry.group("impair");
  return Impairment{in.real("loss").value, in.real("duplicate").value, in.real("reorder").value,
                    in.real("corrupt").value, static_cast<std::uint64_t>(in.whole("seed").value)};
}

}  // namespace

std::optional<std::size_t> port_of(const IpAddress& address, const std::vector<Port>& ports) {
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (is_own(address, ports[i])) return i;
  }
  return std::nullopt;
}

std::string all_addresses(const std::vector<Port>& ports) {
  std::string out;
  for (const Port& port : ports) {
    for (const Prefix& prefix : port.addresses) {
      if (!out.empty()) out += ", ";
      out += prefix.to_string();
    }
  }
  return out.empty() ? "none" : out;
}

std::vector<Port> check_ports(const Reader& in) {
  std::vector<Port> out;
  for (const Reader& entry : in.groups("ports")) {
    Port port;
    if (const auto name = entry.text("name"); name.good) {
      port.name = name.value;
      if (!is_port_name(port.name)) {
        entry.error(name, "must be 1 to 31 letters, digits, - or _; found " + quoted(port.name));
      }
      const bool again = std::any_of(out.begin(), out.end(),
                                     [&](const Port& other) { return other.name == port.name; });
      if (again) entry.error(name, "repeats " + quoted(port.name));
    }
    if (const auto device = entry.text("device"); device.good) {
      port.device = device.value;
      const std::string_view own = device_name(port.device);
      if (own.empty()) entry.error(device, "must not be empty");
      const bool again = std::any_of(out.begin(), out.end(), [&](const Port& other) {
        return device_name(other.device) == own;
      });
      if (again && !own.empty()) entry.error(device, "repeats " + quoted(own));
    }
    check_addresses(entry, out, port);
    port.queues = static_cast<std::uint16_t>(entry.whole("queues").value);
    port.vlan = static_cast<std::uint16_t>(entry.whole("vlan").value);
    port.mtu = static_cast<std::uint16_t>(entry.whole("mtu").value);
    check_gateways(entry, port);
    check_static_routes(entry, port);
    port.impair = check_impairment(entry);
    out.push_back(std::move(port));
  }
  return out;
}

}  // namespace sluice::config
