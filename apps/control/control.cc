// SPDX-License-Identifier: Apache-2.0
#include "apps/control/control.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sluice::control {

Control::Control(const CounterRegistry& counters, Sources sources)
    : sources_(std::move(sources)),
      rpc_(counters, sources_),
      server_(rpc_),
      http_(counters, sources_) {}

Result<void, std::string> Control::open(const config::Control& settings) {
  if (auto opened = server_.open(settings.socket); !opened) return opened;
  if (!settings.http) return {};
  const auto port = http_.open(*settings.http);
  if (!port) return fail(port.error());
  http_port_ = *port;
  return {};
}

void Control::run() {
  using std::chrono::steady_clock;
  auto next = steady_clock::now();
  while (!stopping_.load(std::memory_order_relaxed)) {
    const auto now = steady_clock::now();
    if (now >= next) {
      if (sources_.tick) sources_.tick();
      next = now + kTick;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - steady_clock::now());
    server_.serve(std::max(left, std::chrono::milliseconds{0}));
  }
}

void Control::stop() noexcept {
  stopping_.store(true, std::memory_order_relaxed);
  server_.wake();
}

}  // namespace sluice::control
