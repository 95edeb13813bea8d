// SPDX-License-Identifier: Apache-2.0
//
// What a worker costs a packet: receive checks and delivery, junk drop, transmit build. The port is
// a list of ready frames, so what is measured is the stack with its share of the loop, not a
// driver.
//
// Read the lowest of several repetitions; `tsc` is TSC ticks a packet.
#include "base/pool.h"
#include "dataplane/net/checksum.h"
#include "dataplane/worker.h"
#include "tests/support/frames.h"

#include <benchmark/benchmark.h>
#include <x86intrin.h>

#include <array>
#include <memory>
#include <vector>

namespace sluice::dataplane {
namespace {

constexpr MacAddress kMac = {0x02, 0, 0, 0, 0, 0x01};
constexpr MacAddress kPeerMac = {0x02, 0, 0, 0, 0, 0x11};
constexpr std::uint32_t kBurst = Worker::kBurst;

// Every receive() finds a burst of copies of the same frame; transmit() frees.
class BenchPort final : public FramePort {
 public:
  BenchPort() : pool_(2048, 512) { info_.mac = kMac; }

  void set_frame(test::Bytes frame, RxChecksum checksum) {
    frame_ = std::move(frame);
    checksum_ = checksum;
  }
  const PortInfo& info() const noexcept override { return info_; }
  PortInfo& mutable_info() { return info_; }
  std::uint32_t receive(std::uint16_t, std::span<RxFrame> out) noexcept override {
    if (frame_.empty()) return 0;
    for (RxFrame& rx : out) {
      rx.bytes = pool_.allocate(static_cast<std::uint32_t>(frame_.size()), 128);
      std::memcpy(rx.bytes.data(), frame_.data(), frame_.size());
      rx.checksum = checksum_;
    }
    return static_cast<std::uint32_t>(out.size());
  }
  std::uint32_t transmit(std::uint16_t, std::span<TxFrame> frames) noexcept override {
    for (TxFrame& frame : frames) frame.bytes.reset();
    return static_cast<std::uint32_t>(frames.size());
  }
  OwnedBytes allocate(std::uint32_t size, std::uint32_t headroom) noexcept override {
    return pool_.allocate(size, headroom);
  }
  std::uint32_t largest_buffer() const noexcept override { return 2048; }
  int wake_fd(std::uint16_t) noexcept override { return -1; }
  bool link_up() const noexcept override { return true; }

 private:
  PortInfo info_;
  BufferPool pool_;
  test::Bytes frame_;
  RxChecksum checksum_ = RxChecksum::Unknown;
};

struct NullSink final : DatagramSink {
  void on_datagrams(Core&, std::span<Datagram> burst) noexcept override { count += burst.size(); }
  std::uint64_t count = 0;
};

struct Bench {
  explicit Bench(bool offload) {
    port.mutable_info().tx_udp_checksum = port.mutable_info().tx_ipv4_checksum = offload;
    TopologySpec spec;
    PortSpec access;
    access.name = "access";
    access.addresses = {*Prefix::parse("198.18.0.2/24"), *Prefix::parse("fd00:18::2/64")};
    access.gateway_v4 = test::ip("198.18.0.254");
    spec.ports = {access};
    spec.listeners = {{0, 0, test::at("198.18.0.2:5060"), Transport::Udp},
                      {1, 0, test::at("[fd00:18::2]:5060"), Transport::Udp}};
    topology = std::make_unique<Topology>(*Topology::build(spec));
    const std::vector<std::vector<std::uint16_t>> ports_of = {{0}};
    mesh = std::make_unique<BounceMesh>(ports_of, HashKey{1, 2});
    const WorkerQueue queue{&port, 0, 0};
    worker = std::make_unique<Worker>(*topology, *mesh, BounceMesh::WorkerIndex{0}, large,
                                      HashKey{3, 4}, std::span{&queue, 1});
    worker->set_sink(sink);
  }
  std::uint64_t delivered() const { return sink.count; }

  ManualClock clock;
  Core core{0, Role::Poll, clock, HashKey{5, 6}};
  BenchPort port;
  LargeBuffers large{1, 8};
  NullSink sink;
  std::unique_ptr<Topology> topology;
  std::unique_ptr<BounceMesh> mesh;
  std::unique_ptr<Worker> worker;
};

test::Bytes udp_frame(std::size_t size, const char* to, const char* from) {
  return test::udp_frame(kPeerMac, kMac, test::at(from), test::at(to), test::pattern(size));
}

template <typename Turn>
void run(benchmark::State& state, Turn&& turn) {
  const std::uint64_t begin = __rdtsc();
  for (auto _ : state) turn();
  const std::uint64_t ticks = __rdtsc() - begin;
  const auto packets = static_cast<std::int64_t>(state.iterations()) * kBurst;
  state.SetItemsProcessed(packets);
  state.counters["tsc"] = static_cast<double>(ticks) / static_cast<double>(packets);
  state.counters["ns"] = benchmark::Counter(
      static_cast<double>(packets), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void receive(benchmark::State& state, const test::Bytes& frame, RxChecksum checksum, bool good) {
  Bench bench(false);
  bench.worker->poll(bench.core);
  bench.port.set_frame(frame, checksum);
  run(state, [&] { bench.worker->poll(bench.core); });
  if ((bench.delivered() != 0) != good) state.SkipWithError("delivered what it should not");
}

void BM_Receive(benchmark::State& state, const char* to, const char* from, RxChecksum checksum) {
  receive(state, udp_frame(600, to, from), checksum, true);
}
BENCHMARK_CAPTURE(BM_Receive, ipv4_600B_checksum_by_port, "198.18.0.2:5060", "198.18.0.10:5060",
                  RxChecksum::Good);
BENCHMARK_CAPTURE(BM_Receive, ipv4_600B_checksum_by_us, "198.18.0.2:5060", "198.18.0.10:5060",
                  RxChecksum::Unknown);
BENCHMARK_CAPTURE(BM_Receive, ipv6_600B_checksum_by_us, "[fd00:18::2]:5060", "[fd00:18::10]:5060",
                  RxChecksum::Unknown);

// The port's own part: allocate, copy 642 B in, free.
void BM_PortAlone(benchmark::State& state) {
  Bench bench(false);
  bench.port.set_frame(udp_frame(600, "198.18.0.2:5060", "198.18.0.10:5060"), RxChecksum::Good);
  std::array<RxFrame, kBurst> burst;
  run(state, [&] {
    bench.port.receive(0, burst);
    for (RxFrame& frame : burst) frame.bytes.reset();
  });
}
BENCHMARK(BM_PortAlone);

void BM_DropJunk(benchmark::State& state, const char* to) {
  receive(state, udp_frame(60, to, "198.18.0.10:5060"), RxChecksum::Good, false);
}
BENCHMARK_CAPTURE(BM_DropJunk, no_listener, "198.18.0.2:9");
BENCHMARK_CAPTURE(BM_DropJunk, not_us, "198.18.0.3:5060");

void BM_Send(benchmark::State& state, bool offload, const char* remote_text, ListenerId listener) {
  Bench bench(offload);
  const Endpoint remote = test::at(remote_text);
  // The peer speaks first, so that its address is known.
  bench.port.set_frame(
      udp_frame(60, listener == 0 ? "198.18.0.2:5060" : "[fd00:18::2]:5060", remote_text),
      RxChecksum::Good);
  bench.worker->poll(bench.core);
  bench.port.set_frame({}, RxChecksum::Good);
  bench.worker->flush(bench.core);
  run(state, [&] {
    for (std::uint32_t i = 0; i < kBurst; ++i) {
      bench.worker->send_datagram(bench.core, listener, remote,
                                  bench.worker->allocate(bench.core, 600));
    }
    bench.worker->flush(bench.core);
  });
  const auto sent = bench.worker->counters()[NetCounter::TxSent].value();
  if (sent != static_cast<std::uint64_t>(state.iterations()) * kBurst) {
    state.SkipWithError("not everything was sent");
  }
}
BENCHMARK_CAPTURE(BM_Send, ipv4_600B_checksum_by_port, true, "198.18.0.10:5060", 0);
BENCHMARK_CAPTURE(BM_Send, ipv4_600B_checksum_by_us, false, "198.18.0.10:5060", 0);
BENCHMARK_CAPTURE(BM_Send, ipv6_600B_checksum_by_us, false, "[fd00:18::10]:5060", 1);

void BM_Checksum(benchmark::State& state) {
  const test::Bytes bytes = test::pattern(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(checksum_add(bytes));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(BM_Checksum)->Arg(64)->Arg(600)->Arg(1460);

}  // namespace
}  // namespace sluice::dataplane

BENCHMARK_MAIN();
