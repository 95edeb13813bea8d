// SPDX-License-Identifier: Apache-2.0
//
// CoreOutbox: the way out of one core, from sip::Outbox to dataplane::Egress.
//
// A datagram leaves through this core itself where it has a queue of the listener's port, otherwise
// through a ring to a poll core that has: the one it was received on, for an answer.
//
// Threads  One per core, used by it alone. EgressPoller is the other end of the rings.
// Memory   Small messages are written into a port's transmit buffer, large ones into this core's
//          share of
//          the large buffers; both travel by move.
// Errors   A full ring or a dry pool: counted, and the message is gone (UDP: the peer retransmits).
#pragma once

#include "base/counters.h"
#include "base/poll_loop.h"
#include "base/ring.h"
#include "dataplane/api/egress.h"
#include "dataplane/api/frame_port.h"
#include "dataplane/net/large_buffers.h"
#include "dataplane/net/topology.h"
#include "sipcore/outbound.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice {

using OutboundRing = Ring<sip::Outbound>;

enum class OutboxCounter : std::uint8_t { SentLocal, SentAcross, RingFull, NoBuffer, NoWay, Count };
using OutboxCounters = CounterBlock<OutboxCounter, static_cast<std::size_t>(OutboxCounter::Count)>;
std::span<const CounterInfo> outbox_counter_infos();

// The way from one core to one poll core.
struct EgressLink {
  dataplane::Egress* local = nullptr;  // the same core
  OutboundRing* ring = nullptr;        // this core is its only producer
  PollLoop* loop = nullptr;
};

// The `listen` entries as SIP code sees them, for every core. Constant after start.
class ListenerDirectory {
 public:
  ListenerDirectory(const dataplane::Topology& topology, std::vector<std::string> advertised);
  const sip::Listener* find(ListenerId id) const noexcept;
  const sip::Listener* select(Transport transport, const IpAddress& remote) const noexcept;
  std::size_t size() const noexcept { return listeners_.size(); }

 private:
  const dataplane::Topology& topology_;
  std::vector<std::string> sent_by_;
  std::vector<sip::Listener> listeners_;  // by id
};

class CoreOutbox final : public sip::Outbox, public Poller {
 public:
  // links: by core id. servers: for each port, the ids of the poll cores that own a queue of it.
  CoreOutbox(const ListenerDirectory& listeners, dataplane::FramePort& buffers,
             dataplane::LargeBuffers& large, std::vector<EgressLink> links,
             std::vector<std::vector<std::uint8_t>> servers);

  OwnedBytes allocate(Core& core, std::uint32_t size) noexcept override;
  bool send(Core& core, sip::Outbound&& message) noexcept override;
  const sip::Listener* select(Transport transport,
                              const IpAddress& remote) const noexcept override {
    return listeners_.select(transport, remote);
  }
  const sip::Listener* listener(ListenerId id) const noexcept override {
    return listeners_.find(id);
  }

  // Poller: only to wake, once per turn, the poll cores that were given something.
  std::uint32_t poll(Core&) override { return 0; }
  void flush(Core& core) override;

  const OutboxCounters& counters() const noexcept { return counters_; }

 private:
  // Constant after construction.
  const ListenerDirectory& listeners_;
  dataplane::FramePort& buffers_;
  dataplane::LargeBuffers& large_;
  std::vector<EgressLink> links_;
  std::vector<std::vector<std::uint8_t>> servers_;
  // This core only.
  std::vector<bool> given_;
  // Written by this core, read by metrics.
  OutboxCounters counters_;
};

// On a poll core: takes what the servant cores hand over and sends it.
class EgressPoller final : public Poller {
 public:
  EgressPoller(dataplane::Egress& egress, std::vector<OutboundRing*> rings)
      : egress_(egress), rings_(std::move(rings)) {}
  std::uint32_t poll(Core& core) override;

 private:
  dataplane::Egress& egress_;
  std::vector<OutboundRing*> rings_;
};

}  // namespace sluice
