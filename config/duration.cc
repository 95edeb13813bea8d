// SPDX-License-Identifier: Apache-2.0
#include "config/duration.h"

#include <charconv>
#include <cstdint>

namespace sluice::config {
namespace {

struct Unit {
  std::string_view name;
  Duration length;
};

// Longest first: format_duration() takes the first that divides.
constexpr Unit kUnits[] = {
    {"d", std::chrono::hours{24}},        {"h", std::chrono::hours{1}},
    {"m", std::chrono::minutes{1}},       {"s", std::chrono::seconds{1}},
    {"ms", std::chrono::milliseconds{1}}, {"us", std::chrono::microseconds{1}},
};

constexpr Duration kLongest = std::chrono::hours{24} * 10'000;

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest == text.data()) return std::nullopt;
  const std::string_view name{rest, static_cast<std::size_t>(end - rest)};
  for (const Unit& unit : kUnits) {
    if (unit.name != name) continue;
    if (number > static_cast<std::uint64_t>(kLongest / unit.length)) return std::nullopt;
    return unit.length * static_cast<Duration::rep>(number);
  }
  return std::nullopt;
}

std::string format_duration(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  for (const Unit& unit : kUnits) {
    if (duration % unit.length != Duration::zero()) continue;
    return std::to_string(duration / unit.length).append(unit.name);
  }
  return std::to_string(duration.count()).append("ns");
}

}  // namespace sluice::config
