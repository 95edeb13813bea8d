// SPDX-License-Identifier: Apache-2.0
//
// Topology: what is where: ports and their addresses, routes, listeners. Built once, then only
// read.
//
// A port keeps its own view of the routes, because an answer leaves through the port of the address
// it is sent from (RFC 1122 3.3.4.2, the strong model): two ports may each have a default gateway.
// The view over all ports says which port a new request to a stranger takes.
//
// Threads  Immutable after build(): shared by all workers and readable from any core.
// Memory   Everything is sorted arrays made by build(); lookups allocate nothing.
// Errors   build() answers with a sentence for the operator.
// See      docs/architecture.md, "Life of a message".
#pragma once

#include "base/endpoint.h"
#include "base/flow_id.h"
#include "base/result.h"
#include "dataplane/net/route_table.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sluice::dataplane {

struct PortSpec {
  std::string name;
  std::vector<Prefix> addresses;   // "198.18.0.2/24": the address and its connected network
  std::uint16_t vlan = 0;          // IEEE 802.1Q; 0: untagged
  std::uint16_t service_vlan = 0;  // IEEE 802.1ad, outside of `vlan`; 0: none
  std::optional<IpAddress> gateway_v4;
  std::optional<IpAddress> gateway_v6;
  std::uint16_t mtu = 0;  // 0: the port's own
  bool icmp_echo = true;
  bool icmp_unreachable = true;
  std::uint32_t icmp_rate = 100;  // answers and errors a second, per worker
};

struct RouteSpec {
  Prefix prefix;
  IpAddress gateway;
  std::uint16_t port = 0;
};

struct TopologyListener {
  ListenerId id = kNoListener;
  std::uint16_t port = 0;
  Endpoint local;
  Transport transport = Transport::Udp;
};

struct TopologySpec {
  std::vector<PortSpec> ports;  // the port index is the place in here
  std::vector<RouteSpec> routes;
  std::vector<TopologyListener> listeners;
};

struct NextHop {
  std::uint16_t port = 0;
  IpAddress address;  // the remote itself when it is on the link
};

class Topology {
 public:
  static Result<Topology, std::string> build(TopologySpec spec);

  std::span<const PortSpec> ports() const noexcept { return spec_.ports; }
  const PortSpec& port(std::uint16_t index) const noexcept { return spec_.ports[index]; }

  // Over all ports: where a request to `remote` leaves.
  std::optional<NextHop> next_hop(const IpAddress& remote) const noexcept;
  // Out of one port.
  std::optional<NextHop> next_hop(std::uint16_t port, const IpAddress& remote) const noexcept;

  // The UDP listener of exactly this address and port number on this port; kNoListener if there is
  // none.
  ListenerId find_listener(std::uint16_t port, const Endpoint& local) const noexcept;
  const TopologyListener* listener(ListenerId id) const noexcept;
  // The first listener of this transport and of the remote's family on the port that the route to
  // `remote` uses; kNoListener if there is none.
  ListenerId select_listener(Transport transport, const IpAddress& remote) const noexcept;

  bool owns(std::uint16_t port, const IpAddress& address) const noexcept;
  bool is_gateway(std::uint16_t port, const IpAddress& address) const noexcept;
  // Inside a connected network of the port.
  bool is_on_link(std::uint16_t port, const IpAddress& address) const noexcept;
  // The broadcast address (all ones) of a connected IPv4 network, or the network itself (all
  // zeros).
  bool is_subnet_broadcast(std::uint16_t port, const IpAddress& address) const noexcept;
  // Our address to speak from to a neighbour: the one in its network, else the first of its family.
  const IpAddress* source_for(std::uint16_t port, const IpAddress& neighbour) const noexcept;

 private:
  // What is looked up by (port index, address, port number): open addressing, at most half full.
  struct Slot {
    Endpoint local;
    std::uint16_t port = 0;
    std::uint16_t listener = kNoListener;
    bool used = false;
  };
  class EndpointMap {
   public:
    void reserve(std::size_t count);
    bool insert(std::uint16_t port, const Endpoint& local, ListenerId listener);
    const Slot* find(std::uint16_t port, const Endpoint& local) const noexcept;

   private:
    std::size_t place(std::uint16_t port, const Endpoint& local) const noexcept;
    std::vector<Slot> slots_;
  };

  Topology() = default;

  // Constant after build().
  TopologySpec spec_;
  EndpointMap listeners_;             // UDP
  EndpointMap addresses_;             // port number 0
  std::vector<std::uint16_t> by_id_;  // ListenerId -> index into spec_.listeners
  RouteTable all_;
  std::vector<RouteTable> of_port_;
};

}  // namespace sluice::dataplane
