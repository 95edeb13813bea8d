// SPDX-License-Identifier: Apache-2.0
//
// PathMtuCache: what the path to a destination carries (RFC 1191, RFC 8201).
//
// Only a destination that was recently sent something large has an entry, and only an entry can
// shrink: a forged "packet too big" about a packet that never left changes nothing (RFC 8201
// section 4).
//
// Threads  Its worker's core only.
// Memory   Fixed at construction: sets of four, the oldest gives way.
#pragma once

#include "base/clock.h"
#include "base/endpoint.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

namespace sluice::dataplane {

class PathMtuCache {
 public:
  // RFC 8201 section 5.3: a lowered estimate may be forgotten after ten minutes.
  static constexpr Duration kLifetime = std::chrono::minutes{10};

  PathMtuCache(std::uint32_t capacity, HashKey key)
      : key_(key), entries_(std::bit_ceil(capacity < kWays ? kWays : capacity)) {}

  // Notes that something larger than the minimum MTU goes to `remote`; returns the MTU to use.
  std::uint16_t use(Instant now, const IpAddress& remote, std::uint16_t link_mtu) noexcept {
    Entry* set = set_of(remote);
    Entry* victim = set;
    for (Entry* entry = set; entry != set + kWays; ++entry) {
      if (entry->mtu != 0 && entry->remote == remote) {
        entry->used = now;
        if (now - entry->lowered > kLifetime || entry->mtu > link_mtu) entry->mtu = link_mtu;
        return entry->mtu;
      }
      if (victim->mtu != 0 && (entry->mtu == 0 || entry->used < victim->used)) victim = entry;
    }
    *victim = Entry{remote, link_mtu, now, now};
    return link_mtu;
  }

  // True if `mtu` is news about a destination that we have sent to.
  bool lower(Instant now, const IpAddress& remote, std::uint16_t mtu) noexcept {
    Entry* set = set_of(remote);
    for (Entry* entry = set; entry != set + kWays; ++entry) {
      if (entry->mtu == 0 || entry->remote != remote) continue;
      if (mtu >= entry->mtu || now - entry->used > kLifetime) return false;
      entry->mtu = mtu;
      entry->lowered = now;
      return true;
    }
    return false;
  }

 private:
  static constexpr std::uint32_t kWays = 4;
  struct Entry {
    IpAddress remote;
    std::uint16_t mtu = 0;
    Instant used{};
    Instant lowered{};
  };

  Entry* set_of(const IpAddress& remote) noexcept {
    const std::uint64_t hash = siphash13(key_, ByteView{remote.bytes.data(), remote.bytes.size()});
    return &entries_[(hash & (entries_.size() / kWays - 1)) * kWays];
  }

  const HashKey key_;
  std::vector<Entry> entries_;
};

}  // namespace sluice::dataplane
