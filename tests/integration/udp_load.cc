// SPDX-License-Identifier: Apache-2.0
//
// udp_load: keeps a window of datagrams in flight to a UDP echo through kernel sockets, checks
// every answer byte for byte, and prints rate, loss and round-trip times as one JSON line.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr unsigned kBatch = 32;

struct Options {
  const char* address = "198.18.0.2";
  unsigned size = 600;
  unsigned window = 32;  // per flow
  unsigned flows = 1;    // source ports
  double seconds = 1;
  unsigned pause_ms = 0;  // between single datagrams: measures the wake-up of an idle echo
};

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}

// Payload: 8 bytes of send time, then a pattern that follows from it.
struct Datagram {
  std::vector<char> bytes;
  explicit Datagram(unsigned size) : bytes(std::max(size, 16U)) {}
  void stamp(std::int64_t time) {
    std::memcpy(bytes.data(), &time, sizeof time);
    std::memset(bytes.data() + 8, static_cast<char>(time), bytes.size() - 8);
  }
  static std::int64_t time_of(const char* data) {
    std::int64_t time = 0;
    std::memcpy(&time, data, sizeof time);
    return time;
  }
  static bool intact(const char* data, std::size_t length, std::size_t expected) {
    return length == expected && std::all_of(data + 8, data + length, [&](char c) {
             return c == static_cast<char>(time_of(data));
           });
  }
};

struct Flow {
  int socket = -1;
  unsigned in_flight = 0;
};

struct Totals {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t corrupt = 0;
  std::vector<std::uint32_t> round_trips;  // ns
};

void send_some(Flow& flow, const Options& options, std::vector<Datagram>& batch, Totals& totals) {
  const unsigned count = std::min(kBatch, options.window - flow.in_flight);
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> vectors{};
  const std::int64_t time = now_ns();
  for (unsigned i = 0; i < count; ++i) {
    batch[i].stamp(time + i);
    vectors[i] = {batch[i].bytes.data(), batch[i].bytes.size()};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const int sent = ::sendmmsg(flow.socket, messages.data(), count, MSG_DONTWAIT);
  if (sent <= 0) return;
  flow.in_flight += static_cast<unsigned>(sent);
  totals.sent += static_cast<unsigned>(sent);
}

void receive_some(Flow& flow, const Options& options, Totals& totals) {
  static thread_local std::vector<char> space(kBatch * 65536);
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> vectors{};
  for (unsigned i = 0; i < kBatch; ++i) {
    vectors[i] = {space.data() + i * 65536, 65536};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const int count = ::recvmmsg(flow.socket, messages.data(), kBatch, MSG_DONTWAIT, nullptr);
  const std::int64_t time = now_ns();
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    const char* data = static_cast<const char*>(vectors[index].iov_base);
    if (!Datagram::intact(data, messages[index].msg_len, std::max(options.size, 16U))) {
      ++totals.corrupt;
      continue;
    }
    ++totals.received;
    if (flow.in_flight > 0) --flow.in_flight;
    if (totals.round_trips.size() < 2'000'000) {
      totals.round_trips.push_back(static_cast<std::uint32_t>(time - Datagram::time_of(data)));
    }
  }
}

bool open_flow(Flow& flow, const Options& options) {
  sockaddr_storage peer{};
  socklen_t length = sizeof(sockaddr_in);
  auto* v4 = reinterpret_cast<sockaddr_in*>(&peer);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&peer);
  if (::inet_pton(AF_INET6, options.address, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(5060);
    length = sizeof *v6;
  } else {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(5060);
    ::inet_pton(AF_INET, options.address, &v4->sin_addr);
  }
  flow.socket = ::socket(peer.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int space = 4 << 20;
  ::setsockopt(flow.socket, SOL_SOCKET, SO_RCVBUF, &space, sizeof space);
  const int fragment = IP_PMTUDISC_DONT;
  ::setsockopt(flow.socket, IPPROTO_IP, IP_MTU_DISCOVER, &fragment, sizeof fragment);
  return ::connect(flow.socket, reinterpret_cast<sockaddr*>(&peer), length) == 0;
}

// What is lost would shrink the window for good: after 100 ms without an answer it is taken as
// lost.
void load(std::vector<Flow>& flows, const Options& options, Totals& totals) {
  std::vector<Datagram> batch(kBatch, Datagram(options.size));
  std::vector<pollfd> fds;
  for (const Flow& flow : flows) fds.push_back({flow.socket, POLLIN, 0});
  const std::int64_t end = now_ns() + static_cast<std::int64_t>(options.seconds * 1e9);
  while (now_ns() < end) {
    for (Flow& flow : flows) {
      if (flow.in_flight < options.window) send_some(flow, options, batch, totals);
    }
    if (::poll(fds.data(), fds.size(), 100) == 0) {
      for (Flow& flow : flows) flow.in_flight = 0;
    }
    for (std::size_t i = 0; i < flows.size(); ++i) {
      if ((fds[i].revents & POLLIN) != 0) receive_some(flows[i], options, totals);
    }
    if (options.pause_ms != 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(options.pause_ms));
  }
  while (::poll(fds.data(), fds.size(), 200) > 0) {
    for (Flow& flow : flows) receive_some(flow, options, totals);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    const char* value = argv[i + 1];
    if (option == "--address") options.address = value;
    if (option == "--size") options.size = static_cast<unsigned>(std::atoi(value));
    if (option == "--window") options.window = static_cast<unsigned>(std::atoi(value));
    if (option == "--flows") options.flows = static_cast<unsigned>(std::atoi(value));
    if (option == "--seconds") options.seconds = std::atof(value);
    if (option == "--pause-ms") options.pause_ms = static_cast<unsigned>(std::atoi(value));
  }
  std::vector<Flow> flows(options.flows);
  for (Flow& flow : flows) {
    if (!open_flow(flow, options)) return std::perror("udp_load: connect"), 1;
  }
  Totals totals;
  load(flows, options, totals);
  std::sort(totals.round_trips.begin(), totals.round_trips.end());
  const auto quantile = [&](double part) {
    if (totals.round_trips.empty()) return 0.0;
    const auto last = static_cast<double>(totals.round_trips.size() - 1);
    return totals.round_trips[static_cast<std::size_t>(part * last)] / 1000.0;
  };
  std::printf(
      "{\"sent\":%lu,\"received\":%lu,\"corrupt\":%lu,\"per_second\":%.0f,"
      "\"median_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n",
      totals.sent, totals.received, totals.corrupt,
      static_cast<double>(totals.received) / options.seconds, quantile(0.5), quantile(0.99),
      quantile(1));
  return totals.received == 0 ? 1 : 0;
}
