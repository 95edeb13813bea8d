// SPDX-License-Identifier: Apache-2.0
#include "dal/store/location.h"

#include "dal/store/bindings_layout.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

namespace sluice::store {
namespace {

// How long a retired record may wait for its batch to fill.
constexpr Duration kFlushAfter = std::chrono::milliseconds{100};
// For the first memory: what a record takes on average (measured, location_bench).
constexpr std::uint64_t kTypicalRecord = 256;

constexpr CounterInfo kInfos[] = {
#define SLUICE_LOCATION_COUNTER(name, metric, kind, help) {metric, "", help, MetricKind::kind},
#include "dal/store/location_counters.def"
#undef SLUICE_LOCATION_COUNTER
};

std::uint32_t to_seconds(WallTime wall) {
  return static_cast<std::uint32_t>(
      std::chrono::floor<std::chrono::seconds>(wall).time_since_epoch().count());
}

std::size_t packed_size(const std::optional<Endpoint>& endpoint) {
  return endpoint ? 2 + endpoint->address.size() : 0;
}

std::size_t text_size(const Binding& binding) {
  return binding.contact.size() + binding.params.size() + binding.call_id.size() +
         binding.path.size() + binding.user_agent.size() + packed_size(binding.received);
}

std::uint16_t narrow(std::size_t length) {
  SLUICE_CHECK(length <= Bindings::kLongestText);
  return static_cast<std::uint16_t>(length);
}

}  // namespace

std::span<const CounterInfo> location_counter_infos() {
  return kInfos;
}

LocationWriter::LocationWriter(Location& location, rcu::Reclaimer& reclaimer,
                               std::uint64_t memory_limit)
    : location_(location), writer_(reclaimer), slab_(memory_limit), flush_timer_(*this) {}

Bindings* LocationWriter::make(Core& core, std::string_view aor,
                               std::span<const Binding> bindings) noexcept {
  SLUICE_CHECK(!bindings.empty() && bindings.size() <= Bindings::kMost);
  const std::size_t rows_at = Bindings::rows_offset(narrow(aor.size()));
  std::size_t text_at = rows_at + bindings.size() * sizeof(Bindings::Row);
  std::size_t size = text_at;
  for (const Binding& binding : bindings) size += text_size(binding);
  size = (size + 7) / 8 * 8 + sizeof(Bindings::Tail);

  auto* memory = static_cast<char*>(slab_.allocate(size));
  if (memory == nullptr) {
    counters_[LocationCounter::Full].add();
    return nullptr;
  }
  auto* record = new (memory) Bindings;
  record->size_bytes_ = static_cast<std::uint32_t>(size);
  record->aor_length_ = static_cast<std::uint16_t>(aor.size());
  record->count_ = static_cast<std::uint8_t>(bindings.size());
  std::memcpy(memory + sizeof(Bindings), aor.data(), aor.size());

  Instant earliest = bindings.front().expires;
  for (std::size_t i = 0; i < bindings.size(); ++i) {
    const Binding& from = bindings[i];
    earliest = std::min(earliest, from.expires);
    auto& row = *new (memory + rows_at + i * sizeof(Bindings::Row))
                    Bindings::Row{.expires = from.expires.time_since_epoch().count(),
                                  .flow = from.flow,
                                  .expires_wall = to_seconds(from.expires_wall),
                                  .updated = to_seconds(from.updated),
                                  .cseq = from.cseq,
                                  .reg_id = from.reg_id,
                                  .text = static_cast<std::uint32_t>(text_at),
                                  .contact = narrow(from.contact.size()),
                                  .params = narrow(from.params.size()),
                                  .call_id = narrow(from.call_id.size()),
                                  .path = narrow(from.path.size()),
                                  .user_agent = narrow(from.user_agent.size()),
                                  .instance_offset = 0,
                                  .instance = narrow(from.instance.size()),
                                  .q = from.q,
                                  .listener = from.listener,
                                  .received = static_cast<std::uint8_t>(packed_size(from.received)),
                                  .transport = static_cast<std::uint8_t>(from.transport)};
    if (!from.instance.empty()) {
      row.instance_offset =
          narrow(static_cast<std::size_t>(from.instance.data() - from.params.data()));
      SLUICE_CHECK(std::size_t{row.instance_offset} + row.instance <= row.params);
    }
    const auto put = [memory, &text_at](std::string_view text) {
      if (!text.empty()) std::memcpy(memory + text_at, text.data(), text.size());
      text_at += text.size();
    };
    put(from.contact);
    put(from.params);
    put(from.call_id);
    put(from.path);
    put(from.user_agent);
    if (from.received) {
      const char port[2] = {static_cast<char>(from.received->port >> 8),
                            static_cast<char>(from.received->port & 0xff)};
      put({port, 2});
      put(as_text(from.received->address.view()));
    }
  }

  auto* tail = new (&record->tail()) Bindings::Tail{record, this, {}};
  auto* expiry = new (tail->shared) Bindings::Expiry;
  core.arm(*expiry, earliest - core.now());
  return record;
}

bool LocationWriter::replace(Core& core, const AorKey& key,
                             std::span<const Binding> bindings) noexcept {
  if (bindings.empty()) {
    remove(core, key);
    return true;
  }
  Bindings* after = make(core, key.aor, bindings);
  if (after == nullptr) return false;
  Bindings* before = location_.table_.replace(writer_, key.hash, key.aor, *after);
  changed(core, key, before, after);
  return true;
}

bool LocationWriter::remove(Core& core, const AorKey& key) noexcept {
  const rcu::ReadScope scope;
  auto* record = const_cast<Bindings*>(location_.find(scope, key));
  if (record == nullptr || !location_.table_.remove(writer_, *record)) return false;
  changed(core, key, record, nullptr);
  return true;
}

void LocationWriter::changed(Core& core, const AorKey& key, Bindings* before,
                             const Bindings* after) noexcept {
  counters_[LocationCounter::Writes].add();
  if (before == nullptr) counters_[LocationCounter::Aors].add();
  if (after == nullptr) counters_[LocationCounter::Aors].subtract();
  counters_[LocationCounter::Bindings].add((after == nullptr ? 0 : after->size()) -
                                           std::uint64_t{before == nullptr ? 0 : before->size()});
  if (location_.observer_ != nullptr) location_.observer_->on_change(core, key, before, after);
  // Another core's record has a timer in that core's wheel: its expire() finds the record gone.
  if (before != nullptr && before->tail().writer == this) let_go(core, *before);
}

void LocationWriter::let_go(Core& core, Bindings& record) noexcept {
  Bindings::Tail& tail = record.tail();
  std::destroy_at(&tail.expiry());  // cancels it
  auto* retired = new (tail.shared) rcu::Retired{};
  writer_.retire(*retired, [](rcu::Retired* done) noexcept {
    Slab::release(Bindings::Tail::of(done).record);
  });
  if (writer_.waiting() != 0 && !flush_timer_.armed()) core.arm(flush_timer_, kFlushAfter);
}

void LocationWriter::expire(Core& core, Bindings& record) noexcept {
  const rcu::ReadScope scope;
  if (location_.table_.removed(record)) return let_go(core, record);

  std::array<Binding, Bindings::kMost> live;
  std::size_t left = 0;
  for (std::uint32_t i = 0; i < record.size(); ++i) {
    const Binding binding = record[i];
    if (binding.live(core.now())) live[left++] = binding;
  }
  // The table decides who was first should another core have begun to write this AoR just now.
  const AorKey key = location_.key(record.aor());
  Bindings* after = nullptr;
  if (left == 0) {
    if (!location_.table_.remove(writer_, record)) return let_go(core, record);
  } else {
    after = make(core, key.aor, {live.data(), left});
    if (after == nullptr) {
      // Readers skip what has expired; try again when others have gone.
      core.arm(record.tail().expiry(), std::chrono::seconds{1});
      return;
    }
    if (!location_.table_.exchange(writer_, key.hash, key.aor, record, *after)) {
      std::destroy_at(&after->tail().expiry());
      Slab::release(after);
      return let_go(core, record);
    }
  }
  counters_[LocationCounter::Expired].add(record.size() - left);
  changed(core, key, &record, after);
}

Location::Location(const Options& options, const HashKey& key, rcu::Reclaimer& reclaimer,
                   unsigned writers, LocationObserver* observer)
    : key_(key), reclaimer_(reclaimer), observer_(observer), table_(options.expected_aors) {
  SLUICE_CHECK(writers != 0);
  for (unsigned i = 0; i < writers; ++i) {
    writers_.emplace_back(new LocationWriter(*this, reclaimer, options.memory_limit / writers));
    writers_.back()->slab_.reserve(options.expected_aors * kTypicalRecord / writers);
  }
}

Location::~Location() {
  {
    const rcu::ReadScope scope;
    rcu::TableCursor cursor;
    const auto drop = [this](const Bindings& record) {
      auto& own = const_cast<Bindings&>(record);
      SLUICE_CHECK(table_.remove(own.tail().writer->writer_, own));
      std::destroy_at(&own.tail().expiry());
      Slab::release(&own);
    };
    while (!cursor.done) table_.for_each_slice(scope, cursor, 1 << 20, drop);
  }
  for (auto& writer : writers_) writer->writer_.flush();
  // What was retired goes home to slabs that are about to die.
  reclaimer_.barrier();
}

void Location::maintain() {
  if (aors() > 2 * table_.buckets()) table_.grow(aors());
}

std::uint64_t Location::sum(LocationCounter which) const noexcept {
  std::uint64_t total = 0;
  for (const auto& writer : writers_) total += writer->counters()[which].value();
  return total;
}

}  // namespace sluice::store
