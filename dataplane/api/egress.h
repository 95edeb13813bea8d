// SPDX-License-Identifier: Apache-2.0
//
// Egress: how bytes leave through a poll core.
//
// Threads  allocate(): any lcore. send_datagram(): the poll core it belongs to.
// Memory   allocate() lends a buffer with room in front for every lower header, so that a datagram
//          goes out without a copy; one above the port's buffer size comes from the pool of large
//          buffers and is fragmented on the way out. Both are given back when sent or dropped.
// Errors   allocate(): empty when the pools are dry. send_datagram() takes the bytes in any case
//          and
//          counts why it dropped them (no route, neighbour unresolved, port full).
#pragma once

#include "base/bytes.h"
#include "base/core.h"
#include "base/endpoint.h"
#include "base/flow_id.h"

#include <cstdint>

namespace sluice::dataplane {

class Egress {
 public:
  virtual ~Egress() = default;
  // `size` bytes of payload; the content is undefined.
  virtual OwnedBytes allocate(Core& core, std::uint32_t size) noexcept = 0;
  // From the listener's address and port to `remote`.
  virtual void send_datagram(Core& core, ListenerId listener, const Endpoint& remote,
                             OwnedBytes payload) noexcept = 0;
};

}  // namespace sluice::dataplane
