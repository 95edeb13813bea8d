// SPDX-License-Identifier: Apache-2.0
#include "apps/proxy/route_table.h"

#include <gtest/gtest.h>

namespace sluice::proxy {
namespace {

RouteTable build(const RouteTableInput& input) {
  auto table = RouteTable::build(input);
  EXPECT_TRUE(table.has_value()) << (table ? "" : table.error());
  return std::move(*table);
}

TEST(RouteTable, KnowsItsNamesWithAndWithoutPort) {
  const RouteTable table =
      build({.own_names = {"198.18.0.2:5060", "Edge.example.com", "[fd00:18::2]:5080"}});
  EXPECT_TRUE(table.is_self("198.18.0.2", 5060));
  EXPECT_TRUE(table.is_self("198.18.0.2", 0));
  EXPECT_FALSE(table.is_self("198.18.0.2", 5070));
  EXPECT_TRUE(table.is_self("edge.EXAMPLE.com", 7777));
  EXPECT_TRUE(table.is_self("edge.example.com.", 0));
  EXPECT_TRUE(table.is_self("[fd00:18::2]", 5080));
  EXPECT_FALSE(table.is_self("[fd00:18::2]", 0));
  EXPECT_FALSE(table.is_self("other.example.com", 0));
  EXPECT_TRUE(table.is_local_domain("198.18.0.2"));
}

TEST(RouteTable, ExactBeatsSuffixBeatsStar) {
  const RouteTable table = build({.routes = {{"*", "sip:198.19.0.9"},
                                             {"*.example.com", "sip:198.19.0.1"},
                                             {"*.b.example.com", "sip:198.19.0.2"},
                                             {"a.example.com", "sip:198.19.0.3"}}});
  EXPECT_EQ(table.route_for("A.example.com")->next_hop, "sip:198.19.0.3");
  EXPECT_EQ(table.route_for("x.a.example.com")->next_hop, "sip:198.19.0.1");
  EXPECT_EQ(table.route_for("x.b.example.com")->next_hop, "sip:198.19.0.2");
  EXPECT_EQ(table.route_for("example.com")->next_hop, "sip:198.19.0.9");
  EXPECT_EQ(table.route_for("other.org")->next_hop, "sip:198.19.0.9");
  EXPECT_EQ(table.route_for("")->next_hop, "sip:198.19.0.9");
  EXPECT_EQ(table.route_for(std::string(400, 'x'))->next_hop, "sip:198.19.0.9");
}

TEST(RouteTable, NoRouteIsNoRoute) {
  const RouteTable table = build({.domains = {"example.com"}});
  EXPECT_EQ(table.route_for("other.org"), nullptr);
  EXPECT_TRUE(table.is_local_domain("EXAMPLE.com"));
  EXPECT_FALSE(table.is_local_domain("sub.example.com"));
}

TEST(RouteTable, SaysWhatIsWrong) {
  EXPECT_EQ(RouteTable::build({.routes = {{"a.example", "mailto:x"}}}).error(),
            "route for \"a.example\": next hop \"mailto:x\" is not a sip or sips URI");
  EXPECT_FALSE(RouteTable::build({.routes = {{"a", "sip:h"}, {"A", "sip:h"}}}).has_value());
  EXPECT_FALSE(RouteTable::build({.own_names = {"host:99999"}}).has_value());
  EXPECT_FALSE(RouteTable::build({.domains = {""}}).has_value());
}

}  // namespace
}  // namespace sluice::proxy
