// SPDX-License-Identifier: Apache-2.0
#include "config/net_text.h"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

TEST(NetText, HostIsANameOrAnAddress) {
  EXPECT_EQ(canonical_host("SIP.Example.com"), "sip.example.com");
  EXPECT_EQ(canonical_host("198.18.0.2"), "198.18.0.2");
  EXPECT_EQ(canonical_host("fd00:18:0::2"), "[fd00:18::2]");
  EXPECT_EQ(canonical_host("[fd00:18::2]"), "[fd00:18::2]");
  EXPECT_EQ(canonical_host("_sip.example.com"), "_sip.example.com");
}

TEST(NetText, HostRefusesWhatIsNeither) {
  for (const char* text : {"", "10.0.0", "256.1.1.1", "a..b", ".a", "a.", "-a", "a-", "a b", "a/b",
                           "ex ample", "[198.18.0.2]", "*.example.com"}) {
    EXPECT_EQ(canonical_host(text), std::nullopt) << text;
  }
  EXPECT_EQ(canonical_host(std::string(64, 'a')), std::nullopt);
}

TEST(NetText, HostPortTakesBrackets) {
  EXPECT_EQ(parse_host_port("example.com")->port, 0);
  EXPECT_EQ(parse_host_port("example.com:5070")->port, 5070);
  EXPECT_EQ(parse_host_port("[fd00::1]:5070")->host, "[fd00::1]");
  EXPECT_EQ(parse_host_port("[fd00::1]:5070")->port, 5070);
  EXPECT_EQ(parse_host_port("[fd00::1]")->port, 0);
  for (const char* text : {"fd00::1", "a:0", "a:65536", "a:", ":5060", "a:1:2", "[fd00::1]x"}) {
    EXPECT_FALSE(parse_host_port(text)) << text;
  }
}

TEST(NetText, SipUriParts) {
  const auto uri = parse_sip_uri("SIP:gw@Core.example.com:5070;lr;transport=UDP");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->scheme, "sip");
  EXPECT_EQ(uri->user, "gw");
  EXPECT_EQ(uri->target.host, "core.example.com");
  EXPECT_EQ(uri->target.port, 5070);
  EXPECT_EQ(uri->transport, "udp");
  EXPECT_FALSE(uri->has_unknown_params);
  EXPECT_TRUE(parse_sip_uri("sip:a;maddr=1.2.3.4")->has_unknown_params);
}

TEST(NetText, SipUriRefusesWhatCannotBeWrittenIntoAMessage) {
  for (const char* text : {"", "sip", "sip:", ":a", "sip:@a", "sip:a b", "sip:a\r\nX: y",
                           "sip:a?b=c", "<sip:a>", "sip:a;", "sip:a;transport="}) {
    EXPECT_FALSE(parse_sip_uri(text)) << text;
  }
}

TEST(NetText, NetworkClearsTheHostBits) {
  EXPECT_EQ(network_of(*Prefix::parse("10.1.2.3/8")).to_string(), "10.0.0.0/8");
  EXPECT_EQ(network_of(*Prefix::parse("10.1.2.255/30")).to_string(), "10.1.2.252/30");
  EXPECT_EQ(network_of(*Prefix::parse("10.1.2.3/0")).to_string(), "0.0.0.0/0");
  EXPECT_EQ(network_of(*Prefix::parse("10.1.2.3/32")).to_string(), "10.1.2.3/32");
  EXPECT_EQ(network_of(*Prefix::parse("fd00:18::2/64")).to_string(), "fd00:18::/64");
}

}  // namespace
}  // namespace sluice::config
