// SPDX-License-Identifier: Apache-2.0
//
// Raw frames and time into two workers over fake ports. After every input: each frame and datagram
// is in exactly one row of drop_reasons.def, and once time has ended every wait, every buffer is
// home.
//
// Input: records of {u8 action, ...}. Actions 0-5: a frame of u16 length to queue action % 2 (with
// our MAC put in front, so that the fuzzer need not find it); 6: advance u16 milliseconds; 7: send
// u16 bytes.
#include "dataplane/worker.h"
#include "tests/support/fake_port.h"
#include "tests/support/test_cores.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace {

using namespace sluice;             // NOLINT: one file
using namespace sluice::dataplane;  // NOLINT

constexpr MacAddress kMac = {0x02, 0, 0, 0, 0, 0x01};

struct Sink final : DatagramSink {
  void on_datagrams(Core&, std::span<Datagram> burst) noexcept override {
    for (Datagram& datagram : burst) {
      // Every byte must be readable.
      for (const std::uint8_t byte : datagram.payload.view()) sum += byte;
      remote = datagram.source;
    }
  }
  std::uint64_t sum = 0;
  Endpoint remote = *Endpoint::parse("198.18.0.10:5060");
};

TopologySpec spec() {
  TopologySpec out;
  PortSpec port;
  port.name = "fuzz";
  port.addresses = {*Prefix::parse("198.18.0.2/24"), *Prefix::parse("fd00:18::2/64")};
  port.gateway_v4 = IpAddress::parse("198.18.0.254");
  out.ports = {port};
  out.listeners = {{0, 0, *Endpoint::parse("198.18.0.2:5060"), Transport::Udp},
                   {1, 0, *Endpoint::parse("[fd00:18::2]:5060"), Transport::Udp}};
  return out;
}

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

struct Lab {
  Lab() {
    port.discard = true;
    const std::vector<std::vector<std::uint16_t>> ports_of = {{0}, {0}};
    mesh = std::make_unique<BounceMesh>(ports_of, HashKey{1, 2}, 64);
    StackOptions options;
    options.neighbours = 64;
    options.reassembly.datagrams = 8;
    for (std::uint16_t i = 0; i < 2; ++i) {
      const WorkerQueue queue{&port, 0, i};
      workers.push_back(std::make_unique<Worker>(topology, *mesh,
                                                 static_cast<BounceMesh::WorkerIndex>(i), large,
                                                 HashKey{3, 4}, std::span{&queue, 1}, options));
      workers[i]->set_sink(sink);
      cores.loop(i).add(*workers[i]);
    }
    cores.settle();
  }

  void expect_balanced() {
    for (const auto& worker : workers) {
      const NetCounters& counters = worker->counters();
      const std::uint64_t in = worker->queues()[0]->counters()[PortCounter::RxPackets].value() +
                               counters[NetCounter::BouncedIn].value();
      require(in == total_of(counters, NetCounterKind::RxDone) +
                        total_of(counters, NetCounterKind::RxDrop),
              "received is not the sum of the outcomes");
      require(counters[NetCounter::TxSubmitted].value() ==
                  total_of(counters, NetCounterKind::TxDone) +
                      total_of(counters, NetCounterKind::TxDrop) + worker->waiting_for_neighbours(),
              "submitted is not the sum of the outcomes");
    }
  }

  Topology topology = *Topology::build(spec());
  test::TestCores cores{2, Role::Poll};
  test::FakePort port{"fuzz", kMac, 2, 256};
  LargeBuffers large{2, 12};
  Sink sink;
  std::unique_ptr<BounceMesh> mesh;
  std::vector<std::unique_ptr<Worker>> workers;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Lab lab;
  const auto number = [&]() -> std::uint32_t {
    if (size < 2) return 0;
    const std::uint32_t value = data[0] * 256U + data[1];
    data += 2;
    size -= 2;
    return value;
  };
  while (size > 3) {
    const unsigned action = data[0] % 8;
    const auto checksum = data[0] < 192 ? RxChecksum::Good : RxChecksum::Unknown;
    ++data;
    --size;
    const std::uint32_t value = number();
    if (action == 6) {
      lab.cores.advance(std::chrono::milliseconds{value % 4096}, std::chrono::milliseconds{250});
    } else if (action == 7) {
      Core& core = lab.cores.core(value % 2);
      const Endpoint remote = lab.sink.remote;
      OwnedBytes bytes = lab.workers[value % 2]->allocate(core, value);
      if (bytes) {
        std::memset(bytes.data(), 'x', bytes.size());
        lab.workers[value % 2]->send_datagram(core, remote.address.is_v4() ? 0 : 1, remote,
                                              std::move(bytes));
      }
    } else {
      const std::size_t length = std::min<std::size_t>(value % 2048, size);
      std::vector<std::uint8_t> frame(data, data + length);
      if (action < 5 && frame.size() >= 6) std::copy(kMac.begin(), kMac.end(), frame.begin());
      lab.port.put(frame, action % 2, checksum);
      data += length;
      size -= length;
    }
    lab.cores.settle();
  }
  lab.expect_balanced();
  lab.cores.advance(std::chrono::seconds{70}, std::chrono::milliseconds{250});
  lab.expect_balanced();
  require(lab.port.free_buffers() == lab.port.buffers(), "a port buffer did not come home");
  for (unsigned i = 0; i < 2; ++i) {
    require(lab.large.count_free(i) == 12, "a large buffer did not come home");
    require(lab.cores.core(i).timers.size() == 0, "a timer is left");
  }
  return 0;
}
