// SPDX-License-Identifier: Apache-2.0
//
// DatagramSink: where a poll core delivers UDP payloads.
//
// Threads  Called only on the poll core that received the datagram; must not block.
// Memory   The sink gets the datagrams by reference and moves out the payloads it keeps
//          (Datagram::payload); what it leaves behind is freed by the caller after the call.
// Errors   A sink cannot fail a burst; what it refuses, it counts.
// See      docs/architecture.md, "Life of a message".
#pragma once

#include "base/bytes.h"
#include "base/core.h"
#include "base/endpoint.h"
#include "base/flow_id.h"

#include <cstdint>
#include <span>

namespace sluice::dataplane {

struct Datagram {
  OwnedBytes payload;  // the UDP payload, contiguous, whole (reassembled, checksum verified)
  Endpoint source;
  Endpoint destination;
  ListenerId listener = kNoListener;
  Instant received{};
};

class DatagramSink {
 public:
  virtual ~DatagramSink() = default;
  // One call per burst, not per packet: the whole burst shares the cost of the virtual call.
  virtual void on_datagrams(Core& core, std::span<Datagram> burst) noexcept = 0;
};

}  // namespace sluice::dataplane
