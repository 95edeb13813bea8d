// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/eal_port.h"

#include "dataplane/dpdk/kernel_fds.h"
#include "dataplane/dpdk/mbuf_bytes.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_prefetch.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace sluice::dataplane {
namespace {

constexpr std::uint32_t kBurst = 64;
constexpr std::uint32_t kPrefetchAhead = 4;

bool is_ipv6(const rte_mbuf* mbuf) noexcept {
  const auto* frame = rte_pktmbuf_mtod(mbuf, const std::uint8_t*);
  return mbuf->data_len > 13 && frame[12] == 0x86 && frame[13] == 0xdd;
}

RxChecksum checksum_of(const rte_mbuf* mbuf) noexcept {
  const std::uint64_t l3 = mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
  const std::uint64_t l4 = mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
  if (l3 == RTE_MBUF_F_RX_IP_CKSUM_BAD || l4 == RTE_MBUF_F_RX_L4_CKSUM_BAD) return RxChecksum::Bad;
  if (l4 != RTE_MBUF_F_RX_L4_CKSUM_GOOD) return RxChecksum::Unknown;
  // IPv6 has no header checksum for the port to have an opinion on.
  return l3 == RTE_MBUF_F_RX_IP_CKSUM_GOOD || is_ipv6(mbuf) ? RxChecksum::Good
                                                            : RxChecksum::Unknown;
}

// The rings outlive the device, and with them what is in them.
void drain(std::uint16_t port, std::uint16_t queues) {
  rte_mbuf* mbuf = nullptr;
  for (std::uint16_t queue = 0; queue < queues; ++queue) {
    while (rte_eth_rx_burst(port, queue, &mbuf, 1) == 1) rte_pktmbuf_free(mbuf);
  }
}

void request_offload(rte_mbuf* mbuf, const TxFrame& frame) noexcept {
  if (!frame.offload_ipv4_checksum && !frame.offload_udp_checksum) return;
  const std::uint8_t version = frame.bytes.data()[frame.l2_length] >> 4;
  mbuf->l2_len = frame.l2_length & 0x7fU;
  mbuf->l3_len = frame.l3_length & 0x1ffU;
  mbuf->ol_flags |= version == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
  if (frame.offload_ipv4_checksum) mbuf->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
  if (frame.offload_udp_checksum) mbuf->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
}

}  // namespace

EalPort::EalPort(Parts parts)
    : parts_(std::move(parts)), counters_(new QueueCounters[parts_.info.queues]) {}

EalPort::~EalPort() {
  dismantle(parts_);
}

void EalPort::dismantle(Parts& parts) {
  if (parts.port_id != RTE_MAX_ETHPORTS) {
    rte_eth_dev_info info{};
    rte_eth_dev_info_get(parts.port_id, &info);
    if (parts.started) {
      if (parts.device.driver() == Driver::Ring) drain(parts.port_id, parts.info.queues);
      rte_eth_dev_stop(parts.port_id);
    }
    rte_eth_dev_close(parts.port_id);
    if (info.device != nullptr) rte_dev_remove(info.device);
  }
  if (parts.membership_socket >= 0) ::close(parts.membership_socket);
  for (rte_mempool* pool : {parts.frames, parts.jumbo}) {
    // Somebody may still hold a buffer and will give it back: such a pool has to stay.
    if (pool != nullptr && rte_mempool_full(pool) == 1) rte_mempool_free(pool);
  }
}

std::uint32_t EalPort::receive(std::uint16_t queue, std::span<RxFrame> out) noexcept {
  std::array<rte_mbuf*, kBurst> mbufs;
  const auto wanted = static_cast<std::uint16_t>(std::min<std::size_t>(out.size(), kBurst));
  const std::uint16_t count = rte_eth_rx_burst(parts_.port_id, queue, mbufs.data(), wanted);
  QueueCounters& counters = counters_[queue];
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(count, kPrefetchAhead); ++i) {
    rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void*));
  }
  std::uint32_t delivered = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i + kPrefetchAhead < count) {
      rte_prefetch0(rte_pktmbuf_mtod(mbufs[i + kPrefetchAhead], void*));
    }
    rte_mbuf* mbuf = mbufs[i];
    if (mbuf->nb_segs != 1) [[unlikely]] {
      mbuf = linearise(mbuf, counters);
      if (mbuf == nullptr) continue;
    }
    RxFrame& frame = out[delivered++];
    frame.truncated = mbuf->pkt_len >= parts_.truncated_at;
    if (frame.truncated) counters.truncated.add();
    frame.checksum = checksum_of(mbuf);
    frame.bytes = lend_mbuf(mbuf);
  }
  return delivered;
}

std::uint32_t EalPort::transmit(std::uint16_t queue, std::span<TxFrame> frames) noexcept {
  std::uint32_t done = 0;
  while (done < frames.size()) {
    const auto burst = frames.subspan(done, std::min<std::size_t>(frames.size() - done, kBurst));
    const std::uint32_t taken = transmit_burst(queue, burst);
    done += taken;
    if (taken < burst.size()) break;
  }
  return done;
}

std::uint32_t EalPort::transmit_burst(std::uint16_t queue, std::span<TxFrame> frames) noexcept {
  std::array<rte_mbuf*, kBurst> mbufs;
  std::array<std::uint8_t, kBurst> source;  // mbufs[i] carries frames[source[i]]
  QueueCounters& counters = counters_[queue];
  std::uint16_t count = 0;
  std::uint32_t end = 0;
  for (; end < frames.size(); ++end) {
    TxFrame& frame = frames[end];
    if (frame.bytes.empty()) continue;
    if (frame.bytes.size() > parts_.max_frame) {
      counters.too_long_sent.add();
      frame.bytes.reset();
      continue;
    }
    rte_mbuf* mbuf = borrow_mbuf(frame.bytes);
    if (mbuf == nullptr) {
      mbuf = copy_of(frame.bytes);
      if (mbuf == nullptr) {
        counters.no_buffer.add();
        break;
      }
      counters.copied_sent.add();
    }
    request_offload(mbuf, frame);
    source[count] = static_cast<std::uint8_t>(end);
    mbufs[count++] = mbuf;
  }

  std::uint16_t sendable = count;
  if (parts_.transmit_offload) {
    sendable = rte_eth_tx_prepare(parts_.port_id, queue, mbufs.data(), count);
  }
  const std::uint16_t sent = rte_eth_tx_burst(parts_.port_id, queue, mbufs.data(), sendable);
  for (std::uint16_t i = 0; i < sent; ++i) {
    // The driver owns the mbuf now, and it may be gone already.
    OwnedBytes& bytes = frames[source[i]].bytes;
    if (bytes.releases_with(&release_mbuf)) bytes.release_handle();
    bytes.reset();
  }
  for (std::uint16_t i = sent; i < count; ++i) {
    if (!frames[source[i]].bytes.releases_with(&release_mbuf)) rte_pktmbuf_free(mbufs[i]);
  }
  if (sent == count) return end;
  if (sent == sendable) {
    // What the driver cannot ever send must not stand in the way of the rest.
    counters.refused_by_driver.add();
    frames[source[sent]].bytes.reset();
    return source[sent] + 1U;
  }
  return source[sent];
}

rte_mbuf* EalPort::linearise(rte_mbuf* chain, QueueCounters& counters) noexcept {
  rte_mbuf* whole = nullptr;
  if (chain->pkt_len <=
      std::uint32_t{rte_pktmbuf_data_room_size(parts_.jumbo)} - RTE_PKTMBUF_HEADROOM) {
    whole = rte_pktmbuf_alloc(parts_.jumbo);
    if (whole == nullptr) counters.no_buffer.add();
  } else {
    counters.too_long_received.add();
  }
  if (whole != nullptr) {
    counters.linearised.add();
    const auto length = static_cast<std::uint16_t>(chain->pkt_len);
    char* to = rte_pktmbuf_append(whole, length);
    for (const rte_mbuf* part = chain; part != nullptr; part = part->next) {
      std::memcpy(to, rte_pktmbuf_mtod(part, const char*), part->data_len);
      to += part->data_len;
    }
    whole->ol_flags = chain->ol_flags & (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
  }
  rte_pktmbuf_free(chain);
  return whole;
}

rte_mbuf* EalPort::copy_of(const OwnedBytes& bytes) noexcept {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(parts_.frames);
  if (mbuf == nullptr) return nullptr;
  // max_frame fits into any buffer of the pool.
  char* to = rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(bytes.size()));
  std::memcpy(to, bytes.data(), bytes.size());
  return mbuf;
}

OwnedBytes EalPort::allocate(std::uint32_t size, std::uint32_t headroom) noexcept {
  if (std::uint64_t{size} + headroom > largest_buffer()) return {};
  rte_mbuf* mbuf = rte_pktmbuf_alloc(parts_.frames);
  if (mbuf == nullptr) return {};
  return {static_cast<std::uint8_t*>(mbuf->buf_addr),
          mbuf->buf_len,
          headroom,
          size,
          mbuf,
          &release_mbuf};
}

std::uint32_t EalPort::largest_buffer() const noexcept {
  return rte_pktmbuf_data_room_size(parts_.frames);
}

int EalPort::wake_fd(std::uint16_t queue) noexcept {
  return queue < parts_.wake_fds.size() ? parts_.wake_fds[queue] : -1;
}

bool EalPort::link_up() const noexcept {
  if (parts_.device.driver() == Driver::Tap) return tap_is_up(parts_.wake_fds.front());
  const std::string interface = parts_.device.lower_interface();
  if (!interface.empty()) return interface_is_running(interface);
  rte_eth_link link{};
  return rte_eth_link_get_nowait(parts_.port_id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

PortStatistics EalPort::statistics() const {
  PortStatistics sum;
  rte_eth_stats stats{};
  if (rte_eth_stats_get(parts_.port_id, &stats) == 0) {
    sum.received_frames = stats.ipackets;
    sum.received_bytes = stats.ibytes;
    sum.sent_frames = stats.opackets;
    sum.sent_bytes = stats.obytes;
    sum.missed = stats.imissed;
    sum.receive_errors = stats.ierrors;
    sum.transmit_errors = stats.oerrors;
    sum.no_buffer = stats.rx_nombuf;
  }
  for (std::uint16_t queue = 0; queue < parts_.info.queues; ++queue) {
    const QueueCounters& counters = counters_[queue];
    sum.truncated += counters.truncated.value();
    sum.linearised += counters.linearised.value();
    sum.too_long_received += counters.too_long_received.value();
    sum.too_long_sent += counters.too_long_sent.value();
    sum.copied_sent += counters.copied_sent.value();
    sum.no_buffer += counters.no_buffer.value();
    sum.transmit_errors += counters.refused_by_driver.value();
  }
  return sum;
}

PortStatus EalPort::status() const {
  PortStatus status;
  status.driver = parts_.driver;
  status.device = parts_.device.to_string();
  status.kernel_interface = parts_.kernel_interface;
  status.queues = parts_.info.queues;
  status.link_up = link_up();
  status.interrupts = !parts_.wake_fds.empty();
  rte_eth_link link{};
  if (parts_.device.driver() == Driver::Pci &&
      rte_eth_link_get_nowait(parts_.port_id, &link) == 0 &&
      link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN) {
    status.speed_mbps = link.link_speed;
  }
  status.buffers = parts_.frames->size;
  status.buffers_free = rte_mempool_avail_count(parts_.frames);
  return status;
}

}  // namespace sluice::dataplane
