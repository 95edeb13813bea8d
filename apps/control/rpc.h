// SPDX-License-Identifier: Apache-2.0
//
// Rpc: one line of JSON-RPC in, one line out. No sockets: see rpc_server.h.
//
// Threads  The control thread: it calls every Sources function.
// Memory   Borrows the registry and the sources for its lifetime.
// Errors   Answered in JSON-RPC's own terms; nothing throws.
#pragma once

#include "apps/control/protocol.h"
#include "apps/control/sources.h"
#include "base/counters.h"

#include <optional>
#include <string>
#include <string_view>

namespace sluice::control {

class Rpc {
 public:
  Rpc(const CounterRegistry& counters, const Sources& sources)
      : counters_(counters), sources_(sources) {}

  // A request, or a batch of them. Empty: nothing to say (notifications).
  std::string handle(std::string_view line) const;

 private:
  std::optional<Json> call(const Json& request) const;

  const CounterRegistry& counters_;
  const Sources& sources_;
};

}  // namespace sluice::control
