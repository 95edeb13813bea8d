// SPDX-License-Identifier: Apache-2.0
#include "sipcore/write/edit_list.h"
#include "sipcore/write/request.h"
#include "sipcore/write/response.h"
#include "tests/sipcore/messages.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace sluice::sip {
namespace {

using test::crlf;
using test::Parsed;

const Endpoint kSource{IpAddress::v4(198, 18, 0, 7), 40123};

constexpr std::string_view kInvite =
    "INVITE sip:bob@example.com SIP/2.0\n"
    "Via: SIP/2.0/UDP 10.0.0.9:5062;rport;branch=z9hG4bKabc\n"
    "v: SIP/2.0/TCP inner.example.com;branch=z9hG4bKdef\n"
    "Record-Route: <sip:p2.example.com;lr>\n"
    "Max-Forwards: 69\n"
    "From: Alice <sip:alice@example.com>;tag=a1\n"
    "To: Bob <sip:bob@example.com>\n"
    "Call-ID: c1@example.com\n"
    "CSeq: 7 INVITE\n"
    "Timestamp: 54\n"
    "Content-Length: 0\n\n";

std::string respond(std::string_view request, const Response& response,
                    const Endpoint& source = kSource, std::string_view tag = "t9") {
  const Parsed parsed(crlf(request));
  std::array<std::uint8_t, 4096> out{};
  const std::uint32_t size = write_response(parsed.message, source, tag, response, out);
  EXPECT_LE(size, out.size());
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string with_via(std::string_view via) {
  std::string request(kInvite);
  const std::size_t begin = request.find("SIP/2.0/UDP");
  return request.replace(begin, request.find('\n', begin) - begin, via);
}

std::string top_via_of(const std::string& response) {
  const std::size_t begin = response.find("Via: ") + 5;
  return response.substr(begin, response.find("\r\n", begin) - begin);
}

TEST(WriteResponse, CopiesWhatRfc3261Section8Says) {
  EXPECT_EQ(
      respond(kInvite, {.status = 486}),
      crlf("SIP/2.0 486 Busy Here\n"
           "Via: SIP/2.0/UDP 10.0.0.9:5062;rport=40123;branch=z9hG4bKabc;received=198.18.0.7\n"
           "v: SIP/2.0/TCP inner.example.com;branch=z9hG4bKdef\n"
           "From: Alice <sip:alice@example.com>;tag=a1\n"
           "To: Bob <sip:bob@example.com>;tag=t9\n"
           "Call-ID: c1@example.com\n"
           "CSeq: 7 INVITE\n"
           "Content-Length: 0\n\n"));
}

TEST(WriteResponse, TryingHasTimestampAndNoTag) {
  const std::string trying = respond(kInvite, {.status = 100});
  EXPECT_NE(trying.find("\r\nTimestamp: 54\r\n"), std::string::npos);
  EXPECT_NE(trying.find("\r\nTo: Bob <sip:bob@example.com>\r\n"), std::string::npos);
  EXPECT_EQ(trying.find("Record-Route"), std::string::npos);
}

TEST(WriteResponse, RecordRouteInResponsesThatMakeADialog) {
  for (const std::uint16_t status : std::array<std::uint16_t, 2>{180, 200}) {
    EXPECT_NE(
        respond(kInvite, {.status = status}).find("Record-Route: <sip:p2.example.com;lr>\r\n"),
        std::string::npos);
  }
  EXPECT_EQ(respond(kInvite, {.status = 302}).find("Record-Route"), std::string::npos);
}

TEST(WriteResponse, HeadersReasonAndBodyOfTheCaller) {
  const std::array headers = {HeaderLine{"Content-Type", "text/plain"},
                              HeaderLine{"Expires", "60"}};
  const std::string out =
      respond(kInvite, {.status = 200, .reason = "Fine", .headers = headers, .body = "hello"});
  EXPECT_TRUE(out.starts_with("SIP/2.0 200 Fine\r\n"));
  EXPECT_TRUE(
      out.ends_with("Content-Type: text/plain\r\nExpires: 60\r\nContent-Length: 5\r\n\r\nhello"));
}

TEST(WriteResponse, ParsesBackTheSame) {
  const Parsed response(respond(kInvite, {.status = 200}));
  ASSERT_EQ(test::name_of(response.error()), "accepted");
  EXPECT_EQ(response.message.status(), 200);
  EXPECT_EQ(response.message.method(), Method::Invite);
  EXPECT_EQ(response.essentials.to_tag, "t9");
  EXPECT_EQ(response.essentials.from_tag, "a1");
  EXPECT_EQ(response.essentials.call_id, "c1@example.com");
  EXPECT_EQ(response.essentials.via.branch, "z9hG4bKabc");
  EXPECT_EQ(response.essentials.via.received, "198.18.0.7");
  EXPECT_EQ(response.essentials.via.rport, "40123");
}

TEST(WriteResponse, KeepsATagThatIsThere) {
  std::string request(kInvite);
  request.insert(request.find("\nCall-ID"), ";tag=mine");
  const std::string out = respond(request, {.status = 200});
  EXPECT_NE(out.find("To: Bob <sip:bob@example.com>;tag=mine\r\n"), std::string::npos);
}

TEST(WriteResponse, NoReceivedWhenSentByIsTheSource) {
  const std::string via = "SIP/2.0/UDP 198.18.0.7:5062;branch=z9hG4bKq";
  EXPECT_EQ(top_via_of(respond(with_via(via), {.status = 200})), via);
}

TEST(WriteResponse, ReceivedWhenSentByIsAnotherAddressOrAName) {
  EXPECT_EQ(top_via_of(respond(with_via("SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKq"), {.status = 200})),
            "SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKq;received=198.18.0.7");
  EXPECT_EQ(top_via_of(respond(with_via("SIP/2.0/UDP ua.example.com"), {.status = 200})),
            "SIP/2.0/UDP ua.example.com;received=198.18.0.7");
}

TEST(WriteResponse, RportAlwaysComesWithReceived) {
  EXPECT_EQ(top_via_of(
                respond(with_via("SIP/2.0/UDP 198.18.0.7;rport;branch=z9hG4bKq"), {.status = 200})),
            "SIP/2.0/UDP 198.18.0.7;rport=40123;branch=z9hG4bKq;received=198.18.0.7");
}

TEST(WriteResponse, ForgedReceivedAndRportAreReplaced) {
  EXPECT_EQ(
      top_via_of(respond(with_via("SIP/2.0/UDP 10.0.0.9;received=203.0.113.1;rport=53;branch=z"),
                         {.status = 200})),
      "SIP/2.0/UDP 10.0.0.9;rport=40123;branch=z;received=198.18.0.7");
}

TEST(WriteResponse, Ipv6SourceComparesByAddressAndIsWrittenWithoutBrackets) {
  const Endpoint source{*IpAddress::parse("fd00:18::7"), 5060};
  const std::string same = "SIP/2.0/UDP [FD00:18:0:0:0::7];branch=z9hG4bKq";
  EXPECT_EQ(top_via_of(respond(with_via(same), {.status = 200}, source)), same);
  EXPECT_EQ(top_via_of(respond(with_via("SIP/2.0/UDP [fd00::1];branch=z9hG4bKq"), {.status = 200},
                               source)),
            "SIP/2.0/UDP [fd00::1];branch=z9hG4bKq;received=fd00:18::7");
}

TEST(WriteResponse, OnlyTheFirstOfSeveralViasOnOneLineChanges) {
  EXPECT_EQ(
      top_via_of(respond(with_via("SIP/2.0/UDP 10.0.0.9;branch=z1 , SIP/2.0/UDP 10.0.0.8;rport"),
                         {.status = 200})),
      "SIP/2.0/UDP 10.0.0.9;branch=z1;received=198.18.0.7 , SIP/2.0/UDP 10.0.0.8;rport");
}

TEST(WriteResponse, AnswersWhatCheckRefused) {
  std::string request(kInvite);
  request.replace(request.find("7 INVITE"), 8, "7 BYE");
  EXPECT_TRUE(respond(request, {.status = 400}).starts_with("SIP/2.0 400 Bad Request\r\nVia: "));
  // A Via that cannot be read goes back as it came.
  EXPECT_EQ(top_via_of(respond(with_via("SIP/2.0/UDP 10.0.0.9;;"), {.status = 400})),
            "SIP/2.0/UDP 10.0.0.9;;");
}

TEST(WriteResponse, NothingIsWrittenWithoutRoom) {
  const Parsed parsed(crlf(kInvite));
  std::array<std::uint8_t, 64> out{};
  const std::uint32_t size = write_response(parsed.message, kSource, "t", {.status = 200}, out);
  EXPECT_GT(size, out.size());
  for (const std::uint8_t byte : out) EXPECT_EQ(byte, 0);
}

TEST(WriteResponse, NoViaNoResponse) {
  const Parsed parsed(crlf("INVITE sip:a@b SIP/2.0\nTo: <sip:a@b>\n\n"));
  EXPECT_EQ(write_response(parsed.message, kSource, "t", {.status = 400}, {}), 0U);
}

TEST(ResponseTarget, SourcePortOnlyWithRport) {
  EXPECT_EQ(response_target(*parse_via("SIP/2.0/UDP 10.0.0.9:5062;rport"), kSource), kSource);
  EXPECT_EQ(response_target(*parse_via("SIP/2.0/UDP 10.0.0.9:5062"), kSource),
            (Endpoint{kSource.address, 5062}));
  EXPECT_EQ(response_target(*parse_via("SIP/2.0/UDP 10.0.0.9"), kSource),
            (Endpoint{kSource.address, 5060}));
}

TEST(ResponseTarget, NoStrangersAddress) {
  EXPECT_EQ(response_target(
                *parse_via("SIP/2.0/UDP 10.0.0.9;maddr=203.0.113.5;received=203.0.113.6"), kSource)
                .address,
            kSource.address);
}

TEST(ReasonPhrase, KnowsItsCodes) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(481), "Call/Transaction Does Not Exist");
  EXPECT_EQ(reason_phrase(499), "Bad Request");
  EXPECT_EQ(reason_phrase(606), "Not Acceptable");
}

constexpr std::string_view kSentInvite =
    "INVITE sip:bob@198.19.0.5 SIP/2.0\n"
    "Via: SIP/2.0/UDP 198.19.0.2:5060;branch=z9hG4bKours\n"
    "Via: SIP/2.0/UDP 10.0.0.9:5062;branch=z9hG4bKabc\n"
    "Route: <sip:r1.example.com;lr>\n"
    "Max-Forwards: 12\n"
    "Route: <sip:r2.example.com;lr>\n"
    "f: <sip:alice@example.com>;tag=a1\n"
    "To: <sip:bob@example.com>\n"
    "Call-ID: c1\n"
    "CSeq: 0007 INVITE\n"
    "Require: 100rel\n"
    "Content-Length: 0\n\n";

TEST(WriteAck, IsTheInvitesSibling) {
  const Parsed invite(crlf(kSentInvite));
  const Parsed response(
      crlf("SIP/2.0 486 Busy Here\n"
           "Via: SIP/2.0/UDP 198.19.0.2:5060;branch=z9hG4bKours\n"
           "From: <sip:alice@example.com>;tag=a1\n"
           "To: <sip:bob@example.com>;tag=b2\n"
           "Call-ID: c1\nCSeq: 7 INVITE\n\n"));
  std::array<std::uint8_t, 2048> out{};
  const std::uint32_t size = write_ack(invite.message, response.message, out);
  EXPECT_EQ(as_text({out.data(), size}),
            crlf("ACK sip:bob@198.19.0.5 SIP/2.0\n"
                 "Via: SIP/2.0/UDP 198.19.0.2:5060;branch=z9hG4bKours\n"
                 "Max-Forwards: 70\n"
                 "Route: <sip:r1.example.com;lr>\n"
                 "Route: <sip:r2.example.com;lr>\n"
                 "f: <sip:alice@example.com>;tag=a1\n"
                 "To: <sip:bob@example.com>;tag=b2\n"
                 "Call-ID: c1\n"
                 "CSeq: 7 ACK\n"
                 "Content-Length: 0\n\n"));
}

TEST(WriteCancel, IsTheInvitesSiblingWithItsOwnHeaders) {
  const Parsed invite(crlf(kSentInvite));
  const std::array headers = {HeaderLine{"Reason", "SIP;cause=200"}};
  std::array<std::uint8_t, 2048> out{};
  const std::uint32_t size = write_cancel(invite.message, headers, out);
  const Parsed cancel(as_text({out.data(), size}));
  ASSERT_EQ(test::name_of(cancel.error()), "accepted");
  EXPECT_EQ(cancel.message.method(), Method::Cancel);
  EXPECT_EQ(cancel.essentials.via.branch, "z9hG4bKours");
  EXPECT_EQ(cancel.message.next(*cancel.message.find(HeaderId::Via)), nullptr);
  EXPECT_EQ(cancel.essentials.cseq.number, 7U);
  EXPECT_TRUE(cancel.essentials.to_tag.empty());
  EXPECT_EQ(cancel.message.value(HeaderId::Reason), "SIP;cause=200");
  EXPECT_EQ(cancel.message.find(HeaderId::Require), nullptr);  // RFC 3261 9.1
}

std::string written(const EditList& edits) {
  std::string out(edits.size(), '\0');
  std::uint8_t* begin = reinterpret_cast<std::uint8_t*>(out.data());
  EXPECT_EQ(edits.write(begin), begin + out.size());
  return out;
}

TEST(EditList, WithoutEditsTheMessageIsTheSame) {
  const EditList edits("abcdef");
  EXPECT_EQ(written(edits), "abcdef");
}

TEST(EditList, ReplacesInsertsAndRemoves) {
  EditList edits("0123456789");
  edits.insert(0, "<");
  edits.replace({2, 3}, "x");
  edits.remove({7, 1});
  edits.insert(10, ">");
  EXPECT_TRUE(edits.ok());
  EXPECT_EQ(written(edits), "<01x5689>");
}

TEST(EditList, TakesEditsInAnyOrder) {
  EditList edits("0123456789");
  edits.insert(10, ">");
  edits.remove({7, 1});
  edits.insert(7, "a");
  edits.replace({2, 3}, "x");
  edits.insert(7, "b");
  edits.insert(0, "<");
  EXPECT_EQ(written(edits), "<01x56ab89>");
}

TEST(EditList, RefusesOverlap) {
  EditList edits("0123456789");
  edits.remove({2, 4});
  edits.insert(4, "x");
  EXPECT_FALSE(edits.ok());
  EditList other("0123456789");
  other.remove({4, 2});
  other.remove({2, 3});
  EXPECT_FALSE(other.ok());
  EditList outside("0123");
  outside.insert(5, "x");
  EXPECT_FALSE(outside.ok());
}

TEST(EditList, SaysWhenItIsFull) {
  EditList edits("0123456789");
  for (std::uint32_t i = 0; i < EditList::kMaxEdits; ++i) edits.insert(3, "-");
  EXPECT_TRUE(edits.ok());
  edits.insert(3, "-");
  EXPECT_FALSE(edits.ok());
}

TEST(EditList, KeepsGeneratedText) {
  EditList edits("Max-Forwards: 70");
  edits.replace({14, 2}, edits.keep_number(69));
  edits.insert(16, edits.keep({"\r\n", "X: ", "y"}));
  EXPECT_EQ(written(edits), "Max-Forwards: 69\r\nX: y");
  edits.keep(std::string(EditList::kScratch, 'x'));
  EXPECT_FALSE(edits.ok());
}

TEST(EditList, RelaysAMessageWithoutItsLeadingCrLfs) {
  const Parsed parsed("\r\n\r\n" + crlf(kInvite) + "trailing");
  ASSERT_EQ(test::name_of(parsed.error()), "accepted");
  EditList edits(parsed.message);
  const HeaderField* via = parsed.message.find(HeaderId::Via);
  edits.insert(via->line.offset, "Via: SIP/2.0/UDP 198.19.0.2;branch=z9hG4bKnew\r\n");
  edits.replace(parsed.message.find(HeaderId::MaxForwards)->value, "68");
  edits.replace(parsed.message.request_uri_slice(), "sip:bob@198.19.0.5");
  const Parsed relayed(written(edits));
  ASSERT_EQ(test::name_of(relayed.error()), "accepted");
  EXPECT_TRUE(relayed.message.text().starts_with("INVITE sip:bob@198.19.0.5 SIP/2.0\r\n"));
  EXPECT_EQ(relayed.essentials.via.branch, "z9hG4bKnew");
  EXPECT_EQ(relayed.essentials.max_forwards, 68U);
  EXPECT_EQ(relayed.message.headers().size(), parsed.message.headers().size() + 1);
}

}  // namespace
}  // namespace sluice::sip
