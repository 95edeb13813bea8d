// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/port.h"

#include "dataplane/dpdk/device.h"
#include "dataplane/dpdk/eal_log.h"
#include "dataplane/dpdk/eal_port.h"
#include "dataplane/dpdk/kernel_fds.h"

#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace sluice::dataplane {
namespace {

// Ethernet header and two VLAN tags on top of the MTU.
constexpr std::uint32_t kLinkOverhead = RTE_ETHER_HDR_LEN + 2 * 4;
constexpr std::uint32_t kSmallestRoom = 2048;
constexpr std::uint16_t kDescriptors = 1024;
// The tap driver takes one buffer per descriptor out of the pool for scattered frames, which are
// off.
constexpr std::uint16_t kTapDescriptors = 64;
constexpr std::uint32_t kBuffers = 8192;
constexpr std::uint32_t kBigBuffers = 4096;
constexpr std::uint32_t kJumboBuffers = 32;
constexpr std::uint32_t kCachePerLcore = 256;
// af_packet: the kernel hands over datagrams that it has reassembled and super-packets of GSO/GRO,
// and what does not fit into framesz loses its tail without a word. 16 KiB hold all but the worst,
// which are told by their length: TPACKET_V2 leaves framesz - 66 bytes for the frame.
constexpr std::uint32_t kAfPacketFrame = 16384;
constexpr std::uint32_t kTpacketOverhead = 66;
constexpr std::uint32_t kAfPacketRing = 512;  // frames each way, the driver's default
constexpr std::uint32_t kSmallestRing = 32;

// Toeplitz with this key gives both directions of a flow the same hash.
constexpr std::uint8_t kSymmetricKey[] = {0x6d, 0x5a};

bool can_lock(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
  if (memory == MAP_FAILED) return false;
  ::munmap(memory, bytes);
  return true;
}

class Opening {
 public:
  Opening(const Eal& eal, const PortOptions& options) : eal_(eal), options_(options) {}
  ~Opening() {
    if (!handed_over_) EalPort::dismantle(parts_);
  }
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;

  // Each step is empty on success, else the reason.
  std::string run() {
    for (const auto step :
         {&Opening::prepare_device, &Opening::attach, &Opening::size_up, &Opening::make_pools,
          &Opening::configure, &Opening::start, &Opening::finish}) {
      if (std::string reason = (this->*step)(); !reason.empty()) return reason;
    }
    return {};
  }

  std::unique_ptr<Port> result() {
    handed_over_ = true;
    return std::make_unique<EalPort>(std::move(parts_));
  }

 private:
  std::string prepare_device();
  void fit_ring_into_locked_memory();
  std::string attach();
  std::string size_up();
  std::string make_pools();
  std::string configure();
  std::string configure_queues();
  std::string start();
  std::string finish();
  void find_wake_fds();
  std::string join_multicast(const std::string& interface);

  Driver driver() const { return parts_.device.driver(); }
  bool hardware() const { return driver() == Driver::Pci; }
  std::string because(int error) const {
    const std::string said = log_.text();
    return said.empty() ? rte_strerror(error < 0 ? -error : error) : said;
  }

  const Eal& eal_;
  const PortOptions& options_;
  const EalLog::Listening log_;
  EalPort::Parts parts_;
  rte_eth_dev_info info_{};
  std::vector<int> fds_before_ = open_fds();
  std::uint32_t data_room_ = 0;
  bool handed_over_ = false;
};

std::string Opening::prepare_device() {
  auto device = Device::parse(options_.device);
  if (!device) return device.error();
  parts_.device = std::move(*device);
  if (options_.queues == 0) return "queues must be at least 1";
  if (std::string obstacle = parts_.device.find_obstacle(eal_.uses_hugepages());
      !obstacle.empty()) {
    return obstacle;
  }
  parts_.info.queues = options_.queues;
  if (driver() == Driver::AfPacket) {
    parts_.device.set_default("framesz", std::to_string(kAfPacketFrame));
    parts_.device.set_default("blocksz", *parts_.device.argument("framesz"));
    parts_.device.set_default("qpairs", std::to_string(options_.queues));
    if (!parts_.device.argument("framecnt")) fit_ring_into_locked_memory();
  }
  if (driver() == Driver::AfXdp) {
    const std::uint16_t channels = interface_channels(parts_.device.lower_interface());
    if (channels < parts_.info.queues) {
      parts_.notices.push_back(
          fmt::format("{} has {} of the {} queues asked for (see: ethtool -L {})",
                      parts_.device.lower_interface(), channels, options_.queues,
                      parts_.device.lower_interface()));
      parts_.info.queues = channels;
    }
    // Its program would go through a dispatcher that needs a mounted bpffs and outlives a crash.
    EalLog::install_bpf();
    ::setenv("LIBXDP_SKIP_DISPATCHER", "1", 0);
    parts_.device.set_default("queue_count", std::to_string(parts_.info.queues));
  }
  return {};
}

// The driver locks its rings in memory, of which a user without CAP_IPC_LOCK has 8 MB by default,
// for all ports together: half of what is left for this one.
void Opening::fit_ring_into_locked_memory() {
  const std::uint64_t frame = std::strtoul(parts_.device.argument("framesz")->c_str(), nullptr, 10);
  std::uint32_t count = kAfPacketRing;
  while (count > kSmallestRing && !can_lock(2 * 2 * frame * count * options_.queues)) count /= 2;
  parts_.device.set_default("framecnt", std::to_string(count));
  if (count < kAfPacketRing) {
    parts_.notices.push_back(fmt::format(
        "the receive ring has {} frames instead of {} because locked memory is limited (ulimit -l)",
        count, kAfPacketRing));
  }
}

std::string Opening::attach() {
  const std::string text = parts_.device.to_string();
  // PCI devices were probed when EAL started.
  if (!hardware()) {
    if (const int error = rte_dev_probe(text.c_str()); error != 0) {
      return fmt::format("'{}' cannot be opened: {}", text, because(error));
    }
  }
  std::uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(parts_.device.name().c_str(), &id) != 0) {
    return fmt::format("'{}' is not among the devices that EAL was started with", text);
  }
  parts_.port_id = id;
  if (const int error = rte_eth_dev_info_get(id, &info_); error != 0) {
    return fmt::format("'{}' says nothing about itself: {}", text, because(error));
  }
  parts_.driver = info_.driver_name;
  char name[IF_NAMESIZE];
  if (info_.if_index != 0 && ::if_indextoname(info_.if_index, name) != nullptr) {
    parts_.kernel_interface = name;
  }
  return {};
}

std::string Opening::size_up() {
  const std::uint16_t most = std::min(info_.max_rx_queues, info_.max_tx_queues);
  if (most == 0) return fmt::format("{} has no queues", parts_.driver);
  if (parts_.info.queues > most) {
    parts_.notices.push_back(
        fmt::format("{} has {} of the {} queues asked for", parts_.driver, most, options_.queues));
    parts_.info.queues = most;
  }
  if (info_.max_mtu != 0 && options_.mtu > info_.max_mtu) {
    return fmt::format("mtu {} is more than the {} of {}", options_.mtu, info_.max_mtu,
                       parts_.driver);
  }
  parts_.info.name = options_.name;
  parts_.info.mtu = options_.mtu;
  parts_.max_frame = options_.mtu + kLinkOverhead;

  std::uint32_t room = std::max(kSmallestRoom, parts_.max_frame);
  if (driver() == Driver::AfPacket) {
    // The driver copies whatever the ring slot holds, whether it fits into the buffer or not.
    const auto frame = static_cast<std::uint32_t>(
        std::strtoul(parts_.device.argument("framesz")->c_str(), nullptr, 10));
    if (frame < parts_.max_frame + kTpacketOverhead) {
      return fmt::format("framesz={} is too small for mtu {}; leave it out", frame, options_.mtu);
    }
    room = frame;
    parts_.truncated_at = frame - kTpacketOverhead;
  } else if (driver() == Driver::Memif) {
    if (const auto size = parts_.device.argument("bsize")) {
      room = std::max(room, static_cast<std::uint32_t>(std::strtoul(size->c_str(), nullptr, 10)));
    }
    // Chains are not safe on memif (22.11): a frame must fit into one of its buffers.
    parts_.max_frame = std::min(parts_.max_frame, room);
  }
  data_room_ = (room + 63) / 64 * 64 + RTE_PKTMBUF_HEADROOM;
  if (data_room_ > UINT16_MAX) return fmt::format("frames of {} bytes are too large", room);
  return {};
}

// A pool whose objects are exactly a page each. The af_xdp driver (22.11) hands the kernel a window
// of objects x object size from the pool's first byte, but a mempool lets no object straddle a
// page: with objects of 2,432 B in pages of 4 kB the window ends at 59 % of the pool, and what is
// sent from a buffer beyond it vanishes without a word.
rte_mempool* create_page_pool(const std::string& name, unsigned count, unsigned cache, int socket) {
  constexpr unsigned kPage = 4096;
  constexpr unsigned kElement = kPage - RTE_CACHE_LINE_SIZE;  // behind the object's header
  rte_mempool* pool =
      rte_mempool_create_empty(name.c_str(), count, kElement, cache,
                               sizeof(rte_pktmbuf_pool_private), socket, RTE_MEMPOOL_F_NO_SPREAD);
  if (pool == nullptr) return nullptr;
  rte_pktmbuf_pool_private room{};
  room.mbuf_data_room_size = kElement - sizeof(rte_mbuf);
  rte_pktmbuf_pool_init(pool, &room);
  if (rte_mempool_calc_obj_size(kElement, pool->flags, nullptr) != kPage ||
      rte_mempool_populate_default(pool) < 0) {
    rte_mempool_free(pool);
    return nullptr;
  }
  rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
  return pool;
}

std::string Opening::make_pools() {
  const std::uint32_t usual = driver() == Driver::AfPacket ? kBigBuffers : kBuffers;
  const std::uint32_t count =
      std::max(options_.buffers == 0 ? usual : options_.buffers, 2 * kCachePerLcore);
  const auto create = [&](char kind, std::uint32_t buffers, std::uint32_t cache,
                          std::uint32_t room) {
    // A pool of an earlier port may have stayed behind under this name.
    std::string name;
    for (unsigned attempt = 0;; ++attempt) {
      name = fmt::format("sluice_{}{}_{}", kind, parts_.port_id, attempt);
      if (rte_mempool_lookup(name.c_str()) == nullptr) break;
    }
    const int socket = rte_eth_dev_socket_id(parts_.port_id);
    if (driver() == Driver::AfXdp && kind == 'f') {
      return create_page_pool(name, buffers, cache, socket);
    }
    return rte_pktmbuf_pool_create(name.c_str(), buffers, cache, 0,
                                   static_cast<std::uint16_t>(room), socket);
  };
  parts_.frames = create('f', count, kCachePerLcore, data_room_);
  parts_.jumbo = create('j', kJumboBuffers, 0, UINT16_MAX);
  if (parts_.frames == nullptr || parts_.jumbo == nullptr) {
    return fmt::format(
        "no memory for {} buffers of {} bytes; give EAL more memory or the port fewer "
        "buffers",
        count, data_room_);
  }
  return {};
}

std::string Opening::configure() {
  rte_eth_conf conf{};
  conf.rxmode.mtu = options_.mtu;
  conf.intr_conf.rxq = driver() == Driver::Tap ? 1 : 0;
  // The virtual drivers' checksum "offloads" are software in the driver, or promises: ours is
  // faster.
  if (hardware()) {
    conf.rxmode.offloads = info_.rx_offload_capa & RTE_ETH_RX_OFFLOAD_CHECKSUM;
    conf.txmode.offloads =
        info_.tx_offload_capa & (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM);
    parts_.info.tx_ipv4_checksum = (conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0;
    parts_.info.tx_udp_checksum = (conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM) != 0;
    parts_.transmit_offload = conf.txmode.offloads != 0;
  }
  std::vector<std::uint8_t> key;
  const std::uint64_t spread =
      info_.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP);
  if (hardware() && parts_.info.queues > 1) {
    if (spread == 0) {
      parts_.notices.push_back(
          fmt::format("{} does not spread flows over its queues (no RSS)", parts_.driver));
    } else {
      conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
      conf.rx_adv_conf.rss_conf.rss_hf = spread;
      for (unsigned i = 0; i < info_.hash_key_size; ++i) key.push_back(kSymmetricKey[i % 2]);
      if (!key.empty()) {
        conf.rx_adv_conf.rss_conf.rss_key = key.data();
        conf.rx_adv_conf.rss_conf.rss_key_len = info_.hash_key_size;
      }
    }
  }
  if (const int error =
          rte_eth_dev_configure(parts_.port_id, parts_.info.queues, parts_.info.queues, &conf);
      error != 0) {
    return fmt::format("{} refuses {} queues and mtu {}: {}", parts_.driver, parts_.info.queues,
                       options_.mtu, because(error));
  }
  return configure_queues();
}

std::string Opening::configure_queues() {
  std::uint16_t receive = driver() == Driver::Tap ? kTapDescriptors : kDescriptors;
  std::uint16_t transmit = kDescriptors;
  rte_eth_dev_adjust_nb_rx_tx_desc(parts_.port_id, &receive, &transmit);
  const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(parts_.port_id));
  for (std::uint16_t queue = 0; queue < parts_.info.queues; ++queue) {
    int error =
        rte_eth_rx_queue_setup(parts_.port_id, queue, receive, socket, nullptr, parts_.frames);
    if (error == 0) {
      error = rte_eth_tx_queue_setup(parts_.port_id, queue, transmit, socket, nullptr);
    }
    if (error != 0) {
      return fmt::format("queue {} of {} cannot be set up: {}", queue, parts_.driver,
                         because(error));
    }
  }
  return {};
}

std::string Opening::start() {
  // Drivers over a kernel interface set that interface's MTU; those without one have nothing to
  // set.
  const std::string lower = parts_.device.lower_interface();
  const bool differs =
      lower.empty() ? options_.mtu != RTE_ETHER_MTU : interface_mtu(lower) != options_.mtu;
  if (!hardware() && differs) {
    const int error = rte_eth_dev_set_mtu(parts_.port_id, options_.mtu);
    if (error != 0 && error != -ENOTSUP) {
      return fmt::format("mtu {} cannot be set: {}", options_.mtu, because(error));
    }
  }
  if (hardware() && options_.mac) {
    rte_ether_addr address{};
    std::copy(options_.mac->begin(), options_.mac->end(), address.addr_bytes);
    if (const int error = rte_eth_dev_default_mac_addr_set(parts_.port_id, &address); error != 0) {
      return fmt::format("the MAC address cannot be set: {}", because(error));
    }
  }
  if (const int error = rte_eth_dev_start(parts_.port_id); error != 0) {
    return fmt::format("{} does not start: {}", parts_.driver, because(error));
  }
  parts_.started = true;
  return {};
}

std::string Opening::finish() {
  rte_ether_addr address{};
  rte_eth_macaddr_get(parts_.port_id, &address);
  std::copy(std::begin(address.addr_bytes), std::end(address.addr_bytes), parts_.info.mac.begin());
  if (options_.mac) {
    parts_.info.mac = *options_.mac;
  } else if (driver() == Driver::Tap) {
    // The driver gives the kernel's side the address it reports. Ours must be another one, as on
    // any link: the same, but for the last bit.
    parts_.info.mac[5] ^= 1U;
  }

  if (hardware()) {
    rte_eth_allmulticast_enable(parts_.port_id);  // neighbour discovery
    if (options_.promiscuous && rte_eth_promiscuous_enable(parts_.port_id) != 0) {
      parts_.notices.push_back(fmt::format("{} has no promiscuous mode", parts_.driver));
    }
  }
  if (driver() == Driver::Tap) {
    for (const int fd : find_tap_fds(parts_.kernel_interface)) clear_async(fd);
  }
  find_wake_fds();
  const std::string lower = parts_.device.lower_interface();
  if (lower.empty()) return {};
  parts_.kernel_interface = lower;
  parts_.info.accept_partial_checksum = has_local_peer(lower);
  if (!interface_is_running(lower)) {
    parts_.notices.push_back(fmt::format("{0} is down; run: ip link set {0} up", lower));
  }
  return join_multicast(lower);
}

void Opening::find_wake_fds() {
  std::vector<int>& fds = parts_.wake_fds;
  if (driver() == Driver::Tap) {
    for (std::uint16_t queue = 0; queue < parts_.info.queues; ++queue) {
      fds.push_back(rte_eth_dev_rx_intr_ctl_q_get_fd(parts_.port_id, queue));
    }
  } else if (driver() == Driver::AfPacket || driver() == Driver::AfXdp) {
    fds = sockets_since(fds_before_, driver() == Driver::AfXdp ? AF_XDP : AF_PACKET);
  }
  // One for each queue, or none can be trusted.
  if (fds.size() != parts_.info.queues || std::count(fds.begin(), fds.end(), -1) != 0) fds.clear();
}

// Neighbour discovery is multicast, and an address that is not the interface's own needs
// promiscuous mode. A membership goes when its socket goes, whatever becomes of this process.
std::string Opening::join_multicast(const std::string& interface) {
  parts_.membership_socket = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  packet_mreq request{};
  request.mr_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  const bool promiscuous = options_.promiscuous || options_.mac.has_value();
  request.mr_type = promiscuous ? PACKET_MR_PROMISC : PACKET_MR_ALLMULTI;
  if (parts_.membership_socket < 0 ||
      ::setsockopt(parts_.membership_socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request,
                   sizeof request) != 0) {
    return fmt::format("{} cannot be made to receive multicast: {}", interface,
                       rte_strerror(errno));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Port>, std::string> Port::open(const Eal& eal, const PortOptions& options) {
  Opening opening(eal, options);
  if (const std::string reason = opening.run(); !reason.empty()) {
    return fail(fmt::format("port {}: {}", options.name, reason));
  }
  return opening.result();
}

}  // namespace sluice::dataplane
