// SPDX-License-Identifier: Apache-2.0
//
// Views: what the control thread tells people about the running edge.
//
// Threads  The functions of a Sources say who may call them; all of them borrow `wiring`.
#pragma once

#include "apps/control/sources.h"
#include "apps/sluice/wiring.h"

namespace sluice {

// live, drain and tick are the supervisor's to add.
control::Sources make_sources(Wiring& wiring);

}  // namespace sluice
