// SPDX-License-Identifier: Apache-2.0
//
// port_echo: the least that can live behind a port. Answers ARP and ping, and sends UDP back to its
// sender, on every queue, one lcore each. The ports' tests and the "bare UDP echo" of the
// measurements; prints its statistics as one JSON line when it is told to stop.
#include "base/core.h"
#include "base/counters.h"
#include "base/endpoint.h"
#include "base/poll_loop.h"
#include "dataplane/dpdk/eal.h"
#include "dataplane/dpdk/port.h"
#include "tests/integration/queue_idle.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dataplane {
namespace {

constexpr std::uint32_t kEthernet = 14;
constexpr std::uint32_t kIpv4 = 20;
constexpr std::uint32_t kUdp = 8;
constexpr std::uint32_t kArp = 28;

std::uint16_t get16(const std::uint8_t* at) {
  return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}
void put16(std::uint8_t* at, std::uint32_t value) {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}

std::uint32_t add_words(ByteView bytes, std::uint32_t sum) {
  std::size_t i = 0;
  for (; i + 1 < bytes.size(); i += 2) sum += get16(&bytes[i]);
  if (i < bytes.size()) sum += std::uint32_t{bytes[i]} << 8;
  return sum;
}
std::uint16_t fold(std::uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

enum class EchoCounter : std::uint8_t {
  Echoed,
  Partial,
  BadChecksum,
  Truncated,
  Unsent,
  Other,
  Count
};

class Echo final : public Poller {
 public:
  Echo(FramePort& port, std::uint16_t queue, std::span<const std::uint8_t, 4> address)
      : port_(port), queue_(queue) {
    std::copy(address.begin(), address.end(), address_.begin());
  }

  std::uint32_t poll(Core&) override {
    const std::uint32_t count = port_.receive(queue_, received_);
    std::uint32_t answers = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      OwnedBytes& bytes = received_[i].bytes;
      if (received_[i].truncated) {
        counters[EchoCounter::Truncated].add();
      } else if (answer(bytes)) {
        answers_[answers++].bytes = std::move(bytes);
      } else {
        counters[EchoCounter::Other].add();
      }
      bytes.reset();
    }
    const std::uint32_t sent = port_.transmit(queue_, std::span(answers_).first(answers));
    for (std::uint32_t i = sent; i < answers; ++i) {
      answers_[i].bytes.reset();
      counters[EchoCounter::Unsent].add();
    }
    return count;
  }

  CounterBlock<EchoCounter, static_cast<std::size_t>(EchoCounter::Count)> counters;

 private:
  bool answer(OwnedBytes& bytes) {
    if (bytes.size() < kEthernet + kIpv4 + kUdp) return false;
    std::uint8_t* frame = bytes.data();
    std::uint8_t* packet = frame + kEthernet;
    bool ours = false;
    switch (get16(frame + 12)) {
      case 0x0806:
        ours = bytes.size() >= kEthernet + kArp && answer_arp(packet);
        break;
      case 0x0800:
        ours = answer_ipv4(packet, bytes.size() - kEthernet);
        break;
    }
    if (!ours) return false;
    std::memcpy(frame, frame + 6, 6);
    std::memcpy(frame + 6, port_.info().mac.data(), 6);
    return true;
  }

  bool answer_arp(std::uint8_t* arp) {
    if (get16(arp + 6) != 1 || std::memcmp(arp + 24, address_.data(), 4) != 0) return false;
    put16(arp + 6, 2);
    std::memcpy(arp + 18, arp + 8, 10);
    std::memcpy(arp + 8, port_.info().mac.data(), 6);
    std::memcpy(arp + 14, address_.data(), 4);
    return true;
  }

  bool answer_ipv4(std::uint8_t* ip, std::uint32_t available) {
    const std::uint32_t length = get16(ip + 2);
    const bool fragment = (get16(ip + 6) & 0x3fff) != 0;
    if (ip[0] != 0x45 || length > available || length < kIpv4 + kUdp || fragment ||
        std::memcmp(ip + 16, address_.data(), 4) != 0) {
      return false;
    }
    std::uint8_t* inner = ip + kIpv4;
    if (ip[9] == 1 && inner[0] == 8) {
      inner[0] = 0;
      put16(inner + 2, fold(std::uint32_t{get16(inner + 2)} + 0x0800));
    } else if (ip[9] != 17 || !check_udp(ip, ByteView(inner, length - kIpv4))) {
      return false;
    } else {
      std::swap_ranges(inner, inner + 2, inner + 2);
      counters[EchoCounter::Echoed].add();
    }
    std::swap_ranges(ip + 12, ip + 16, ip + 16);
    return true;
  }

  // Swapping addresses and ports leaves a good sum good; a partial one is made whole.
  bool check_udp(const std::uint8_t* ip, ByteView udp) {
    auto* field = const_cast<std::uint8_t*>(udp.data()) + 6;
    if (get16(field) == 0) return true;
    const auto length = static_cast<std::uint32_t>(udp.size());
    const std::uint32_t pseudo = add_words(ByteView(ip + 12, 8), 17 + length);
    if (fold(add_words(udp, pseudo)) == 0xffff) return true;
    if (get16(field) == fold(pseudo) && port_.info().accept_partial_checksum) {
      counters[EchoCounter::Partial].add();
      put16(field, 0);
      put16(field, static_cast<std::uint16_t>(~fold(add_words(udp, pseudo))));
      return true;
    }
    counters[EchoCounter::BadChecksum].add();
    return false;
  }

  FramePort& port_;
  const std::uint16_t queue_;
  std::array<std::uint8_t, 4> address_{};
  std::array<RxFrame, 32> received_;
  std::array<TxFrame, 32> answers_;
};

struct Side {
  std::string device;
  std::array<std::uint8_t, 4> address{198, 18, 0, 2};
};

struct Arguments {
  std::vector<Side> sides;
  std::uint16_t queues = 1;
  std::uint16_t mtu = 1500;
  IdlePolicy idle = IdlePolicy::Adaptive;
  bool verbose = false;
};

bool parse(std::span<char*> words, Arguments& arguments) {
  const auto number = [](std::string_view text, auto& value) {
    return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc{};
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view option = words[i];
    if (option == "--busy") {
      arguments.idle = IdlePolicy::Busy;
      continue;
    }
    if (option == "--verbose") {
      arguments.verbose = true;
      continue;
    }
    if (++i == words.size()) return false;
    const std::string_view value = words[i];
    if (option == "--device") {
      arguments.sides.push_back({std::string(value)});
    } else if (option == "--queues") {
      if (!number(value, arguments.queues)) return false;
    } else if (option == "--mtu") {
      if (!number(value, arguments.mtu)) return false;
    } else if (option == "--address") {
      const auto address = IpAddress::parse(value);
      if (!address || !address->is_v4() || arguments.sides.empty()) return false;
      std::copy_n(address->bytes.begin(), 4, arguments.sides.back().address.begin());
    } else {
      return false;
    }
  }
  return !arguments.sides.empty();
}

// A port and what runs on its queues.
class EchoPort {
 public:
  EchoPort(std::unique_ptr<Port> port, const Side& side, IdlePolicy idle, Clock& clock)
      : port_(std::move(port)), free_before_(port_->status().buffers_free) {
    for (const std::string& notice : port_->notices()) {
      std::fprintf(stderr, "port_echo: %s\n", notice.c_str());
    }
    for (std::uint16_t queue = 0; queue < port_->info().queues; ++queue) {
      Runner& runner = *runners_.emplace_back(
          std::make_unique<Runner>(*port_, queue, side.address, idle, clock));
      runner.loop.add(runner.echo);
    }
  }

  void launch(Eal& eal, unsigned first_lcore) {
    for (unsigned queue = 0; queue < runners_.size(); ++queue) {
      eal.launch(first_lcore + queue, [&loop = runners_[queue]->loop] { loop.run(); });
    }
  }
  void stop() {
    for (const auto& runner : runners_) runner->loop.stop();
  }

  void print() const {
    static constexpr const char* kNames[] = {"echoed",    "partial", "bad_checksum",
                                             "truncated", "unsent",  "other"};
    const PortStatus status = port_->status();
    const PortStatistics statistics = port_->statistics();
    std::printf("{\"device\":\"%s\",\"queues\":[", status.device.c_str());
    for (std::size_t i = 0; i < runners_.size(); ++i) {
      std::printf("%s%lu", i == 0 ? "" : ",",
                  runners_[i]->echo.counters[EchoCounter::Echoed].value());
    }
    std::printf("]");
    for (std::size_t which = 0; which < std::size(kNames); ++which) {
      std::uint64_t sum = 0;
      for (const auto& runner : runners_) sum += runner->echo.counters.all()[which].value();
      std::printf(",\"%s\":%lu", kNames[which], sum);
    }
    std::printf(",\"missed\":%lu,\"receive_errors\":%lu,\"copied\":%lu", statistics.missed,
                statistics.receive_errors, statistics.copied_sent);
    std::printf(",\"free_before\":%u,\"free_after\":%u,\"link_up\":%s}\n", free_before_,
                status.buffers_free, status.link_up ? "true" : "false");
  }

 private:
  struct Runner {
    Runner(FramePort& port, std::uint16_t queue, std::span<const std::uint8_t, 4> address,
           IdlePolicy policy, Clock& clock)
        : echo(port, queue, address),
          core(static_cast<std::uint8_t>(queue), Role::Poll, clock, HashKey{}),
          idle({port.wake_fd(queue)}),
          loop(core, policy, &idle) {}
    Echo echo;
    Core core;
    test::QueueIdle idle;
    PollLoop loop;
  };

  std::unique_ptr<Port> port_;
  std::uint32_t free_before_;
  std::vector<std::unique_ptr<Runner>> runners_;
};

int refuse(const std::string& why) {
  std::fprintf(stderr, "port_echo: %s\n", why.c_str());
  return 1;
}

int run(const Arguments& arguments) {
  // The signals that stop us are for sigwait() alone, on whatever thread.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  std::vector<unsigned> cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) cpus.push_back(cpu);
  }
  EalOptions options{.verbose = arguments.verbose};
  for (const Side& side : arguments.sides) options.devices.push_back(side.device);
  for (unsigned lcore = 0; lcore < arguments.sides.size() * arguments.queues; ++lcore) {
    options.lcores.push_back({lcore, cpus[(lcore + 1) % cpus.size()]});
  }
  const auto eal = Eal::start(options);
  if (!eal) return refuse(eal.error());

  SystemClock clock;
  std::vector<std::unique_ptr<EchoPort>> ports;
  for (const Side& side : arguments.sides) {
    auto port = Port::open(
        **eal,
        {.name = "echo", .device = side.device, .queues = arguments.queues, .mtu = arguments.mtu});
    if (!port) return refuse(port.error());
    ports.push_back(std::make_unique<EchoPort>(std::move(*port), side, arguments.idle, clock));
  }
  for (unsigned i = 0; i < ports.size(); ++i) ports[i]->launch(**eal, i * arguments.queues);
  std::printf("ready\n");
  std::fflush(stdout);
  int signal = 0;
  sigwait(&stop, &signal);
  for (const auto& port : ports) port->stop();
  (*eal)->join_all();
  for (const auto& port : ports) port->print();
  return 0;
}

}  // namespace
}  // namespace sluice::dataplane

int main(int argc, char** argv) {
  sluice::dataplane::Arguments arguments;
  if (!sluice::dataplane::parse(std::span(argv, static_cast<std::size_t>(argc)).subspan(1),
                                arguments)) {
    std::fprintf(stderr,
                 "usage: port_echo (--device STRING [--address A])... [--queues N] [--mtu N] "
                 "[--busy] [--verbose]\n");
    return 2;
  }
  return sluice::dataplane::run(arguments);
}
