// SPDX-License-Identifier: Apache-2.0
//
// OptionsServant: answers OPTIONS that is meant for the edge itself (RFC 3261 11.2): the ping of
// dispatchers and monitors.
//
// Threads  Any servant core: it has no state but the flag, which any thread may set.
// Memory   None.
// Errors   503 while draining, so that load balancers take us out.
#pragma once

#include "sipcore/received.h"

#include <atomic>

namespace sluice::options {

class OptionsServant final : public sip::RequestHandler {
 public:
  explicit OptionsServant(const std::atomic<bool>& draining) : draining_(draining) {}
  void on_request(Core& core, const sip::Received& request, sip::Responder& responder) override;

 private:
  const std::atomic<bool>& draining_;
};

}  // namespace sluice::options
