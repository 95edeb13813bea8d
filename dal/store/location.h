// SPDX-License-Identifier: Apache-2.0
//
// Location: which bindings an address-of-record has (RFC 3261 10). Read on every core, written by
// the core that owns the AoR.
//
// Threads  find*() on any thread under a ReadScope: lock-free, nothing is written, nothing
//          allocated.
//          A LocationWriter belongs to one servant core; ingress sends every REGISTER of an AoR to
//          the same one by the same keyed hash. When an AoR moves to another core, that core just
//          writes: what it replaces is freed by the core that made it, when its timer next fires.
//          maintain() and walks belong to the control thread.
// Memory   A record per AoR in its writer's slab, freed after a grace period. Must outlive the
//          cores
//          (their wheels hold its timers); destroyed on a thread that holds a Reader.
// Errors   A writer at its memory limit refuses and leaves the AoR as it was.
#pragma once

#include "base/core.h"
#include "base/counters.h"
#include "base/hash.h"
#include "dal/rcu/table.h"
#include "dal/rcu/writer.h"
#include "dal/store/bindings.h"
#include "dal/store/slab.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::store {

enum class LocationCounter : std::uint8_t {
#define SLUICE_LOCATION_COUNTER(name, metric, kind, help) name,
#include "dal/store/location_counters.def"
#undef SLUICE_LOCATION_COUNTER
  Count
};
using LocationCounters =
    CounterBlock<LocationCounter, static_cast<std::size_t>(LocationCounter::Count)>;
std::span<const CounterInfo> location_counter_infos();

// A canonical AoR ("alice@example.com") with its hash.
struct AorKey {
  std::string_view aor;
  std::uint64_t hash = 0;
};

// Hears of every change, on the core that makes it, between publishing the new record and letting
// go of the old one: where replication, storage and the reg event package hang on. Must not block.
class LocationObserver {
 public:
  virtual ~LocationObserver() = default;
  // before: nullptr if the AoR is new; after: nullptr if it has no binding left.
  virtual void on_change(Core& core, const AorKey& key, const Bindings* before,
                         const Bindings* after) noexcept = 0;
};

class Location;

class LocationWriter {
 public:
  // All bindings of the AoR become `bindings`, at once for every reader; none removes the AoR.
  // Texts may point into the record that is replaced. At most Bindings::kMost. False: out of
  // memory, nothing has changed.
  bool replace(Core& core, const AorKey& key, std::span<const Binding> bindings) noexcept;

  // False if there was none.
  bool remove(Core& core, const AorKey& key) noexcept;

  Location& location() noexcept { return location_; }
  const LocationCounters& counters() const noexcept { return counters_; }
  const Slab& slab() const noexcept { return slab_; }

 private:
  friend class Location;
  friend class Bindings;

  LocationWriter(Location& location, rcu::Reclaimer& reclaimer, std::uint64_t memory_limit);

  Bindings* make(Core& core, std::string_view aor, std::span<const Binding> bindings) noexcept;
  void changed(Core& core, const AorKey& key, Bindings* before, const Bindings* after) noexcept;
  void let_go(Core& core, Bindings& record) noexcept;
  void expire(Core& core, Bindings& record) noexcept;
  void on_flush(Core&) { writer_.flush(); }

  Location& location_;
  rcu::Writer writer_;
  Slab slab_;
  MemberTimer<LocationWriter, &LocationWriter::on_flush> flush_timer_;
  LocationCounters counters_;  // written by the owner core, read by metrics
};

class Location {
 public:
  struct Options {
    std::uint64_t expected_aors = 1 << 16;  // sizes the buckets and the first memory
    std::uint64_t memory_limit = std::uint64_t{8}
                                 << 30;  // of all records, shared out over the writers
  };
  using Query = rcu::Table<std::string_view, Bindings>::Query;

  // `key` is the secret that ingress dispatches by, too.
  Location(const Options& options, const HashKey& key, rcu::Reclaimer& reclaimer, unsigned writers,
           LocationObserver* observer = nullptr);
  ~Location();
  Location(const Location&) = delete;
  Location& operator=(const Location&) = delete;

  AorKey key(std::string_view aor) const noexcept { return {aor, siphash13(key_, aor)}; }

  const Bindings* find(const rcu::ReadScope& scope, const AorKey& key) const noexcept {
    return table_.find(scope, key.hash, key.aor);
  }
  // For a burst: misses overlap.
  void find_batch(const rcu::ReadScope& scope, std::span<Query> queries) const noexcept {
    table_.find_batch(scope, queries);
  }

  // The next slice of a walk over everything; `budget` bounds how much is looked at. Let the scope
  // end between slices. fn(const Bindings&).
  template <typename Fn>
  void for_each_slice(const rcu::ReadScope& scope, rcu::TableCursor& cursor, std::uint32_t budget,
                      Fn&& fn) const {
    table_.for_each_slice(scope, cursor, budget, fn);
  }

  LocationWriter& writer(unsigned index) noexcept { return *writers_[index]; }
  unsigned writers() const noexcept { return static_cast<unsigned>(writers_.size()); }

  // Control thread, every few seconds: grows the table when it holds more than two AoRs a bucket.
  void maintain();

  // Sums over the writers; any thread, stale is fine.
  std::uint64_t aors() const noexcept { return sum(LocationCounter::Aors); }
  std::uint64_t bindings() const noexcept { return sum(LocationCounter::Bindings); }
  std::uint64_t buckets() const noexcept { return table_.buckets(); }

 private:
  friend class LocationWriter;
  std::uint64_t sum(LocationCounter which) const noexcept;

  const HashKey key_;
  rcu::Reclaimer& reclaimer_;
  LocationObserver* const observer_;
  rcu::Table<std::string_view, Bindings> table_;
  std::vector<std::unique_ptr<LocationWriter>> writers_;
};

}  // namespace sluice::store
