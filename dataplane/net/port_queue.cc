// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/port_queue.h"

#include <algorithm>

namespace sluice::dataplane {

PortQueue::PortQueue(FramePort& port, std::uint16_t index, std::uint16_t queue,
                     const PortSpec& spec)
    : port_(port), spec_(spec), info_(port.info()), index_(index), queue_(queue) {
  mtu_ = spec.mtu == 0 ? info_.mtu : std::min(spec.mtu, info_.mtu);
  wire::store_mac(l2_template_.data(), info_.mac);
  std::uint32_t length = 6;
  const auto tag = [&](std::uint16_t ethertype, std::uint16_t vlan) {
    if (vlan == 0) return;
    wire::store16(&l2_template_[length], ethertype);
    wire::store16(&l2_template_[length + 2], vlan);
    length += wire::kVlanTagLength;
  };
  tag(wire::kEtherServiceVlan, spec.service_vlan);
  tag(wire::kEtherVlan, spec.vlan);
  l2_length_ = 6 + length + 2;

  link_local_.family = IpFamily::V6;
  auto& bytes = link_local_.bytes;
  bytes[0] = 0xfe;
  bytes[1] = 0x80;
  std::copy_n(info_.mac.begin(), 3, bytes.begin() + 8);
  bytes[8] ^= 0x02;
  bytes[11] = 0xff;
  bytes[12] = 0xfe;
  std::copy_n(info_.mac.begin() + 3, 3, bytes.begin() + 13);
}

void PortQueue::send(TxFrame&& frame, const MacAddress& to, std::uint16_t ethertype) noexcept {
  if (pending_ == kTxBatch) flush();
  if (pending_ == kTxBatch) {
    counters_[PortCounter::TxDropped].add();
    frame.bytes.reset();
    return;
  }
  std::uint8_t* at = frame.bytes.prepend(l2_length_);
  wire::store_mac(at, to);
  std::memcpy(at + 6, l2_template_.data(), l2_length_ - 8);
  wire::store16(at + l2_length_ - 2, ethertype);
  frame.l2_length = static_cast<std::uint8_t>(l2_length_);
  batch_[pending_++] = std::move(frame);
}

void PortQueue::flush() noexcept {
  if (pending_ == 0) return;
  std::array<std::uint32_t, kTxBatch> sizes;
  for (std::uint32_t i = 0; i < pending_; ++i) sizes[i] = batch_[i].bytes.size();
  const std::uint32_t sent = port_.transmit(queue_, {batch_.data(), pending_});
  if (sent != 0) {
    std::uint64_t bytes = 0;
    for (std::uint32_t i = 0; i < sent; ++i) {
      bytes += sizes[i];
      batch_[i].bytes.reset();
    }
    counters_[PortCounter::TxPackets].add(sent);
    counters_[PortCounter::TxBytes].add(bytes);
    std::move(batch_.begin() + sent, batch_.begin() + pending_, batch_.begin());
    pending_ -= sent;
    refused_ = 0;
    return;
  }
  if (++refused_ < kPatience) return;
  counters_[PortCounter::TxDropped].add(pending_);
  for (std::uint32_t i = 0; i < pending_; ++i) batch_[i].bytes.reset();
  pending_ = refused_ = 0;
}

}  // namespace sluice::dataplane
