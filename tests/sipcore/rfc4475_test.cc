// SPDX-License-Identifier: Apache-2.0
//
// The torture messages of RFC 4475: what parse() and check() make of each. Where the verdict of the
// RFC falls to somebody behind them (401, 415, 420, 483, 501...), they accept.
#include "tests/sipcore/messages.h"

#include <gtest/gtest.h>

namespace sluice::sip {
namespace {

using test::Parsed;

void expect_outcome(const std::string& file, std::optional<ParseError> expected,
                    std::uint16_t code = 0) {
  const auto text = test::read_shared("rfc4475/" + file);
  if (!text) GTEST_SKIP() << "no shared/data/rfc4475/" << file;
  const Parsed parsed(*text);
  EXPECT_EQ(test::name_of(parsed.error()), test::name_of(expected));
  if (parsed.error() && parsed.message.is_request()) {
    EXPECT_EQ(response_code(*parsed.error()), code);
  }
}

void expect_accepted(const std::string& file) {
  expect_outcome(file, std::nullopt);
}

#define ACCEPTS(Name, file) \
  TEST(Rfc4475, Name) {     \
    expect_accepted(file);  \
  }
#define REFUSES(Name, file, error, code)           \
  TEST(Rfc4475, Name) {                            \
    expect_outcome(file, ParseError::error, code); \
  }
// Responses are never answered, whatever the code.
#define DROPS(Name, file, error) REFUSES(Name, file, error, 0)

// 3.1.1 valid
ACCEPTS(Lwsdisp, "lwsdisp.dat")
ACCEPTS(Transports, "transports.dat")
ACCEPTS(Noreason, "noreason.dat")

// 3.1.2 invalid
REFUSES(Badinv01, "badinv01.dat", BadVia, 400)
REFUSES(Clerr, "clerr.dat", BadContentLength, 400)
REFUSES(Ncl, "ncl.dat", BadContentLength, 400)
REFUSES(Scalar02, "scalar02.dat", BadCSeq, 400)
DROPS(Scalarlg, "scalarlg.dat", BadCSeq)
REFUSES(Quotbal, "quotbal.dat", BadNameAddr, 400)
REFUSES(Ltgtruri, "ltgtruri.dat", BadUri, 400)
REFUSES(Lwsruri, "lwsruri.dat", BadStartLine, 400)
REFUSES(Lwsstart, "lwsstart.dat", BadStartLine, 400)
REFUSES(Trws, "trws.dat", BadStartLine, 400)
REFUSES(Escruri, "escruri.dat", BadUri, 400)
ACCEPTS(Baddate, "baddate.dat")  // nobody here reads Date
REFUSES(Badaspec, "badaspec.dat", BadUri, 400)
REFUSES(Baddn, "baddn.dat", Truncated, 400)
REFUSES(BaddnTerminated, "baddn.terminated.dat", BadNameAddr, 400)
REFUSES(Badvers, "badvers.dat", BadVersion, 505)
REFUSES(Mismatch01, "mismatch01.dat", CSeqMismatch, 400)
REFUSES(Mismatch02, "mismatch02.dat", CSeqMismatch, 400)
DROPS(Bigcode, "bigcode.dat", BadStatusCode)

// 3.3 semantics
REFUSES(Insuf, "insuf.dat", MissingHeader, 400)
REFUSES(Unkscm, "unkscm.dat", UnsupportedScheme, 416)
REFUSES(Novelsc, "novelsc.dat", UnsupportedScheme, 416)
ACCEPTS(Unksm2, "unksm2.dat")  // the registrar's 400
ACCEPTS(Bext01, "bext01.dat")
ACCEPTS(Invut, "invut.dat")
ACCEPTS(Regaut01, "regaut01.dat")
REFUSES(Multi01, "multi01.dat", DuplicateHeader, 400)
REFUSES(Mcl01, "mcl01.dat", DuplicateHeader, 400)
DROPS(Bcast, "bcast.dat", BadVia)
ACCEPTS(Sdp01, "sdp01.dat")

// The messages whose parts are worth a look.

const HeaderField& nth(const Message& message, HeaderId id, int n) {
  const HeaderField* field = message.find(id);
  while (n-- > 0) field = message.next(*field);
  return *field;
}

#define OPEN(file)                                                \
  const auto text = test::read_shared("rfc4475/" file);           \
  if (!text) GTEST_SKIP() << "no shared/data/rfc4475/" << (file); \
  const Parsed parsed(*text);                                     \
  const Message& m = parsed.message;                              \
  const Essentials& e = parsed.essentials;                        \
  ASSERT_EQ(test::name_of(parsed.error()), "accepted");           \
  static_cast<void>(m);                                           \
  static_cast<void>(e)

TEST(Rfc4475, Wsinv) {
  OPEN("wsinv.dat");
  EXPECT_EQ(m.method(), Method::Invite);
  EXPECT_EQ(e.via.host, "192.0.2.2");
  EXPECT_EQ(e.via.transport, "UDP");
  EXPECT_EQ(e.via.branch, "390skdjuw");
  EXPECT_TRUE(e.rfc2543);
  EXPECT_EQ(e.to_tag, "1918181833n");
  EXPECT_EQ(e.from_tag, "98asjd8");
  EXPECT_EQ(e.from.display_name, R"("J Rosenberg \\\"")");
  EXPECT_EQ(e.max_forwards, 68U);
  EXPECT_EQ(e.cseq.number, 9U);
  EXPECT_EQ(m.body().size(), 150U);
  EXPECT_EQ(m.find(HeaderId::Subject)->value.length, 0);
  int vias = 0;
  for_each_value(m, HeaderId::Via, [&](std::string_view value, const HeaderField&) {
    EXPECT_TRUE(parse_via(value)) << value;
    ++vias;
    return true;
  });
  EXPECT_EQ(vias, 3);
  const auto contact = parse_name_addr(m.value(HeaderId::Contact));
  ASSERT_TRUE(contact);
  EXPECT_EQ(contact->uri, "sip:jdrosen@example.com");
}

TEST(Rfc4475, Intmeth) {
  OPEN("intmeth.dat");
  EXPECT_EQ(m.method(), Method::Other);
  EXPECT_EQ(m.method_text(), "!interesting-Method0123456789_*+`.%indeed'~");
  EXPECT_EQ(e.request_uri.host, "example.com");
  EXPECT_EQ(e.request_uri.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
  EXPECT_EQ(e.request_uri.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
  EXPECT_EQ(e.from_tag, "_token~1'+`*%!-.");
  EXPECT_EQ(e.max_forwards, 255U);
  EXPECT_NE(e.to.display_name.find('\0'), std::string_view::npos);  // a quoted-pair, so legal
}

TEST(Rfc4475, Esc01) {
  OPEN("esc01.dat");
  EXPECT_EQ(e.request_uri.scheme, Scheme::Sip);
  EXPECT_EQ(e.request_uri.user, "sips%3Auser%40example.com");
  EXPECT_EQ(e.request_uri.host, "example.net");
  char aor[64];
  EXPECT_EQ(std::string_view(aor, canonical_aor(e.request_uri, aor, sizeof aor)),
            "sips:user@example.com@example.net");
  const auto contact = parse_uri(parse_name_addr(m.value(HeaderId::Contact))->uri);
  ASSERT_TRUE(contact);
  EXPECT_TRUE(contact->param("lr"));  // %6C%72
  EXPECT_EQ(contact->param("name"), "v%61lue%25%34%31");
}

TEST(Rfc4475, Escnull) {
  OPEN("escnull.dat");
  const auto one = parse_uri(parse_name_addr(m.value(nth(m, HeaderId::Contact, 0)))->uri);
  const auto two = parse_uri(parse_name_addr(m.value(nth(m, HeaderId::Contact, 1)))->uri);
  ASSERT_TRUE(one && two);
  EXPECT_FALSE(equivalent(*one, *two));
  char aor[64];
  const auto to = parse_uri(e.to.uri);
  EXPECT_EQ(std::string_view(aor, canonical_aor(*to, aor, sizeof aor)),
            std::string_view("null-\0-null@example.com", 23));
}

TEST(Rfc4475, Esc02) {
  OPEN("esc02.dat");
  EXPECT_EQ(m.method(), Method::Other);
  EXPECT_EQ(m.method_text(), "RE%47IST%45R");
  EXPECT_NE(m.next(*m.find(HeaderId::Contact)), nullptr);
  EXPECT_EQ(m.next(nth(m, HeaderId::Contact, 1)), nullptr);  // C%6Fntact is no Contact
}

TEST(Rfc4475, Longreq) {
  OPEN("longreq.dat");
  int vias = 0;
  for_each_value(m, HeaderId::Via, [&](std::string_view value, const HeaderField&) {
    EXPECT_TRUE(parse_via(value)) << value;
    ++vias;
    return true;
  });
  EXPECT_EQ(vias, 34);
}

TEST(Rfc4475, Dblreq) {
  OPEN("dblreq.dat");
  EXPECT_EQ(m.method(), Method::Register);
  EXPECT_TRUE(m.body().empty());
  EXPECT_LT(m.size(), text->size());
  EXPECT_TRUE(m.text().ends_with("\r\n\r\n"));
}

TEST(Rfc4475, Semiuri) {
  OPEN("semiuri.dat");
  EXPECT_EQ(e.request_uri.user, "user;par=u%40example.net");
  EXPECT_EQ(e.request_uri.host, "example.com");
  EXPECT_TRUE(e.request_uri.params.empty());
}

TEST(Rfc4475, Mpart01) {
  OPEN("mpart01.dat");
  EXPECT_EQ(m.body().size(), 553U);
  EXPECT_NE(m.body().find('\0'), std::string_view::npos);
}

TEST(Rfc4475, Unreason) {
  OPEN("unreason.dat");
  EXPECT_TRUE(m.is_response());
  EXPECT_EQ(m.status(), 200);
  EXPECT_EQ(m.reason().substr(0, 4), "= 2*");
  EXPECT_EQ(m.method(), Method::Invite);
}

TEST(Rfc4475, Regbadct) {
  OPEN("regbadct.dat");  // the registrar reads Contact, and gets no guess
  const auto contact = parse_name_addr(m.value(HeaderId::Contact));
  ASSERT_FALSE(contact);
  EXPECT_EQ(contact.error(), ParseError::BadNameAddr);
}

TEST(Rfc4475, Badbranch) {
  OPEN("badbranch.dat");
  EXPECT_TRUE(e.rfc2543);  // the cookie alone identifies nothing
}

TEST(Rfc4475, Zeromf) {
  OPEN("zeromf.dat");
  EXPECT_TRUE(e.has_max_forwards);
  EXPECT_EQ(e.max_forwards, 0U);
}

TEST(Rfc4475, Cparam01) {
  OPEN("cparam01.dat");
  const auto contact = parse_name_addr(m.value(HeaderId::Contact));
  ASSERT_TRUE(contact);
  EXPECT_TRUE(contact->params.find("unknownparam"));
  EXPECT_FALSE(parse_uri(contact->uri)->param("unknownparam"));
}

TEST(Rfc4475, Cparam02) {
  OPEN("cparam02.dat");
  const auto contact = parse_name_addr(m.value(HeaderId::Contact));
  ASSERT_TRUE(contact);
  EXPECT_FALSE(contact->params.find("unknownparam"));
  EXPECT_TRUE(parse_uri(contact->uri)->param("unknownparam"));
}

TEST(Rfc4475, Regescrt) {
  OPEN("regescrt.dat");
  const auto contact = parse_uri(parse_name_addr(m.value(HeaderId::Contact))->uri);
  ASSERT_TRUE(contact);
  EXPECT_EQ(contact->headers, "Route=%3Csip:sip.example.com%3E");
}

TEST(Rfc4475, Inv2543) {
  OPEN("inv2543.dat");
  EXPECT_TRUE(e.rfc2543);
  EXPECT_TRUE(e.from_tag.empty());
  EXPECT_FALSE(e.has_max_forwards);
  EXPECT_EQ(e.max_forwards, 70U);
  EXPECT_EQ(e.to.uri, "sip:+16505552222@ss1.example.net");
  EXPECT_TRUE(e.to.params.find("user"));
  EXPECT_TRUE(m.body().starts_with("v=0"));
}

}  // namespace
}  // namespace sluice::sip
