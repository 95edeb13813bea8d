// SPDX-License-Identifier: Apache-2.0
//
// EalPort: the packet path of an open port. port.cc opens one. Internal to dataplane/dpdk.
//
// Threads  receive(), transmit(): one lcore per queue. Everything else: any registered thread.
// Memory   Frames are mbufs of `frames`, lent as OwnedBytes; what arrives in several segments is
//          copied
//          into one buffer of `jumbo`.
// Errors   Counted per queue.
#pragma once

#include "base/counters.h"
#include "base/ring.h"
#include "dataplane/dpdk/device.h"
#include "dataplane/dpdk/port.h"

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sluice::dataplane {

class EalPort final : public Port {
 public:
  // What open() has found out and made; a field is valid only when it says so.
  struct Parts {
    PortInfo info;
    Device device;
    std::uint16_t port_id = RTE_MAX_ETHPORTS;  // the device is there
    bool started = false;
    std::string driver;
    std::string kernel_interface;
    std::vector<std::string> notices;
    rte_mempool* frames = nullptr;
    rte_mempool* jumbo = nullptr;
    std::uint32_t max_frame = 0;       // longest that may be sent
    std::uint32_t truncated_at = ~0U;  // a received frame of this length has lost its tail
    bool transmit_offload = false;
    std::vector<int> wake_fds;   // one per queue, or empty
    int membership_socket = -1;  // keeps promiscuous/all-multicast mode of the interface
  };

  explicit EalPort(Parts parts);
  ~EalPort() override;

  const PortInfo& info() const noexcept override { return parts_.info; }
  std::uint32_t receive(std::uint16_t queue, std::span<RxFrame> out) noexcept override;
  std::uint32_t transmit(std::uint16_t queue, std::span<TxFrame> frames) noexcept override;
  OwnedBytes allocate(std::uint32_t size, std::uint32_t headroom) noexcept override;
  std::uint32_t largest_buffer() const noexcept override;
  int wake_fd(std::uint16_t queue) noexcept override;
  bool link_up() const noexcept override;

  PortStatistics statistics() const override;
  PortStatus status() const override;
  const std::vector<std::string>& notices() const noexcept override { return parts_.notices; }

  // Gives back what `parts` holds; open() uses it when it fails half-way.
  static void dismantle(Parts& parts);

 private:
  // Written by the queue's lcore, read by statistics().
  struct alignas(kCacheLine) QueueCounters {
    Counter truncated;
    Counter linearised;
    Counter too_long_received;
    Counter too_long_sent;
    Counter copied_sent;
    Counter no_buffer;
    Counter refused_by_driver;
  };

  std::uint32_t transmit_burst(std::uint16_t queue, std::span<TxFrame> frames) noexcept;
  rte_mbuf* linearise(rte_mbuf* chain, QueueCounters& counters) noexcept;
  rte_mbuf* copy_of(const OwnedBytes& bytes) noexcept;

  // Constant after construction.
  Parts parts_;
  std::unique_ptr<QueueCounters[]> counters_;
};

}  // namespace sluice::dataplane
