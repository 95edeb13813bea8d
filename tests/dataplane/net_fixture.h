// SPDX-License-Identifier: Apache-2.0
//
// NetLab: workers over fake ports, and helpers that speak as the peers on the links.
//
//   access (port 0) 198.18.0.2/24, fd00:18::2/64, gateway 198.18.0.254 and fd00:18::fe
//   core   (port 1) 198.19.0.2/24, fd00:19::2/64, VLAN 12, no gateway, 10.0.0.0/8 via 198.19.0.9
#pragma once

#include "dataplane/worker.h"
#include "tests/support/fake_port.h"
#include "tests/support/frames.h"
#include "tests/support/test_cores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace sluice::dataplane {

using namespace sluice::test;  // NOLINT: tests only

constexpr MacAddress kAccessMac = {0x02, 0, 0, 0, 0, 0x01};
constexpr MacAddress kCoreMac = {0x02, 0, 0, 0, 0, 0x02};
constexpr MacAddress kPhoneMac = {0x02, 0, 0, 0, 0, 0x11};
constexpr MacAddress kGatewayMac = {0x02, 0, 0, 0, 0, 0xfe};
constexpr MacAddress kOtherMac = {0x02, 0, 0, 0, 0, 0x66};

constexpr ListenerId kAccessV4 = 3;
constexpr ListenerId kAccessV6 = 4;
constexpr ListenerId kCoreV4 = 7;

inline TopologySpec lab_spec() {
  TopologySpec spec;
  PortSpec access;
  access.name = "access";
  access.addresses = {*Prefix::parse("198.18.0.2/24"), *Prefix::parse("fd00:18::2/64")};
  access.gateway_v4 = ip("198.18.0.254");
  access.gateway_v6 = ip("fd00:18::fe");
  PortSpec core;
  core.name = "core";
  core.addresses = {*Prefix::parse("198.19.0.2/24"), *Prefix::parse("fd00:19::2/64")};
  core.vlan = 12;
  spec.ports = {access, core};
  spec.routes = {{*Prefix::parse("10.0.0.0/8"), ip("198.19.0.9"), 1}};
  spec.listeners = {{kAccessV4, 0, at("198.18.0.2:5060"), Transport::Udp},
                    {kAccessV6, 0, at("[fd00:18::2]:5060"), Transport::Udp},
                    {kCoreV4, 1, at("198.19.0.2:5060"), Transport::Udp},
                    {8, 1, at("198.19.0.2:5060"), Transport::Tcp}};
  return spec;
}

struct Collector final : DatagramSink {
  struct Kept {
    Bytes payload;
    Endpoint source;
    Endpoint destination;
    ListenerId listener;
  };
  void on_datagrams(Core&, std::span<Datagram> burst) noexcept override {
    ++calls;
    for (Datagram& datagram : burst) {
      const ByteView view = datagram.payload.view();
      got.push_back(
          {{view.begin(), view.end()}, datagram.source, datagram.destination, datagram.listener});
    }
  }
  std::vector<Kept> got;
  unsigned calls = 0;
};

// One to three workers. With several, worker 0 and 1 have a queue each of port 0; the last has port
// 1.
class NetLab {
 public:
  explicit NetLab(unsigned workers = 1, TopologySpec spec = lab_spec(), StackOptions options = {})
      : cores(workers, Role::Poll),
        access("access", kAccessMac, workers > 1 ? 2 : 1),
        core_port("core", kCoreMac),
        large(workers, 128),
        sinks(workers) {
    auto built = Topology::build(std::move(spec));
    EXPECT_TRUE(built.has_value()) << built.error();
    topology = std::make_unique<Topology>(std::move(*built));
    std::vector<std::vector<WorkerQueue>> queues(workers);
    queues[0].push_back({&access, 0, 0});
    if (workers > 1) queues[1].push_back({&access, 0, 1});
    queues[workers - 1].push_back({&core_port, 1, 0});
    std::vector<std::vector<std::uint16_t>> ports_of(workers);
    for (unsigned i = 0; i < workers; ++i) {
      for (const WorkerQueue& queue : queues[i]) ports_of[i].push_back(queue.index);
    }
    mesh = std::make_unique<BounceMesh>(ports_of, HashKey{11, 12}, 64);
    for (unsigned i = 0; i < workers; ++i) {
      worker.push_back(std::make_unique<Worker>(*topology, *mesh,
                                                static_cast<BounceMesh::WorkerIndex>(i), large,
                                                HashKey{21, 22 + i}, queues[i], options));
      worker[i]->set_sink(sinks[i]);
      cores.loop(i).add(*worker[i]);
    }
  }

  // Starts everybody and throws away the announcements.
  void start() {
    cores.settle();
    access.sent();
    if (access.info().queues > 1) access.sent(1);
    core_port.sent();
  }

  void receive(const Bytes& frame, std::uint16_t queue = 0) {
    access.put(frame, queue);
    cores.settle();
  }
  void learn_phone(const IpAddress& phone = ip("198.18.0.10")) {
    receive(
        ethernet(kPhoneMac, kAccessMac, 0x0806, arp(1, kPhoneMac, phone, {}, ip("198.18.0.2"))));
    access.sent();
  }
  void send(ListenerId listener, const Endpoint& remote, const Bytes& payload, unsigned from = 0) {
    cores.core(from).refresh_time();
    OwnedBytes bytes =
        worker[from]->allocate(cores.core(from), static_cast<std::uint32_t>(payload.size()));
    ASSERT_TRUE(bytes);
    std::copy(payload.begin(), payload.end(), bytes.data());
    worker[from]->send_datagram(cores.core(from), listener, remote, std::move(bytes));
    cores.settle();
  }

  std::uint64_t count(NetCounter what, unsigned of = 0) const {
    return worker[of]->counters()[what].value();
  }
  std::uint64_t total(NetCounterKind kind, unsigned of = 0) const {
    return total_of(worker[of]->counters(), kind);
  }
  std::uint64_t received(unsigned of = 0) const {
    std::uint64_t sum = 0;
    for (const auto& queue : worker[of]->queues()) {
      sum += queue->counters()[PortCounter::RxPackets].value();
    }
    return sum;
  }
  // Every frame and every datagram is in exactly one row.
  void expect_balanced() const {
    for (unsigned i = 0; i < worker.size(); ++i) {
      EXPECT_EQ(received(i) + count(NetCounter::BouncedIn, i),
                total(NetCounterKind::RxDone, i) + total(NetCounterKind::RxDrop, i));
      EXPECT_EQ(count(NetCounter::TxSubmitted, i), total(NetCounterKind::TxDone, i) +
                                                       total(NetCounterKind::TxDrop, i) +
                                                       worker[i]->waiting_for_neighbours());
    }
  }

  TestCores cores;
  FakePort access;
  FakePort core_port;
  LargeBuffers large;
  std::unique_ptr<Topology> topology;
  std::unique_ptr<BounceMesh> mesh;
  std::vector<Collector> sinks;
  std::vector<std::unique_ptr<Worker>> worker;
};

inline Bytes bytes_of(const TxFrame& frame) {
  const ByteView view = frame.bytes.view();
  return {view.begin(), view.end()};
}
inline MacAddress mac_at(ByteView frame, std::size_t at) {
  MacAddress mac;
  std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(at), 6, mac.begin());
  return mac;
}

}  // namespace sluice::dataplane
