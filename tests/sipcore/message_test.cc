// SPDX-License-Identifier: Apache-2.0
//
// Structure: what parse() makes of a datagram (RFC 3261 7, 18.3), and names (7.1, 7.3.1).
#include "tests/sipcore/messages.h"

#include <gtest/gtest.h>

namespace sluice::sip {
namespace {

using test::crlf;
using test::Parsed;

constexpr std::string_view kHead =
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\n"
    "From: <sip:a@example.com>;tag=1\n"
    "To: <sip:b@example.com>\n"
    "Call-ID: c1\n"
    "CSeq: 1 OPTIONS\n";
constexpr std::string_view kLine = "OPTIONS sip:b@example.com SIP/2.0\n";

std::string options(std::string_view more = "\n", std::string_view line = kLine) {
  return crlf(std::string(line) + std::string(kHead)) + crlf(more);
}

std::string outcome(std::string_view text, const Limits& limits = {}) {
  return test::name_of(Parsed(text, limits).error());
}

TEST(MessageParse, PlainRequest) {
  const Parsed p(options("Content-Length: 2\n\nhi"));
  ASSERT_EQ(test::name_of(p.error()), "accepted");
  EXPECT_EQ(p.message.method(), Method::Options);
  EXPECT_EQ(p.message.method_text(), "OPTIONS");
  EXPECT_EQ(p.message.request_uri(), "sip:b@example.com");
  EXPECT_EQ(p.message.at(p.message.start_line()), "OPTIONS sip:b@example.com SIP/2.0");
  EXPECT_EQ(p.message.headers().size(), 6U);
  EXPECT_EQ(p.message.value(HeaderId::CallId), "c1");
  EXPECT_EQ(p.message.at(p.message.find(HeaderId::CallId)->line), "Call-ID: c1\r\n");
  EXPECT_EQ(p.message.body(), "hi");
  EXPECT_EQ(p.message.size(), p.size);
}

TEST(MessageParse, LeadingCrLfsAreSkippedAndRebaseStillFits) {
  const std::string text = "\r\n\r\n" + options();
  Parsed p(text);
  ASSERT_EQ(test::name_of(p.error()), "accepted");
  EXPECT_TRUE(p.message.text().starts_with("OPTIONS "));
  EXPECT_EQ(p.message.text(), options());
  const std::string copy = text;
  p.message.rebase(reinterpret_cast<const std::uint8_t*>(copy.data()));
  EXPECT_EQ(p.message.text(), options());
  EXPECT_EQ(p.message.value(HeaderId::CallId).data(), copy.data() + copy.find("c1"));
}

TEST(MessageParse, ForgetsTheMessageBefore) {
  Message message;
  const std::string first = options("Subject: x\nContent-Length: 2\n\nhi");
  const std::string second = crlf("SIP/2.0 200 OK\nCSeq: 1 BYE\n\n");
  ASSERT_TRUE(message.parse(as_bytes(first), {}));
  ASSERT_TRUE(message.parse(as_bytes(second), {}));
  EXPECT_TRUE(message.is_response());
  EXPECT_EQ(message.method(), Method::Bye);
  EXPECT_EQ(message.find(HeaderId::Subject), nullptr);
  EXPECT_TRUE(message.request_uri().empty());
  EXPECT_TRUE(message.body().empty());
}

TEST(MessageParse, FoldsAreWhiteSpace) {
  const Parsed p(options("Subject:\n  one\n\ttwo  \n\n"));
  ASSERT_EQ(test::name_of(p.error()), "accepted");
  EXPECT_EQ(p.message.value(HeaderId::Subject), "one\r\n\ttwo");
  EXPECT_EQ(p.message.at(p.message.find(HeaderId::Subject)->line),
            "Subject:\r\n  one\r\n\ttwo  \r\n");
}

TEST(MessageParse, ManyFoldsCrossTheScanBatch) {
  std::string subject = "Subject: x\n";
  for (int i = 0; i < 500; ++i) subject += " y\n";
  const Parsed p(options(subject + "Organization: z\n\nbody"));
  ASSERT_EQ(test::name_of(p.error()), "accepted");
  EXPECT_EQ(p.message.value(HeaderId::Subject).size(), 1 + 500 * 4U);
  EXPECT_EQ(p.message.value(HeaderId::Organization), "z");
  EXPECT_EQ(p.message.body(), "body");
}

TEST(MessageParse, FoldRightAfterTheStartLineIsRefused) {
  EXPECT_EQ(outcome(crlf(std::string(kLine) + " x: y\n" + std::string(kHead) + "\n")),
            "bad_header_name");
}

TEST(MessageParse, SpaceBeforeTheColonIsAllowed) {
  const Parsed p(options("Subject \t: x\n\n"));
  EXPECT_EQ(p.message.value(HeaderId::Subject), "x");
}

TEST(MessageParse, BadHeaderNames) {
  for (const char* line : {": x", "a b: x", "noname", "caf\xc3\xa9: x", "(x): y"}) {
    EXPECT_EQ(outcome(options(std::string(line) + "\n\n")), "bad_header_name") << line;
  }
}

TEST(MessageParse, BareCrBareLfAndNulAreRefused) {
  EXPECT_EQ(outcome(options("Subject: a\rb\n\n")), "bare_cr_lf");
  EXPECT_EQ(outcome(options().insert(options().find("\r\nFrom"), "\n")), "bare_cr_lf");
  EXPECT_EQ(outcome(options(std::string("Subject: a\0b\n\n", 14))), "nul_byte");
  std::string bare = options();
  bare.erase(bare.find("\r\nTo"), 1);
  EXPECT_EQ(outcome(bare), "bare_cr_lf");
  EXPECT_EQ(outcome("OPTIONS sip:b@example.com SIP/2.0\nVia: x\n\n"), "bare_cr_lf");
}

TEST(MessageParse, NulIsLegalOnlyAsAQuotedPair) {
  EXPECT_EQ(outcome(options(std::string("X: \"\\\0\"\n\n", 10))), "accepted");
  EXPECT_EQ(outcome(options(std::string("X: \\\0\n\n", 7))), "nul_byte");
  EXPECT_EQ(outcome(options(std::string("X: \"\\\\\0\"\n\n", 11))), "nul_byte");
}

TEST(MessageParse, BodyMayHoldAnything) {
  const Parsed p(options("Content-Length: 4\n\n") + std::string("\0\r\n\n", 4));
  ASSERT_EQ(test::name_of(p.error()), "accepted");
  EXPECT_EQ(p.message.body(), std::string_view("\0\r\n\n", 4));
}

TEST(MessageParse, KeepsWhatStandsBeforeTheDefect) {
  const Parsed p(crlf(std::string(kLine) + std::string(kHead)) +
                 "Subject: a\rb\r\nOrganization: x\r\n\r\n");
  EXPECT_EQ(p.parsed.error(), ParseError::BareCrLf);
  EXPECT_EQ(p.message.method(), Method::Options);
  EXPECT_EQ(p.message.headers().size(), 5U);
  EXPECT_EQ(p.message.value(HeaderId::CSeq), "1 OPTIONS");
  EXPECT_EQ(p.message.find(HeaderId::Organization), nullptr);
}

TEST(MessageParse, ABadStartLineStillHasItsHeaders) {
  const Parsed p(options("\n", "OPTIONS  sip:b@example.com SIP/2.0\n"));
  EXPECT_EQ(p.parsed.error(), ParseError::BadStartLine);
  EXPECT_EQ(p.message.headers().size(), 5U);
  EXPECT_TRUE(p.message.is_request());
}

TEST(MessageParse, StartLines) {
  const auto with = [](std::string_view line) { return outcome(options("\n", line)); };
  EXPECT_EQ(with("OPTIONS sip:b@example.com sip/2.0\n"), "accepted");
  EXPECT_EQ(with("OPTIONS sip:b@example.com SIP/2.1\n"), "bad_version");
  EXPECT_EQ(with("OPTIONS sip:b@example.com SIP/2.0 \n"), "bad_start_line");
  EXPECT_EQ(with("OPTIONS sip:b@example.com  SIP/2.0\n"), "bad_start_line");
  EXPECT_EQ(with("OPTIONS sip:b@example.com\tSIP/2.0\n"), "not_sip");
  EXPECT_EQ(with("OPTIONS sip:b@example.com SIP/2.\n"), "bad_start_line");
  EXPECT_EQ(with("OPTIONS sip:b@example.com\n"), "not_sip");
  EXPECT_EQ(with("options sip:b@example.com SIP/2.0\n"), "cseq_mismatch");
  EXPECT_EQ(with(" OPTIONS sip:b@example.com SIP/2.0\n"), "not_sip");
}

TEST(MessageParse, StatusLines) {
  const auto with = [](std::string_view line) { return outcome(options("\n", line)); };
  EXPECT_EQ(with("SIP/2.0 200 OK\n"), "accepted");
  EXPECT_EQ(with("sip/2.0 200 \n"), "accepted");
  EXPECT_EQ(with("SIP/2.0 200\n"), "bad_start_line");
  EXPECT_EQ(with("SIP/2.0  200 OK\n"), "bad_start_line");
  EXPECT_EQ(with("SIP/3.0 200 OK\n"), "bad_version");
  EXPECT_EQ(with("SIP/2.0 99 OK\n"), "bad_status_code");
  EXPECT_EQ(with("SIP/2.0 700 OK\n"), "bad_status_code");
  EXPECT_EQ(with("SIP/2.0 0200 OK\n"), "bad_status_code");
}

TEST(MessageParse, OtherProtocolsAreNotSip) {
  for (const std::string& text :
       {std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), std::string("\x16\x03\x01\x02"),
        std::string("\0\0\0\0", 4), std::string("\r\n\r\n"), std::string("jaK"), std::string(),
        std::string("DESCRIBE rtsp://x/y RTSP/1.0\r\n\r\n")}) {
    EXPECT_EQ(outcome(text), "not_sip") << text;
    EXPECT_EQ(response_code(ParseError::NotSip), 0);
  }
}

TEST(MessageParse, EveryCutInTheHeaderSectionIsTruncated) {
  const std::string text = options("Content-Length: 0\n\n");
  for (std::size_t size = 9; size < text.size(); ++size) {
    const std::string cut = text.substr(0, size);
    EXPECT_EQ(outcome(cut), cut.back() == '\r' ? "bare_cr_lf" : "truncated") << size;
  }
}

TEST(MessageParse, ContentLengthRules) {
  EXPECT_EQ(outcome(options("Content-Length: 3\n\nab")), "bad_content_length");
  EXPECT_EQ(outcome(options("Content-Length: -1\n\nab")), "bad_content_length");
  EXPECT_EQ(outcome(options("Content-Length: 1 1\n\nab")), "bad_content_length");
  EXPECT_EQ(outcome(options("Content-Length:\n\nab")), "bad_content_length");
  EXPECT_EQ(outcome(options("Content-Length: 99999999999999999999\n\nab")), "bad_content_length");
  EXPECT_EQ(outcome(options("Content-Length: 2\nl: 2\n\nab")), "duplicate_header");
  const Parsed shorter(options("l: 1\n\nab"));
  EXPECT_EQ(shorter.message.body(), "a");
  EXPECT_EQ(shorter.message.size(), shorter.size - 1);
  EXPECT_EQ(Parsed(options("\nab")).message.body(), "ab");
}

TEST(MessageParse, Limits) {
  EXPECT_EQ(outcome(options(), {.message = 100}), "too_large");
  EXPECT_EQ(outcome(options(), {.headers = 5}), "accepted");
  EXPECT_EQ(outcome(options(), {.headers = 4}), "too_many_headers");
  EXPECT_EQ(outcome(options(), {.header_line = 30}), "header_too_long");
  EXPECT_EQ(outcome(options(), {.uri = 16}), "uri_too_long");
  EXPECT_EQ(outcome(options(), {.uri = 17}), "accepted");
}

TEST(MessageParse, TooLargeCanStillBeAnswered) {
  const Parsed p(options("\n") + std::string(70'000, 'x'));
  EXPECT_EQ(p.parsed.error(), ParseError::TooLarge);
  EXPECT_EQ(p.message.value(HeaderId::CallId), "c1");
  EXPECT_TRUE(p.message.body().empty());
}

TEST(MessageParse, FullIndexOfTheStorage) {
  std::string more;
  for (int i = 0; i < kMaxHeaderFields - 5; ++i) more += "Subject: x\n";
  EXPECT_TRUE(Parsed(options(more + "\n"), {.headers = 1000}).parsed);
  EXPECT_EQ(outcome(options(more + "X: y\n\n"), {.headers = 1000}), "too_many_headers");
}

TEST(MessageParse, FieldsWithOneNameAreChained) {
  const Parsed p(options("v: SIP/2.0/UDP 192.0.2.2\nX: y\nVIA: SIP/2.0/UDP 192.0.2.3\n\n"));
  std::string hosts;
  for (const HeaderField* f = p.message.find(HeaderId::Via); f != nullptr; f = p.message.next(*f)) {
    hosts += parse_via(p.message.value(*f))->host;
    hosts += ' ';
  }
  EXPECT_EQ(hosts, "192.0.2.1 192.0.2.2 192.0.2.3 ");
}

TEST(HeaderNames, EveryNameInEveryCaseAndCompactForm) {
#define SLUICE_HEADER(id, text, compact, list)                           \
  {                                                                      \
    std::string name = text;                                             \
    EXPECT_EQ(header_from(name), HeaderId::id);                          \
    EXPECT_EQ(to_string(HeaderId::id), name);                            \
    EXPECT_EQ(is_list(HeaderId::id), list);                              \
    for (char& c : name) c = static_cast<char>(std::toupper(c));         \
    EXPECT_EQ(header_from(name), HeaderId::id);                          \
    for (char& c : name) c = static_cast<char>(std::tolower(c));         \
    EXPECT_EQ(header_from(name), HeaderId::id);                          \
    EXPECT_EQ(header_from(name + "x"), HeaderId::Other);                 \
    EXPECT_NE(header_from(name.substr(1)), HeaderId::id);                \
    for (std::size_t i = 0; i < name.size(); ++i) {                      \
      for (int c = 0; c < 256; ++c) {                                    \
        std::string other = name;                                        \
        other[i] = static_cast<char>(c);                                 \
        const bool same = std::tolower(c) == name[i];                    \
        EXPECT_EQ(header_from(other) == HeaderId::id, same) << other;    \
      }                                                                  \
    }                                                                    \
    if (compact != 0) {                                                  \
      const char upper = static_cast<char>(std::toupper(compact));       \
      const char lower = compact;                                        \
      EXPECT_EQ(header_from(std::string_view(&lower, 1)), HeaderId::id); \
      EXPECT_EQ(header_from(std::string_view(&upper, 1)), HeaderId::id); \
    }                                                                    \
  }
#include "sipcore/parse/headers.def"
#undef SLUICE_HEADER
  EXPECT_EQ(header_from(""), HeaderId::Other);
  EXPECT_EQ(header_from("z"), HeaderId::Other);
  EXPECT_EQ(header_from("["), HeaderId::Other);
  EXPECT_EQ(header_from(std::string(100, 'v')), HeaderId::Other);
}

TEST(MethodNames, AreCaseSensitive) {
#define SLUICE_METHOD(id, text)             \
  EXPECT_EQ(method_from(text), Method::id); \
  EXPECT_EQ(to_string(Method::id), text);   \
  EXPECT_EQ(method_from(text "X"), Method::Other);
#include "sipcore/parse/methods.def"
#undef SLUICE_METHOD
  EXPECT_EQ(method_from("invite"), Method::Other);
  EXPECT_EQ(method_from(""), Method::Other);
  EXPECT_EQ(to_string(Method::Other), "");
}

TEST(ParseErrors, TableIsWhole) {
  EXPECT_EQ(parse_error_infos().size(), static_cast<std::size_t>(ParseError::Count));
  EXPECT_EQ(parse_error_infos()[0].labels, "reason=\"not_sip\"");
  EXPECT_EQ(response_code(ParseError::UnsupportedScheme), 416);
  EXPECT_EQ(text(ParseError::TooLarge), "Message Too Large");
}

}  // namespace
}  // namespace sluice::sip
