// SPDX-License-Identifier: Apache-2.0
//
// Port: an Ethernet port by EAL device string: a NIC (PCI), net_tap, net_af_packet, net_af_xdp,
// net_memif, net_ring, net_null, net_pcap, virtio.
//
// Threads  open() and the destructor on the control thread. A queue belongs to one lcore;
//          allocate(),
//          statistics() and status() may be called by any registered thread.
// Memory   A pool of buffers per port, lent without a copy. A port that is closed while buffers are
//          still out leaves its pool behind, so that they can come home.
// Errors   open() says what is wrong with the machine or the device string, and what to run.
// See      docs/ports.md; dataplane/dpdk/device.h for what is known of the drivers.
#pragma once

#include "base/result.h"
#include "dataplane/api/frame_port.h"
#include "dataplane/dpdk/eal.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::dataplane {

struct PortOptions {
  std::string name;    // "access"
  std::string device;  // "net_tap0,iface=sluice0", "0000:3b:00.1"
  std::uint16_t queues = 1;
  std::uint16_t mtu = 1500;
  std::optional<MacAddress> mac;  // otherwise the device's own
  bool promiscuous = false;
  std::uint32_t buffers = 0;  // in the pool; 0: what suits the driver
};

struct PortStatistics {
  // As the driver counts.
  std::uint64_t received_frames = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_frames = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t missed = 0;  // came while no descriptor was free
  std::uint64_t receive_errors = 0;
  std::uint64_t transmit_errors = 0;
  std::uint64_t no_buffer = 0;  // the pool was dry
  // As we count.
  std::uint64_t truncated = 0;          // longer than the driver could deliver
  std::uint64_t linearised = 0;         // came in several pieces, copied into one
  std::uint64_t too_long_received = 0;  // in several pieces and longer than the largest buffer
  std::uint64_t too_long_sent = 0;      // longer than the MTU allows
  std::uint64_t copied_sent = 0;        // bytes that were not lent by a port
};

struct PortStatus {
  std::string driver;  // "net_tap"
  std::string device;  // the device string as given to EAL, defaults filled in
  std::string kernel_interface;
  std::uint16_t queues = 0;
  bool link_up = false;
  bool interrupts = false;       // wake_fd() works
  std::uint32_t speed_mbps = 0;  // 0: the driver does not know
  std::uint32_t buffers = 0;
  std::uint32_t buffers_free = 0;
};

class Port : public FramePort {
 public:
  static Result<std::unique_ptr<Port>, std::string> open(const Eal& eal,
                                                         const PortOptions& options);

  virtual PortStatistics statistics() const = 0;
  virtual PortStatus status() const = 0;
  // What the operator should know though the port works: fewer queues than asked for...
  virtual const std::vector<std::string>& notices() const noexcept = 0;
};

}  // namespace sluice::dataplane
