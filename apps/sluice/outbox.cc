// SPDX-License-Identifier: Apache-2.0
#include "apps/sluice/outbox.h"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

constexpr CounterInfo kInfos[] = {
    {"egress_messages_total", "result=\"local\"", "Messages handed to the data plane.",
     MetricKind::Counter},
    {"egress_messages_total", "result=\"across\"", "Messages handed to the data plane.",
     MetricKind::Counter},
    {"egress_messages_total", "result=\"ring_full\"", "Messages handed to the data plane.",
     MetricKind::Counter},
    {"egress_messages_total", "result=\"no_buffer\"", "Messages handed to the data plane.",
     MetricKind::Counter},
    {"egress_messages_total", "result=\"no_way\"", "Messages handed to the data plane.",
     MetricKind::Counter},
};
static_assert(std::size(kInfos) == static_cast<std::size_t>(OutboxCounter::Count));

constexpr std::uint32_t kBurst = 32;

}  // namespace

std::span<const CounterInfo> outbox_counter_infos() {
  return kInfos;
}

ListenerDirectory::ListenerDirectory(const dataplane::Topology& topology,
                                     std::vector<std::string> advertised)
    : topology_(topology), sent_by_(std::move(advertised)) {
  for (std::size_t id = 0; id < sent_by_.size(); ++id) {
    const auto* entry = topology.listener(static_cast<ListenerId>(id));
    SLUICE_CHECK(entry != nullptr);
    if (sent_by_[id].empty()) sent_by_[id] = entry->local.to_string();
    sip::Listener listener;
    listener.id = static_cast<ListenerId>(id);
    listener.transport = entry->transport;
    listener.local = entry->local;
    listener.network = entry->port;
    listeners_.push_back(listener);
  }
  for (std::size_t id = 0; id < listeners_.size(); ++id) listeners_[id].sent_by = sent_by_[id];
}

const sip::Listener* ListenerDirectory::find(ListenerId id) const noexcept {
  return id < listeners_.size() ? &listeners_[id] : nullptr;
}

const sip::Listener* ListenerDirectory::select(Transport transport,
                                               const IpAddress& remote) const noexcept {
  return find(topology_.select_listener(transport, remote));
}

CoreOutbox::CoreOutbox(const ListenerDirectory& listeners, dataplane::FramePort& buffers,
                       dataplane::LargeBuffers& large, std::vector<EgressLink> links,
                       std::vector<std::vector<std::uint8_t>> servers)
    : listeners_(listeners),
      buffers_(buffers),
      large_(large),
      links_(std::move(links)),
      servers_(std::move(servers)),
      given_(links_.size(), false) {}

OwnedBytes CoreOutbox::allocate(Core& core, std::uint32_t size) noexcept {
  constexpr std::uint32_t kHeadroom = dataplane::wire::kTxHeadroom;
  if (size + kHeadroom <= buffers_.largest_buffer()) return buffers_.allocate(size, kHeadroom);
  return large_.allocate(core, size);
}

bool CoreOutbox::send(Core& core, sip::Outbound&& message) noexcept {
  const sip::Listener* listener = listeners_.find(message.listener);
  if (listener == nullptr) {
    counters_[OutboxCounter::NoWay].add();
    return false;
  }
  const auto& servers = servers_[listener->network];
  const auto serves = [&](std::uint8_t id) {
    return std::find(servers.begin(), servers.end(), id) != servers.end();
  };
  // A datagram may leave through any core that has a queue; a stream only through the one that owns
  // it.
  std::uint8_t chosen = servers[core.id() % servers.size()];
  if (!is_stream(message.transport) && serves(core.id())) {
    chosen = core.id();
  } else if (message.flow && serves(message.flow.poll_core())) {
    chosen = message.flow.poll_core();
  }
  EgressLink& link = links_[chosen];
  if (link.local != nullptr) {
    counters_[OutboxCounter::SentLocal].add();
    link.local->send_datagram(core, message.listener, message.remote, std::move(message.bytes));
    return true;
  }
  if (!link.ring->push(std::move(message))) {
    counters_[OutboxCounter::RingFull].add();
    return false;
  }
  counters_[OutboxCounter::SentAcross].add();
  given_[chosen] = true;
  return true;
}

void CoreOutbox::flush(Core&) {
  for (std::size_t i = 0; i < given_.size(); ++i) {
    if (!given_[i]) continue;
    given_[i] = false;
    links_[i].loop->notify();
  }
}

std::uint32_t EgressPoller::poll(Core& core) {
  std::uint32_t sent = 0;
  std::array<sip::Outbound, kBurst> burst;
  for (OutboundRing* ring : rings_) {
    const std::uint32_t count = ring->pop_burst(burst);
    for (std::uint32_t i = 0; i < count; ++i) {
      egress_.send_datagram(core, burst[i].listener, burst[i].remote, std::move(burst[i].bytes));
    }
    sent += count;
  }
  return sent;
}

}  // namespace sluice
