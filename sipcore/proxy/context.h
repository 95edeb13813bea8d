// SPDX-License-Identifier: Apache-2.0
//
// ResponseContext: one request on its way through the proxy (RFC 3261 16.2); ProxyBranch: one
// target of it.
//
// Threads  The core of its proxy.
// Memory   From the proxy's pools. A context lives as long as its server transaction or one of its
//          client transactions does: 2xx that come late still find their way back (RFC 6026).
#pragma once

#include "base/pool.h"
#include "sipcore/proxy/target.h"
#include "sipcore/txn/layer.h"

#include <cstdint>

namespace sluice::sip {

class Proxy;
struct ResponseContext;

// Named after what it is in RFC 3261 16.6; sip::Branch is the parameter.
struct ProxyBranch {
  explicit ProxyBranch(ResponseContext& owner) noexcept : context(owner) {}
  void on_timer_c(Core& core);

  bool pending() const noexcept { return status == 0; }

  ResponseContext& context;
  ProxyBranch* next = nullptr;
  ClientTransaction* client = nullptr;  // until it has terminated
  const Received* live = nullptr;       // the final response, while it is being handled
  OwnedBytes final;                     // the final response, while the context waits for others
  MemberTimer<ProxyBranch, &ProxyBranch::on_timer_c> timer_c{*this};
  std::uint16_t status = 0;    // of the final response; made up if there is neither of the above
  bool ringing = false;        // a provisional response has come
  bool cancel_wanted = false;  // CANCEL goes out with the first provisional response (9.1)
  bool cancel_sent = false;
};

struct ResponseContext {
  ResponseContext(Proxy& owner, ServerTransaction& transaction) noexcept
      : proxy(owner), server(&transaction), invite(transaction.method() == Method::Invite) {}

  bool has_pending_branch() const noexcept {
    for (const ProxyBranch* each = branches; each != nullptr; each = each->next) {
      if (each->pending()) return true;
    }
    return false;
  }

  Proxy& proxy;
  ServerTransaction* server;  // until it has terminated
  ProxyBranch* branches = nullptr;
  ObjectPool<TargetSet>::Pointer later;  // targets with a lower q
  ResponseContext* previous = nullptr;   // among the proxy's contexts
  ResponseContext* next = nullptr;
  std::uint64_t loop = 0;
  std::uint32_t breadth = 0;          // RFC 5393: branches that may be pending at once
  ListenerId listener = kNoListener;  // the request came in here
  const bool invite;
  bool record_route = false;
  bool set_breadth = false;
  bool cancelled = false;
  bool answered = false;  // a final response has been forwarded, or never will be
};

}  // namespace sluice::sip
