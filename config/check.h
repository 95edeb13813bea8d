// SPDX-License-Identifier: Apache-2.0
//
// From a file's tree to Settings: the rules that hold between keys.
//
// Threads  Any; nothing is shared.
// Errors   Appended to `errors`; the Settings are good for nothing if there are any.
#pragma once

#include "config/document.h"
#include "config/loader.h"
#include "config/settings.h"

namespace sluice::config {

Settings check(const Node& root, const Machine& machine, Errors& errors);

}  // namespace sluice::config
