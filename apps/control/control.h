// SPDX-License-Identifier: Apache-2.0
//
// Control: how people and monitoring reach the process. One thread serves the control socket and
// runs the tick; HTTP has a few threads of its own.
//
// Threads  Constructed and opened by main; then run() on the control thread. stop() from any
//          thread.
// Memory   Borrows the registry; both stay unchanged from open() on.
// Errors   open() fails with a sentence. Later nothing here can stop the packet path.
#pragma once

#include "apps/control/http_server.h"
#include "apps/control/rpc.h"
#include "apps/control/rpc_server.h"
#include "apps/control/sources.h"
#include "base/counters.h"
#include "base/result.h"
#include "config/settings.h"

#include <atomic>
#include <cstdint>
#include <string>

namespace sluice::control {

class Control {
 public:
  static constexpr std::chrono::milliseconds kTick{100};

  Control(const CounterRegistry& counters, Sources sources);

  // The socket, and HTTP unless it is off.
  Result<void, std::string> open(const config::Control& settings);
  // The port that HTTP took; 0: off.
  std::uint16_t http_port() const { return http_port_; }

  void run();  // until stop()
  void stop() noexcept;

 private:
  const Sources sources_;
  const Rpc rpc_;
  RpcServer server_;
  HttpServer http_;
  std::uint16_t http_port_ = 0;
  std::atomic<bool> stopping_{false};
};

}  // namespace sluice::control
