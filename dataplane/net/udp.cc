// SPDX-License-Identifier: Apache-2.0
//
// UDP: RFC 768; RFC 8200 8.1 and RFC 6935 for the checksum over IPv6.
#include "dataplane/net/checksum.h"
#include "dataplane/net/stack.h"

namespace sluice::dataplane {

NetCounter Stack::udp_input(Core& core, Packet& packet) noexcept {
  OwnedBytes& bytes = packet.bytes;
  const std::uint8_t* at = bytes.data();
  if (bytes.size() < wire::kUdpLength) return NetCounter::UdpMalformed;
  const std::uint32_t length = wire::load16(at + 4);
  if (length < wire::kUdpLength || length > bytes.size()) return NetCounter::UdpMalformed;
  const Endpoint source{packet.source, wire::load16(at)};
  const Endpoint destination{packet.destination, wire::load16(at + 2)};
  if (source.port == 0 || source.address.is_unspecified()) return NetCounter::UdpSource;
  const ListenerId listener = topology_.find_listener(packet.in.index(), destination);
  if (listener == kNoListener) {
    send_port_unreachable(core, packet);
    return NetCounter::UdpNoListener;
  }
  if (!udp_checksum_right(packet, length)) return NetCounter::UdpChecksum;

  learn_from_traffic(core, packet);
  SLUICE_ASSERT(!datagrams_full());
  Datagram& datagram = datagrams_[datagram_count_++];
  bytes.resize(length);
  bytes.trim_front(wire::kUdpLength);
  datagram.payload = std::move(bytes);
  datagram.source = source;
  datagram.destination = destination;
  datagram.listener = listener;
  datagram.received = core.now();
  return NetCounter::Delivered;
}

bool Stack::udp_checksum_right(const Packet& packet, std::uint32_t length) const noexcept {
  const std::uint8_t* at = packet.bytes.data();
  const std::uint16_t field = wire::load_raw16(at + 6);
  if (field == 0) return packet.source.is_v4();  // RFC 768: none; RFC 6935: not for us over IPv6
  if (packet.checksum == RxChecksum::Good) return true;
  if (packet.checksum == RxChecksum::Bad) return false;
  const std::uint64_t pseudo =
      pseudo_header_sum(packet.source, packet.destination, wire::kProtoUdp, length);
  if (checksum_finish(checksum_add({at, length}, pseudo)) == 0) return true;
  // A peer on this machine left the rest to an offload that never came (CHECKSUM_PARTIAL).
  return packet.in.info().accept_partial_checksum && field == checksum_fold(pseudo);
}

NetCounter Stack::udp_output(Core& core, PortQueue& out, const Endpoint& local,
                             const Endpoint& remote, const MacAddress& to,
                             OwnedBytes&& payload) noexcept {
  OwnedBytes bytes = std::move(payload);
  const std::uint32_t ip_length = local.address.is_v4() ? wire::kIpv4Length : wire::kIpv6Length;
  const std::uint32_t size = bytes.size() + wire::kUdpLength;
  const bool whole = ip_length + size <= mtu_to(core, out, remote.address, ip_length + size);
  if (bytes.headroom() < wire::kTxHeadroom) {
    OwnedBytes roomy = whole ? out.allocate(bytes.size()) : large_.allocate(core, bytes.size());
    if (!roomy) return NetCounter::TxNoBuffer;
    std::memcpy(roomy.data(), bytes.data(), bytes.size());
    bytes = std::move(roomy);
  }
  std::uint8_t* at = bytes.prepend(wire::kUdpLength);
  wire::store16(at, local.port);
  wire::store16(at + 2, remote.port);
  wire::store16(at + 4, size);
  wire::store16(at + 6, 0);

  Outgoing packet;
  packet.source = local.address;
  packet.destination = remote.address;
  packet.to = to;
  packet.protocol = wire::kProtoUdp;
  packet.udp_checksum_left = whole && out.info().tx_udp_checksum;
  const std::uint64_t pseudo =
      pseudo_header_sum(local.address, remote.address, wire::kProtoUdp, size);
  if (packet.udp_checksum_left) {
    wire::store_raw16(at + 6, checksum_fold(pseudo));
  } else {
    const std::uint16_t sum = checksum_finish(checksum_add(bytes.view(), pseudo));
    // RFC 768: a sum of zero is sent as all ones, zero means none.
    wire::store_raw16(at + 6, sum == 0 ? 0xffff : sum);
  }
  return ip_output(core, out, packet, std::move(bytes)) == Fit::Ok ? NetCounter::TxSent
                                                                   : NetCounter::TxNoBuffer;
}

}  // namespace sluice::dataplane
