// SPDX-License-Identifier: Apache-2.0
//
// The methods of protocol.h: parameters in, result out.
//
// Threads  The control thread.
// Errors   Throws BadParams for parameters that it cannot use.
#pragma once

#include "apps/control/protocol.h"
#include "apps/control/sources.h"
#include "base/counters.h"

#include <stdexcept>
#include <string_view>

namespace sluice::control {

class BadParams : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// `method` is a name of kMethods; `params` an object.
Json run_method(std::string_view method, const Json& params, const CounterRegistry& counters,
                const Sources& sources);

}  // namespace sluice::control
