// SPDX-License-Identifier: Apache-2.0
//
// TargetPolicy: what the proxy core asks the application (RFC 3261 16.5).
//
// Threads  The servant core of the proxy; must not block.
// Memory   Everything handed in is good for the call; what is added to a TargetSet is copied.
// Errors   A Decision with a status refuses the request.
#pragma once

#include "sipcore/proxy/target.h"
#include "sipcore/received.h"

#include <cstdint>
#include <string_view>

namespace sluice::sip {

// A request after 16.4: what is left when our own traces are taken out of it.
struct RoutedRequest {
  const Received& received;
  Uri request_uri;             // with a strict router's work undone
  std::string_view top_route;  // first Route value that is not ours; empty: none left
  bool routed_by_us = false;   // a Route value of ours was on top
  bool in_dialog = false;      // the To header has a tag

  Method method() const noexcept { return received.message().method(); }
};

struct Decision {
  std::uint16_t status = 0;  // not 0: refuse with this
  std::string_view reason = {};
  bool record_route = false;
};

class TargetPolicy {
 public:
  virtual ~TargetPolicy() = default;

  // Do we write this host and port (0: none given) into Via and Record-Route?
  virtual bool is_self(Core& core, std::string_view host, std::uint16_t port) = 0;

  // Who answers this request here; nullptr: it is to be forwarded. Never asked about ACK.
  virtual RequestHandler* handler_for(Core& core, const RoutedRequest& request) = 0;

  // Where to. An accepted request without a target is refused with 480.
  virtual Decision targets_for(Core& core, const RoutedRequest& request, TargetSet& targets) = 0;
};

}  // namespace sluice::sip
