// SPDX-License-Identifier: Apache-2.0
//
// The way out: route, neighbour, IP header, fragments.
//
// IPv4 goes out with DF clear: SIP over UDP must pass a path that swallows "fragmentation needed".
// IPv6 fragments to the path MTU (RFC 8200 4.5, 5).
#include "dataplane/net/checksum.h"
#include "dataplane/net/stack.h"

#include <algorithm>

namespace sluice::dataplane {

void Stack::send(Core& core, ListenerId listener, const Endpoint& remote,
                 OwnedBytes payload) noexcept {
  counters_[NetCounter::TxSubmitted].add();
  const auto outcome = route_and_send(core, listener, remote, std::move(payload));
  if (outcome) count(*outcome);
}

std::optional<NetCounter> Stack::route_and_send(Core& core, ListenerId id, const Endpoint& remote,
                                                OwnedBytes&& bytes) noexcept {
  OwnedBytes payload = std::move(bytes);
  const TopologyListener* listener = topology_.listener(id);
  if (listener == nullptr || listener->transport != Transport::Udp) return NetCounter::TxListener;
  const std::uint16_t port = listener->port;
  const IpAddress& to = remote.address;
  const std::uint32_t most =
      wire::kLargestIpPayload - wire::kUdpLength - (to.is_v4() ? wire::kIpv4Length : 0);
  if (payload.size() > most) return NetCounter::TxTooLarge;
  if (remote.port == 0 || to.family != listener->local.address.family || to.is_multicast() ||
      to.is_broadcast() || to.is_unspecified() || to.is_loopback() ||
      topology_.is_subnet_broadcast(port, to) || topology_.owns(port, to)) {
    return NetCounter::TxDestination;
  }

  PortQueue* out = by_port_[port];
  if (out == nullptr) {
    const auto owners = mesh_.owners(port);
    if (owners.empty()) return NetCounter::TxNoOwner;
    BounceItem item;
    item.kind = BounceItem::Kind::Datagram;
    item.port = port;
    item.listener = id;
    item.remote = remote;
    item.bytes = std::move(payload);
    // Always the same owner, so that datagrams of a flow keep their order.
    const auto owner = owners[self_ % owners.size()];
    return push_to(owner, std::move(item)) ? NetCounter::TxBounced : NetCounter::TxBounceFull;
  }

  const auto hop = topology_.next_hop(port, to);
  if (!hop) return NetCounter::TxNoRoute;
  const auto [entry, what] =
      neighbours_.resolve(core.now(), port, hop->address, hop->address != to);
  if (what != Ask::No) ask(core, *entry, what);
  if (entry->usable()) {
    return udp_output(core, *out, listener->local, remote, entry->mac, std::move(payload));
  }
  if (!neighbours_.wait_for(*entry, {std::move(payload), remote, id})) {
    return NetCounter::TxNeighbourQueue;
  }
  return std::nullopt;
}

std::uint32_t Stack::mtu_to(Core& core, const PortQueue& out, const IpAddress& remote,
                            std::uint32_t packet_size) noexcept {
  // What fits everywhere needs no look at the cache; IPv4 routers fragment for us, but a host that
  // says it cannot take more is believed all the same.
  const std::uint32_t everywhere = remote.is_v4() ? wire::kIpv4MinimumMtu : wire::kIpv6MinimumMtu;
  if (packet_size <= everywhere) return out.mtu();
  return path_mtus_.use(core.now(), remote, out.mtu());
}

std::uint16_t Stack::next_ip_id() noexcept {
  // RFC 6864 4.3 wants no repeats in flight, not secrecy: splitmix64 over a counter from a random
  // start.
  std::uint64_t value = ip_id_ += 0x9e3779b97f4a7c15ULL;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ value >> 27) * 0x94d049bb133111ebULL;
  return static_cast<std::uint16_t>(value >> 48);
}

Stack::Fit Stack::ip_output(Core& core, PortQueue& out, const Outgoing& packet,
                            OwnedBytes&& bytes) noexcept {
  OwnedBytes payload = std::move(bytes);
  const bool v4 = packet.source.is_v4();
  const std::uint32_t header = v4 ? wire::kIpv4Length : wire::kIpv6Length;
  const std::uint32_t mtu = mtu_to(core, out, packet.destination, payload.size() + header);
  if (payload.size() + header > mtu) {
    return v4 ? fragment_v4(core, out, packet, payload.view(), mtu)
              : fragment_v6(core, out, packet, payload.view(), mtu);
  }
  if (payload.headroom() < header + out.l2_length()) {
    OwnedBytes roomy = out.allocate(payload.size());
    if (!roomy) return Fit::NoBuffer;
    std::memcpy(roomy.data(), payload.data(), payload.size());
    payload = std::move(roomy);
  }
  TxFrame frame{std::move(payload)};
  frame.offload_udp_checksum = packet.udp_checksum_left;
  if (v4) {
    finish_v4(out, packet, std::move(frame), next_ip_id(), 0);
  } else {
    finish_v6(out, packet, std::move(frame), packet.protocol);
  }
  return Fit::Ok;
}

Stack::Fit Stack::fragment_v4(Core& core, PortQueue& out, const Outgoing& packet, ByteView bytes,
                              std::uint32_t mtu) noexcept {
  const std::uint32_t step = (mtu - wire::kIpv4Length) & ~7U;
  // Unpredictable: who can guess the id can poison the peer's reassembly (RFC 7739).
  const auto id = static_cast<std::uint16_t>(core.entropy.next());
  for (std::uint32_t offset = 0; offset < bytes.size(); offset += step) {
    const auto left = static_cast<std::uint32_t>(bytes.size()) - offset;
    const std::uint32_t size = std::min(step, left);
    TxFrame frame{out.allocate(size)};
    if (!frame.bytes) return Fit::NoBuffer;
    std::memcpy(frame.bytes.data(), bytes.data() + offset, size);
    const std::uint32_t field = offset / 8 | (size < left ? wire::kIpv4MoreFragments : 0U);
    finish_v4(out, packet, std::move(frame), id, static_cast<std::uint16_t>(field));
    counters_[NetCounter::FragmentsSent].add();
  }
  return Fit::Ok;
}

Stack::Fit Stack::fragment_v6(Core& core, PortQueue& out, const Outgoing& packet, ByteView bytes,
                              std::uint32_t mtu) noexcept {
  const std::uint32_t step = (mtu - wire::kIpv6Length - wire::kFragmentHeaderLength) & ~7U;
  const auto id = static_cast<std::uint32_t>(core.entropy.next());
  for (std::uint32_t offset = 0; offset < bytes.size(); offset += step) {
    const auto left = static_cast<std::uint32_t>(bytes.size()) - offset;
    const std::uint32_t size = std::min(step, left);
    TxFrame frame{out.allocate(size)};
    if (!frame.bytes) return Fit::NoBuffer;
    std::memcpy(frame.bytes.data(), bytes.data() + offset, size);
    std::uint8_t* at = frame.bytes.prepend(wire::kFragmentHeaderLength);
    at[0] = packet.protocol;
    at[1] = 0;
    wire::store16(at + 2, offset | (size < left ? 1U : 0U));
    wire::store32(at + 4, id);
    finish_v6(out, packet, std::move(frame), wire::kProtoFragment);
    counters_[NetCounter::FragmentsSent].add();
  }
  return Fit::Ok;
}

void Stack::finish_v4(PortQueue& out, const Outgoing& packet, TxFrame&& frame, std::uint16_t id,
                      std::uint16_t fragment) noexcept {
  std::uint8_t* at = frame.bytes.prepend(wire::kIpv4Length);
  at[0] = 0x45;
  at[1] = 0;
  wire::store16(at + 2, frame.bytes.size());
  wire::store16(at + 4, id);
  wire::store16(at + 6, fragment);
  at[8] = packet.hop_limit;
  at[9] = packet.protocol;
  wire::store16(at + 10, 0);
  std::memcpy(at + 12, packet.source.bytes.data(), 4);
  std::memcpy(at + 16, packet.destination.bytes.data(), 4);
  frame.l3_length = wire::kIpv4Length;
  frame.offload_ipv4_checksum = out.info().tx_ipv4_checksum;
  if (!frame.offload_ipv4_checksum) {
    wire::store_raw16(at + 10, checksum_finish(checksum_add({at, wire::kIpv4Length})));
  }
  out.send(std::move(frame), packet.to, wire::kEtherIpv4);
}

void Stack::finish_v6(PortQueue& out, const Outgoing& packet, TxFrame&& frame,
                      std::uint8_t next) noexcept {
  const std::uint32_t payload = frame.bytes.size();
  std::uint8_t* at = frame.bytes.prepend(wire::kIpv6Length);
  wire::store32(at, 0x6000'0000);
  wire::store16(at + 4, payload);
  at[6] = next;
  at[7] = packet.hop_limit;
  std::memcpy(at + 8, packet.source.bytes.data(), 16);
  std::memcpy(at + 24, packet.destination.bytes.data(), 16);
  frame.l3_length = wire::kIpv6Length;
  out.send(std::move(frame), packet.to, wire::kEtherIpv6);
}

}  // namespace sluice::dataplane
