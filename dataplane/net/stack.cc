// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/stack.h"

#include <algorithm>
#include <bit>

namespace sluice::dataplane {
namespace {

constexpr Duration kTick = std::chrono::milliseconds{250};
// RFC 4861 section 10: MAX_NEIGHBOR_ADVERTISEMENT; RFC 5227 asks two of gratuitous ARP.
constexpr std::uint32_t kAnnouncements = 3;
constexpr Duration kAnnounceInterval = std::chrono::seconds{1};

}  // namespace

Stack::Stack(const Topology& topology, BounceMesh& mesh, BounceMesh::WorkerIndex self,
             LargeBuffers& large, HashKey key, const StackOptions& options,
             std::span<const std::unique_ptr<PortQueue>> queues)
    : topology_(topology),
      mesh_(mesh),
      self_(self),
      large_(large),
      by_port_(topology.ports().size(), nullptr),
      neighbours_(options.neighbours, options.waiting_for_neighbours, key, counters_),
      path_mtus_(options.path_mtus, key),
      reassembler_(options.reassembly, key, large, counters_),
      neighbour_requests_(options.neighbour_requests),
      neighbour_news_(options.neighbour_requests) {
  for (const PortSpec& port : topology.ports()) icmp_.emplace_back(port.icmp_rate);
  for (const auto& queue : queues) {
    SLUICE_CHECK(queue->index() < by_port_.size());
    if (by_port_[queue->index()] == nullptr) by_port_[queue->index()] = queue.get();
  }
}

void Stack::start(Core& core) noexcept {
  ip_id_ = core.entropy.next();
  announcements_left_ = kAnnouncements;
  announce(core);
  for (PortQueue* queue : by_port_) {
    if (queue == nullptr) continue;
    for (const auto& gateway : {queue->spec().gateway_v4, queue->spec().gateway_v6}) {
      if (!gateway) continue;
      const auto [entry, what] = neighbours_.resolve(core.now(), queue->index(), *gateway, true);
      ask(core, *entry, what);
    }
  }
  arm_tick(core);
}

void Stack::announce(Core& core) noexcept {
  --announcements_left_;
  announced_ = core.now();
  for (PortQueue* queue : by_port_) {
    // One voice per port is enough.
    if (queue == nullptr || mesh_.owners(queue->index()).front() != self_) continue;
    for (const Prefix& prefix : queue->spec().addresses) {
      const IpAddress& ours = prefix.address;
      if (ours.is_v4()) {
        // RFC 5227 2.3: a request for our own address, which every cache takes note of.
        send_arp(*queue, 1, wire::kBroadcastMac, MacAddress{}, ours, ours);
      } else {
        IpAddress all_nodes;
        all_nodes.family = IpFamily::V6;
        all_nodes.bytes[0] = 0xff;
        all_nodes.bytes[1] = 0x02;
        all_nodes.bytes[15] = 0x01;
        send_advertisement(core, *queue, ours, all_nodes, {0x33, 0x33, 0, 0, 0, 1}, false);
      }
    }
  }
}

void Stack::input(Core& core, PortQueue& in, RxFrame&& frame) noexcept {
  count(ethernet_input(core, in, std::move(frame), false));
}

void Stack::input_bounced(Core& core, BounceItem&& item) noexcept {
  switch (item.kind) {
    case BounceItem::Kind::Frame:
      counters_[NetCounter::BouncedIn].add();
      if (PortQueue* queue = queue_of(item.port)) {
        count(ethernet_input(core, *queue, RxFrame{std::move(item.bytes), item.checksum}, true));
      } else {
        count(NetCounter::IpNotUs);
      }
      break;
    case BounceItem::Kind::Datagram:
      send(core, item.listener, item.remote, std::move(item.bytes));
      break;
    case BounceItem::Kind::Neighbour:
      learn(core, item.port, item.remote.address, item.mac, item.evidence, true);
      break;
    case BounceItem::Kind::PathMtu:
      path_mtus_.lower(core.now(), item.remote.address, item.mtu);
      break;
  }
  item.bytes.reset();
}

void Stack::forget_datagrams() noexcept {
  for (Datagram& datagram : datagrams()) datagram.payload.reset();
  datagram_count_ = 0;
}

void Stack::ask(Core& core, const NeighbourCache::Entry& entry, Ask what) noexcept {
  arm_tick(core);
  PortQueue* queue = queue_of(entry.port);
  if (what == Ask::No || queue == nullptr || !neighbour_requests_.take(core.now())) return;
  counters_[NetCounter::NeighbourAsked].add();
  const MacAddress* to = what == Ask::Neighbour ? &entry.mac : nullptr;
  if (entry.address.is_v6()) {
    send_solicitation(core, *queue, entry.address, to);
    return;
  }
  if (const IpAddress* ours = topology_.source_for(entry.port, entry.address)) {
    send_arp(*queue, 1, to == nullptr ? wire::kBroadcastMac : *to, MacAddress{}, *ours,
             entry.address);
  }
}

bool Stack::learn(Core& core, std::uint16_t port, const IpAddress& address, const MacAddress& mac,
                  Evidence evidence, bool from_peer) noexcept {
  if (wire::is_group(mac)) return false;
  const bool gateway = topology_.is_gateway(port, address);
  const auto [entry, changed] =
      neighbours_.learn(core.now(), port, address, mac, evidence, gateway);
  // A reply lands where RSS puts it, not with the worker that asked: the others judge it by what
  // they know and have asked. Bounded, because anybody on the link can send replies.
  const bool news = changed || evidence == Evidence::Reply || evidence == Evidence::Announce;
  if (!from_peer && news && mesh_.owners(port).size() > 1 && neighbour_news_.take(core.now())) {
    BounceItem item;
    item.kind = BounceItem::Kind::Neighbour;
    item.port = port;
    item.mac = mac;
    item.evidence = evidence;
    item.remote.address = address;
    tell_peers(item);
  }
  if (entry != nullptr && entry->waiting != 0) release_waiting(core, *entry);
  return entry != nullptr;
}

void Stack::release_waiting(Core& core, NeighbourCache::Entry& entry) noexcept {
  PortQueue* queue = queue_of(entry.port);
  const MacAddress mac = entry.mac;
  for (NeighbourCache::Waiting& datagram : neighbours_.take_waiting(entry)) {
    const TopologyListener* listener = topology_.listener(datagram.listener);
    count(udp_output(core, *queue, listener->local, datagram.remote, mac,
                     std::move(datagram.payload)));
  }
}

void Stack::learn_from_traffic(Core& core, const Packet& packet) noexcept {
  std::uint64_t words[2];
  std::memcpy(words, packet.source.bytes.data(), sizeof words);
  std::uint64_t mac = packet.in.index();
  std::memcpy(reinterpret_cast<std::uint8_t*>(&mac) + 2, packet.sender.data(), 6);
  const std::uint64_t tag = ((words[0] ^ std::rotl(words[1], 23)) * 0x9e3779b97f4a7c15ULL) ^
                            (mac * 0xc2b2ae3d27d4eb4fULL);
  std::uint64_t& heard = heard_[tag >> 56];
  if (heard == tag) return;
  heard = tag;
  // The next hop for an answer: only who is on the link, or the gateway we would answer through.
  const auto hop = topology_.next_hop(packet.in.index(), packet.source);
  if (hop) learn(core, hop->port, hop->address, packet.sender, Evidence::Traffic);
}

bool Stack::push_to(BounceMesh::WorkerIndex worker, BounceItem&& item) noexcept {
  if (!mesh_.ring(self_, worker).push(std::move(item))) return false;
  dirty_peers_[worker / 64] |= std::uint64_t{1} << (worker % 64);
  return true;
}

void Stack::tell_peers(const BounceItem& news) noexcept {
  for (const BounceMesh::WorkerIndex worker : mesh_.owners(news.port)) {
    if (worker == self_) continue;
    BounceItem item;
    item.kind = news.kind;
    item.port = news.port;
    item.mtu = news.mtu;
    item.mac = news.mac;
    item.evidence = news.evidence;
    item.remote = news.remote;
    if (!push_to(worker, std::move(item))) counters_[NetCounter::NewsLost].add();
  }
}

void Stack::notify_peers() noexcept {
  for (unsigned word = 0; word < std::size(dirty_peers_); ++word) {
    for (std::uint64_t bits = std::exchange(dirty_peers_[word], 0); bits != 0; bits &= bits - 1) {
      const auto worker = word * 64 + static_cast<unsigned>(std::countr_zero(bits));
      mesh_.notify(static_cast<BounceMesh::WorkerIndex>(worker));
    }
  }
}

void Stack::arm_tick(Core& core) noexcept {
  if (!tick_timer_.armed()) core.arm(tick_timer_, kTick);
}

void Stack::on_tick(Core& core) {
  neighbours_.tick(core.now(),
                   [&](const NeighbourCache::Entry& entry, Ask what) { ask(core, entry, what); });
  reassembler_.tick(core.now());
  if (announcements_left_ != 0 && core.now() - announced_ >= kAnnounceInterval) announce(core);
  if (neighbours_.busy() || reassembler_.busy() || announcements_left_ != 0) arm_tick(core);
}

}  // namespace sluice::dataplane
