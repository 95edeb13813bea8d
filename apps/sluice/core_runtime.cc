// SPDX-License-Identifier: Apache-2.0
#include "apps/sluice/core_runtime.h"

#include <array>

namespace sluice {
namespace {

constexpr std::uint32_t kBurst = 32;

}  // namespace

void ServantIntake::on_message(Core& core, sip::InboundPointer inbound) noexcept {
  messages_.add();
  if (inspection_ != nullptr && !inspection_->admit(core, *inbound)) return;
  layer_.on_message(core, sip::Received{*inbound, inbound->essentials});
}

std::uint32_t ServantIntake::poll(Core& core) {
  std::uint32_t taken = 0;
  std::array<sip::InboundPointer, kBurst> burst;
  for (intercept::InboundRing* ring : rings_) {
    const std::uint32_t count = ring->pop_burst(burst);
    for (std::uint32_t i = 0; i < count; ++i) {
      if (i + 1 < count) __builtin_prefetch(burst[i + 1].get());
      on_message(core, std::move(burst[i]));
    }
    taken += count;
  }
  return taken;
}

}  // namespace sluice
