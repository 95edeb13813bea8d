// SPDX-License-Identifier: Apache-2.0
//
// NeighbourCache: who has which address on our links (RFC 826, RFC 4861 section 7.3). One per
// worker.
//
// The cache decides, the caller sends: resolve() and tick() say when to ask, learn() says who has
// become reachable and hands back what waited for it.
//
//   state       event                          action                       next
//   (none)      resolve                        ask the group                Incomplete
//   (none)      request, traffic               -                            Stale
//   Incomplete  any evidence                   send what waited             Reachable (reply),
//   Stale (other) Incomplete  1 s                            ask the group, 3 times
//   Incomplete, then (none) Reachable   30 s                           -
//   Stale Stale       resolve                        ask the neighbour, use it    Probe Stale
//   evidence, other MAC            take it                      Stale Probe       reply
//   -                            Reachable Probe       1 s                            ask the
//   neighbour, 3 times   Probe, then (none) Reachable, Probe: another MAC that nobody asked for is
//   ignored, unless a known gateway announces it (its standby took over): then Stale.
//
// Threads  Its worker's core only.
// Memory   Fixed at construction: sets of eight entries; a full set gives up the entry unused for
//          longest.
//          Datagrams that wait are bounded per entry (3) and in sum.
// Errors   None; what is given up is counted.
#pragma once

#include "base/bytes.h"
#include "base/clock.h"
#include "base/endpoint.h"
#include "base/flow_id.h"
#include "dataplane/api/frame_port.h"
#include "dataplane/net/counters.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::dataplane {

enum class NeighbourState : std::uint8_t { None, Incomplete, Reachable, Stale, Probe };

// How we know.
enum class Evidence : std::uint8_t {
  Reply,     // an answer addressed to us
  Request,   // somebody asking us, with its own address in it
  Traffic,   // a datagram that came through this neighbour
  Announce,  // gratuitous ARP, unsolicited advertisement
};

enum class Ask : std::uint8_t { No, Group, Neighbour };

class NeighbourCache {
 public:
  static constexpr std::uint32_t kWaitingPerEntry = 16;
  static constexpr std::uint32_t kAttempts = 3;  // MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT
  static constexpr Duration kRetry = std::chrono::seconds{1};       // RetransTimer
  static constexpr Duration kReachable = std::chrono::seconds{30};  // REACHABLE_TIME

  struct Waiting {
    OwnedBytes payload;
    Endpoint remote;
    ListenerId listener = kNoListener;
  };

  struct Entry {
    IpAddress address;
    std::uint16_t port = 0;
    NeighbourState state = NeighbourState::None;
    bool gateway = false;  // never given up for a newer one
    std::uint8_t attempts = 0;
    std::uint8_t waiting = 0;
    MacAddress mac{};
    Instant confirmed{};
    Instant asked{};
    Instant used{};
    std::array<Waiting, kWaitingPerEntry> queue;

    bool usable() const noexcept {
      return state != NeighbourState::None && state != NeighbourState::Incomplete;
    }
  };

  NeighbourCache(std::uint32_t capacity, std::uint32_t most_waiting, HashKey key,
                 NetCounters& counters);

  struct Resolved {
    Entry* entry;
    Ask ask;
  };
  // Finds or makes the entry. If it is not usable, wait_for() keeps a datagram for it.
  Resolved resolve(Instant now, std::uint16_t port, const IpAddress& address,
                   bool gateway) noexcept;
  // False when too many wait already: the datagram stays with the caller.
  bool wait_for(Entry& entry, Waiting&& datagram) noexcept;
  // The datagrams that waited, for the caller to send and forget before the next call.
  std::span<Waiting> take_waiting(Entry& entry) noexcept;

  struct Learned {
    Entry* entry = nullptr;  // nullptr: not known and not worth knowing, or ignored
    bool changed = false;    // new, or another MAC, or confirmed
  };
  Learned learn(Instant now, std::uint16_t port, const IpAddress& address, const MacAddress& mac,
                Evidence evidence, bool gateway) noexcept;

  Entry* find(std::uint16_t port, const IpAddress& address) noexcept;
  // True when tick() has something to wait for.
  bool busy() const noexcept { return busy_ != 0; }
  // Calls ask(entry, Ask) for every question that is due again; drops what nobody answered for.
  template <typename AskFunction>
  void tick(Instant now, AskFunction&& ask) noexcept {
    if (busy_ == 0) return;
    for (Entry& entry : entries_) {
      if (const Ask what = due(now, entry); what != Ask::No) ask(entry, what);
    }
  }
  std::uint32_t waiting() const noexcept { return waiting_; }

 private:
  static constexpr std::uint32_t kWays = 8;

  std::span<Entry> set_of(std::uint16_t port, const IpAddress& address) noexcept;
  Entry& make_room(std::span<Entry> set) noexcept;
  void set_state(Entry& entry, NeighbourState state) noexcept;
  void drop_waiting(Entry& entry, NetCounter reason) noexcept;
  Ask due(Instant now, Entry& entry) noexcept;

  // Constant after construction.
  const HashKey key_;
  const std::uint32_t most_waiting_;
  // Owner core only.
  std::vector<Entry> entries_;
  std::uint32_t busy_ = 0;  // entries in Incomplete or Probe
  std::uint32_t waiting_ = 0;
  NetCounters& counters_;
};

}  // namespace sluice::dataplane
