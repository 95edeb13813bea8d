// SPDX-License-Identifier: Apache-2.0
#include "apps/proxy/route_table.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::proxy {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return lower(c); });
  return text;
}

// A host in lower case without a trailing dot; what is longer than a name may be (RFC 1035 2.3.4)
// matches nothing.
class HostKey {
 public:
  explicit HostKey(std::string_view host) noexcept {
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.size() > text_.size()) return;
    size_ = host.size();
    std::transform(host.begin(), host.end(), text_.begin(), [](char c) { return lower(c); });
  }
  std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 256> text_;
  std::size_t size_ = 0;
};

template <typename Map>
auto* find_in(const Map& map, std::string_view key) noexcept {
  const auto at = map.find(key);
  return at == map.end() ? nullptr : &at->second;
}

// "host", "host:port", "[v6]", "[v6]:port".
bool split_port(std::string_view text, std::string& host, std::uint16_t& port) {
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  port = 0;
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const std::string_view digits = text.substr(colon + 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size() || port == 0) {
      return false;
    }
    text = text.substr(0, colon);
  }
  host = lower(std::string(text));
  return !host.empty();
}

}  // namespace

Result<RouteTable, std::string> RouteTable::build(const RouteTableInput& input) {
  RouteTable table;
  table.record_route_ = input.record_route;
  for (const std::string& domain : input.domains) {
    if (domain.empty()) return Failure<std::string>("a domain must not be empty");
    table.domains_.emplace(lower(domain), true);
  }
  for (const std::string& name : input.own_names) {
    std::string host;
    std::uint16_t port;
    if (!split_port(name, host, port)) {
      return Failure<std::string>("own name \"" + name + "\" is not host or host:port");
    }
    table.own_names_[host].push_back(port);
  }
  for (const StaticRoute& route : input.routes) {
    const auto uri = sip::parse_uri(route.next_hop);
    if (!uri || !uri->is_sip()) {
      return Failure<std::string>("route for \"" + route.domain + "\": next hop \"" +
                                  route.next_hop + "\" is not a sip or sips URI");
    }
    std::string domain = lower(route.domain);
    if (domain.starts_with("*.")) domain.erase(0, 1);
    Route entry{.next_hop = route.next_hop, .route_value = {}};
    if (route.as_route) {
      entry.route_value = "<" + route.next_hop + (uri->param("lr") ? ">" : ";lr>");
    }
    if (domain.empty() || !table.routes_.emplace(domain, std::move(entry)).second) {
      return Failure<std::string>("route for \"" + route.domain +
                                  "\": the domain is empty or has a route already");
    }
  }
  for (const auto& [name, address] : input.hosts) table.hosts_.emplace(lower(name), address);
  return table;
}

bool RouteTable::is_self(std::string_view host, std::uint16_t port) const noexcept {
  const auto* ports = find_in(own_names_, HostKey(host).view());
  if (ports == nullptr) return false;
  return std::any_of(ports->begin(), ports->end(), [port](std::uint16_t own) {
    // A URI without a port means the default of its transport.
    return own == 0 || own == port || (port == 0 && (own == 5060 || own == 5061));
  });
}

bool RouteTable::is_local_domain(std::string_view host) const noexcept {
  const HostKey key(host);
  return find_in(domains_, key.view()) != nullptr || find_in(own_names_, key.view()) != nullptr;
}

const RouteTable::Route* RouteTable::route_for(std::string_view host) const noexcept {
  const HostKey key(host);
  std::string_view name = key.view();
  if (const Route* exact = find_in(routes_, name)) return exact;
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', 1)) {
    name.remove_prefix(dot);
    if (const Route* suffix = find_in(routes_, name)) return suffix;
  }
  return find_in(routes_, "*");
}

const IpAddress* RouteTable::address_of(std::string_view host) const noexcept {
  return find_in(hosts_, HostKey(host).view());
}

}  // namespace sluice::proxy
