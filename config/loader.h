// SPDX-License-Identifier: Apache-2.0
//
// Loading a configuration file: libconfig text in, Settings or every reason why not out.
//
// Threads  Any; nothing is shared.
// Memory   Allocates freely: start-up and reload only, never a core of the packet path.
// Errors   All mistakes of a file are reported together, each with its place. Nothing throws.
// See      docs/configuration.md
#pragma once

#include "base/result.h"
#include "config/settings.h"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

struct Error {
  std::string file;
  unsigned line = 0;  // 0: the file as a whole
  std::string text;

  // "sluice.cfg:35: cores.poll must name at least one core"
  std::string to_string() const;
};

using Errors = std::vector<Error>;  // in the order of the file

// What the file is checked against besides itself.
struct Machine {
  std::vector<unsigned> cpus;  // CPU numbers that may be named; empty: any

  // The CPUs that this process may run on.
  static Machine here();
};

Result<Settings, Errors> load_file(const std::string& path, const Machine& machine);

// `name` stands in the messages, and "@include" looks beside it.
Result<Settings, Errors> load_text(std::string_view text, const std::string& name,
                                   const Machine& machine);

}  // namespace sluice::config
