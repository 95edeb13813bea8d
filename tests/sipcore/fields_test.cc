// SPDX-License-Identifier: Apache-2.0
//
// Typed header values and the checks (RFC 3261 20, 25.1, 8.1.1, 16.3).
#include "sipcore/parse/fields.h"

#include "tests/sipcore/messages.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::sip {
namespace {

using test::crlf;
using test::Parsed;

TEST(ViaParser, ReadsEveryPart) {
  const auto via = parse_via(
      " SIP/2.0/UDP example.com:5070;branch=z9hG4bKa;rport=99;received=10.0.0.1;maddr=224.0.1.75 ");
  ASSERT_TRUE(via);
  EXPECT_EQ(via->protocol_version, "2.0");
  EXPECT_EQ(via->transport, "UDP");
  EXPECT_EQ(via->host, "example.com");
  EXPECT_EQ(via->port, 5070);
  EXPECT_EQ(via->sent_by_port(), 5070);
  EXPECT_EQ(via->branch, "z9hG4bKa");
  EXPECT_TRUE(via->has_rport);
  EXPECT_EQ(via->rport, "99");
  EXPECT_EQ(via->received, "10.0.0.1");
  EXPECT_EQ(via->maddr, "224.0.1.75");
  EXPECT_EQ(via->params.text().substr(0, 8), ";branch=");
}

TEST(ViaParser, WhiteSpaceAndFoldsBetweenTokens) {
  const auto via =
      parse_via("sip / 2.0\r\n /\tUDP  [2001:db8::1] : 5060 ; Branch = \r\n x ; rport");
  ASSERT_TRUE(via);
  EXPECT_EQ(via->host, "[2001:db8::1]");
  EXPECT_EQ(via->port, 5060);
  EXPECT_EQ(via->branch, "x");
  EXPECT_TRUE(via->has_rport);
  EXPECT_TRUE(via->rport.empty());
}

TEST(ViaParser, DefaultPortOfTheTransport) {
  EXPECT_EQ(parse_via("SIP/2.0/TCP a")->sent_by_port(), 5060);
  EXPECT_EQ(parse_via("SIP/2.0/tls a")->sent_by_port(), 5061);
  EXPECT_EQ(parse_via("SIP/2.0/WSS a")->sent_by_port(), 443);
}

TEST(ViaParser, Refuses) {
  for (const char* bad : {"",
                          "SIP/2.0/UDP",
                          "SIP/2.0/UDP ",
                          "SIP/2.0/UDPexample.com",
                          "SIP/3.0/UDP a",
                          "HTTP/2.0/UDP a",
                          "SIP/2.0/UDP a:65536",
                          "SIP/2.0/UDP a:0",
                          "SIP/2.0/UDP a:",
                          "SIP/2.0/UDP a:x",
                          "SIP/2.0/UDP [2001:db8::1",
                          "SIP/2.0/UDP []",
                          "SIP/2.0/UDP a;",
                          "SIP/2.0/UDP a;;b",
                          "SIP/2.0/UDP a;branch=",
                          "SIP/2.0/UDP a b",
                          "SIP/2.0/UDP a;x=\"y",
                          "SIP//UDP a",
                          "SIP/2.0/UDP a;b=c,",
                          "SIP/2.0/UDP a;branch=x;branch=y",
                          "SIP/2.0/UDP a;rport;RPORT=1"}) {
    EXPECT_FALSE(parse_via(bad)) << bad;
  }
}

TEST(NameAddrParser, ReadsEveryForm) {
  const auto quoted = parse_name_addr(R"("A \"B\" <x>, C" <sip:a@b;lr>;tag=1 ; x="y;z")");
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->display_name, R"("A \"B\" <x>, C")");
  EXPECT_EQ(quoted->uri, "sip:a@b;lr");
  EXPECT_TRUE(quoted->bracketed);
  EXPECT_EQ(quoted->tag(), "1");
  EXPECT_EQ(quoted->params.find("X"), R"("y;z")");

  const auto tokens = parse_name_addr("J. R. Bob<sip:a@b>");
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->display_name, "J. R. Bob");

  const auto bare = parse_name_addr("sip:a@b;tag=7;flag");
  ASSERT_TRUE(bare);
  EXPECT_FALSE(bare->bracketed);
  EXPECT_EQ(bare->uri, "sip:a@b");
  EXPECT_EQ(bare->tag(), "7");
  EXPECT_EQ(bare->params.find("flag"), "");
  EXPECT_EQ(bare->params.find("other"), std::nullopt);
}

TEST(NameAddrParser, Refuses) {
  for (const char* bad : {"", "<sip:a@b", "\"x <sip:a@b>", "\"x\" sip:a@b", "<>", "a, b <sip:a@b>",
                          "sip:a@b?x=y", "sip:a@b,c", "<sip:a@b>x", "<sip:a@b>;", "<sip:a@b>;=x",
                          "<sip:a@b>;a=", ";tag=1", "<sip:a@b>;a=\"x", "<sip:a@b>;tag=1;TAG=2"}) {
    EXPECT_FALSE(parse_name_addr(bad)) << bad;
  }
}

TEST(CSeqParser, NumberAndMethod) {
  EXPECT_EQ(parse_cseq("2147483647 INVITE")->number, 2147483647U);
  EXPECT_EQ(parse_cseq("0009\r\n  INVITE")->method, "INVITE");
  for (const char* bad : {"", "1", "INVITE", "1INVITE", "2147483648 X", "-1 X", "1 A B", "1 ",
                          "99999999999999999999 X"}) {
    EXPECT_FALSE(parse_cseq(bad)) << bad;
  }
}

TEST(NumberParser, Bounds) {
  EXPECT_EQ(*parse_number("4294967295"), 4294967295U);
  EXPECT_EQ(*parse_number("00000000000000000007"), 7U);
  EXPECT_FALSE(parse_number("4294967296"));
  EXPECT_FALSE(parse_number("256", 255));
  EXPECT_FALSE(parse_number(""));
  EXPECT_FALSE(parse_number("1 "));
}

TEST(QParser, Thousandths) {
  EXPECT_EQ(*parse_q("0.7"), 700);
  EXPECT_EQ(*parse_q("1"), 1000);
  EXPECT_EQ(*parse_q("1.000"), 1000);
  EXPECT_EQ(*parse_q("0.123"), 123);
  EXPECT_EQ(*parse_q("0."), 0);
  for (const char* bad : {"", "2", "1.001", "0.1234", ".5", "0,5", "-1"}) {
    EXPECT_FALSE(parse_q(bad)) << bad;
  }
}

std::vector<std::string> values_of(std::string_view list) {
  std::vector<std::string> out;
  std::string_view value;
  while (next_value(list, value)) out.emplace_back(value);
  return out;
}

TEST(NextValue, CommasInQuotesAndBracketsDoNotCount) {
  EXPECT_EQ(values_of(" a , \"b,\\\",c\" <sip:x,y@z>;p=\"1,2\" ,\r\n d"),
            (std::vector<std::string>{"a", "\"b,\\\",c\" <sip:x,y@z>;p=\"1,2\"", "d"}));
  EXPECT_EQ(values_of("a,,b,"), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_TRUE(values_of(" \t").empty());
  EXPECT_EQ(values_of("\"open, b"), (std::vector<std::string>{"\"open, b"}));
}

TEST(Params, WalksAndFinds) {
  Params params(" ; a=1;B ;c = \"x;y\"");
  std::string_view rest = params.text();
  Params::Param param;
  std::string seen;
  while (Params::next(rest, param)) {
    seen += std::string(param.name) + (param.has_value ? "=" : "") + std::string(param.value) + "|";
  }
  EXPECT_EQ(seen, "a=1|B|c=\"x;y\"|");
  EXPECT_EQ(params.find("A"), "1");
  EXPECT_EQ(params.find("b"), "");
}

TEST(ListsToken, AcrossFieldsWithoutCase) {
  Message message;
  const std::string text = crlf("SIP/2.0 200 OK\nSupported: path, 100rel\nk: OUTBOUND\n\n");
  ASSERT_TRUE(message.parse(as_bytes(text), {}));
  EXPECT_TRUE(lists_token(message, HeaderId::Supported, "100REL"));
  EXPECT_TRUE(lists_token(message, HeaderId::Supported, "outbound"));
  EXPECT_FALSE(lists_token(message, HeaderId::Supported, "rel"));
  EXPECT_FALSE(lists_token(message, HeaderId::Require, "path"));
}

// ---- check() ----

struct Request {
  std::string line = "INVITE sip:b@example.com SIP/2.0";
  std::string via = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx";
  std::string from = "<sip:a@example.com>;tag=1";
  std::string to = "<sip:b@example.com>";
  std::string call_id = "c1";
  std::string cseq = "1 INVITE";
  std::string more = {};

  std::string text() const {
    return crlf(line + "\nVia: " + via + "\nFrom: " + from + "\nTo: " + to +
                "\nCall-ID: " + call_id + "\nCSeq: " + cseq + "\n" + more + "\n");
  }
};

std::string outcome(const Request& request, const Limits& limits = {}) {
  return test::name_of(Parsed(request.text(), limits).error());
}

TEST(Check, DecodesTheEssentials) {
  const Parsed p(Request{.more = "Max-Forwards: 5\n"}.text());
  ASSERT_EQ(test::name_of(p.error()), "accepted");
  EXPECT_EQ(p.essentials.via.host, "192.0.2.1");
  EXPECT_EQ(p.essentials.from.uri, "sip:a@example.com");
  EXPECT_EQ(p.essentials.from_tag, "1");
  EXPECT_EQ(p.essentials.to_tag, "");
  EXPECT_EQ(p.essentials.call_id, "c1");
  EXPECT_EQ(p.essentials.cseq.number, 1U);
  EXPECT_EQ(p.essentials.max_forwards, 5U);
  EXPECT_FALSE(p.essentials.rfc2543);
  EXPECT_EQ(p.essentials.request_uri.host, "example.com");
}

TEST(Check, MandatoryFields) {
  for (const char* name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
    std::string text = Request{}.text();
    text.replace(text.find(std::string("\n") + name) + 1, 1, "x");
    EXPECT_EQ(test::name_of(Parsed(text).error()), "missing_header") << name;
  }
}

TEST(Check, DuplicatesOfSingleValueFields) {
  for (const char* line : {"f: <sip:x@y>;tag=2", "To: <sip:x@y>", "i: z", "CSeq: 2 INVITE",
                           "Max-Forwards: 1\nMax-Forwards: 1", "Expires: 1\nExpires: 2",
                           "c: a/b\nContent-Type: c/d"}) {
    EXPECT_EQ(outcome({.more = std::string(line) + "\n"}), "duplicate_header") << line;
  }
  for (const char* line : {"Authorization: a\nAuthorization: b", "m: <sip:a@b>\nContact: <sip:c@d>",
                           "User-Agent: a\nUser-Agent: b", "Foo: 1\nFoo: 2"}) {
    EXPECT_EQ(outcome({.more = std::string(line) + "\n"}), "accepted") << line;
  }
}

TEST(Check, CSeqMethodIsTheRequests) {
  EXPECT_EQ(outcome({.cseq = "1 BYE"}), "cseq_mismatch");
  EXPECT_EQ(outcome({.cseq = "1 invite"}), "cseq_mismatch");
  EXPECT_EQ(outcome({.cseq = "x INVITE"}), "bad_cseq");
}

TEST(Check, ViaCountAndListItems) {
  EXPECT_EQ(outcome({.via = "SIP/2.0/UDP a;branch=z9hG4bKx, whatever"}), "accepted");
  EXPECT_EQ(outcome({.via = "SIP/2.0/UDP a, ,b"}), "bad_via");
  EXPECT_EQ(outcome({.via = ""}), "bad_via");
  EXPECT_EQ(outcome({.via = "SIP/2.0/UDP a", .more = "Via: b, c\n"}, {.via = 3}), "accepted");
  EXPECT_EQ(outcome({.via = "SIP/2.0/UDP a", .more = "Via: b, c\n"}, {.via = 2}), "too_many_vias");
}

TEST(Check, BranchWithoutTheCookieIsRfc2543) {
  EXPECT_TRUE(Parsed(Request{.via = "SIP/2.0/UDP a"}.text()).essentials.rfc2543);
  EXPECT_TRUE(Parsed(Request{.via = "SIP/2.0/UDP a;branch=1"}.text()).essentials.rfc2543);
  EXPECT_TRUE(Parsed(Request{.via = "SIP/2.0/UDP a;branch=z9hG4bK"}.text()).essentials.rfc2543);
}

TEST(Check, FromAndTo) {
  EXPECT_EQ(outcome({.from = "sip:a@b@c;tag=1"}), "bad_uri");
  EXPECT_EQ(outcome({.from = "<sip:a@b>;tag="}), "bad_name_addr");
  EXPECT_EQ(outcome({.from = "<sip:a@b>;tag"}), "bad_parameter");
  EXPECT_EQ(outcome({.to = "<tel:+1-201-555-0123>"}), "accepted");
  EXPECT_EQ(outcome({.to = "<http://example.com>"}), "accepted");
  EXPECT_EQ(outcome({.to = "<sip:a b@c>"}), "bad_uri");
}

TEST(Check, CallId) {
  EXPECT_EQ(outcome({.call_id = ""}), "bad_call_id");
  EXPECT_EQ(outcome({.call_id = "a b"}), "bad_call_id");
  EXPECT_EQ(outcome({.call_id = "a\xff"}), "bad_call_id");
  EXPECT_EQ(outcome({.call_id = "MTIz==@10.0.0.1@x"}), "accepted");
}

TEST(Check, MaxForwards) {
  EXPECT_EQ(outcome({.more = "Max-Forwards: 256\n"}), "bad_number");
  EXPECT_EQ(outcome({.more = "Max-Forwards: x\n"}), "bad_number");
  EXPECT_EQ(outcome({.more = "Max-Forwards: 255\n"}), "accepted");
}

TEST(Check, RequestUri) {
  EXPECT_EQ(outcome({.line = "INVITE sip:b@example.com?a=b SIP/2.0"}), "bad_uri");
  EXPECT_EQ(outcome({.line = "INVITE b@example.com SIP/2.0"}), "bad_uri");
  EXPECT_EQ(outcome({.line = "INVITE mailto:b@example.com SIP/2.0"}), "unsupported_scheme");
  EXPECT_EQ(outcome({.line = "INVITE tel:+12015550123 SIP/2.0"}), "accepted");
  EXPECT_EQ(outcome({.line = "INVITE urn:service:sos SIP/2.0"}), "accepted");
}

TEST(Check, ResponsesGoSomewhere) {
  const std::string line = "SIP/2.0 200 OK";
  EXPECT_EQ(outcome({.line = line, .more = "Via: SIP/2.0/UDP 192.0.2.9\n"}), "accepted");
  EXPECT_EQ(outcome({.line = line, .more = "Via: SIP/2.0/UDP 255.255.255.255\n"}), "bad_via");
  EXPECT_EQ(outcome({.line = line, .more = "Via: SIP/2.0/UDP a;received=0.0.0.0\n"}), "bad_via");
  EXPECT_EQ(outcome({.line = line, .more = "Via: nonsense\n"}), "bad_via");
  EXPECT_EQ(outcome({.line = line, .cseq = "1 BYE"}), "accepted");
}

}  // namespace
}  // namespace sluice::sip
