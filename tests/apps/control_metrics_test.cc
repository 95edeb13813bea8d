// SPDX-License-Identifier: Apache-2.0
#include "apps/control/metrics.h"
#include "tests/apps/fake_daemon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace sluice::control {
namespace {

using testing::HasSubstr;

// The rules of the Prometheus text format 0.0.4 and of `promtool check metrics`, as far as they can
// bite us.
void lint(const std::string& text) {
  static const std::regex kSample(
      R"(([a-z][a-z0-9_]*)(\{([a-z_]+="([^"\\\n]|\\[\\"n])*"(,|(?=\})))*\})?)"
      R"( (-?[0-9.e+-]+|NaN|\+Inf))");
  std::map<std::string, std::string> types;
  std::set<std::string> series;
  std::set<std::string> closed;  // families whose samples are over
  std::string family;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, what, name;
    if (line[0] == '#') {
      words >> hash >> what >> name;
      if (what == "HELP") {
        EXPECT_GT(line.size(), 8 + name.size()) << line << ": no help";
        if (!family.empty()) closed.insert(family);
        EXPECT_EQ(closed.count(name), 0U) << name << " is torn apart";
        family = name;
      } else {
        ASSERT_EQ(what, "TYPE") << line;
        EXPECT_EQ(name, family) << "HELP and TYPE belong together";
        words >> types[name];
      }
      continue;
    }
    std::smatch parts;
    ASSERT_TRUE(std::regex_match(line, parts, kSample)) << line;
    EXPECT_EQ(parts[1], family) << line;
    EXPECT_TRUE(family.rfind("sluice_", 0) == 0 || family.rfind("process_", 0) == 0) << line;
    EXPECT_TRUE(series.insert(parts[1].str() + parts[2].str()).second) << line << " twice";
    const bool total = family.size() > 6 && family.substr(family.size() - 6) == "_total";
    EXPECT_EQ(total, types[family] == "counter") << family << " is a " << types[family];
    for (const char* unit :
         {"_milliseconds", "_nanoseconds", "_microseconds", "_kilobytes", "_percent"}) {
      EXPECT_EQ(family.find(unit), std::string::npos) << family << ": not a base unit";
    }
  }
  EXPECT_FALSE(series.empty());
}

TEST(Metrics, ExpositionPassesTheLint) {
  test::FakeProcess process;
  lint(exposition(process.registry, process.sources()));
}

TEST(Metrics, AnEmptyProcessPassesTheLint) {
  lint(exposition(CounterRegistry{}, Sources{}));
}

TEST(Metrics, CountersAreSummedOverCores) {
  test::FakeProcess process;
  const std::string text = exposition(process.registry, process.sources());
  EXPECT_THAT(text, HasSubstr("# HELP sluice_net_dropped_total Packets dropped, by reason.\n"
                              "# TYPE sluice_net_dropped_total counter\n"
                              "sluice_net_dropped_total{port=\"access\",reason=\"checksum\"} 42\n"
                              "sluice_net_dropped_total{port=\"access\",reason=\"short\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE sluice_bindings gauge\nsluice_bindings 3\n"));
}

TEST(Metrics, NanosecondsComeOutAsSeconds) {
  test::FakeProcess process;
  EXPECT_THAT(exposition(process.registry, process.sources()),
              HasSubstr("sluice_core_busy_seconds_total{port=\"access\"} 1.5\n"));
}

TEST(Metrics, TheProcessIsThere) {
  test::FakeProcess process;
  process.draining = true;
  const std::string text = exposition(process.registry, process.sources());
  EXPECT_THAT(text, HasSubstr("sluice_build_info{version=\"1.2.3\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("sluice_uptime_seconds 10\n"));
  EXPECT_THAT(text, HasSubstr("sluice_ready 0\n"));
  for (const char* name : {"cpu_seconds_total", "max_fds", "open_fds", "resident_memory_bytes",
                           "start_time_seconds", "threads", "virtual_memory_bytes"}) {
    EXPECT_THAT(text, HasSubstr("\nprocess_" + std::string(name) + " "));
  }
  const std::regex resident("\nprocess_resident_memory_bytes ([1-9][0-9.e+]*)");
  EXPECT_TRUE(std::regex_search(text, resident));
}

TEST(Metrics, SameMetricAndLabelsAreOneSample) {
  CounterRegistry registry;
  Counter counters[2];
  counters[0].add(1);
  counters[1].add(2);
  const CounterInfo ab{"m_total", "a=\"1\",b=\"2\"", "Help.", MetricKind::Counter};
  const CounterInfo ba{"m_total", "b=\"2\",a=\"1\"", "Help.", MetricKind::Counter};
  registry.add(0, {&ab, 1}, {&counters[0], 1});
  registry.add(1, {&ba, 1}, {&counters[1], 1});
  const auto samples = collect(registry);
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].value, 3);
}

TEST(Metrics, HelpOfAFamilyIsNotThatOfOneLabel) {
  CounterRegistry registry;
  const Counter counters[2];
  const CounterInfo infos[] = {
      {"drops_total", "reason=\"checksum\"", "The checksum is wrong.", MetricKind::Counter},
      {"drops_total", "reason=\"short\"", "Too short.", MetricKind::Counter}};
  registry.add(0, infos, counters);
  EXPECT_THAT(exposition(registry, Sources{}),
              HasSubstr("# HELP sluice_drops_total By reason; docs/metrics.md and sluicectl show "
                        "counters explain each.\n"));
  EXPECT_EQ(collect(registry)[1].help, "Too short.");
}

TEST(Metrics, LabelsAreReadWithTheirEscapes) {
  EXPECT_EQ(parse_labels(""), Labels{});
  EXPECT_EQ(parse_labels("a=\"1\",b=\"x,y\""), (Labels{{"a", "1"}, {"b", "x,y"}}));
  EXPECT_EQ(parse_labels(R"(a="q\"\\\n")"), (Labels{{"a", "q\"\\\n"}}));
  EXPECT_EQ(parse_labels("a=\"\""), (Labels{{"a", ""}}));
  EXPECT_EQ(parse_labels("a=\"open"), Labels{});
  EXPECT_EQ(parse_labels("nonsense"), Labels{});
}

}  // namespace
}  // namespace sluice::control
