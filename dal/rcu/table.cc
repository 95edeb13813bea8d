// SPDX-License-Identifier: Apache-2.0
#include "dal/rcu/table.h"

#include <sys/mman.h>
#include <urcu/urcu-qsbr.h>
// After the flavour, whose types it names.
#include "base/assert.h"

#include <urcu/rculfhash.h>

#include <algorithm>
#include <bit>

namespace sluice::rcu::detail {
namespace {

static_assert(sizeof(TableNode) == sizeof(cds_lfht_node));
static_assert(alignof(TableNode) == alignof(cds_lfht_node));
static_assert(sizeof(unsigned long) == sizeof(std::uint64_t));

// MADV_COLLAPSE, Linux 6.1: build the huge pages now, from what is there.
constexpr int kMadvCollapse = 25;
constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20;

cds_lfht_node* as_lfht(TableNode& node) {
  return reinterpret_cast<cds_lfht_node*>(&node);
}
TableNode* as_row(cds_lfht_node* node) {
  return reinterpret_cast<TableNode*>(node);
}

// The low bits of a node's link say what the node itself is (rculfhash.h: "ptr | REMOVAL_OWNER_FLAG
// | BUCKET_FLAG | REMOVED_FLAG"); the constructor checks that bucket 0 looks like one.
constexpr std::uintptr_t kRemoved = 1;
constexpr std::uintptr_t kBucket = 2;
constexpr std::uintptr_t kFlags = 7;

std::uintptr_t load_link(const TableNode& node) {
  return reinterpret_cast<std::uintptr_t>(__atomic_load_n(&node.storage[0], __ATOMIC_ACQUIRE));
}

std::uint64_t to_buckets(std::uint64_t rows) {
  return std::bit_ceil(std::clamp(rows, LfHash::kMinBuckets, LfHash::kMaxBuckets));
}

std::uint64_t reverse_bits(std::uint64_t value) {
  value = __builtin_bswap64(value);
  value = (value & 0x0f0f0f0f0f0f0f0fULL) << 4 | (value >> 4 & 0x0f0f0f0f0f0f0f0fULL);
  value = (value & 0x3333333333333333ULL) << 2 | (value >> 2 & 0x3333333333333333ULL);
  return (value & 0x5555555555555555ULL) << 1 | (value >> 1 & 0x5555555555555555ULL);
}

}  // namespace

LfHash::LfHash(std::uint64_t rows) : mask_(to_buckets(rows) - 1) {
  const std::uint64_t count = to_buckets(rows);
  // The mmap flavour keeps all buckets in one array, which makes them prefetchable; kMaxBuckets is
  // only reserved address space.
  table_ =
      _cds_lfht_new(count, count, kMaxBuckets, 0, &cds_lfht_mm_mmap, &urcu_qsbr_flavor, nullptr);
  SLUICE_CHECK(table_ != nullptr);
  buckets_ = as_row(cds_lfht_mm_mmap.bucket_at(table_, 0));
  SLUICE_CHECK(as_row(cds_lfht_mm_mmap.bucket_at(table_, count - 1)) == buckets_ + count - 1);
  SLUICE_CHECK((load_link(buckets_[0]) & (kBucket | kRemoved)) == kBucket);
  want_huge_pages();
}

LfHash::~LfHash() {
  SLUICE_CHECK(cds_lfht_destroy(table_, nullptr) == 0);
}

TableNode* LfHash::find(std::uint64_t hash, Match match, const void* key) const noexcept {
  cds_lfht_iter iter;
  cds_lfht_lookup(table_, hash, match, key, &iter);
  return as_row(cds_lfht_iter_get_node(&iter));
}

TableNode* LfHash::replace(std::uint64_t hash, Match match, const void* key,
                           TableNode& node) noexcept {
  tsan_release(&node);
  return as_row(cds_lfht_add_replace(table_, hash, match, key, as_lfht(node)));
}

bool LfHash::exchange(std::uint64_t hash, Match match, const void* key, const TableNode& old,
                      TableNode& node) noexcept {
  cds_lfht_iter iter;
  cds_lfht_lookup(table_, hash, match, key, &iter);
  if (as_row(cds_lfht_iter_get_node(&iter)) != &old) return false;
  tsan_release(&node);
  return cds_lfht_replace(table_, &iter, hash, match, key, as_lfht(node)) == 0;
}

bool LfHash::remove(TableNode& node) noexcept {
  return cds_lfht_del(table_, as_lfht(node)) == 0;
}

bool LfHash::removed(const TableNode& node) noexcept {
  return cds_lfht_is_node_deleted(reinterpret_cast<const cds_lfht_node*>(&node)) != 0;
}

void LfHash::prefetch_second_row(std::uint64_t hash, const TableNode* first) const noexcept {
  if (first == nullptr) return;
  const auto reversed = reinterpret_cast<std::uintptr_t>(first->storage[1]);
  if (reversed < reverse_bits(hash)) prefetch_link(*first);
}

void LfHash::grow(std::uint64_t rows) {
  const std::uint64_t count = to_buckets(rows);
  if (count <= buckets()) return;
  cds_lfht_resize(table_, count);
  mask_.store(count - 1, std::memory_order_relaxed);
  want_huge_pages();
}

void LfHash::want_huge_pages() noexcept {
  // Random access into tens of megabytes of 4 kB pages misses the TLB every time. Best effort.
  const auto begin =
      (reinterpret_cast<std::uintptr_t>(buckets_) + kHugePage - 1) & ~(kHugePage - 1);
  const auto end = reinterpret_cast<std::uintptr_t>(buckets_ + buckets()) & ~(kHugePage - 1);
  if (begin >= end) return;
  void* start = reinterpret_cast<void*>(begin);
  if (madvise(start, end - begin, MADV_HUGEPAGE) == 0) madvise(start, end - begin, kMadvCollapse);
}

// cds_lfht keeps one list ordered by the bit-reversed hash; bucket b of 2^k starts the stretch
// whose top k bits are b reversed:
//
//   position  0x0000...   0x4000...   0x8000...   0xc000...       (k = 2)
//   bucket    0           2           1           3
//
// The cursor is a position: doubling the table only adds bucket heads between those it has passed.
void LfHash::visit(TableCursor& cursor, std::uint32_t budget, Visit fn, void* context) const {
  const std::uint64_t mask = mask_.load(std::memory_order_relaxed);
  const std::uint64_t step = mask == 0 ? 0 : (~std::uint64_t{0} / (mask + 1)) + 1;
  std::uint32_t seen = 0;
  while (!cursor.done && seen < budget) {
    ++seen;
    const std::uint64_t last = cursor.position + (step - 1);
    // Not cds_lfht_next(): between two rows it may cross any number of empty buckets in one call.
    std::uintptr_t link = load_link(buckets_[reverse_bits(cursor.position) & mask]);
    while ((link & ~kFlags) != 0) {
      auto* node = reinterpret_cast<cds_lfht_node*>(link & ~kFlags);
      if (node->reverse_hash > last) break;
      link = load_link(*as_row(node));
      if ((link & (kRemoved | kBucket)) != 0) continue;
      tsan_acquire(node);
      fn(*as_row(node), context);
      ++seen;
    }
    cursor.position = last + 1;
    cursor.done = cursor.position == 0;
  }
}

}  // namespace sluice::rcu::detail
