// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"
#include "dal/rcu/cell.h"
#include "dal/rcu/reader.h"
#include "dal/rcu/reclaimer.h"
#include "dal/rcu/table.h"
#include "dal/rcu/writer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace sluice::rcu {
namespace {

// Counts how many are alive.
struct Snapshot {
  explicit Snapshot(int number, std::atomic<int>& alive) : a(number), b(number), alive_(&alive) {
    ++alive;
  }
  ~Snapshot() {
    a = -1;  // so that a reader who comes too late sees it
    --*alive_;
  }
  int a, b;

 private:
  std::atomic<int>* alive_;
};

struct Rcu {
  Reclaimer reclaimer;
  Reader reader{reclaimer};
};

TEST(RcuCell, ReaderSeesTheSnapshotPublishedLast) {
  Rcu rcu;
  std::atomic<int> alive{0};
  Writer writer{rcu.reclaimer};
  Cell<const Snapshot> cell{std::make_unique<const Snapshot>(1, alive)};
  const ReadScope scope;
  EXPECT_EQ(cell.get(scope).a, 1);
  cell.publish(writer, std::make_unique<const Snapshot>(2, alive));
  EXPECT_EQ(cell.get(scope).a, 2);
}

TEST(RcuCell, OldSnapshotLivesUntilItsReadersAreQuiescent) {
  Rcu rcu;
  std::atomic<int> alive{0};
  Writer writer{rcu.reclaimer};
  Cell<const Snapshot> cell{std::make_unique<const Snapshot>(1, alive)};
  {
    const ReadScope scope;
    const Snapshot& old = cell.get(scope);
    std::thread control([&] {
      Reader reader{rcu.reclaimer};
      Writer own{rcu.reclaimer};
      cell.publish(own, std::make_unique<const Snapshot>(2, alive));
    });
    control.join();
    // Ten polls of the worker: without our quiescence it must not get any further.
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    EXPECT_EQ(alive, 2);
    EXPECT_EQ(old.a, 1);
  }
  rcu.reader.quiescent();
  rcu.reclaimer.barrier();
  EXPECT_EQ(alive, 1);
}

TEST(RcuCell, ReadersOnOtherThreadsNeverSeeATornOrFreedSnapshot) {
  Rcu rcu;
  std::atomic<int> alive{0};
  std::atomic<bool> stop{false};
  Cell<const Snapshot> cell{std::make_unique<const Snapshot>(0, alive)};
  std::atomic<std::uint64_t> reads{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      Reader reader{rcu.reclaimer};
      int last = 0;
      while (!stop.load(std::memory_order_relaxed)) {
        {
          const ReadScope scope;
          const Snapshot& now = cell.get(scope);
          if (now.a != now.b || now.a < last) wrong.fetch_add(1, std::memory_order_relaxed);
          last = now.a;
        }
        reader.quiescent();
        reads.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  {
    Offline offline{rcu.reader};
    while (reads.load(std::memory_order_relaxed) < 100) std::this_thread::yield();
  }
  Writer writer{rcu.reclaimer};
  for (int i = 1; i <= 2000; ++i) {
    cell.publish(writer, std::make_unique<const Snapshot>(i, alive));
    rcu.reader.quiescent();
  }
  stop = true;
  {
    Offline offline{rcu.reader};
    for (auto& thread : threads) thread.join();
  }
  rcu.reclaimer.barrier();
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(alive, 1);
  EXPECT_EQ(rcu.reclaimer.pending(), 0U);
}

TEST(RcuWriter, HandsOverAFullBatchAndFlushesTheRest) {
  Rcu rcu;
  struct Node : Retired {
    std::atomic<int>* freed;
  };
  std::atomic<int> freed{0};
  {
    Writer writer{rcu.reclaimer};
    for (std::uint32_t i = 0; i < Writer::kBatch + 3; ++i) {
      writer.retire(*new Node{{}, &freed}, [](Retired* retired) noexcept {
        auto* node = static_cast<Node*>(retired);
        node->freed->fetch_add(1);
        delete node;
      });
    }
    EXPECT_EQ(writer.waiting(), 3U);
    EXPECT_EQ(rcu.reclaimer.pending(), Writer::kBatch);
    rcu.reclaimer.barrier();
    EXPECT_EQ(freed, static_cast<int>(Writer::kBatch));
  }
  rcu.reclaimer.barrier();
  EXPECT_EQ(freed, static_cast<int>(Writer::kBatch) + 3);
}

#ifndef NDEBUG
TEST(RcuReaderDeathTest, QuiescenceInsideAScopeIsCaught) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Rcu rcu;
        const ReadScope scope;
        rcu.reader.quiescent();
      },
      "scopes");
}

TEST(RcuReaderDeathTest, ReadingWhileOfflineIsCaught) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Rcu rcu;
        rcu.reader.offline();
        const ReadScope scope;
      },
      "online");
}
#endif

struct Row : TableNode, Retired {
  Row(std::string name, int number) : Retired{}, key(std::move(name)), value(number) { ++alive; }
  ~Row() {
    value = -1;
    --alive;
  }
  bool matches(const std::string& other) const noexcept { return key == other; }
  static void free(Retired* retired) noexcept { delete static_cast<Row*>(retired); }

  std::string key;
  int value;
  static std::atomic<int> alive;
};
std::atomic<int> Row::alive{0};

std::uint64_t hash(const std::string& key) {
  return siphash13({1, 2}, key);
}

class RcuTable : public testing::Test {
 protected:
  ~RcuTable() override {
    TableCursor cursor;
    std::vector<Row*> rows;
    {
      const ReadScope scope;
      while (!cursor.done) {
        table.for_each_slice(scope, cursor, 100,
                             [&rows](const Row& row) { rows.push_back(const_cast<Row*>(&row)); });
      }
    }
    for (Row* row : rows) EXPECT_TRUE(table.remove(writer, *row));
    for (Row* row : rows) writer.retire(*row, &Row::free);
    writer.flush();
    reclaimer.barrier();
    EXPECT_EQ(Row::alive, 0);
  }

  void put(const std::string& key, int value) {
    Row* old = table.replace(writer, hash(key), key, *new Row(key, value));
    if (old != nullptr) writer.retire(*old, &Row::free);
  }
  int get(const std::string& key) {
    const ReadScope scope;
    const Row* row = table.find(scope, hash(key), key);
    return row == nullptr ? 0 : row->value;
  }

  Reclaimer reclaimer;
  Reader reader{reclaimer};
  Writer writer{reclaimer};
  Table<std::string, Row> table{1024};
};

TEST_F(RcuTable, FindsWhatWasPutAndTheReplacementAfterwards) {
  EXPECT_EQ(get("alice"), 0);
  put("alice", 1);
  put("bob", 2);
  EXPECT_EQ(get("alice"), 1);
  put("alice", 3);
  EXPECT_EQ(get("alice"), 3);
  EXPECT_EQ(get("bob"), 2);
}

TEST_F(RcuTable, EqualHashesAreToldApartByTheKey) {
  table.replace(writer, 42, "alice", *new Row("alice", 1));
  table.replace(writer, 42, "bob", *new Row("bob", 2));
  const ReadScope scope;
  EXPECT_EQ(table.find(scope, 42, "alice")->value, 1);
  EXPECT_EQ(table.find(scope, 42, "bob")->value, 2);
  EXPECT_EQ(table.find(scope, 42, "carol"), nullptr);
}

TEST_F(RcuTable, RemovesOnceOnly) {
  put("alice", 1);
  Row* row = nullptr;
  {
    const ReadScope scope;
    row = const_cast<Row*>(table.find(scope, hash("alice"), "alice"));
  }
  EXPECT_FALSE(table.removed(*row));
  EXPECT_TRUE(table.remove(writer, *row));
  EXPECT_TRUE(table.removed(*row));
  EXPECT_FALSE(table.remove(writer, *row));
  EXPECT_EQ(get("alice"), 0);
  writer.retire(*row, &Row::free);
}

TEST_F(RcuTable, ExchangeFailsOnARowThatIsNoLongerThere) {
  Row* first = new Row("alice", 1);
  Row* second = new Row("alice", 2);
  Row* third = new Row("alice", 3);
  table.replace(writer, hash("alice"), "alice", *first);
  EXPECT_TRUE(table.exchange(writer, hash("alice"), "alice", *first, *second));
  EXPECT_EQ(get("alice"), 2);
  EXPECT_FALSE(table.exchange(writer, hash("alice"), "alice", *first, *third));
  EXPECT_EQ(get("alice"), 2);
  delete third;
  writer.retire(*first, &Row::free);
}

TEST_F(RcuTable, BatchFindsWhatSinglesFind) {
  for (int i = 1; i <= 500; ++i) put("user" + std::to_string(i), i);
  std::vector<Table<std::string, Row>::Query> queries;
  for (int i = 1; i <= 32; ++i) {
    const std::string key = "user" + std::to_string(i * 31);
    queries.push_back({hash(key), key});
  }
  const ReadScope scope;
  table.find_batch(scope, queries);
  for (const auto& query : queries) {
    EXPECT_EQ(query.found, table.find(scope, query.hash, query.key)) << query.key;
  }
  EXPECT_NE(queries.front().found, nullptr);
  EXPECT_EQ(queries.back().found, nullptr);
}

TEST_F(RcuTable, GrowsWithoutLosingRows) {
  for (int i = 1; i <= 5000; ++i) put("user" + std::to_string(i), i);
  table.grow(8192);
  EXPECT_EQ(table.buckets(), 8192U);
  for (int i = 1; i <= 5000; ++i) EXPECT_EQ(get("user" + std::to_string(i)), i);
  table.grow(1);
  EXPECT_EQ(table.buckets(), 8192U);
}

TEST_F(RcuTable, AWalkMeetsEachRowOnceEvenWhenTheTableGrowsBetweenSlices) {
  for (int i = 1; i <= 3000; ++i) put("user" + std::to_string(i), i);
  std::multiset<int> seen;
  TableCursor cursor;
  for (int slice = 0; !cursor.done; ++slice) {
    {
      const ReadScope scope;
      table.for_each_slice(scope, cursor, 64, [&seen](const Row& row) { seen.insert(row.value); });
    }
    reader.quiescent();
    if (slice == 10) table.grow(2048);
    if (slice == 30) table.grow(16384);
  }
  EXPECT_EQ(seen.size(), 3000U);
  EXPECT_EQ(std::set<int>(seen.begin(), seen.end()).size(), 3000U);
}

TEST_F(RcuTable, AWalkIsBoundedBySliceAlsoOverEmptyBuckets) {
  put("alice", 1);
  TableCursor cursor;
  int slices = 0, rows = 0;
  while (!cursor.done) {
    const ReadScope scope;
    table.for_each_slice(scope, cursor, 128, [&rows](const Row&) { ++rows; });
    ++slices;
  }
  EXPECT_EQ(rows, 1);
  EXPECT_GE(slices, 8);
}

// One writer replaces, removes and grows; readers on two threads must find each stable key always,
// never a freed row, and values of one key that only go up.
TEST_F(RcuTable, ReadersSurviveAWriterAndGrowth) {
  constexpr int kKeys = 256;
  std::vector<std::string> keys;
  for (int i = 0; i < kKeys; ++i) keys.push_back("user" + std::to_string(i));
  for (const auto& key : keys) put(key, 1);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> missing{0}, wrong{0}, reads{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      Reader own{reclaimer};
      std::vector<int> last(kKeys, 1);
      while (!stop.load(std::memory_order_relaxed)) {
        for (int i = 0; i < kKeys; ++i) {
          const ReadScope scope;
          const auto at = static_cast<std::size_t>(i);
          const Row* row = table.find(scope, hash(keys[at]), keys[at]);
          if (row == nullptr) {
            // Odd ones come and go.
            if (i % 2 == 0) missing.fetch_add(1, std::memory_order_relaxed);
            continue;
          }
          if (row->value < last[at] || row->key != keys[at]) {
            wrong.fetch_add(1, std::memory_order_relaxed);
          }
          last[at] = row->value;
        }
        reads.fetch_add(kKeys, std::memory_order_relaxed);
        own.quiescent();
      }
    });
  }
  for (int round = 2; round < 200; ++round) {
    for (int i = 0; i < kKeys; ++i) {
      const std::string& key = keys[static_cast<std::size_t>(i)];
      if (i % 2 == 1 && round % 3 == 0) {
        Row* row = nullptr;
        {
          const ReadScope scope;
          row = const_cast<Row*>(table.find(scope, hash(key), key));
        }
        if (row != nullptr && table.remove(writer, *row)) writer.retire(*row, &Row::free);
      } else {
        put(key, round);
      }
    }
    reader.quiescent();
    if (round % 50 == 0) table.grow(table.buckets() * 2);
    if (round % 20 == 0) {
      Offline offline{reader};
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
  }
  stop = true;
  {
    Offline offline{reader};
    for (auto& thread : threads) thread.join();
  }
  EXPECT_GT(reads, 0U);
  EXPECT_EQ(missing, 0U);
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace sluice::rcu
