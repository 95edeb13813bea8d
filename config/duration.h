// SPDX-License-Identifier: Apache-2.0
//
// Durations as people write them: "500ms", "10s", "5m", "1h", "2d".
#pragma once

#include "base/clock.h"

#include <optional>
#include <string>
#include <string_view>

namespace sluice::config {

// A whole number and one of us, ms, s, m, h, d; no blanks, no sign. Empty if the text is anything
// else or the duration is longer than 10,000 days.
std::optional<Duration> parse_duration(std::string_view text);

// In the largest unit that leaves a whole number: 60 s is "1m".
std::string format_duration(Duration duration);

}  // namespace sluice::config
