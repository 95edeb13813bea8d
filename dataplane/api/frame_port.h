// SPDX-License-Identifier: Apache-2.0
//
// FramePort: a port as L2 sees it: bursts of Ethernet frames in and out of its queues.
//
// Implemented by dataplane/dpdk for every EAL device, by the impairment (a port stacked on a port)
// and by tests. No DPDK type passes through here.
//
// Threads  A queue pair belongs to one poll core; different queues may be used by different cores
//          at once.
//          allocate() may be called by any core that is registered with the port's backend.
// Memory   Received frames are lent: they must be released or transmitted, else the port runs dry.
// Errors   transmit() returns how many it took, from the front; the rest stays with the caller.
#pragma once

#include "base/bytes.h"
#include "base/core.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace sluice::dataplane {

using MacAddress = std::array<std::uint8_t, 6>;

enum class RxChecksum : std::uint8_t {
  Unknown,  // verify in software
  Good,     // the port has verified L3 and L4
  Bad,      // the port says it is wrong
};

struct RxFrame {
  OwnedBytes bytes;  // from the Ethernet header on, without FCS, contiguous
  RxChecksum checksum = RxChecksum::Unknown;
  bool truncated = false;  // longer on the wire than what was delivered: count and drop
};

struct TxFrame {
  OwnedBytes bytes;  // from the Ethernet header on, without FCS
  // Set when the port has the offload and the sender left the checksums to it.
  std::uint8_t l2_length = 0;
  std::uint8_t l3_length = 0;
  bool offload_ipv4_checksum = false;
  bool offload_udp_checksum = false;  // the pseudo-header sum is already in place
};

struct PortInfo {
  std::string name;  // as configured: "access"
  MacAddress mac{};
  std::uint16_t mtu = 1500;  // bytes of L3
  std::uint16_t queues = 1;
  bool tx_ipv4_checksum = false;
  bool tx_udp_checksum = false;
  // The peer is the same machine (veth, tap): a UDP checksum field that holds only the
  // pseudo-header sum is accepted (CHECKSUM_PARTIAL, see docs/ports.md).
  bool accept_partial_checksum = false;
};

class FramePort {
 public:
  virtual ~FramePort() = default;
  virtual const PortInfo& info() const noexcept = 0;
  virtual std::uint32_t receive(std::uint16_t queue, std::span<RxFrame> out) noexcept = 0;
  virtual std::uint32_t transmit(std::uint16_t queue, std::span<TxFrame> frames) noexcept = 0;
  // `size` bytes with at least `headroom` in front; empty when the pool is dry or size is too
  // large.
  virtual OwnedBytes allocate(std::uint32_t size, std::uint32_t headroom) noexcept = 0;
  virtual std::uint32_t largest_buffer()
      const noexcept = 0;  // most that allocate() gives, headroom included
  // A file descriptor that becomes readable when the queue has input; -1 when the port cannot say
  // (then it must be looked at again and again).
  virtual int wake_fd(std::uint16_t queue) noexcept = 0;
  // True if the link is up, for `sluicectl show ports`.
  virtual bool link_up() const noexcept = 0;
};

}  // namespace sluice::dataplane
