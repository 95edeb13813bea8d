// SPDX-License-Identifier: Apache-2.0
#include "dal/store/location.h"

#include "dal/rcu/reader.h"
#include "tests/support/test_cores.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace sluice::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LocationTest : public testing::Test, public LocationObserver {
 protected:
  explicit LocationTest(unsigned writers = 2)
      : location({.expected_aors = 1000}, {3, 4}, reclaimer, writers, this), cores(writers) {}

  void on_change(Core&, const AorKey& key, const Bindings* before,
                 const Bindings* after) noexcept override {
    changes.push_back(std::string(key.aor) + ":" +
                      std::to_string(before == nullptr ? 0 : before->size()) + ">" +
                      std::to_string(after == nullptr ? 0 : after->size()));
  }

  Binding binding(std::string_view contact, Duration expires = seconds{3600}, unsigned core = 0) {
    Binding out;
    out.contact = contact;
    out.call_id = "call-1";
    out.cseq = 1;
    out.expires = cores.core(core).now() + expires;
    out.expires_wall = cores.core(core).wall() + std::chrono::duration_cast<milliseconds>(expires);
    return out;
  }
  bool put(std::string_view aor, std::vector<Binding> bindings, unsigned core = 0) {
    return location.writer(core).replace(cores.core(core), location.key(aor), bindings);
  }
  std::vector<std::string> contacts(std::string_view aor) {
    const rcu::ReadScope scope;
    std::vector<std::string> out;
    if (const Bindings* bindings = location.find(scope, location.key(aor))) {
      EXPECT_EQ(bindings->aor(), aor);
      for (std::uint32_t i = 0; i < bindings->size(); ++i) {
        out.emplace_back((*bindings)[i].contact);
      }
    }
    return out;
  }
  // All deferred frees done.
  void settle() {
    cores.advance(milliseconds{200});
    reader.quiescent();
    reclaimer.barrier();
  }

  using Contacts = std::vector<std::string>;

  rcu::Reclaimer reclaimer;
  rcu::Reader reader{reclaimer};
  std::vector<std::string> changes;
  Location location;
  test::TestCores cores;
};

TEST_F(LocationTest, KeepsEveryFieldOfABinding) {
  Binding in = binding("sip:alice@192.0.2.1:5060;transport=tcp");
  in.params = ";methods=\"INVITE\";+sip.instance=\"<urn:uuid:1>\";reg-id=7";
  in.instance = in.params.substr(in.params.find("<urn"), 12);
  in.call_id = "abc@host";
  in.path = "<sip:edge.example.com;lr>,<sip:p2;lr>";
  in.user_agent = "Phone/1.0";
  in.received = Endpoint::parse("203.0.113.9:40000");
  in.flow = FlowId(3, 70'000, 99);
  in.listener = 5;
  in.transport = Transport::Wss;
  in.q = 700;
  in.cseq = 0x7fff'ffff;
  in.reg_id = 7;
  in.updated = WallTime{seconds{1'700'000'123}};
  Binding six = binding("sip:alice@[2001:db8::1]");
  six.received = Endpoint::parse("[2001:db8::2]:5061");
  ASSERT_TRUE(put("alice@example.com", {in, six}));

  const rcu::ReadScope scope;
  const Bindings& record = *location.find(scope, location.key("alice@example.com"));
  const Binding out = record[0];
  EXPECT_EQ(out.contact, in.contact);
  EXPECT_EQ(out.params, in.params);
  EXPECT_EQ(out.instance, in.instance);
  EXPECT_EQ(out.instance, "<urn:uuid:1>");
  EXPECT_EQ(out.call_id, in.call_id);
  EXPECT_EQ(out.path, in.path);
  EXPECT_EQ(out.user_agent, in.user_agent);
  EXPECT_EQ(out.received, in.received);
  EXPECT_EQ(out.flow, in.flow);
  EXPECT_EQ(out.listener, in.listener);
  EXPECT_EQ(out.transport, in.transport);
  EXPECT_EQ(out.q, in.q);
  EXPECT_EQ(out.cseq, in.cseq);
  EXPECT_EQ(out.reg_id, in.reg_id);
  EXPECT_EQ(out.expires, in.expires);
  EXPECT_EQ(out.expires_wall, std::chrono::floor<seconds>(in.expires_wall));
  EXPECT_EQ(out.updated, in.updated);
  EXPECT_EQ(record[1].received, six.received);
  EXPECT_EQ(record[1].contact, six.contact);
  EXPECT_EQ(record[1].received->to_string(), "[2001:db8::2]:5061");
}

TEST_F(LocationTest, ReplacesTheRecordWhole) {
  put("alice@example.com", {binding("sip:a"), binding("sip:b")});
  put("alice@example.com", {binding("sip:c")});
  EXPECT_EQ(contacts("alice@example.com"), Contacts{"sip:c"});
  EXPECT_EQ(location.aors(), 1U);
  EXPECT_EQ(location.bindings(), 1U);
}

TEST_F(LocationTest, TextsMayComeFromTheRecordThatIsReplaced) {
  put("alice@example.com", {binding("sip:a"), binding("sip:b")});
  {
    const rcu::ReadScope scope;
    const Bindings& old = *location.find(scope, location.key("alice@example.com"));
    put("alice@example.com", {old[1], old[0]});
  }
  EXPECT_EQ(contacts("alice@example.com"), (Contacts{"sip:b", "sip:a"}));
}

TEST_F(LocationTest, NoBindingsRemovesTheAor) {
  put("alice@example.com", {binding("sip:a")});
  EXPECT_TRUE(put("alice@example.com", {}));
  EXPECT_TRUE(contacts("alice@example.com").empty());
  EXPECT_EQ(location.aors(), 0U);
  EXPECT_EQ(location.bindings(), 0U);
  EXPECT_FALSE(location.writer(0).remove(cores.core(0), location.key("alice@example.com")));
}

TEST_F(LocationTest, EachBindingExpiresAtItsOwnTime) {
  put("alice@example.com", {binding("sip:a", seconds{10}), binding("sip:b", seconds{20})});
  cores.advance(seconds{10} - milliseconds{1});
  EXPECT_EQ(contacts("alice@example.com").size(), 2U);
  cores.advance(milliseconds{1});
  EXPECT_EQ(contacts("alice@example.com"), Contacts{"sip:b"});
  cores.advance(seconds{10});
  EXPECT_TRUE(contacts("alice@example.com").empty());
  EXPECT_EQ(location.writer(0).counters()[LocationCounter::Expired].value(), 2U);
  EXPECT_EQ(changes,
            (Contacts{"alice@example.com:0>2", "alice@example.com:2>1", "alice@example.com:1>0"}));
}

TEST_F(LocationTest, ARefreshMovesTheTimer) {
  put("alice@example.com", {binding("sip:a", seconds{10})});
  cores.advance(seconds{5});
  put("alice@example.com", {binding("sip:a", seconds{10})});
  cores.advance(seconds{9});
  EXPECT_EQ(contacts("alice@example.com").size(), 1U);
  cores.advance(seconds{1});
  EXPECT_TRUE(contacts("alice@example.com").empty());
}

TEST_F(LocationTest, WhenAllHasExpiredNoMemoryIsLeft) {
  for (int i = 0; i < 3000; ++i) {
    put("user" + std::to_string(i) + "@example.com",
        {binding("sip:a", seconds{1 + i % 7}), binding("sip:b", seconds{1 + i % 11})});
  }
  EXPECT_EQ(location.aors(), 3000U);
  cores.advance(seconds{12}, milliseconds{100});
  EXPECT_EQ(location.aors(), 0U);
  EXPECT_EQ(location.bindings(), 0U);
  settle();
  EXPECT_EQ(reclaimer.pending(), 0U);
  EXPECT_EQ(location.writer(0).slab().lent(), 0U);
  EXPECT_EQ(cores.core(0).timers.size(), 0U);
}

TEST_F(LocationTest, AnAorMayMoveToAnotherCore) {
  put("alice@example.com", {binding("sip:a", seconds{10})}, 0);
  put("alice@example.com", {binding("sip:b", seconds{30}, 1)}, 1);
  EXPECT_EQ(contacts("alice@example.com"), Contacts{"sip:b"});
  // Nobody but the first core touches its wheel.
  EXPECT_EQ(cores.core(0).timers.size(), 1U);
  EXPECT_EQ(cores.core(1).timers.size(), 1U);
  // The first core's timer fires on a record that is gone: it frees that, and leaves the new one.
  cores.advance(seconds{11}, milliseconds{100});
  EXPECT_EQ(contacts("alice@example.com"), Contacts{"sip:b"});
  EXPECT_EQ(location.aors(), 1U);
  settle();
  EXPECT_EQ(location.writer(0).slab().lent(), 0U);
  EXPECT_EQ(location.writer(1).slab().lent(), 1U);
  cores.advance(seconds{20}, milliseconds{100});
  EXPECT_EQ(location.aors(), 0U);
}

TEST_F(LocationTest, BatchFindsWhatSinglesFind) {
  for (int i = 0; i < 100; ++i) {
    put("user" + std::to_string(i) + "@example.com", {binding("sip:a")});
  }
  std::vector<std::string> names;
  for (int i = 90; i < 110; ++i) names.push_back("user" + std::to_string(i) + "@example.com");
  std::vector<Location::Query> queries;
  for (const auto& name : names) queries.push_back({location.key(name).hash, name});
  const rcu::ReadScope scope;
  location.find_batch(scope, queries);
  for (std::size_t i = 0; i < queries.size(); ++i) {
    EXPECT_EQ(queries[i].found, location.find(scope, location.key(names[i])));
    EXPECT_EQ(queries[i].found != nullptr, i < 10);
  }
}

TEST_F(LocationTest, GrowsWhenAskedTo) {
  for (int i = 0; i < 3000; ++i) {
    put("user" + std::to_string(i) + "@example.com", {binding("sip:a")});
  }
  const std::uint64_t before = location.buckets();
  location.maintain();
  EXPECT_GT(location.buckets(), before);
  EXPECT_EQ(contacts("user2999@example.com").size(), 1U);
}

TEST(LocationMemory, AWriterAtItsLimitRefusesAndLeavesTheAorAsItWas) {
  rcu::Reclaimer reclaimer;
  rcu::Reader reader{reclaimer};
  Location location({.expected_aors = 1, .memory_limit = 2 << 20}, {3, 4}, reclaimer, 1);
  test::TestCores cores;
  Binding one;
  one.contact = "sip:a";
  one.expires = cores.core().now() + seconds{60};
  int stored = 0;
  std::string name = "user0";
  while (location.writer(0).replace(cores.core(), location.key(name), {&one, 1})) {
    name = "user" + std::to_string(++stored);
  }
  EXPECT_GT(stored, 8000);
  const rcu::ReadScope scope;
  EXPECT_FALSE(location.writer(0).replace(cores.core(), location.key("user0"), {&one, 1}));
  EXPECT_NE(location.find(scope, location.key("user0")), nullptr);
  EXPECT_GE(location.writer(0).counters()[LocationCounter::Full].value(), 2U);
  EXPECT_EQ(location.aors(), static_cast<std::uint64_t>(stored));
}

// What the design promises: at most 300 B for a typical binding, buckets included.
TEST(LocationMemory, ATypicalBindingTakesLessThan300Bytes) {
  rcu::Reclaimer reclaimer;
  rcu::Reader reader{reclaimer};
  constexpr std::uint64_t kAors = 1 << 18;
  Location location({.expected_aors = kAors, .memory_limit = 1 << 30}, {3, 4}, reclaimer, 1);
  test::TestCores cores;
  std::uint64_t text = 0;
  for (std::uint64_t i = 0; i < kAors; ++i) {
    const std::string user = std::to_string(10'000'000 + i);
    const std::string aor = user + "@example.com";
    const std::string contact = "sip:" + user + "@192.0.2." + std::to_string(i % 250) + ":5060";
    const std::string call_id = "3c26700d5f9b-" + std::to_string(i * 2654435761 % 1'000'000'000);
    Binding one;
    one.contact = contact;
    one.call_id = call_id;
    one.user_agent = "Yealink SIP-T46S 66.86.0.15";
    one.received = Endpoint::parse("203.0.113.9:40000");
    one.expires = cores.core().now() + seconds{3600};
    text += aor.size() + contact.size() + call_id.size() + one.user_agent.size();
    ASSERT_TRUE(location.writer(0).replace(cores.core(), location.key(aor), {&one, 1}));
  }
  location.maintain();
  const double bytes =
      static_cast<double>(location.writer(0).slab().held() + 16 * location.buckets()) /
      static_cast<double>(kAors);
  RecordProperty("bytes_per_binding", std::to_string(bytes));
  std::printf("%.1f bytes a binding, %.1f of them text\n", bytes,
              static_cast<double>(text) / static_cast<double>(kAors));
  EXPECT_LE(bytes, 300.0);
}

// One writer core and two readers on real threads: a reader always finds a whole record.
TEST(LocationThreads, ReadersAlwaysFindAWholeRecord) {
  constexpr int kAors = 64;
  rcu::Reclaimer reclaimer;
  rcu::Reader reader{reclaimer};
  Location location({.expected_aors = 1000}, {3, 4}, reclaimer, 1);
  test::TestCores cores;
  std::vector<std::string> aors;
  for (int i = 0; i < kAors; ++i) aors.push_back("user" + std::to_string(i) + "@example.com");
  const auto write = [&](int i, int round) {
    // Contact and Call-ID of every binding name the same round.
    std::vector<std::string> texts;
    std::vector<Binding> bindings(static_cast<std::size_t>(1 + (i + round) % 3));
    texts.reserve(bindings.size() * 2);
    for (auto& one : bindings) {
      one.contact = texts.emplace_back("sip:c" + std::to_string(round));
      one.call_id = texts.emplace_back("c" + std::to_string(round));
      one.cseq = static_cast<std::uint32_t>(round);
      one.expires = cores.core().now() + milliseconds{5 + round % 50};
    }
    ASSERT_TRUE(location.writer(0).replace(
        cores.core(), location.key(aors[static_cast<std::size_t>(i)]), bindings));
  };
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> wrong{0}, found{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      rcu::Reader own{reclaimer};
      std::vector<Location::Query> queries;
      for (const auto& aor : aors) queries.push_back({location.key(aor).hash, aor});
      while (!stop.load(std::memory_order_relaxed)) {
        {
          const rcu::ReadScope scope;
          location.find_batch(scope, queries);
          for (const auto& query : queries) {
            if (query.found == nullptr) continue;
            found.fetch_add(1, std::memory_order_relaxed);
            if (query.found->aor() != query.key) wrong.fetch_add(1, std::memory_order_relaxed);
            for (std::uint32_t i = 0; i < query.found->size(); ++i) {
              const Binding one = (*query.found)[i];
              if (one.contact != "sip:" + std::string(one.call_id) ||
                  one.call_id != "c" + std::to_string(one.cseq)) {
                wrong.fetch_add(1, std::memory_order_relaxed);
              }
            }
          }
        }
        own.quiescent();
      }
    });
  }
  for (int round = 0; round < 500; ++round) {
    for (int i = 0; i < kAors; ++i) write(i, round);
    cores.clock.advance(milliseconds{7});
    cores.settle();
    reader.quiescent();
    if (round % 50 == 0) {
      rcu::Offline offline{reader};
      std::this_thread::sleep_for(milliseconds{2});
    }
  }
  stop = true;
  {
    rcu::Offline offline{reader};
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(wrong, 0U);
  EXPECT_GT(found, 0U);
  cores.advance(seconds{1});
  reader.quiescent();
  reclaimer.barrier();
  EXPECT_EQ(location.aors(), 0U);
  EXPECT_EQ(location.writer(0).slab().lent(), 0U);
}

TEST_F(LocationTest, AWalkListsEveryAor) {
  for (int i = 0; i < 500; ++i) {
    put("user" + std::to_string(i) + "@example.com", {binding("sip:a")});
  }
  rcu::TableCursor cursor;
  std::vector<std::string> seen;
  while (!cursor.done) {
    const rcu::ReadScope scope;
    location.for_each_slice(scope, cursor, 50,
                            [&seen](const Bindings& one) { seen.emplace_back(one.aor()); });
  }
  EXPECT_EQ(seen.size(), 500U);
}

}  // namespace
}  // namespace sluice::store
