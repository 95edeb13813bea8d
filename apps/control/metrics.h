// SPDX-License-Identifier: Apache-2.0
//
// Metrics: the counters of all cores, summed; as rows for the CLI, as text for Prometheus.
//
// Threads  Any: reads relaxed counters and calls the registry's computed gauges.
// Errors   None. Two rows of the same metric with different help or kind: the first one's stand.
// See      docs/metrics.md
#pragma once

#include "apps/control/sources.h"
#include "base/counters.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sluice::control {

using Labels = std::vector<std::pair<std::string, std::string>>;

struct Sample {
  std::string metric;  // without "sluice_", in base units
  std::string help;
  Labels labels;  // sorted
  MetricKind kind = MetricKind::Counter;
  double value = 0;
};

// Sorted by metric and labels: every (metric, labels) once, summed over cores. Counters of
// nanoseconds come out as seconds, for metrics have base units.
std::vector<Sample> collect(const CounterRegistry& counters);

// `reason="ip_checksum",port="access"`; escapes as in the Prometheus text format. What cannot be
// read is left out.
Labels parse_labels(std::string_view text);
std::string format_labels(const Labels& labels);

// The Prometheus text exposition: the counters, the state of the edge, and the process.
std::string exposition(const CounterRegistry& counters, const Sources& sources);

}  // namespace sluice::control
