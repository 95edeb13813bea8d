// SPDX-License-Identifier: Apache-2.0
//
// Inbound: one parsed message on its way from a poll core to a servant.
//
// Threads  Made by a poll core, moved through a ring, destroyed by the servant core; the pool takes
//          the
//          object back from any core.
// Memory   Owns its bytes. A servant that needs them longer moves `bytes` out or copies.
#pragma once

#include "base/bytes.h"
#include "base/clock.h"
#include "base/core.h"
#include "base/endpoint.h"
#include "base/flow_id.h"
#include "base/pool.h"
#include "sipcore/parse/message.h"
#include "sipcore/parse/sanity.h"

namespace sluice::sip {

struct Inbound {
  OwnedBytes bytes;
  Message message;  // index into `bytes`
  Essentials
      essentials;   // views into `bytes`; filled by the inspection, before any servant reads it
  Endpoint source;  // where it really came from (RFC 3261 18.2.1)
  Endpoint local;   // our address it was sent to
  FlowId flow;      // hand back to answer on the same way
  ListenerId listener = kNoListener;
  Transport transport = Transport::Udp;
  Instant received{};
};

using InboundPool = ObjectPool<Inbound>;
using InboundPointer = InboundPool::Pointer;

// Who takes messages on a servant core: the transaction layer, or a stage in front of it.
class InboundHandler {
 public:
  virtual ~InboundHandler() = default;
  virtual void on_message(Core& core, InboundPointer inbound) noexcept = 0;
};

}  // namespace sluice::sip
