// SPDX-License-Identifier: Apache-2.0
//
// Reassembler: IP fragments in, whole transport packets out (RFC 791 3.2, RFC 8200 4.5).
//
// Ours, because rte_ip_frag 22.11 stops at 8 fragments, has a public hash seed, leaves the protocol
// out of the key and mishandles duplicates and overlaps. Fragments are copied to their place in one
// large buffer as they come, so no receive buffer is held hostage and the result is contiguous.
//
// Overlap is attack or corruption, never a retransmission (RFC 5722, RFC 8200 4.5): everything is
// discarded and the key stays poisoned until its time is up. An exact duplicate is ignored.
//
// Threads  Its worker's core only.
// Memory   A fixed number of datagrams at once; the oldest gives way, and a source that has its
//          share
//          gives up its own oldest first.
// Errors   add() names the reason; see the NetCounter rows Fragment*.
#pragma once

#include "base/core.h"
#include "base/endpoint.h"
#include "dataplane/net/counters.h"
#include "dataplane/net/large_buffers.h"

#include <array>
#include <cstdint>
#include <vector>

namespace sluice::dataplane {

struct FragmentKey {
  IpAddress source;
  IpAddress destination;
  std::uint32_t id = 0;
  std::uint16_t port = 0;
  std::uint8_t protocol = 0;

  std::uint64_t hash(const HashKey& key) const noexcept;
  friend bool operator==(const FragmentKey&, const FragmentKey&) = default;
};

struct Fragment {
  std::uint32_t offset = 0;  // bytes
  bool more = false;
  ByteView bytes;
};

struct ReassemblyOptions {
  std::uint32_t datagrams = 64;                    // at once
  std::uint32_t per_source = 16;                   // of them
  Duration timeout_v4 = std::chrono::seconds{15};  // RFC 1122 3.3.2 would allow 60-120 s
  Duration timeout_v6 = std::chrono::seconds{60};  // RFC 8200 4.5
};

class Reassembler {
 public:
  // 64 KiB in pieces of 1,368 B, the least that an IPv4-in-something tunnel over Ethernet leaves.
  static constexpr std::uint32_t kMostFragments = 48;

  Reassembler(const ReassemblyOptions& options, HashKey key, LargeBuffers& buffers,
              NetCounters& counters);

  // FragmentHeld, or a drop reason, or Delivered when `whole` has become the complete packet.
  NetCounter add(Core& core, const FragmentKey& key, const Fragment& fragment,
                 OwnedBytes& whole) noexcept;

  bool busy() const noexcept { return newest_ != kNone; }
  // Gives up what has timed out.
  void tick(Instant now) noexcept;

 private:
  static constexpr std::uint16_t kNone = 0xffff;
  static constexpr std::uint32_t kSourceBuckets = 1024;

  struct Range {
    std::uint32_t begin;
    std::uint32_t end;
  };
  struct Context {
    FragmentKey key;
    std::uint64_t hash = 0;
    std::uint32_t source_bucket = 0;
    Instant deadline{};
    OwnedBytes buffer;        // empty: poisoned
    std::uint32_t total = 0;  // zero: the last fragment has not come
    std::uint32_t received = 0;
    std::uint16_t ranges = 0;
    std::uint16_t chain = kNone;  // next with the same hash slot, or next free
    std::uint16_t older = kNone, newer = kNone;
    std::array<Range, kMostFragments> range;  // sorted
  };

  Context* find(std::uint64_t hash, const FragmentKey& key) noexcept;
  Context* open(Core& core, std::uint64_t hash, const FragmentKey& key) noexcept;
  void close(Context& context) noexcept;
  void evict(Context& context) noexcept;
  NetCounter poison(Context& context, NetCounter reason) noexcept;
  NetCounter place(Context& context, const Fragment& fragment) noexcept;
  std::uint16_t index_of(const Context& context) const noexcept {
    return static_cast<std::uint16_t>(&context - contexts_.data());
  }

  // Constant after construction.
  const ReassemblyOptions options_;
  const HashKey key_;
  LargeBuffers& buffers_;
  // Owner core only.
  std::vector<Context> contexts_;
  std::vector<std::uint16_t> heads_;
  std::vector<std::uint16_t> of_source_;  // datagrams by hash of the source
  std::uint16_t free_ = kNone;
  std::uint16_t oldest_ = kNone;
  std::uint16_t newest_ = kNone;
  NetCounters& counters_;
};

}  // namespace sluice::dataplane
