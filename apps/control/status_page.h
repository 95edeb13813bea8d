// SPDX-License-Identifier: Apache-2.0
//
// The status page: web/status.html with its tables filled in. No scripts, nothing loaded from
// elsewhere.
//
// Threads  Any.
#pragma once

#include "apps/control/sources.h"
#include "base/counters.h"

#include <string>
#include <string_view>

namespace sluice::control {

std::string status_page(const CounterRegistry& counters, const Sources& sources);

// Text as it may stand in HTML, between tags and in quoted attributes.
std::string escape_html(std::string_view text);

}  // namespace sluice::control
