// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/topology.h"

#include "tests/dataplane/net_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace sluice::dataplane {
namespace {

using ::testing::HasSubstr;

Route route(const char* prefix, std::uint16_t port) {
  return {*Prefix::parse(prefix), IpAddress{}, port, true};
}

TEST(RouteTable, PrefersTheLongestPrefix) {
  const Route routes[] = {route("0.0.0.0/0", 0),    route("10.0.0.0/8", 1),
                          route("10.1.0.0/16", 2),  route("10.1.2.3/32", 3),
                          route("10.1.2.99/24", 4), route("255.255.255.255/32", 5),
                          route("::/0", 6),         route("fd00::/8", 7),
                          route("fd00:18::/64", 8), route("fd00:18::7/128", 9)};
  RouteTable table;
  table.build(routes);
  const auto port_to = [&](const char* to) { return table.find(ip(to))->port; };
  EXPECT_EQ(port_to("9.255.255.255"), 0);
  EXPECT_EQ(port_to("10.0.0.0"), 1);
  EXPECT_EQ(port_to("10.255.255.255"), 1);
  EXPECT_EQ(port_to("10.1.0.0"), 2);
  EXPECT_EQ(port_to("10.1.2.3"), 3);
  EXPECT_EQ(port_to("10.1.2.4"), 4);
  EXPECT_EQ(port_to("10.1.3.0"), 2);
  EXPECT_EQ(port_to("10.2.0.0"), 1);
  EXPECT_EQ(port_to("11.0.0.0"), 0);
  EXPECT_EQ(port_to("255.255.255.255"), 5);
  EXPECT_EQ(port_to("::1"), 6);
  EXPECT_EQ(port_to("fd00:18::6"), 8);
  EXPECT_EQ(port_to("fd00:18::7"), 9);
  EXPECT_EQ(port_to("fd00:18::8"), 8);
  EXPECT_EQ(port_to("fd00:18:0:1::"), 7);
  EXPECT_EQ(port_to("fe00::"), 6);
}

TEST(RouteTable, HasNoRouteWhereNoneLeads) {
  RouteTable table;
  table.build({});
  EXPECT_EQ(table.find(ip("10.0.0.1")), nullptr);
  const Route routes[] = {route("10.0.0.0/8", 1)};
  table.build(routes);
  EXPECT_EQ(table.find(ip("9.255.255.255")), nullptr);
  EXPECT_EQ(table.find(ip("11.0.0.0")), nullptr);
  EXPECT_EQ(table.find(ip("fd00::1")), nullptr);
}

TEST(RouteTable, AgreesWithALinearSearch) {
  std::mt19937 random(7);
  std::vector<Route> routes;
  for (unsigned i = 0; i < 300; ++i) {
    IpAddress address =
        IpAddress::v4(10, static_cast<std::uint8_t>(random() % 4),
                      static_cast<std::uint8_t>(random()), static_cast<std::uint8_t>(random()));
    routes.push_back({{address, static_cast<std::uint8_t>(8 + random() % 25)},
                      IpAddress{},
                      static_cast<std::uint16_t>(i),
                      true});
  }
  RouteTable table;
  table.build(routes);
  for (int i = 0; i < 20000; ++i) {
    const IpAddress to =
        IpAddress::v4(10, static_cast<std::uint8_t>(random() % 4),
                      static_cast<std::uint8_t>(random()), static_cast<std::uint8_t>(random()));
    const Route* best = nullptr;
    for (const Route& candidate : routes) {
      if (!candidate.prefix.contains(to)) continue;
      if (best == nullptr || candidate.prefix.length > best->prefix.length) best = &candidate;
    }
    const Route* found = table.find(to);
    ASSERT_EQ(found == nullptr, best == nullptr);
    if (best != nullptr) {
      ASSERT_EQ(found->port, best->port) << to.to_string();
    }
  }
}

TEST(Topology, FindsTheNextHop) {
  const auto topology = Topology::build(lab_spec());
  ASSERT_TRUE(topology.has_value());
  const auto hop = topology->next_hop(ip("198.18.0.77"));
  ASSERT_TRUE(hop);
  EXPECT_EQ(hop->port, 0);
  EXPECT_EQ(hop->address, ip("198.18.0.77"));
  EXPECT_EQ(topology->next_hop(ip("8.8.8.8"))->address, ip("198.18.0.254"));
  EXPECT_EQ(topology->next_hop(ip("10.7.7.7"))->address, ip("198.19.0.9"));
  EXPECT_EQ(topology->next_hop(ip("10.7.7.7"))->port, 1);
  EXPECT_EQ(topology->next_hop(ip("2001:db8::1"))->address, ip("fd00:18::fe"));
  // Out of one port, whatever the others could do.
  EXPECT_EQ(topology->next_hop(0, ip("10.7.7.7"))->address, ip("198.18.0.254"));
  EXPECT_FALSE(topology->next_hop(1, ip("8.8.8.8")));
  EXPECT_EQ(topology->next_hop(1, ip("fe80::1"))->address, ip("fe80::1"));
}

TEST(Topology, SelectsTheListenerOnTheWayToTheRemote) {
  const auto topology = Topology::build(lab_spec());
  EXPECT_EQ(topology->select_listener(Transport::Udp, ip("198.18.0.9")), kAccessV4);
  EXPECT_EQ(topology->select_listener(Transport::Udp, ip("8.8.8.8")), kAccessV4);
  EXPECT_EQ(topology->select_listener(Transport::Udp, ip("10.0.0.1")), kCoreV4);
  EXPECT_EQ(topology->select_listener(Transport::Tcp, ip("10.0.0.1")), 8);
  EXPECT_EQ(topology->select_listener(Transport::Udp, ip("fd00:18::9")), kAccessV6);
  EXPECT_EQ(topology->select_listener(Transport::Tcp, ip("198.18.0.9")), kNoListener);
  EXPECT_EQ(topology->select_listener(Transport::Udp, ip("fd00:19::9")), kNoListener);
}

TEST(Topology, FindsListenersByPortAndLocalEndpoint) {
  const auto topology = Topology::build(lab_spec());
  EXPECT_EQ(topology->find_listener(0, at("198.18.0.2:5060")), kAccessV4);
  EXPECT_EQ(topology->find_listener(0, at("[fd00:18::2]:5060")), kAccessV6);
  EXPECT_EQ(topology->find_listener(0, at("198.19.0.2:5060")), kNoListener);
  EXPECT_EQ(topology->find_listener(0, at("198.18.0.2:5061")), kNoListener);
  EXPECT_EQ(topology->listener(kCoreV4)->local, at("198.19.0.2:5060"));
  EXPECT_EQ(topology->listener(1), nullptr);
  EXPECT_EQ(topology->listener(kNoListener), nullptr);
}

std::string complaint(const TopologySpec& spec) {
  const auto built = Topology::build(spec);
  return built ? "" : built.error();
}

TEST(Topology, ExplainsWhatIsWrong) {
  TopologySpec spec = lab_spec();
  spec.ports[0].addresses = {*Prefix::parse("198.18.0.255/24")};
  EXPECT_THAT(complaint(spec), HasSubstr("198.18.0.255/24 is not the address of a host"));
  spec = lab_spec();
  spec.ports[1].addresses.clear();
  EXPECT_THAT(complaint(spec), HasSubstr("port \"core\" must have at least one address"));
  spec = lab_spec();
  spec.ports[0].gateway_v4 = ip("203.0.113.1");
  EXPECT_THAT(complaint(spec), HasSubstr("gateway 203.0.113.1 is not on a network of port"));
  spec = lab_spec();
  spec.ports[0].vlan = 4095;
  EXPECT_THAT(complaint(spec), HasSubstr("VLAN id"));
  spec = lab_spec();
  spec.listeners[0].local = at("198.19.0.2:5060");
  EXPECT_THAT(complaint(spec), HasSubstr("is not on an address of its port"));
  spec = lab_spec();
  spec.listeners.push_back(spec.listeners[0]);
  EXPECT_THAT(complaint(spec), HasSubstr("is there twice"));
  spec = lab_spec();
  spec.routes[0].port = 9;
  EXPECT_THAT(complaint(spec), HasSubstr("route 10.0.0.0/8"));
  EXPECT_EQ(complaint(lab_spec()), "");
}

}  // namespace
}  // namespace sluice::dataplane
