// SPDX-License-Identifier: Apache-2.0
//
// Received: a message as an application sees it: the message, its decoded headers, where it came
// from.
//
// Threads  The servant core that received it.
// Memory   Borrowed: good for this call. What is needed longer is copied.
#pragma once

#include "sipcore/inbound.h"
#include "sipcore/parse/sanity.h"
#include "sipcore/responder.h"

namespace sluice::sip {

struct Received {
  const Inbound& inbound;
  const Essentials& essentials;

  const Message& message() const noexcept { return inbound.message; }
};

// An application that answers requests itself (registrar, options): whoever routes a request to it
// gives it the way to answer. It answers each request exactly once with a final response, now or
// later.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  virtual void on_request(Core& core, const Received& request, Responder& responder) = 0;
};

}  // namespace sluice::sip
