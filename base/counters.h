// SPDX-License-Identifier: Apache-2.0
//
// Counters: one block per core and component, written by its core, summed by whoever asks.
//
// A component lists its counters in a .def table, one row each; the row names the enumerator, the
// metric and its label, and the help text. The same row is the counter in `sluicectl show counters`
// and in /metrics with no further code.
//
// Threads  add() and set() by the one core that owns the block; value() from any thread, relaxed:
//          stale by a moment is fine, torn never happens.
// Memory   A block lives as long as the process (it belongs to a core's component).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

class Counter {
 public:
  void add(std::uint64_t count = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t count = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) - count, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

enum class MetricKind : std::uint8_t { Counter, Gauge };

// One row of a .def table. `metric` is the family name without the "sluice_" prefix, in Prometheus
// spelling; `labels` is what stands between the braces ("reason=\"ip_checksum\"") or empty.
struct CounterInfo {
  std::string_view metric;
  std::string_view labels;
  std::string_view help;
  MetricKind kind = MetricKind::Counter;
};

// Enum is an enum class whose values are 0..Count-1.
template <typename Enum, std::size_t Count>
class CounterBlock {
 public:
  Counter& operator[](Enum which) noexcept { return counters_[static_cast<std::size_t>(which)]; }
  const Counter& operator[](Enum which) const noexcept {
    return counters_[static_cast<std::size_t>(which)];
  }
  std::span<const Counter> all() const noexcept { return counters_; }

 private:
  std::array<Counter, Count> counters_;
};

// Who has which counters: filled at start-up by wiring, read by the control thread.
class CounterRegistry {
 public:
  struct Source {
    int core;                            // -1: no core
    std::string labels;                  // further labels of this block: port="access"
    std::span<const CounterInfo> infos;  // same length as counters
    std::span<const Counter> counters;
  };
  // A gauge that is computed when asked for, on the control thread.
  struct Computed {
    CounterInfo info;
    std::string labels;
    std::function<double()> value;
  };

  void add(int core, std::span<const CounterInfo> infos, std::span<const Counter> counters,
           std::string labels = {}) {
    sources_.push_back({core, std::move(labels), infos, counters});
  }
  void add_computed(CounterInfo info, std::function<double()> value, std::string labels = {}) {
    computed_.push_back({info, std::move(labels), std::move(value)});
  }

  const std::vector<Source>& sources() const { return sources_; }
  const std::vector<Computed>& computed() const { return computed_; }

 private:
  std::vector<Source> sources_;
  std::vector<Computed> computed_;
};

}  // namespace sluice
