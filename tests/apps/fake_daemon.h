// SPDX-License-Identifier: Apache-2.0
//
// FakeDaemon: a Control on a socket in a folder of its own, and a process that is all made up.
#pragma once

#include "apps/control/control.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace sluice::control::test {

enum class Drop : std::uint8_t { Checksum, Short, Busy, Count };

constexpr CounterInfo kDropInfos[] = {
    {"net_dropped_total", "reason=\"checksum\"", "Packets dropped, by reason.",
     MetricKind::Counter},
    {"net_dropped_total", "reason=\"short\"", "Packets dropped, by reason.", MetricKind::Counter},
    {"core_busy_nanoseconds_total", "", "Time spent working.", MetricKind::Counter},
};

// What the made-up process tells. Two cores with the same counters, a gauge, three registrations.
struct FakeProcess {
  using Block = CounterBlock<Drop, static_cast<std::size_t>(Drop::Count)>;

  FakeProcess() {
    registry.add(0, kDropInfos, blocks[0].all(), "port=\"access\"");
    registry.add(1, kDropInfos, blocks[1].all(), "port=\"access\"");
    registry.add_computed({"bindings", "", "Registered contacts.", MetricKind::Gauge},
                          [] { return 3.0; });
    blocks[0][Drop::Checksum].add(40);
    blocks[1][Drop::Checksum].add(2);
    blocks[0][Drop::Busy].add(1'500'000'000);
    registrations = {
        {"alice@example.com", "sip:alice@192.0.2.1:5060", "192.0.2.1:5060", "phone/1", 60, 500},
        {"bob@example.com", "sip:bob@192.0.2.2:5060", "192.0.2.2:5060", "evil\x1b[2J\xff", 3599,
         1000},
        {"carol@example.com", "sip:carol@192.0.2.3:5060", "192.0.2.3:5060", "phone/2", 0, 1000}};
  }

  Sources sources() {
    Sources out;
    out.version = "1.2.3";
    out.uptime = [] { return std::chrono::seconds{10}; };
    out.live = [this] { return Health{!stuck, stuck ? "core 1 is stuck" : ""}; };
    out.ready = [this] { return Health{!draining, draining ? "draining" : ""}; };
    out.ports = [] {
      PortInfo port;
      port.name = "access";
      port.device = "net_tap0,iface=sluice0";
      port.addresses = {"198.18.0.2/24", "fd00:18::2/64"};
      port.mac = "02:00:00:00:00:01";
      port.link_up = true;
      port.queues = 1;
      port.mtu = 1500;
      port.rx_packets = 12345;
      return std::vector{port};
    };
    out.cores = [] {
      return std::vector<CoreInfo>{
          {0, 2, Role::Poll, 1000, 500, 20, std::chrono::milliseconds{2500}},
          {1, 3, Role::Servant, 900, 9, 10, std::chrono::milliseconds{10}}};
    };
    out.transactions = [] {
      return std::vector<TransactionInfo>{{1, "invite_server", "proceeding", 7},
                                          {1, "non_invite_client", "trying", 0}};
    };
    out.registrations = [this](std::uint64_t position, std::uint32_t budget) {
      RegistrationSlice slice;
      slice.next = position;
      while (slice.next < registrations.size() && slice.rows.size() < budget) {
        slice.rows.push_back(registrations[slice.next++]);
      }
      slice.done = slice.next == registrations.size();
      return slice;
    };
    out.drain = [this] { draining = true; };
    out.tick = [this] { ++ticks; };
    return out;
  }

  Block blocks[2];
  CounterRegistry registry;
  std::vector<RegistrationInfo> registrations;
  std::atomic<bool> draining{false};
  std::atomic<bool> stuck{false};
  std::atomic<unsigned> ticks{0};
};

class TempFolder {
 public:
  TempFolder() {
    char name[] = "/tmp/sluice-control-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

class FakeDaemon {
 public:
  FakeDaemon() : control(process.registry, process.sources()) {
    const auto opened =
        control.open({folder / "control.sock", Endpoint{IpAddress::v4(127, 0, 0, 1), 0}});
    if (!opened) ADD_FAILURE() << opened.error();
    thread_ = std::thread([this] { control.run(); });
  }
  ~FakeDaemon() {
    control.stop();
    thread_.join();
  }
  std::string socket() const { return folder / "control.sock"; }

  TempFolder folder;
  FakeProcess process;
  Control control;

 private:
  std::thread thread_;
};

}  // namespace sluice::control::test
