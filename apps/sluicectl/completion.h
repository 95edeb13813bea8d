// SPDX-License-Identifier: Apache-2.0
//
// The completion script for bash, made from the table of methods.
#pragma once

#include <string>

namespace sluice::sluicectl {

std::string bash_completion();

}  // namespace sluice::sluicectl
