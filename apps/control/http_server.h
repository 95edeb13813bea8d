// SPDX-License-Identifier: Apache-2.0
//
// HttpServer: /metrics, /live, /ready and the status page.
//
// Threads  Its own: one that accepts and kWorkers that answer. They call the Sources functions
//          marked "any".
// Memory   Bounded: at most kWorkers requests at a time and kQueue connections waiting; further
//          ones stay
//          in the kernel's backlog.
// Errors   open() says what is wrong. It changes nothing and asks nobody who he is: listen on
//          loopback or a
//          management network.
#pragma once

#include "apps/control/sources.h"
#include "base/counters.h"
#include "base/endpoint.h"
#include "base/result.h"

#include <cstdint>
#include <memory>
#include <string>

namespace sluice::control {

class HttpServer {
 public:
  static constexpr unsigned kWorkers = 4;
  static constexpr unsigned kQueue = 64;

  HttpServer(const CounterRegistry& counters, const Sources& sources);
  ~HttpServer();  // stops
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Port 0: any; the answer is the port taken.
  Result<std::uint16_t, std::string> open(const Endpoint& at);

 private:
  struct Running;  // keeps cpp-httplib out of this header
  const CounterRegistry& counters_;
  const Sources& sources_;
  std::unique_ptr<Running> running_;
};

}  // namespace sluice::control
