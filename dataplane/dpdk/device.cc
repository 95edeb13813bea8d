// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace sluice::dataplane {
namespace {

struct DriverName {
  std::string_view prefix;
  Driver driver;
};

// EAL finds the driver of a virtual device by the longest prefix of its name.
constexpr std::array kDrivers{
    DriverName{"net_tap", Driver::Tap},
    DriverName{"net_af_packet", Driver::AfPacket},
    DriverName{"net_af_xdp", Driver::AfXdp},
    DriverName{"net_memif", Driver::Memif},
    DriverName{"net_ring", Driver::Ring},
    DriverName{"net_null", Driver::Null},
    DriverName{"net_pcap", Driver::Pcap},
    DriverName{"net_virtio_user", Driver::VirtioUser},
    DriverName{"virtio_user", Driver::VirtioUser},
};

constexpr unsigned kCapNetAdmin = 12;
constexpr unsigned kCapNetRaw = 13;
constexpr unsigned kCapSysAdmin = 21;
constexpr unsigned kCapBpf = 39;

bool has_capability(unsigned bit) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("CapEff:", 0) == 0) {
      return ((std::stoull(line.substr(7), nullptr, 16) >> bit) & 1U) != 0;
    }
  }
  return false;
}

bool is_pci_address(std::string_view text) {
  // 0000:3b:00.1 or 3b:00.1
  const auto hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  if (text.size() == 12) {
    if (!std::all_of(text.begin(), text.begin() + 4, hex) || text[4] != ':') return false;
    text.remove_prefix(5);
  }
  return text.size() == 7 && hex(text[0]) && hex(text[1]) && text[2] == ':' && hex(text[3]) &&
         hex(text[4]) && text[5] == '.' && text[6] >= '0' && text[6] <= '7';
}

std::string tun_obstacle() {
  const int fd = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (fd >= 0) {
    ::close(fd);
    return {};
  }
  if (errno == EACCES || errno == EPERM) {
    return "/dev/net/tun may not be opened; run as root, or: chmod 0666 /dev/net/tun";
  }
  return "there is no tun device (/dev/net/tun); run: modprobe tun";
}

std::string pci_obstacle(std::string address, bool hugepages) {
  if (address.size() == 7) address = "0000:" + address;
  const std::filesystem::path device = "/sys/bus/pci/devices/" + address;
  std::error_code error;
  if (!std::filesystem::exists(device, error)) {
    return fmt::format("there is no PCI device {}; run: dpdk-devbind.py --status-dev net", address);
  }
  const auto link = std::filesystem::read_symlink(device / "driver", error);
  const std::string driver = error ? std::string{} : link.filename().string();
  // The Mellanox drivers share the NIC with the kernel's.
  static constexpr std::array<std::string_view, 6> kUsable{
      "vfio-pci", "uio_pci_generic", "igb_uio", "mlx4_core", "mlx5_core", "uio_hv_generic"};
  if (std::find(kUsable.begin(), kUsable.end(), driver) == kUsable.end()) {
    return fmt::format(
        "PCI device {} is bound to {}, not to vfio-pci; run: dpdk-devbind.py --bind=vfio-pci {}",
        address, driver.empty() ? "no driver" : driver, address);
  }
  if (!hugepages) {
    return "a PCI device needs hugepages; run: "
           "echo 512 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
  }
  return {};
}

int interface_ioctl(const std::string& interface, unsigned long request, ifreq& query) {
  if (interface.size() >= sizeof query.ifr_name) return -1;
  std::memcpy(query.ifr_name, interface.c_str(), interface.size() + 1);
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int result = ::ioctl(fd, request, &query);
  ::close(fd);
  return result;
}

}  // namespace

Result<Device, std::string> Device::parse(std::string_view text) {
  Device device;
  bool first = true;
  while (first || !text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    if (first) {
      device.name_ = part;
      first = false;
      continue;
    }
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return fail(fmt::format("'{}' in device string: expected key=value", part));
    }
    device.arguments_.emplace_back(part.substr(0, equals), part.substr(equals + 1));
  }
  if (device.name_.empty()) return fail(std::string("the device string is empty"));
  if (is_pci_address(device.name_)) {
    device.driver_ = Driver::Pci;
    return device;
  }
  for (const DriverName& known : kDrivers) {
    if (device.name_.rfind(known.prefix, 0) == 0) device.driver_ = known.driver;
  }
  if (device.driver_ == Driver::Other && device.name_.find('_') == std::string::npos &&
      device.name_.find(':') == std::string::npos) {
    return fail(
        fmt::format("'{0}' is no device string; for a kernel interface of that name write "
                    "net_af_packet0,iface={0}",
                    device.name_));
  }
  return device;
}

std::optional<std::string> Device::argument(std::string_view key) const {
  for (const auto& [name, value] : arguments_) {
    if (name == key) return value;
  }
  return std::nullopt;
}

void Device::set_default(std::string_view key, std::string value) {
  if (!argument(key)) arguments_.emplace_back(key, std::move(value));
}

std::string Device::to_string() const {
  std::string text = name_;
  for (const auto& [key, value] : arguments_) text += "," + key + "=" + value;
  return text;
}

std::string Device::lower_interface() const {
  if (driver_ != Driver::AfPacket && driver_ != Driver::AfXdp) return {};
  return argument("iface").value_or("");
}

std::string Device::find_obstacle(bool hugepages) const {
  if (driver_ == Driver::Pci) return pci_obstacle(name_, hugepages);
  if (driver_ == Driver::Tap) {
    if (!has_capability(kCapNetAdmin)) {
      return "net_tap needs the capability CAP_NET_ADMIN; run as root, grant it with setcap "
             "cap_net_admin+ep, or run inside: unshare --user --map-root-user --net";
    }
    return tun_obstacle();
  }
  if (driver_ != Driver::AfPacket && driver_ != Driver::AfXdp) return {};
  const std::string interface = lower_interface();
  if (interface.empty()) return fmt::format("{} needs iface=NAME", name_);
  if (::if_nametoindex(interface.c_str()) == 0) {
    return fmt::format("there is no interface '{}' in this network namespace; see: ip link",
                       interface);
  }
  if (!has_capability(kCapNetRaw)) {
    return fmt::format(
        "{} needs the capability CAP_NET_RAW; run as root, or grant it with setcap "
        "cap_net_raw+ep",
        name_);
  }
  if (driver_ == Driver::AfXdp && (!has_capability(kCapNetAdmin) ||
                                   (!has_capability(kCapBpf) && !has_capability(kCapSysAdmin)))) {
    return "net_af_xdp needs the capabilities CAP_NET_ADMIN and CAP_BPF; run as root, or grant "
           "them "
           "with setcap cap_net_raw,cap_net_admin,cap_bpf+ep";
  }
  return {};
}

bool has_local_peer(const std::string& interface) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  ifreq query{};
  query.ifr_data = reinterpret_cast<char*>(&info);
  if (interface_ioctl(interface, SIOCETHTOOL, query) != 0)
    return true;  // no driver: a virtual device
  const std::string_view driver(info.driver);
  // A hypervisor's NIC carries the partial checksums of its neighbours on the same host.
  return driver == "virtio_net" ||
         std::string_view(info.bus_info).find(':') == std::string_view::npos;
}

bool interface_is_running(const std::string& interface) {
  ifreq query{};
  if (interface_ioctl(interface, SIOCGIFFLAGS, query) != 0) return false;
  constexpr int kWanted = IFF_UP | IFF_RUNNING;
  return (query.ifr_flags & kWanted) == kWanted;
}

unsigned interface_mtu(const std::string& interface) {
  ifreq query{};
  return interface_ioctl(interface, SIOCGIFMTU, query) == 0 ? static_cast<unsigned>(query.ifr_mtu)
                                                            : 0;
}

std::uint16_t interface_channels(const std::string& interface) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  ifreq query{};
  query.ifr_data = reinterpret_cast<char*>(&channels);
  if (interface_ioctl(interface, SIOCETHTOOL, query) != 0) return 1;
  // The driver counts combined channels only; an interface without any (veth) passes for one.
  return static_cast<std::uint16_t>(
      std::clamp<std::uint32_t>(channels.combined_count, 1, UINT16_MAX));
}

}  // namespace sluice::dataplane
