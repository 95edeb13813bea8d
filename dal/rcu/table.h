// SPDX-License-Identifier: Apache-2.0
//
// Table: a concurrent hash table of immutable rows; a thin typed wrapper over liburcu's cds_lfht.
//
// A row derives from TableNode and says which key it matches. Rows are replaced whole. The bucket
// array is presized and never resizes by itself (a busy poller stalls that for seconds: measured);
// a control thread asks for grow() while readers and writers go on.
//
// Threads  find*() on any thread under a ReadScope: no lock, no store, no wait. replace() and
//          remove()
//          with the Writer that owns the key; different keys may have different writers at once.
//          grow() on one control thread.
// Memory   16 B a bucket, reserved as address space up to kMaxBuckets and touched as it grows. Rows
//          belong to the caller, who retires what replace() and remove() give back.
// Errors   None. Keys are hashed by the caller, with a secret (base/hash.h).
#pragma once

#include "dal/rcu/read_scope.h"
#include "dal/rcu/tsan.h"
#include "dal/rcu/writer.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

struct cds_lfht;
struct cds_lfht_node;

namespace sluice::rcu {

// First in the row's memory and cache line: liburcu's cds_lfht_node.
struct alignas(8) TableNode {
  void* storage[2];
};

// Where a walk over the whole table stands between slices. Keeps its place when the table grows,
// and meets every row that stays in the table from the first slice to the last exactly once.
struct TableCursor {
  std::uint64_t position = 0;
  bool done = false;
};

namespace detail {

class LfHash {
 public:
  static constexpr std::uint64_t kMinBuckets = 1024;
  static constexpr std::uint64_t kMaxBuckets = std::uint64_t{1} << 26;

 protected:
  using Match = int (*)(cds_lfht_node* node, const void* key);
  using Visit = void (*)(const TableNode& node, void* context);

  explicit LfHash(std::uint64_t buckets);
  ~LfHash();  // of an empty table
  LfHash(const LfHash&) = delete;
  LfHash& operator=(const LfHash&) = delete;

  TableNode* find(std::uint64_t hash, Match match, const void* key) const noexcept;
  TableNode* replace(std::uint64_t hash, Match match, const void* key, TableNode& node) noexcept;
  bool exchange(std::uint64_t hash, Match match, const void* key, const TableNode& old,
                TableNode& node) noexcept;
  bool remove(TableNode& node) noexcept;
  static bool removed(const TableNode& node) noexcept;
  void grow(std::uint64_t buckets);
  void visit(TableCursor& cursor, std::uint32_t budget, Visit fn, void* context) const;
  std::uint64_t buckets() const noexcept { return mask_.load(std::memory_order_relaxed) + 1; }

  // Three steps, so that a burst hides the cache misses of a hit: the bucket, the first row behind
  // it, and, where that is not yet the row of this hash, the next one. Only hints: a link that
  // changes meanwhile is no harm.
  void prefetch_bucket(std::uint64_t hash) const noexcept { __builtin_prefetch(bucket(hash)); }
  const TableNode* prefetch_first_row(std::uint64_t hash) const noexcept {
    return prefetch_link(*bucket(hash));
  }
  void prefetch_second_row(std::uint64_t hash, const TableNode* first) const noexcept;

 private:
  static const TableNode* prefetch_link(const TableNode& node) noexcept {
    // The low bits of a link are cds_lfht's flags.
    const auto link =
        reinterpret_cast<std::uintptr_t>(__atomic_load_n(&node.storage[0], __ATOMIC_ACQUIRE));
    const auto* row = reinterpret_cast<const TableNode*>(link & ~std::uintptr_t{7});
    __builtin_prefetch(row);
    __builtin_prefetch(row + 64 / sizeof(TableNode));
    return row;
  }
  const TableNode* bucket(std::uint64_t hash) const noexcept {
    return buckets_ + (hash & mask_.load(std::memory_order_relaxed));
  }
  void want_huge_pages() noexcept;

  cds_lfht* table_;
  const TableNode* buckets_;  // one array for the table's whole life
  std::atomic<std::uint64_t> mask_;
};

}  // namespace detail

// T derives publicly from TableNode and has `bool matches(const Key&) const noexcept`.
template <typename Key, typename T>
class Table : private detail::LfHash {
 public:
  struct Query {
    std::uint64_t hash = 0;
    Key key{};
    const T* found = nullptr;
    const TableNode* hint = nullptr;  // find_batch()'s own
  };

  // Room for `rows` rows at one a bucket.
  explicit Table(std::uint64_t rows) : LfHash(rows) {}

  const T* find(const ReadScope&, std::uint64_t hash, const Key& key) const noexcept {
    return static_cast<const T*>(LfHash::find(hash, &match, &key));
  }

  // Looks up a burst; cache misses of different queries overlap.
  void find_batch(const ReadScope&, std::span<Query> queries) const noexcept {
    for (const Query& query : queries) prefetch_bucket(query.hash);
    for (Query& query : queries) query.hint = prefetch_first_row(query.hash);
    for (const Query& query : queries) prefetch_second_row(query.hash, query.hint);
    for (Query& query : queries) {
      query.found = static_cast<const T*>(LfHash::find(query.hash, &match, &query.key));
    }
  }

  // Publishes `row` under its key; returns the row it replaced, to be retired, or nullptr.
  T* replace(Writer&, std::uint64_t hash, const Key& key, T& row) noexcept {
    return static_cast<T*>(LfHash::replace(hash, &match, &key, row));
  }

  // Puts `row` in the place of `old`, if that is still in the table; true: `old` is to be retired.
  bool exchange(Writer&, std::uint64_t hash, const Key& key, const T& old, T& row) noexcept {
    return LfHash::exchange(hash, &match, &key, old, row);
  }

  // Takes out a row; true: this call did it and `row` is to be retired.
  bool remove(Writer&, T& row) noexcept { return LfHash::remove(row); }

  // Has a row that once was in the table been replaced or removed?
  static bool removed(const T& row) noexcept { return LfHash::removed(row); }

  // Control thread. Shrinking is refused by doing nothing.
  void grow(std::uint64_t rows) { LfHash::grow(rows); }
  std::uint64_t buckets() const noexcept { return LfHash::buckets(); }

  // The next slice: whole buckets until about `budget` buckets and rows have been looked at.
  template <typename Fn>
  void for_each_slice(const ReadScope&, TableCursor& cursor, std::uint32_t budget, Fn&& fn) const {
    auto call = [&fn](const T& row) { fn(row); };
    visit(
        cursor, budget,
        [](const TableNode& node, void* context) {
          (*static_cast<decltype(call)*>(context))(static_cast<const T&>(node));
        },
        &call);
  }

 private:
  static int match(cds_lfht_node* node, const void* key) {
    auto* row = static_cast<T*>(reinterpret_cast<TableNode*>(node));
    detail::tsan_acquire(row);
    return row->matches(*static_cast<const Key*>(key)) ? 1 : 0;
  }
};

}  // namespace sluice::rcu
