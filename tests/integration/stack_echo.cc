// SPDX-License-Identifier: Apache-2.0
//
// stack_echo: a UDP echo on port 5060 of the edge's addresses, over the whole stack: ports, worker,
// ARP and ND, reassembly and fragmentation. One worker has both ports. The yardstick is port_echo.
#include "base/core.h"
#include "base/poll_loop.h"
#include "dataplane/dpdk/eal.h"
#include "dataplane/dpdk/port.h"
#include "dataplane/worker.h"
#include "tests/integration/queue_idle.h"

#include <sched.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dataplane {
namespace {

class EchoSink final : public DatagramSink {
 public:
  explicit EchoSink(Egress& egress) : egress_(egress) {}
  void on_datagrams(Core& core, std::span<Datagram> burst) noexcept override {
    for (Datagram& datagram : burst) {
      egress_.send_datagram(core, datagram.listener, datagram.source, std::move(datagram.payload));
    }
    echoed_.add(burst.size());
  }
  std::uint64_t echoed() const { return echoed_.value(); }

 private:
  Egress& egress_;
  Counter echoed_;
};

int refuse(const std::string& why) {
  std::fprintf(stderr, "stack_echo: %s\n", why.c_str());
  return 1;
}

TopologySpec lab_topology(std::size_t ports) {
  TopologySpec spec;
  for (std::size_t i = 0; i < ports; ++i) {
    const std::string network = i == 0 ? "18" : "19";
    const std::string v4 = "198." + network + ".0.2";
    const std::string v6 = "fd00:" + network + "::2";
    PortSpec port;
    port.name = i == 0 ? "access" : "core";
    port.addresses = {*Prefix::parse(v4 + "/24"), *Prefix::parse(v6 + "/64")};
    spec.ports.push_back(std::move(port));
    const auto index = static_cast<std::uint16_t>(i);
    const auto id = static_cast<ListenerId>(2 * i);
    spec.listeners.push_back({id, index, *Endpoint::parse(v4 + ":5060"), Transport::Udp});
    spec.listeners.push_back({static_cast<ListenerId>(id + 1), index,
                              *Endpoint::parse("[" + v6 + "]:5060"), Transport::Udp});
  }
  return spec;
}

void print(const Port& port, std::uint32_t free_before, std::uint64_t echoed) {
  const PortStatus status = port.status();
  std::printf(
      "{\"device\":\"%s\",\"queues\":[%lu],\"bad_checksum\":0,\"copied\":0,"
      "\"free_before\":%u,\"free_after\":%u,\"link_up\":%s}\n",
      status.device.c_str(), echoed, free_before, status.buffers_free,
      status.link_up ? "true" : "false");
}

int run(std::span<char*> devices, IdlePolicy policy) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  unsigned cpu = CPU_SETSIZE - 1;
  while (cpu > 0 && !CPU_ISSET(cpu, &allowed)) --cpu;
  EalOptions options{.lcores = {{0, cpu}}};
  const auto eal = Eal::start(options);
  if (!eal) return refuse(eal.error());
  std::vector<std::unique_ptr<Port>> ports;
  std::vector<WorkerQueue> queues;
  std::vector<std::uint32_t> free_before;
  for (const char* device : devices) {
    auto port = Port::open(**eal, {.name = "echo", .device = device});
    if (!port) return refuse(port.error());
    ports.push_back(std::move(*port));
    queues.push_back({ports.back().get(), static_cast<std::uint16_t>(queues.size()), 0});
    free_before.push_back(ports.back()->status().buffers_free);
  }
  const auto topology = Topology::build(lab_topology(ports.size()));
  if (!topology) return refuse(topology.error());

  SystemClock clock;
  Core core(0, Role::Poll, clock, HashKey{1, 2});
  LargeBuffers large(1, 256);
  std::vector<std::uint16_t> indices;
  for (const WorkerQueue& queue : queues) indices.push_back(queue.index);
  const std::vector<std::vector<std::uint16_t>> ports_of{indices};
  BounceMesh mesh(ports_of, HashKey{3, 4}, 64);
  int signal = 0;
  std::uint64_t echoed = 0;
  {
    Worker worker(*topology, mesh, 0, large, HashKey{5, 6}, queues);
    EchoSink sink(worker);
    worker.set_sink(sink);
    test::QueueIdle idle({ports.front()->wake_fd(0), ports.back()->wake_fd(0)});
    PollLoop loop(core, policy, &idle);
    loop.add(worker);
    (*eal)->launch(0, [&] { loop.run(); });
    std::printf("ready\n");
    std::fflush(stdout);
    sigwait(&stop, &signal);
    loop.stop();
    (*eal)->join_all();
    echoed = sink.echoed();
  }
  for (std::size_t i = 0; i < ports.size(); ++i) print(*ports[i], free_before[i], echoed);
  return 0;
}

}  // namespace
}  // namespace sluice::dataplane

int main(int argc, char** argv) {
  std::vector<char*> devices;
  auto policy = sluice::IdlePolicy::Adaptive;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--busy") policy = sluice::IdlePolicy::Busy;
    if (word == "--device" && i + 1 < argc) devices.push_back(argv[++i]);
  }
  if (devices.empty()) {
    std::fprintf(stderr, "usage: stack_echo --device STRING [--device STRING] [--busy]\n");
    return 2;
  }
  return sluice::dataplane::run(devices, policy);
}
