// SPDX-License-Identifier: Apache-2.0
//
// The IPv6 torture messages of RFC 5118. Three of them print a wrong Content-Length; theirs are
// tested as printed and repaired.
#include "tests/sipcore/messages.h"

#include <gtest/gtest.h>

namespace sluice::sip {
namespace {

using test::Parsed;

void expect_outcome(const std::string& file, std::optional<ParseError> expected) {
  const auto text = test::read_shared("rfc5118/" + file);
  if (!text) GTEST_SKIP() << "no shared/data/rfc5118/" << file;
  const Parsed parsed(*text);
  EXPECT_EQ(test::name_of(parsed.error()), test::name_of(expected));
  if (parsed.error()) {
    EXPECT_EQ(response_code(*parsed.error()), 400);
  }
}

TEST(Rfc5118, Ipv6Good) {
  expect_outcome("ipv6-good.dat", std::nullopt);
}
TEST(Rfc5118, Ipv6Bad) {
  expect_outcome("ipv6-bad.dat", ParseError::BadUri);
}
TEST(Rfc5118, ViaReceivedParamNoDelim) {
  expect_outcome("via-received-param-no-delim.dat", std::nullopt);
}
TEST(Rfc5118, ViaReceivedParamWithDelim) {
  expect_outcome("via-received-param-with-delim.dat", std::nullopt);
}
TEST(Rfc5118, Ipv6InSdp) {
  expect_outcome("ipv6-in-sdp.dat", ParseError::BadContentLength);
  expect_outcome("ipv6-in-sdp.clfix.dat", std::nullopt);
}
TEST(Rfc5118, MultIpInHeader) {
  expect_outcome("mult-ip-in-header.dat", std::nullopt);
}
TEST(Rfc5118, MultIpInSdp) {
  expect_outcome("mult-ip-in-sdp.dat", std::nullopt);
  expect_outcome("mult-ip-in-sdp.clfix.dat", std::nullopt);
}
TEST(Rfc5118, Ipv4MappedIpv6) {
  expect_outcome("ipv4-mapped-ipv6.dat", std::nullopt);
  expect_outcome("ipv4-mapped-ipv6.clfix.dat", std::nullopt);
}
TEST(Rfc5118, Ipv6BugAbnf3Colons) {
  expect_outcome("ipv6-bug-abnf-3-colons.dat", ParseError::BadUri);
}
TEST(Rfc5118, Ipv6CorrectAbnf2Colons) {
  expect_outcome("ipv6-correct-abnf-2-colons.dat", std::nullopt);
}

void expect_target(const std::string& file, std::string_view host, std::uint16_t port) {
  const auto text = test::read_shared("rfc5118/" + file);
  if (!text) GTEST_SKIP() << "no shared/data/rfc5118/" << file;
  const Parsed parsed(*text);
  ASSERT_EQ(test::name_of(parsed.error()), "accepted");
  EXPECT_EQ(parsed.essentials.request_uri.host, host);
  EXPECT_EQ(parsed.essentials.request_uri.port, port);
}

TEST(Rfc5118, PortAmbiguous) {
  expect_target("port-ambiguous.dat", "[2001:db8::10:5070]", 0);
}
TEST(Rfc5118, PortUnambiguous) {
  expect_target("port-unambiguous.dat", "[2001:db8::10]", 5070);
}

}  // namespace
}  // namespace sluice::sip
