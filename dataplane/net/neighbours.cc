// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/neighbours.h"

#include <bit>
#include <cstring>

namespace sluice::dataplane {
namespace {

constexpr bool asking(NeighbourState state) {
  return state == NeighbourState::Incomplete || state == NeighbourState::Probe;
}

}  // namespace

NeighbourCache::NeighbourCache(std::uint32_t capacity, std::uint32_t most_waiting, HashKey key,
                               NetCounters& counters)
    : key_(key),
      most_waiting_(most_waiting),
      entries_(std::bit_ceil(capacity < kWays ? kWays : capacity)),
      counters_(counters) {}

std::span<NeighbourCache::Entry> NeighbourCache::set_of(std::uint16_t port,
                                                        const IpAddress& address) noexcept {
  std::uint8_t packed[18];
  std::memcpy(packed, address.bytes.data(), 16);
  std::memcpy(packed + 16, &port, 2);
  const std::size_t sets = entries_.size() / kWays;
  const std::size_t set = siphash13(key_, ByteView{packed, sizeof packed}) & (sets - 1);
  return {&entries_[set * kWays], kWays};
}

NeighbourCache::Entry* NeighbourCache::find(std::uint16_t port, const IpAddress& address) noexcept {
  for (Entry& entry : set_of(port, address)) {
    if (entry.state != NeighbourState::None && entry.port == port && entry.address == address) {
      return &entry;
    }
  }
  return nullptr;
}

NeighbourCache::Entry& NeighbourCache::make_room(std::span<Entry> set) noexcept {
  Entry* oldest = nullptr;
  for (Entry& entry : set) {
    if (entry.state == NeighbourState::None) return entry;
    const bool better = oldest == nullptr || (oldest->gateway && !entry.gateway) ||
                        (oldest->gateway == entry.gateway && entry.used < oldest->used);
    if (better) oldest = &entry;
  }
  counters_[NetCounter::NeighbourEvicted].add();
  drop_waiting(*oldest, NetCounter::TxUnreachable);
  set_state(*oldest, NeighbourState::None);
  return *oldest;
}

void NeighbourCache::set_state(Entry& entry, NeighbourState state) noexcept {
  busy_ -= asking(entry.state) ? 1 : 0;
  busy_ += asking(state) ? 1 : 0;
  entry.state = state;
}

void NeighbourCache::drop_waiting(Entry& entry, NetCounter reason) noexcept {
  if (entry.waiting == 0) return;
  counters_[reason].add(entry.waiting);
  for (Waiting& datagram : take_waiting(entry)) datagram.payload.reset();
}

NeighbourCache::Resolved NeighbourCache::resolve(Instant now, std::uint16_t port,
                                                 const IpAddress& address, bool gateway) noexcept {
  Entry* entry = find(port, address);
  if (entry == nullptr) {
    entry = &make_room(set_of(port, address));
    entry->address = address;
    entry->port = port;
    entry->gateway = gateway;
    entry->attempts = 1;
    entry->asked = entry->used = now;
    set_state(*entry, NeighbourState::Incomplete);
    return {entry, Ask::Group};
  }
  entry->used = now;
  if (entry->state == NeighbourState::Reachable && now - entry->confirmed > kReachable) {
    set_state(*entry, NeighbourState::Stale);
  }
  if (entry->state == NeighbourState::Stale && now - entry->asked >= kRetry) {
    set_state(*entry, NeighbourState::Probe);
    entry->attempts = 1;
    entry->asked = now;
    return {entry, Ask::Neighbour};
  }
  return {entry, Ask::No};
}

bool NeighbourCache::wait_for(Entry& entry, Waiting&& datagram) noexcept {
  if (entry.waiting == kWaitingPerEntry || waiting_ == most_waiting_) return false;
  entry.queue[entry.waiting++] = std::move(datagram);
  ++waiting_;
  return true;
}

std::span<NeighbourCache::Waiting> NeighbourCache::take_waiting(Entry& entry) noexcept {
  waiting_ -= entry.waiting;
  return {entry.queue.data(), std::exchange(entry.waiting, std::uint8_t{0})};
}

NeighbourCache::Learned NeighbourCache::learn(Instant now, std::uint16_t port,
                                              const IpAddress& address, const MacAddress& mac,
                                              Evidence evidence, bool gateway) noexcept {
  Entry* entry = find(port, address);
  if (entry == nullptr) {
    // RFC 4861 7.2.5: an advertisement for somebody we never wanted to talk to makes no entry.
    if (evidence == Evidence::Reply || evidence == Evidence::Announce) return {};
    entry = &make_room(set_of(port, address));
    entry->address = address;
    entry->port = port;
    entry->gateway = gateway;
    entry->mac = mac;
    entry->asked = now - kRetry;
    entry->used = evidence == Evidence::Traffic ? Instant{} : now;  // first to be given up
    set_state(*entry, NeighbourState::Stale);
    return {entry, true};
  }
  if (entry->state == NeighbourState::Reachable && now - entry->confirmed > kReachable) {
    set_state(*entry, NeighbourState::Stale);
  }
  const bool same = entry->usable() && entry->mac == mac;
  const bool reply = evidence == Evidence::Reply && asking(entry->state);
  if (reply) {
    entry->mac = mac;
    entry->confirmed = now;
    set_state(*entry, NeighbourState::Reachable);
    return {entry, true};
  }
  if (same) return {entry, false};
  const bool taken_over = evidence == Evidence::Announce && entry->gateway;
  const bool open =
      entry->state == NeighbourState::Incomplete || entry->state == NeighbourState::Stale;
  // Traffic may fill a gap but never moves a neighbour: a forged source address costs nothing.
  const bool may_move = evidence != Evidence::Traffic || entry->state == NeighbourState::Incomplete;
  if ((!open && !taken_over) || !may_move) return {};
  entry->mac = mac;
  entry->asked = now - kRetry;
  set_state(*entry, NeighbourState::Stale);
  return {entry, true};
}

Ask NeighbourCache::due(Instant now, Entry& entry) noexcept {
  if (!asking(entry.state) || now - entry.asked < kRetry) return Ask::No;
  if (entry.attempts >= kAttempts) {
    counters_[NetCounter::NeighbourFailed].add();
    drop_waiting(entry, NetCounter::TxUnreachable);
    set_state(entry, NeighbourState::None);
    return Ask::No;
  }
  ++entry.attempts;
  entry.asked = now;
  return entry.state == NeighbourState::Incomplete ? Ask::Group : Ask::Neighbour;
}

}  // namespace sluice::dataplane
