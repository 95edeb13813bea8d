// SPDX-License-Identifier: Apache-2.0
//
// Device: an EAL device string taken apart ("net_tap0,iface=sluice0"), and what is known about its
// driver. Knows the traps of each driver so that nothing else has to.
//
// Threads  Start-up only.
// Errors   Sentences that say what is missing and what to run.
// See      docs/ports.md.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::dataplane {

enum class Driver : std::uint8_t {
  Pci,
  Tap,
  AfPacket,
  AfXdp,
  Memif,
  Ring,
  Null,
  Pcap,
  VirtioUser,
  Other
};

class Device {
 public:
  // The error lacks the port's name: the caller puts it in front.
  static Result<Device, std::string> parse(std::string_view text);

  Driver driver() const { return driver_; }
  const std::string& name() const { return name_; }  // "net_tap0", "0000:3b:00.1"
  std::optional<std::string> argument(std::string_view key) const;
  void set_default(std::string_view key, std::string value);  // unless the user has said
  std::string to_string() const;                              // for EAL

  // The kernel interface it stands on; empty when it has none (or makes its own: tap).
  std::string lower_interface() const;

  // Says why the device cannot work here before DPDK fails with less to say: privilege,
  // /dev/net/tun, a missing interface, a NIC that still belongs to the kernel. Empty when nothing
  // is known against it.
  std::string find_obstacle(bool hugepages) const;

 private:
  std::string name_;
  Driver driver_ = Driver::Other;
  std::vector<std::pair<std::string, std::string>> arguments_;
};

// True for an interface whose peer is on this machine (veth, bridge, virtio...): such a peer may
// leave the UDP checksum to hardware that is not there. Measured on veth: with the peer's tx
// offload on, every datagram arrives with only the pseudo-header sum in the checksum field.
bool has_local_peer(const std::string& interface);
bool interface_is_running(const std::string& interface);
unsigned interface_mtu(const std::string& interface);
// Queues that take an XDP socket each; at least 1.
std::uint16_t interface_channels(const std::string& interface);

}  // namespace sluice::dataplane
