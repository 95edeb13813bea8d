// SPDX-License-Identifier: Apache-2.0
#include "sipcore/parse/uri.h"

#include <gtest/gtest.h>

namespace sluice::sip {
namespace {

TEST(UriParser, ReadsEveryPart) {
  const auto uri = parse_uri("SIPS:al;x=1:se%20cret@Example.com:5071;transport=tcp;lr?a=b&c=d");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->scheme, Scheme::Sips);
  EXPECT_TRUE(uri->has_user);
  EXPECT_EQ(uri->user, "al;x=1");
  EXPECT_EQ(uri->password, "se%20cret");
  EXPECT_EQ(uri->host, "Example.com");
  EXPECT_EQ(uri->port, 5071);
  EXPECT_EQ(uri->params, "transport=tcp;lr");
  EXPECT_EQ(uri->headers, "a=b&c=d");
  EXPECT_EQ(uri->param("TRANSPORT"), "tcp");
  EXPECT_EQ(uri->param("lr"), "");
  EXPECT_EQ(uri->param("x"), std::nullopt);
}

TEST(UriParser, HostAlone) {
  const auto uri = parse_uri("sip:[2001:db8::1]:5062");
  ASSERT_TRUE(uri);
  EXPECT_FALSE(uri->has_user);
  EXPECT_EQ(uri->host, "[2001:db8::1]");
  EXPECT_EQ(uri->port, 5062);
}

TEST(UriParser, OtherSchemes) {
  const auto tel = parse_uri("tel:+1(201)555-0123;phone-context=example.com");
  ASSERT_TRUE(tel);
  EXPECT_EQ(tel->scheme, Scheme::Tel);
  EXPECT_EQ(tel->user, "+1(201)555-0123");
  EXPECT_EQ(tel->param("phone-context"), "example.com");
  EXPECT_EQ(parse_uri("urn:service:sos.fire")->scheme, Scheme::Urn);
  EXPECT_EQ(parse_uri("soap.beep://192.0.2.1:3002")->scheme, Scheme::Other);
}

TEST(UriParser, Refuses) {
  for (const char* bad : {"",
                          "sip",
                          ":x",
                          "sip:",
                          "sip:@b",
                          "sip::p@b",
                          "sip:a@",
                          "sip:a@b@c",
                          "sip:a b@c",
                          "sip:a@b c",
                          "sip:a@b:",
                          "sip:a@b:0",
                          "sip:a@b:65536",
                          "sip:a@b:5060x",
                          "sip:a@b;",
                          "sip:a@b;;c",
                          "sip:a@b;=c",
                          "sip:a@b?",
                          "sip:a%4@b",
                          "sip:a%zz@b",
                          "sip:a@b;c=%",
                          "sip:2001:db8::1",
                          "sip:[2001:db8::1",
                          "sip:[192.0.2.1]",
                          "sip:[::1]x",
                          "sip:a<b@c",
                          "sip:a@b;x=\"y\"",
                          "<sip:a@b>",
                          "1a:b",
                          "a_b:c",
                          "tel:",
                          "tel:-",
                          "tel:+1 2",
                          "tel:1+2",
                          "mailto:",
                          "mailto:a b",
                          "sip:a@b\r\n c"}) {
    EXPECT_FALSE(parse_uri(bad)) << bad;
  }
}

TEST(UriParser, BoundsTheNumberOfParameters) {
  std::string uri = "sip:a@b";
  for (int i = 0; i < 32; ++i) uri += ";p";
  EXPECT_TRUE(parse_uri(uri));
  EXPECT_FALSE(parse_uri(uri + ";p"));
  std::string headers = "sip:a@b?h=1";
  for (int i = 0; i < 31; ++i) headers += "&h=1";
  EXPECT_TRUE(parse_uri(headers));
  EXPECT_FALSE(parse_uri(headers + "&h=1"));
}

TEST(UriParser, FeatureCodesNeedNoEscape) {
  EXPECT_EQ(parse_uri("sip:*72#@b")->user, "*72#");
}

bool same(std::string_view a, std::string_view b) {
  const auto x = parse_uri(a);
  const auto y = parse_uri(b);
  EXPECT_TRUE(x) << a;
  EXPECT_TRUE(y) << b;
  EXPECT_EQ(equivalent(*x, *y), equivalent(*y, *x));
  return equivalent(*x, *y);
}

// The examples of RFC 3261 19.1.4.
TEST(UriEquivalence, Rfc3261Equivalent) {
  EXPECT_TRUE(same("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"));
  EXPECT_TRUE(same("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
  EXPECT_TRUE(same("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"));
  EXPECT_TRUE(same("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"));
  EXPECT_TRUE(same("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                   "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"));
  EXPECT_TRUE(same("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                   "sip:alice@atlanta.com?priority=urgent&subject=project%20x"));
}

TEST(UriEquivalence, Rfc3261NotEquivalent) {
  EXPECT_FALSE(same("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
  EXPECT_FALSE(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"));
  EXPECT_FALSE(same("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"));
  EXPECT_FALSE(same("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"));
  EXPECT_FALSE(same("sip:carol@chicago.com;security=off", "sip:carol@chicago.com;security=on"));
  EXPECT_FALSE(same("sip:a@b", "sips:a@b"));
  EXPECT_FALSE(same("sip:a@b", "sip:b"));
}

TEST(UriEquivalence, ARepeatedParameterStillEqualsItself) {
  EXPECT_TRUE(same("sip:a@b;x=1;x=2", "sip:a@b;x=2;x=1"));
}

TEST(UriEquivalence, TelWithoutVisualSeparators) {
  EXPECT_TRUE(same("tel:+1-201-555-0123", "tel:+1(201)555.0123"));
  EXPECT_FALSE(same("tel:+12015550123", "tel:+12015550124"));
  EXPECT_FALSE(same("tel:123;phone-context=a", "tel:123;phone-context=b"));
  EXPECT_FALSE(same("tel:123;phone-context=a", "tel:123"));
}

std::string aor(std::string_view text, std::size_t room = 64) {
  char out[64];
  const auto uri = parse_uri(text);
  EXPECT_TRUE(uri) << text;
  return {out, canonical_aor(*uri, out, room)};
}

TEST(CanonicalAor, UserUnescapedHostInLowerCase) {
  EXPECT_EQ(aor("sip:Bob%20X:pw@EXAMPLE.Com;transport=tcp?a=b"), "Bob X@example.com");
  EXPECT_EQ(aor("sips:bob@example.com:5061"), "bob@example.com:5061");
  EXPECT_EQ(aor("sip:bob@[2001:DB8::1]"), "bob@[2001:db8::1]");
}

TEST(CanonicalAor, NothingWithoutUserOrRoom) {
  EXPECT_EQ(aor("sip:example.com"), "");
  EXPECT_EQ(aor("tel:+12015550123"), "");
  EXPECT_EQ(aor("sip:bob@example.com", 14), "");
  EXPECT_EQ(aor("sip:bob@example.com", 15), "bob@example.com");
}

}  // namespace
}  // namespace sluice::sip
