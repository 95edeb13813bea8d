// SPDX-License-Identifier: Apache-2.0
//
// Secrets: the keys of this run, drawn from the operating system once. Nothing is kept across a
// restart.
#pragma once

#include "base/hash.h"

namespace sluice {

// Throws std::system_error when the kernel has no randomness to give.
HashKey draw_key();

}  // namespace sluice
