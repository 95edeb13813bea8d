// SPDX-License-Identifier: Apache-2.0
//
// The edge: settings in, a running process out. The only place that sees every layer.
#pragma once

#include "config/settings.h"

namespace sluice {

// Starts everything, runs until SIGTERM or SIGINT has drained it, and takes everything down again.
// Returns the process's exit code; throws std::exception with a sentence for the operator when the
// machine does not let it start.
int run_edge(const config::Settings& settings);

}  // namespace sluice
