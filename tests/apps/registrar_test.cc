// SPDX-License-Identifier: Apache-2.0
#include "tests/apps/registrar_bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::registrar {
namespace {

using std::chrono::seconds;
using test::Answer;
using test::Register;
using test::RegistrarBench;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kAlice = "alice@example.com";

Register contact(std::string value, unsigned cseq = 1) {
  return {.cseq = cseq, .lines = {"Contact: " + std::move(value)}};
}

TEST(Registrar, StoresABindingAndListsIt) {
  RegistrarBench bench;
  const Answer answer = bench.send(contact("<sip:alice@192.0.2.1:5060>;expires=600"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.count, 1);
  EXPECT_THAT(answer.all("Contact"), ElementsAre("<sip:alice@192.0.2.1:5060>;expires=600"));
  EXPECT_THAT(bench.contacts(kAlice), ElementsAre("sip:alice@192.0.2.1:5060"));
  EXPECT_EQ(bench.location.bindings(), 1U);
  EXPECT_EQ(bench.count(RegistrarCounter::Added), 1U);
}

TEST(Registrar, TheAorIsCanonical) {
  RegistrarBench bench;
  Register request = contact("<sip:a@192.0.2.1>");
  request.to = "\"Alice\" <sip:%61lice@EXAMPLE.com;transport=udp>";
  EXPECT_EQ(bench.send(request).status, 200);
  EXPECT_THAT(bench.contacts(kAlice), SizeIs(1));
}

TEST(Registrar, ListsAllBindingsEachInAContactOfItsOwn) {
  RegistrarBench bench;
  bench.send(contact("<sip:a@192.0.2.1>;q=0.5;expires=100"));
  const Answer answer = bench.send(contact("<sip:b@192.0.2.2>;expires=200;q=0.25", 2));
  EXPECT_THAT(answer.all("Contact"), ElementsAre("<sip:a@192.0.2.1>;q=0.5;expires=100",
                                                 "<sip:b@192.0.2.2>;q=0.25;expires=200"));
}

TEST(Registrar, SeveralContactsInOneHeaderAndSeveralHeaders) {
  RegistrarBench bench;
  Register request;
  request.lines = {"Contact: <sip:a@192.0.2.1>, \"B, b\" <sip:b@192.0.2.1;lr>;q=0.1",
                   "m: sip:c@192.0.2.1"};
  EXPECT_EQ(bench.send(request).status, 200);
  EXPECT_THAT(bench.contacts(kAlice),
              ElementsAre("sip:a@192.0.2.1", "sip:b@192.0.2.1;lr", "sip:c@192.0.2.1"));
}

TEST(Registrar, NoContactIsAQueryAndRemainingTimeCountsDown) {
  RegistrarBench bench;
  bench.send(contact("<sip:a@192.0.2.1>;expires=600"));
  bench.cores.advance(seconds{100}, seconds{1});
  const Answer answer = bench.send({.cseq = 1});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.all("Contact"), ElementsAre("<sip:a@192.0.2.1>;expires=500"));
  EXPECT_EQ(bench.count(RegistrarCounter::Queries), 1U);
}

TEST(Registrar, QueryOfAnUnknownAorHasNoContact) {
  RegistrarBench bench;
  const Answer answer = bench.send({});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.all("Contact"), IsEmpty());
  EXPECT_EQ(answer.get("Date"), "Tue, 14 Nov 2023 22:13:21 GMT");
}

TEST(Registrar, RefreshReplacesTheBindingByUriEquivalence) {
  RegistrarBench bench;
  bench.send(contact("<sip:alice@Host.Example.Com:5060>;expires=100"));
  const Answer answer = bench.send(contact("<sip:%61lice@host.example.com:5060>;expires=300", 2));
  EXPECT_THAT(answer.all("Contact"),
              ElementsAre("<sip:%61lice@host.example.com:5060>;expires=300"));
  EXPECT_EQ(bench.count(RegistrarCounter::Refreshed), 1U);
}

TEST(Registrar, ExpiresZeroRemovesThatBindingOnly) {
  RegistrarBench bench;
  bench.send({.lines = {"Contact: <sip:a@192.0.2.1>, <sip:b@192.0.2.1>"}});
  const Answer answer = bench.send(contact("<sip:a@192.0.2.1>;expires=0", 2));
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(bench.contacts(kAlice), ElementsAre("sip:b@192.0.2.1"));
  EXPECT_EQ(bench.count(RegistrarCounter::Removed), 1U);
}

TEST(Registrar, RemovingTheLastBindingRemovesTheAor) {
  RegistrarBench bench;
  bench.send(contact("<sip:a@192.0.2.1>"));
  EXPECT_THAT(bench.send(contact("<sip:a@192.0.2.1>;expires=0", 2)).all("Contact"), IsEmpty());
  EXPECT_EQ(bench.location.aors(), 0U);
}

TEST(Registrar, StarRemovesEverything) {
  RegistrarBench bench;
  bench.send({.lines = {"Contact: <sip:a@192.0.2.1>, <sip:b@192.0.2.1>"}});
  const Answer answer = bench.send({.cseq = 2, .lines = {"Contact: *", "Expires: 0"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.all("Contact"), IsEmpty());
  EXPECT_EQ(bench.location.aors(), 0U);
}

TEST(Registrar, StarWithoutExpiresZeroOrWithOthersIs400) {
  RegistrarBench bench;
  bench.send(contact("<sip:a@192.0.2.1>"));
  EXPECT_EQ(bench.send({.cseq = 2, .lines = {"Contact: *"}}).status, 400);
  EXPECT_EQ(bench.send({.cseq = 2, .lines = {"Contact: *", "Expires: 60"}}).status, 400);
  EXPECT_EQ(
      bench.send({.cseq = 2, .lines = {"Contact: *, <sip:a@192.0.2.1>", "Expires: 0"}}).status,
      400);
  EXPECT_EQ(
      bench.send({.cseq = 2, .lines = {"Contact: <sip:a@192.0.2.1>", "Contact: *", "Expires: 0"}})
          .status,
      400);
  EXPECT_THAT(bench.contacts(kAlice), SizeIs(1));
  EXPECT_EQ(bench.count(RegistrarCounter::BadStar), 4U);
}

TEST(Registrar, StarOfAnOlderCSeqInTheSameCallIs500) {
  RegistrarBench bench;
  bench.send(contact("<sip:a@192.0.2.1>", 5));
  EXPECT_EQ(bench.send({.cseq = 4, .lines = {"Contact: *", "Expires: 0"}}).status, 500);
  EXPECT_THAT(bench.contacts(kAlice), SizeIs(1));
  EXPECT_EQ(
      bench.send({.call_id = "other", .cseq = 1, .lines = {"Contact: *", "Expires: 0"}}).status,
      200);
}

TEST(Registrar, AnOlderCSeqInTheSameCallIs500AndChangesNothing) {
  RegistrarBench bench;
  bench.send(contact("<sip:a@192.0.2.1>;expires=100", 5));
  Register request = contact("<sip:b@192.0.2.1>, <sip:a@192.0.2.1>;expires=0", 4);
  EXPECT_EQ(bench.send(request).status, 500);
  EXPECT_THAT(bench.contacts(kAlice), ElementsAre("sip:a@192.0.2.1"));
  EXPECT_EQ(bench.count(RegistrarCounter::OutOfOrder), 1U);
}

TEST(Registrar, AnotherCallMayUseALowerCSeq) {
  RegistrarBench bench;
  bench.send(contact("<sip:a@192.0.2.1>;expires=100", 500));
  Register request = contact("<sip:a@192.0.2.1>;expires=200", 1);
  request.call_id = "after-reboot";
  EXPECT_THAT(bench.send(request).all("Contact"), ElementsAre("<sip:a@192.0.2.1>;expires=200"));
}

TEST(Registrar, TheSameRequestAgainIsAnsweredAgainAndChangesNothing) {
  RegistrarBench bench;
  const Register request = contact("<sip:a@192.0.2.1>;expires=100, <sip:b@192.0.2.1>;expires=0", 7);
  bench.send(request);
  bench.cores.advance(seconds{10}, seconds{1});
  const Answer answer = bench.send(request);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.all("Contact"), ElementsAre("<sip:a@192.0.2.1>;expires=90"));
  EXPECT_EQ(bench.count(RegistrarCounter::Repeated), 1U);
  EXPECT_EQ(bench.location.writer(0).counters()[store::LocationCounter::Writes].value(), 1U);
}

TEST(Registrar, TheSameCSeqWithAnotherContactIsNoRepetition) {
  RegistrarBench bench;
  bench.send(contact("<sip:a@192.0.2.1>", 7));
  EXPECT_EQ(bench.send(contact("<sip:a@192.0.2.1>, <sip:b@192.0.2.1>", 7)).status, 500);
  EXPECT_THAT(bench.contacts(kAlice), SizeIs(1));
}

TEST(Registrar, ContactParameterBeatsExpiresHeaderBeatsDefault) {
  RegistrarBench bench({.default_expires = 1234});
  Register request;
  request.lines = {"Contact: <sip:a@192.0.2.1>;expires=100, <sip:b@192.0.2.1>", "Expires: 200"};
  EXPECT_THAT(bench.send(request).all("Contact"),
              ElementsAre("<sip:a@192.0.2.1>;expires=100", "<sip:b@192.0.2.1>;expires=200"));
  EXPECT_THAT(bench.send({.cseq = 2, .lines = {"Contact: <sip:a@192.0.2.1>"}}).all("Contact")[0],
              "<sip:a@192.0.2.1>;expires=1234");
}

TEST(Registrar, TooBriefIs423WithMinExpires) {
  RegistrarBench bench({.min_expires = 120});
  const Answer answer = bench.send(contact("<sip:a@192.0.2.1>, <sip:b@192.0.2.1>;expires=119"));
  EXPECT_EQ(answer.status, 423);
  EXPECT_EQ(answer.get("Min-Expires"), "120");
  EXPECT_EQ(bench.location.aors(), 0U);
}

TEST(Registrar, AnHourIsNeverTooBrief) {
  RegistrarBench bench({.min_expires = 7200});
  EXPECT_EQ(bench.send(contact("<sip:a@192.0.2.1>;expires=3599")).status, 423);
  EXPECT_EQ(bench.send(contact("<sip:a@192.0.2.1>;expires=3600")).status, 200);
}

TEST(Registrar, LongerThanAllowedIsShortened) {
  RegistrarBench bench({.max_expires = 1800});
  for (const char* asked : {"1801", "4294967295", "4294967296", "99999999999999999999999"}) {
    Register request = contact(std::string("<sip:a@192.0.2.1>;expires=") + asked);
    request.call_id = asked;
    EXPECT_THAT(bench.send(request).all("Contact"), ElementsAre("<sip:a@192.0.2.1>;expires=1800"));
  }
}

// RFC 3261 20.19.
TEST(Registrar, MalformedExpiresCountsAs3600) {
  RegistrarBench bench;
  EXPECT_THAT(bench.send(contact("<sip:a@192.0.2.1>;expires=soon")).all("Contact"),
              ElementsAre("<sip:a@192.0.2.1>;expires=3600"));
  EXPECT_THAT(bench.send({.cseq = 2, .lines = {"Contact: <sip:a@192.0.2.1>", "Expires: -1"}})
                  .all("Contact"),
              ElementsAre("<sip:a@192.0.2.1>;expires=3600"));
}

TEST(Registrar, JitterShortensWithinItsBounds) {
  RegistrarBench bench({.min_expires = 60, .jitter = 167});
  std::vector<int> granted;
  for (unsigned i = 1; i <= 200; ++i) {
    const std::string value =
        bench.send(contact("<sip:a@192.0.2.1>;expires=600", i)).get("Contact");
    granted.push_back(std::stoi(value.substr(value.find("expires=") + 8)));
  }
  EXPECT_GE(*std::min_element(granted.begin(), granted.end()), 500);
  EXPECT_LT(*std::min_element(granted.begin(), granted.end()), 520);
  EXPECT_LE(*std::max_element(granted.begin(), granted.end()), 600);
  EXPECT_GT(*std::max_element(granted.begin(), granted.end()), 580);
  const std::string low = bench.send(contact("<sip:a@192.0.2.1>;expires=60", 999)).get("Contact");
  EXPECT_EQ(low, "<sip:a@192.0.2.1>;expires=60");
}

TEST(Registrar, MoreThanMaxContactsIs403AndChangesNothing) {
  RegistrarBench bench({.max_contacts = 2});
  EXPECT_EQ(bench.send(contact("<sip:a@192.0.2.1>, <sip:b@192.0.2.1>, <sip:c@192.0.2.1>")).status,
            403);
  EXPECT_EQ(bench.location.aors(), 0U);
  EXPECT_EQ(bench.send(contact("<sip:a@192.0.2.1>, <sip:b@192.0.2.1>")).status, 200);
  EXPECT_EQ(bench.send(contact("<sip:c@192.0.2.1>", 2)).status, 403);
  // What makes room in the same request counts.
  EXPECT_EQ(bench.send(contact("<sip:c@192.0.2.1>, <sip:a@192.0.2.1>;expires=0", 3)).status, 200);
  EXPECT_THAT(bench.contacts(kAlice), ElementsAre("sip:b@192.0.2.1", "sip:c@192.0.2.1"));
}

TEST(Registrar, RemoveExistingDropsWhatExpiresFirst) {
  RegistrarBench bench({.max_contacts = 2, .remove_existing = true});
  bench.send(contact("<sip:a@192.0.2.1>;expires=500, <sip:b@192.0.2.1>;expires=400"));
  EXPECT_EQ(bench.send(contact("<sip:c@192.0.2.1>;expires=300", 2)).status, 200);
  EXPECT_THAT(bench.contacts(kAlice), ElementsAre("sip:a@192.0.2.1", "sip:c@192.0.2.1"));
  EXPECT_EQ(
      bench.send(contact("<sip:d@192.0.2.1>, <sip:e@192.0.2.1>, <sip:f@192.0.2.1>", 3)).status,
      403);
}

TEST(Registrar, ForeignDomainIs404) {
  RegistrarBench bench;
  Register request = contact("<sip:a@192.0.2.1>");
  request.to = "<sip:alice@example.org>";
  EXPECT_EQ(bench.send(request).status, 404);
  request.to = "<sips:alice@Example.NET>";
  EXPECT_EQ(bench.send(request).status, 200);
}

TEST(Registrar, AnAorThatIsNoSipUserIsRefused) {
  RegistrarBench bench;
  Register request = contact("<sip:a@192.0.2.1>");
  request.to = "<tel:+4930123>";
  EXPECT_EQ(bench.send(request).status, 400);
  request.to = "<sip:example.com>";
  EXPECT_EQ(bench.send(request).status, 404);
  request.to = "<sip:al%00ice@example.com>";
  EXPECT_EQ(bench.send(request).status, 404);
}

TEST(Registrar, UnknownRequireIs420WithUnsupported) {
  RegistrarBench bench;
  Register request = contact("<sip:a@192.0.2.1>");
  request.lines.push_back("Require: path, gruu");
  request.lines.push_back("Require: x-new");
  const Answer answer = bench.send(request);
  EXPECT_EQ(answer.status, 420);
  EXPECT_EQ(answer.get("Unsupported"), "gruu, x-new");
  request.lines = {"Contact: <sip:a@192.0.2.1>", "Require: path"};
  EXPECT_EQ(bench.send(request).status, 200);
}

TEST(Registrar, MalformedContactIs400AndChangesNothing) {
  RegistrarBench bench;
  for (const char* bad : {"<sip:a@192.0.2.1>, <sip:b", "<sip:a@192.0.2.1>, <sip:b@>",
                          "<sip:a@192.0.2.1>, <sip:b @192.0.2.1>", "<sip:a@192.0.2.1>, <>"}) {
    EXPECT_EQ(bench.send(contact(bad)).status, 400) << bad;
  }
  EXPECT_EQ(bench.location.aors(), 0U);
  EXPECT_EQ(bench.send(contact("<sip:" + std::string(1020, 'a') + "@192.0.2.1>")).status, 400);
}

TEST(Registrar, SourceIsKeptWhenTheViaNamesAnotherHost) {
  RegistrarBench bench;
  bench.source = *Endpoint::parse("203.0.113.7:31000");
  bench.flow = FlowId(1, 2, 3);
  bench.transport = Transport::Tcp;
  bench.send(contact("<sip:alice@192.168.0.2>"));
  const rcu::ReadScope scope;
  const auto binding = (*bench.location.find(scope, bench.location.key(kAlice)))[0];
  EXPECT_EQ(binding.received, Endpoint::parse("203.0.113.7:31000"));
  EXPECT_EQ(binding.flow, FlowId(1, 2, 3));
  EXPECT_EQ(binding.listener, 3);
  EXPECT_EQ(binding.transport, Transport::Tcp);
}

TEST(Registrar, NoReceivedWhenTheViaIsRight) {
  RegistrarBench bench;
  bench.source = *Endpoint::parse("[2001:db8::1]:5060");
  Register request = contact("<sip:alice@[2001:db8::1]>");
  request.via = "SIP/2.0/UDP [2001:DB8:0::1]:5060;branch=z9hG4bK1";
  bench.send(request);
  const rcu::ReadScope scope;
  EXPECT_EQ((*bench.location.find(scope, bench.location.key(kAlice)))[0].received, std::nullopt);
}

TEST(Registrar, KeepsUserAgentAndFeatureParametersAndEchoesThem) {
  RegistrarBench bench;
  Register request = contact(
      "<sip:a@192.0.2.1>;expires=100;+sip.instance=\"<urn:uuid:0c67>\";q=1.0;reg-id=2;audio");
  request.lines.push_back("User-Agent: Phone/1.0\r\n (folded)");
  const Answer answer = bench.send(request);
  EXPECT_THAT(
      answer.all("Contact"),
      ElementsAre(
          "<sip:a@192.0.2.1>;+sip.instance=\"<urn:uuid:0c67>\";reg-id=2;audio;expires=100"));
  const rcu::ReadScope scope;
  const auto binding = (*bench.location.find(scope, bench.location.key(kAlice)))[0];
  EXPECT_EQ(binding.instance, "<urn:uuid:0c67>");
  EXPECT_EQ(binding.reg_id, 2U);
  EXPECT_EQ(binding.q, 1000);
  EXPECT_EQ(binding.user_agent, "Phone/1.0   (folded)");
  EXPECT_EQ(binding.expires_wall - binding.updated, seconds{100});
}

// RFC 3327.
TEST(Registrar, PathIsKeptAndEchoedToWhoSupportsIt) {
  RegistrarBench bench;
  Register request = contact("<sip:a@192.0.2.1>");
  request.lines.push_back("Path: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>");
  request.lines.push_back("Path: <sip:p3.example.com;lr>");
  const std::string path =
      "<sip:p1.example.com;lr>,<sip:p2.example.com;lr>,<sip:p3.example.com;lr>";
  EXPECT_THAT(bench.send(request).all("Path"), IsEmpty());
  request.cseq = 2;
  request.lines.push_back("Supported: gruu, path");
  EXPECT_THAT(bench.send(request).all("Path"), ElementsAre(path));
  const rcu::ReadScope scope;
  EXPECT_EQ((*bench.location.find(scope, bench.location.key(kAlice)))[0].path, path);
}

TEST(Registrar, MalformedPathIs400) {
  RegistrarBench bench;
  Register request = contact("<sip:a@192.0.2.1>");
  request.lines.push_back("Path: sip:p1.example.com;lr");
  EXPECT_EQ(bench.send(request).status, 400);
}

TEST(Registrar, AnExpiredBindingIsGoneEvenBeforeItsTimerFires) {
  RegistrarBench bench;
  bench.send(contact("<sip:a@192.0.2.1>;expires=100"));
  bench.send(contact("<sip:b@192.0.2.1>;expires=200", 2));
  bench.cores.clock.advance(seconds{150});
  bench.cores.core().refresh_time();
  EXPECT_THAT(bench.send({}).all("Contact"), ElementsAre("<sip:b@192.0.2.1>;expires=50"));
}

TEST(Registrar, AfterAllHasExpiredNothingIsLeft) {
  RegistrarBench bench;
  for (int i = 0; i < 500; ++i) {
    Register request = contact("<sip:a@192.0.2.1>;expires=60, <sip:b@192.0.2.1>;expires=90");
    request.to = "<sip:user" + std::to_string(i) + "@example.com>";
    ASSERT_EQ(bench.send(request).status, 200);
  }
  EXPECT_EQ(bench.location.bindings(), 1000U);
  bench.cores.advance(seconds{91}, seconds{1});
  EXPECT_EQ(bench.location.aors(), 0U);
  EXPECT_EQ(bench.location.bindings(), 0U);
  bench.reader.quiescent();
  bench.reclaimer.barrier();
  EXPECT_EQ(bench.location.writer(0).slab().lent(), 0U);
  EXPECT_EQ(bench.cores.core().timers.size(), 0U);
}

TEST(Registrar, EveryRefusalHasACounterRow) {
  EXPECT_EQ(registrar_counter_infos().size(), static_cast<std::size_t>(RegistrarCounter::Count));
}

}  // namespace
}  // namespace sluice::registrar
