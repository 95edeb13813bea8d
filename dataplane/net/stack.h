// SPDX-License-Identifier: Apache-2.0
//
// Stack: layers 2 to 4 of one worker: frames in, datagrams out, and the other way round.
//
// input() ends each frame in exactly one row of drop_reasons.def and send() each datagram: both
// return the row, and one place counts it. What a frame causes to be sent goes into the batch of
// its port.
//
// Threads  Its worker's core only.
// Memory   Received buffers are passed on (Datagram::payload), answered in place or freed at once.
//          Caches
//          have fixed sizes (StackOptions).
// Errors   Counted; see drop_reasons.def.
// See      dataplane/README.md for the files and the RFCs each of them implements.
#pragma once

#include "base/core.h"
#include "dataplane/api/sink.h"
#include "dataplane/net/bounce.h"
#include "dataplane/net/counters.h"
#include "dataplane/net/large_buffers.h"
#include "dataplane/net/neighbours.h"
#include "dataplane/net/path_mtu.h"
#include "dataplane/net/port_queue.h"
#include "dataplane/net/reassembly.h"
#include "dataplane/net/token_bucket.h"
#include "dataplane/net/topology.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace sluice::dataplane {

struct StackOptions {
  std::uint32_t neighbours = 1024;
  std::uint32_t waiting_for_neighbours = 256;  // datagrams, all neighbours together
  std::uint32_t path_mtus = 512;
  std::uint32_t neighbour_requests = 200;  // a second, all neighbours together
  ReassemblyOptions reassembly;
};

class Stack {
 public:
  static constexpr std::uint32_t kDatagramBatch = 64;

  // `queues` are this worker's own; `topology`, `mesh` and `large` outlive it.
  Stack(const Topology& topology, BounceMesh& mesh, BounceMesh::WorkerIndex self,
        LargeBuffers& large, HashKey key, const StackOptions& options,
        std::span<const std::unique_ptr<PortQueue>> queues);
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  // Tells the links where we are (gratuitous ARP, unsolicited NA) and asks for the gateways. Once.
  void start(Core& core) noexcept;

  void input(Core& core, PortQueue& in, RxFrame&& frame) noexcept;
  void input_bounced(Core& core, BounceItem&& item) noexcept;
  // What input() has made ready for the sink; forget_datagrams() frees what the sink has left.
  std::span<Datagram> datagrams() noexcept { return {datagrams_.data(), datagram_count_}; }
  bool datagrams_full() const noexcept { return datagram_count_ == kDatagramBatch; }
  void forget_datagrams() noexcept;

  void send(Core& core, ListenerId listener, const Endpoint& remote, OwnedBytes payload) noexcept;
  // Wakes the workers that got something across the mesh since the last call.
  void notify_peers() noexcept;

  const NetCounters& counters() const noexcept { return counters_; }
  // Datagrams that wait for a neighbour: neither sent nor dropped yet.
  std::uint32_t waiting() const noexcept { return neighbours_.waiting(); }
  PortQueue* queue_of(std::uint16_t port) noexcept {
    return port < by_port_.size() ? by_port_[port] : nullptr;
  }

 private:
  // One IP packet while it is looked at. `bytes` starts with the transport header once IP is
  // through.
  struct Packet {
    PortQueue& in;
    OwnedBytes bytes;
    IpAddress source;
    IpAddress destination;
    MacAddress sender{};
    RxChecksum checksum = RxChecksum::Unknown;
    std::uint8_t protocol = 0;
    std::uint8_t hop_limit = 0;
    bool bounced = false;      // already with the worker that reassembles it
    bool group_frame = false;  // sent to a group MAC
    std::uint32_t l2_length = 0;
    std::uint32_t l3_length = 0;  // header bytes still in front of `bytes`; zero after reassembly
  };
  struct Outgoing {
    IpAddress source;
    IpAddress destination;
    MacAddress to{};
    std::uint8_t protocol = 0;
    std::uint8_t hop_limit = 64;
    bool udp_checksum_left = false;  // the port may do it, if the packet goes out whole
  };
  enum class Fit : std::uint8_t { Ok, NoBuffer };

  // ethernet.cc
  NetCounter ethernet_input(Core& core, PortQueue& in, RxFrame&& frame, bool bounced) noexcept;
  // arp.cc
  NetCounter arp_input(Core& core, PortQueue& in, OwnedBytes&& bytes) noexcept;
  void send_arp(PortQueue& out, std::uint16_t operation, const MacAddress& to,
                const MacAddress& target_mac, const IpAddress& sender,
                const IpAddress& target) noexcept;
  // nd.cc
  NetCounter neighbour_solicitation(Core& core, Packet& packet) noexcept;
  NetCounter neighbour_advertisement(Core& core, Packet& packet) noexcept;
  void send_solicitation(Core& core, PortQueue& out, const IpAddress& target,
                         const MacAddress* to) noexcept;
  void send_advertisement(Core& core, PortQueue& out, const IpAddress& target, const IpAddress& to,
                          const MacAddress& to_mac, bool solicited) noexcept;
  // ipv4.cc, ipv6.cc
  NetCounter ipv4_input(Core& core, Packet& packet) noexcept;
  NetCounter ipv6_input(Core& core, Packet& packet) noexcept;
  NetCounter fragment_input(Core& core, Packet& packet, std::uint32_t id,
                            const Fragment& fragment) noexcept;
  NetCounter transport_input(Core& core, Packet& packet) noexcept;
  bool is_ours(const PortQueue& port, const IpAddress& address) const noexcept;
  // udp.cc
  NetCounter udp_input(Core& core, Packet& packet) noexcept;
  bool udp_checksum_right(const Packet& packet, std::uint32_t length) const noexcept;
  NetCounter udp_output(Core& core, PortQueue& out, const Endpoint& local, const Endpoint& remote,
                        const MacAddress& to, OwnedBytes&& payload) noexcept;
  // icmp.cc
  NetCounter icmp_input(Core& core, Packet& packet) noexcept;
  NetCounter icmpv6_input(Core& core, Packet& packet) noexcept;
  NetCounter echo(Core& core, Packet& packet, std::uint8_t reply_type) noexcept;
  NetCounter packet_too_big(Core& core, Packet& packet, ByteView quoted,
                            std::uint32_t mtu) noexcept;
  void send_port_unreachable(Core& core, const Packet& packet) noexcept;
  // output.cc
  // Nothing: the datagram waits for its neighbour.
  std::optional<NetCounter> route_and_send(Core& core, ListenerId listener, const Endpoint& remote,
                                           OwnedBytes&& payload) noexcept;
  std::uint32_t mtu_to(Core& core, const PortQueue& out, const IpAddress& remote,
                       std::uint32_t packet_size) noexcept;
  Fit ip_output(Core& core, PortQueue& out, const Outgoing& packet, OwnedBytes&& bytes) noexcept;
  Fit fragment_v4(Core& core, PortQueue& out, const Outgoing& packet, ByteView bytes,
                  std::uint32_t mtu) noexcept;
  Fit fragment_v6(Core& core, PortQueue& out, const Outgoing& packet, ByteView bytes,
                  std::uint32_t mtu) noexcept;
  void finish_v4(PortQueue& out, const Outgoing& packet, TxFrame&& frame, std::uint16_t id,
                 std::uint16_t fragment) noexcept;
  void finish_v6(PortQueue& out, const Outgoing& packet, TxFrame&& frame,
                 std::uint8_t next) noexcept;
  std::uint16_t next_ip_id() noexcept;
  // stack.cc
  void ask(Core& core, const NeighbourCache::Entry& entry, Ask what) noexcept;
  // True if it is known now, and was worth knowing.
  bool learn(Core& core, std::uint16_t port, const IpAddress& address, const MacAddress& mac,
             Evidence evidence, bool from_peer = false) noexcept;
  void learn_from_traffic(Core& core, const Packet& packet) noexcept;
  void release_waiting(Core& core, NeighbourCache::Entry& entry) noexcept;
  bool push_to(BounceMesh::WorkerIndex worker, BounceItem&& item) noexcept;
  // To the other workers of news.port; everything but the bytes.
  void tell_peers(const BounceItem& news) noexcept;
  void announce(Core& core) noexcept;
  void on_tick(Core& core);
  void arm_tick(Core& core) noexcept;
  NetCounter count(NetCounter what) noexcept {
    counters_[what].add();
    return what;
  }

  // Constant after construction.
  const Topology& topology_;
  BounceMesh& mesh_;
  const BounceMesh::WorkerIndex self_;
  LargeBuffers& large_;
  std::vector<PortQueue*> by_port_;  // our first queue of each port, or nullptr
  // Owner core only.
  NetCounters counters_;
  NeighbourCache neighbours_;
  PathMtuCache path_mtus_;
  Reassembler reassembler_;
  TokenBucket neighbour_requests_;
  TokenBucket neighbour_news_;
  std::vector<TokenBucket> icmp_;  // per port
  std::array<Datagram, kDatagramBatch> datagrams_;
  std::uint32_t datagram_count_ = 0;
  // Whom we have just learned from, by a cheap hash: spares the lookup for a peer that keeps
  // talking.
  std::array<std::uint64_t, 256> heard_{};
  std::uint64_t ip_id_ = 0;
  std::uint64_t dirty_peers_[4] = {};  // bit per worker
  std::uint32_t announcements_left_ = 0;
  Instant announced_{};
  MemberTimer<Stack, &Stack::on_tick> tick_timer_{*this};
};

}  // namespace sluice::dataplane
