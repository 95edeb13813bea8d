// SPDX-License-Identifier: Apache-2.0
#include "apps/control/metrics.h"

#include "apps/control/process_stats.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <sstream>

namespace sluice::control {
namespace {

constexpr std::string_view kPrefix = "sluice_";
constexpr std::string_view kNanoseconds = "_nanoseconds";

// "core_busy_nanoseconds_total" -> "core_busy_seconds_total", and the factor that goes with it.
double to_base_unit(std::string& metric) {
  const std::size_t at = metric.find(kNanoseconds);
  if (at == std::string::npos) return 1;
  metric.replace(at, kNanoseconds.size(), "_seconds");
  return 1e-9;
}

using Key = std::pair<std::string, Labels>;

void add(std::map<Key, Sample>& sums, const CounterInfo& info, const std::string& more_labels,
         double value) {
  std::string metric{info.metric};
  value *= to_base_unit(metric);
  Labels labels = parse_labels(info.labels);
  const Labels more = parse_labels(more_labels);
  labels.insert(labels.end(), more.begin(), more.end());
  std::sort(labels.begin(), labels.end());
  Sample& sample = sums[{metric, labels}];
  if (sample.metric.empty()) {
    sample.metric = std::move(metric);
    sample.help = info.help;
    sample.labels = std::move(labels);
    sample.kind = info.kind;
  }
  sample.value += value;
}

// The rows of a family may explain each label value on its own ("Too short for its header."), which
// would be wrong for the family; then HELP tells what it is broken down by.
std::string family_help(const std::vector<Sample>& samples, std::size_t first) {
  std::string labels;
  bool differ = false;
  for (std::size_t i = first; i < samples.size() && samples[i].metric == samples[first].metric;
       ++i) {
    differ = differ || samples[i].help != samples[first].help;
  }
  if (!differ) return samples[first].help;
  for (const auto& [name, value] : samples[first].labels) {
    labels += (labels.empty() ? "By " : ", ") + name;
  }
  return labels + "; docs/metrics.md and sluicectl show counters explain each.";
}

class Exposition {
 public:
  void add(const std::string& name, const std::string& help, MetricKind kind, const Labels& labels,
           double value) {
    if (families_.empty() || families_.back().name != name) {
      families_.push_back({name,
                           help,
                           kind == MetricKind::Counter ? prometheus::MetricType::Counter
                                                       : prometheus::MetricType::Gauge,
                           {}});
    }
    // One family, one type: the serializer reads the member that the type names.
    prometheus::MetricFamily& family = families_.back();
    prometheus::ClientMetric metric;
    for (const auto& [label, text] : labels) metric.label.push_back({label, text});
    if (family.type == prometheus::MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    family.metric.push_back(std::move(metric));
  }

  std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return out.str();
  }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

void add_process(Exposition& out) {
  const ProcessStats stats = read_process_stats();
  using enum MetricKind;
  // Names and meanings as every Prometheus client library has them.
  out.add("process_cpu_seconds_total", "User and system CPU time spent in seconds.", Counter, {},
          stats.cpu_seconds);
  out.add("process_max_fds", "Maximum number of open file descriptors.", Gauge, {}, stats.max_fds);
  out.add("process_open_fds", "Number of open file descriptors.", Gauge, {}, stats.open_fds);
  out.add("process_resident_memory_bytes", "Resident memory size in bytes.", Gauge, {},
          stats.resident_bytes);
  out.add("process_start_time_seconds", "Start time of the process since the epoch in seconds.",
          Gauge, {}, stats.start_time);
  out.add("process_threads", "Number of threads.", Gauge, {}, stats.threads);
  out.add("process_virtual_memory_bytes", "Virtual memory size in bytes.", Gauge, {},
          stats.virtual_bytes);
}

}  // namespace

Labels parse_labels(std::string_view text) {
  Labels out;
  while (!text.empty()) {
    const std::size_t equals = text.find("=\"");
    if (equals == std::string_view::npos) break;
    const std::string_view name = text.substr(0, equals);
    text.remove_prefix(equals + 2);
    std::string value;
    std::size_t i = 0;
    for (; i < text.size() && text[i] != '"'; ++i) {
      const bool escaped = text[i] == '\\' && i + 1 < text.size();
      if (escaped) ++i;
      value += escaped && text[i] == 'n' ? '\n' : text[i];
    }
    if (i == text.size()) break;  // no closing quote
    out.emplace_back(name, std::move(value));
    text.remove_prefix(i + 1);
    if (!text.empty() && text.front() == ',') text.remove_prefix(1);
  }
  return out;
}

std::string format_labels(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out += ',';
    out += name + "=\"" + value + "\"";
  }
  return out;
}

std::vector<Sample> collect(const CounterRegistry& counters) {
  std::map<Key, Sample> sums;
  for (const CounterRegistry::Source& source : counters.sources()) {
    const std::size_t count = std::min(source.infos.size(), source.counters.size());
    for (std::size_t i = 0; i < count; ++i) {
      add(sums, source.infos[i], source.labels, static_cast<double>(source.counters[i].value()));
    }
  }
  for (const CounterRegistry::Computed& gauge : counters.computed()) {
    add(sums, gauge.info, gauge.labels, gauge.value());
  }
  std::vector<Sample> out;
  out.reserve(sums.size());
  for (auto& [key, sample] : sums) out.push_back(std::move(sample));
  return out;
}

std::string exposition(const CounterRegistry& counters, const Sources& sources) {
  Exposition out;
  const std::vector<Sample> samples = collect(counters);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = samples[i];
    const bool first = i == 0 || samples[i - 1].metric != sample.metric;
    out.add(std::string(kPrefix) + sample.metric, first ? family_help(samples, i) : "", sample.kind,
            sample.labels, sample.value);
  }
  out.add("sluice_build_info", "Constant 1; the label tells the version.", MetricKind::Gauge,
          {{"version", sources.version}}, 1);
  out.add("sluice_ready", "1 while new work is accepted, 0 while starting or draining.",
          MetricKind::Gauge, {}, !sources.ready || sources.ready().good ? 1 : 0);
  if (sources.uptime) {
    out.add("sluice_uptime_seconds", "Time since the start.", MetricKind::Gauge, {},
            std::chrono::duration<double>(sources.uptime()).count());
  }
  add_process(out);
  return out.text();
}

}  // namespace sluice::control
