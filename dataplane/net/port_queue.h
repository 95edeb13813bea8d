// SPDX-License-Identifier: Apache-2.0
//
// PortQueue: one queue of one port as its worker uses it: receive bursts in, a transmit batch out.
//
// Threads  The worker that owns the queue.
// Memory   A batch of kTxBatch frames; it is given to the port when full and in flush().
// Errors   What the port does not take stays for the next flush(). A port that takes nothing for
//          kPatience flushes loses the batch, and a full batch loses the newest frame; both are
//          counted.
#pragma once

#include "dataplane/api/frame_port.h"
#include "dataplane/net/counters.h"
#include "dataplane/net/topology.h"
#include "dataplane/net/wire.h"

#include <array>
#include <cstdint>
#include <span>

namespace sluice::dataplane {

class PortQueue {
 public:
  // Two of the largest datagrams in fragments, and some.
  static constexpr std::uint32_t kTxBatch = 128;
  static constexpr std::uint32_t kPatience = 16;

  PortQueue(FramePort& port, std::uint16_t index, std::uint16_t queue, const PortSpec& spec);

  std::uint32_t receive(std::span<RxFrame> out) noexcept {
    const std::uint32_t count = port_.receive(queue_, out);
    if (count == 0) return 0;
    std::uint64_t bytes = 0;
    for (std::uint32_t i = 0; i < count; ++i) bytes += out[i].bytes.size();
    counters_[PortCounter::RxPackets].add(count);
    counters_[PortCounter::RxBytes].add(bytes);
    return count;
  }

  // `frame.bytes` starts with the layer 3 header and has headroom for layer 2.
  void send(TxFrame&& frame, const MacAddress& to, std::uint16_t ethertype) noexcept;
  void flush() noexcept;

  std::uint16_t index() const noexcept { return index_; }
  std::uint16_t mtu() const noexcept { return mtu_; }
  std::uint32_t l2_length() const noexcept { return l2_length_; }
  const PortInfo& info() const noexcept { return info_; }
  const PortSpec& spec() const noexcept { return spec_; }
  const MacAddress& mac() const noexcept { return info_.mac; }
  // The EUI-64 link-local address of RFC 4291 appendix A.
  const IpAddress& link_local() const noexcept { return link_local_; }
  OwnedBytes allocate(std::uint32_t size) noexcept {
    return port_.allocate(size, wire::kTxHeadroom);
  }
  std::uint32_t pending() const noexcept { return pending_; }
  const PortCounters& counters() const noexcept { return counters_; }

 private:
  // Constant after construction.
  FramePort& port_;
  const PortSpec& spec_;
  const PortInfo info_;
  const std::uint16_t index_;
  const std::uint16_t queue_;
  std::uint16_t mtu_;
  std::uint32_t l2_length_;
  IpAddress link_local_;
  // Source MAC, tags: what stands between the destination MAC and the ethertype.
  std::array<std::uint8_t, 6 + 2 * wire::kVlanTagLength> l2_template_{};
  // Owner core only.
  std::array<TxFrame, kTxBatch> batch_;
  std::uint32_t pending_ = 0;
  std::uint32_t refused_ = 0;  // flushes without progress
  PortCounters counters_;
};

}  // namespace sluice::dataplane
