// SPDX-License-Identifier: Apache-2.0
//
// From the result of a method to what people read.
#pragma once

#include "apps/control/protocol.h"

#include <string>
#include <string_view>

namespace sluice::sluicectl {

// `method` is a name of control::kMethods.
std::string show(std::string_view method, const control::Json& result);

}  // namespace sluice::sluicectl
