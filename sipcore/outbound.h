// SPDX-License-Identifier: Apache-2.0
//
// Outbound: one message on its way out. Outbox: the way out, as SIP code sees it.
//
// Threads  An Outbox belongs to one servant (or poll) core.
// Memory   allocate() lends a transmit buffer; the writer fills it and send() takes it. Whoever
//          needs the
//          bytes again for a retransmission keeps a copy.
// Errors   allocate() is empty when the buffers are used up; send() returns false when the way out
//          is
//          full (counted there). Neither is fatal: over UDP the retransmission is the recovery.
#pragma once

#include "base/bytes.h"
#include "base/core.h"
#include "base/endpoint.h"
#include "base/flow_id.h"

#include <cstdint>
#include <string_view>

namespace sluice::sip {

struct Outbound {
  OwnedBytes bytes;
  Endpoint remote;
  FlowId flow;  // set: answer on this flow; otherwise from `listener` to `remote`
  ListenerId listener = kNoListener;
  Transport transport = Transport::Udp;
};

// One of our `listen` addresses.
struct Listener {
  ListenerId id = kNoListener;
  Transport transport = Transport::Udp;
  Endpoint local;
  // host[:port] for Via sent-by and Record-Route: the advertised name, or the address (IPv6 in
  // brackets) with its port, always explicit.
  std::string_view sent_by;
  // Listeners on the same port of the machine face the same network; a change of it between the two
  // sides of a request calls for two Record-Routes.
  std::uint16_t network = 0;
};

class Outbox {
 public:
  virtual ~Outbox() = default;
  virtual OwnedBytes allocate(Core& core, std::uint32_t size) noexcept = 0;
  virtual bool send(Core& core, Outbound&& message) noexcept = 0;
  // The listener a request to `remote` leaves from: same transport and family, on the port that the
  // route to it uses. nullptr: no way there.
  virtual const Listener* select(Transport transport, const IpAddress& remote) const noexcept = 0;
  virtual const Listener* listener(ListenerId id) const noexcept = 0;
};

}  // namespace sluice::sip
