// SPDX-License-Identifier: Apache-2.0
//
// EAL and ports over drivers that need no privilege: net_ring (what is sent comes back), net_null,
// net_pcap. EAL starts once per process, so this binary is one environment for all its tests.
#include "dataplane/dpdk/device.h"
#include "dataplane/dpdk/eal.h"
#include "dataplane/dpdk/kernel_fds.h"
#include "dataplane/dpdk/port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace sluice::dataplane {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EalEnvironment : public ::testing::Environment {
 public:
  void SetUp() override {
    sched_getaffinity(0, sizeof affinity_before, &affinity_before);
    unsigned cpu = 0;
    while (!CPU_ISSET(cpu, &affinity_before)) ++cpu;
    EalOptions options;
    options.lcores = {{0, cpu}, {1, cpu}};
    options.hugepages = Hugepages::Never;
    auto started = Eal::start(options);
    ASSERT_TRUE(started) << started.error();
    eal = std::move(*started);
  }
  void TearDown() override { eal.reset(); }

  static inline std::unique_ptr<Eal> eal;
  static inline cpu_set_t affinity_before;
};

const auto* const kEnvironment = ::testing::AddGlobalTestEnvironment(new EalEnvironment);

Eal& eal() {
  return *EalEnvironment::eal;
}

std::unique_ptr<Port> open(PortOptions options) {
  if (options.name.empty()) options.name = "test";
  auto port = Port::open(eal(), options);
  EXPECT_TRUE(port) << port.error();
  return port ? std::move(*port) : nullptr;
}

std::string refusal(PortOptions options) {
  if (options.name.empty()) options.name = "test";
  auto port = Port::open(eal(), options);
  EXPECT_FALSE(port);
  return port ? std::string{} : port.error();
}

TxFrame frame_of(OwnedBytes bytes) {
  TxFrame frame;
  frame.bytes = std::move(bytes);
  return frame;
}

TxFrame lent_frame(Port& port, std::uint32_t size, std::uint8_t fill) {
  OwnedBytes bytes = port.allocate(size, 64);
  EXPECT_TRUE(bytes);
  std::memset(bytes.data(), fill, size);
  return frame_of(std::move(bytes));
}

std::uint32_t free_buffers(const Port& port) {
  return port.status().buffers_free;
}

TEST(Eal, NamesTheCpuThatIsNotAvailable) {
  EalOptions options;
  options.lcores = {{0, 1000}};
  const auto result = Eal::start(options);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error(), HasSubstr("CPU 1000 is not available"));
}

TEST(Eal, RefusesAnLcoreThatIsPlannedTwice) {
  EalOptions options;
  options.lcores = eal().lcores();
  options.lcores.push_back(options.lcores.front());
  const auto result = Eal::start(options);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error(), HasSubstr("core 0 is in the plan twice"));
}

TEST(Eal, SaysHowToGetHugepagesThatAreRequired) {
  EalOptions options;
  options.hugepages = Hugepages::Require;
  options.memory_mb = 1U << 30;
  const auto result = Eal::start(options);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error(), HasSubstr("nr_hugepages"));
}

TEST(Eal, LeavesNothingInTheFileSystem) {
  const std::string name = "sluice-" + std::to_string(::getpid());
  for (const char* base : {"/run/dpdk/", "/var/run/dpdk/", "/tmp/dpdk/"}) {
    EXPECT_FALSE(std::filesystem::exists(base + name)) << base;
  }
}

TEST(Eal, LeavesTheCallingThreadItsCpus) {
  cpu_set_t now;
  ASSERT_EQ(sched_getaffinity(0, sizeof now, &now), 0);
  EXPECT_TRUE(CPU_EQUAL(&now, &EalEnvironment::affinity_before));
}

TEST(Eal, RunsWorkOnThePinnedThreadOfAnLcore) {
  cpu_set_t there;
  CPU_ZERO(&there);
  pthread_t thread{};
  ASSERT_TRUE(eal().launch(1, [&] {
    thread = pthread_self();
    sched_getaffinity(0, sizeof there, &there);
  }));
  eal().join(1);
  EXPECT_FALSE(pthread_equal(thread, pthread_self()));
  EXPECT_EQ(CPU_COUNT(&there), 1);
}

TEST(Eal, RefusesWorkForABusyOrUnknownLcore) {
  std::atomic<bool> stop{false};
  ASSERT_TRUE(eal().launch(0, [&] {
    while (!stop) std::this_thread::yield();
  }));
  EXPECT_FALSE(eal().launch(0, [] {}));
  EXPECT_FALSE(eal().launch(77, [] {}));
  stop = true;
  eal().join_all();
}

TEST(Port, LendsWhatArrivesWithoutACopy) {
  const auto port = open({.device = "net_ring0"});
  ASSERT_NE(port, nullptr);
  TxFrame frame = lent_frame(*port, 600, 0xab);
  const std::uint8_t* const place = frame.bytes.data();
  ASSERT_EQ(port->transmit(0, {&frame, 1}), 1U);
  EXPECT_FALSE(frame.bytes);

  std::array<RxFrame, 4> received;
  ASSERT_EQ(port->receive(0, received), 1U);
  EXPECT_EQ(received[0].bytes.data(), place);
  EXPECT_EQ(received[0].bytes.size(), 600U);
  EXPECT_EQ(received[0].bytes.view().back(), 0xab);
  EXPECT_EQ(received[0].checksum, RxChecksum::Unknown);
  EXPECT_FALSE(received[0].truncated);
}

TEST(Port, SendsTheWindowThatTheBytesHaveNow) {
  const auto port = open({.device = "net_ring0"});
  TxFrame frame = lent_frame(*port, 100, 1);
  frame.bytes.trim_front(40);
  std::memset(frame.bytes.prepend(14), 2, 14);
  frame.bytes.resize(50);
  ASSERT_EQ(port->transmit(0, {&frame, 1}), 1U);

  std::array<RxFrame, 1> received;
  ASSERT_EQ(port->receive(0, received), 1U);
  const OwnedBytes& bytes = received[0].bytes;
  ASSERT_EQ(bytes.size(), 50U);
  EXPECT_EQ(bytes.headroom(), 64U + 40 - 14);
  EXPECT_EQ(bytes.data()[13], 2);
  EXPECT_EQ(bytes.data()[14], 1);
}

TEST(Port, CopiesBytesThatItHasNotLent) {
  const auto port = open({.device = "net_ring0"});
  const std::uint32_t before = free_buffers(*port);
  TxFrame frame = frame_of(OwnedBytes::copy_of(as_bytes("fourteen bytes and some more")));
  ASSERT_EQ(port->transmit(0, {&frame, 1}), 1U);
  EXPECT_FALSE(frame.bytes);

  std::array<RxFrame, 1> received;
  ASSERT_EQ(port->receive(0, received), 1U);
  EXPECT_EQ(received[0].bytes.text(), "fourteen bytes and some more");
  EXPECT_EQ(port->statistics().copied_sent, 1U);
  received[0].bytes.reset();
  EXPECT_EQ(free_buffers(*port), before);
}

TEST(Port, CarriesAFrameFromOnePortToAnotherWithoutACopy) {
  const auto access = open({.device = "net_ring0"});
  const auto core = open({.device = "net_ring1"});
  const std::uint32_t before = free_buffers(*access);
  TxFrame frame = lent_frame(*access, 200, 7);
  const std::uint8_t* const place = frame.bytes.data();
  ASSERT_EQ(core->transmit(0, {&frame, 1}), 1U);
  std::array<RxFrame, 1> received;
  ASSERT_EQ(core->receive(0, received), 1U);
  EXPECT_EQ(received[0].bytes.data(), place);
  received[0].bytes.reset();
  EXPECT_EQ(free_buffers(*access), before);
}

TEST(Port, DropsAFrameAboveTheMtuAndSendsTheRest) {
  const auto port = open({.device = "net_ring0"});
  std::array<TxFrame, 3> frames;
  frames[0] = lent_frame(*port, 1514, 1);
  frames[1] = lent_frame(*port, 1600, 2);
  frames[2] = lent_frame(*port, 60, 3);
  EXPECT_EQ(port->transmit(0, frames), 3U);
  for (const TxFrame& frame : frames) EXPECT_FALSE(frame.bytes);

  std::array<RxFrame, 4> received;
  ASSERT_EQ(port->receive(0, received), 2U);
  EXPECT_EQ(received[0].bytes.data()[0], 1);
  EXPECT_EQ(received[1].bytes.data()[0], 3);
  EXPECT_EQ(port->statistics().too_long_sent, 1U);
}

TEST(Port, LeavesWithTheCallerWhatADriverHasNoRoomFor) {
  const auto port = open({.device = "net_ring0"});
  const std::uint32_t before = free_buffers(*port);
  constexpr std::uint32_t kFrames = 3000;  // the ring holds 1023
  {
    std::vector<TxFrame> frames;
    for (std::uint32_t i = 0; i < kFrames; ++i) {
      // Every third one from the heap: copies must not leak when the driver has no room.
      frames.push_back(i % 3 == 0 ? frame_of(OwnedBytes::from_heap(80)) : lent_frame(*port, 80, 1));
      std::memcpy(frames.back().bytes.data(), &i, sizeof i);
    }
    std::uint32_t taken = 0;
    std::uint32_t expected = 0;
    for (unsigned attempt = 0; taken < kFrames && attempt < 10; ++attempt) {
      const std::uint32_t now = port->transmit(0, std::span(frames).subspan(taken));
      ASSERT_GT(now, 0U);
      for (std::uint32_t i = taken; i < taken + now; ++i) EXPECT_FALSE(frames[i].bytes);
      taken += now;
      for (std::uint32_t i = taken; i < kFrames; ++i) ASSERT_TRUE(frames[i].bytes);
      std::array<RxFrame, 48> received;
      while (const std::uint32_t count = port->receive(0, received)) {
        for (std::uint32_t i = 0; i < count; ++i, ++expected) {
          std::uint32_t number = 0;
          std::memcpy(&number, received[i].bytes.data(), sizeof number);
          ASSERT_EQ(number, expected);
        }
      }
    }
    EXPECT_EQ(expected, kFrames);
  }
  EXPECT_EQ(free_buffers(*port), before);
}

TEST(Port, CountsARefusedFrameAsTakenWhenTheDriverIsFull) {
  const auto port = open({.device = "net_ring0"});
  std::vector<TxFrame> frames;
  for (int i = 0; i < 1020; ++i) frames.push_back(lent_frame(*port, 60, 1));
  ASSERT_EQ(port->transmit(0, frames), 1020U);
  // Room for three; the first of these is too long and takes none.
  std::array<TxFrame, 6> last;
  last[0] = lent_frame(*port, 1600, 2);
  for (std::size_t i = 1; i < last.size(); ++i) last[i] = lent_frame(*port, 60, 3);
  EXPECT_EQ(port->transmit(0, last), 4U);
  for (std::size_t i = 0; i < last.size(); ++i) EXPECT_EQ(!last[i].bytes, i < 4) << i;
}

TEST(Port, TakesBuffersBackFromEveryThread) {
  const auto port = open({.device = "net_ring0"});
  const std::uint32_t before = free_buffers(*port);
  std::vector<OwnedBytes> lent;
  for (int i = 0; i < 1000; ++i) lent.push_back(port->allocate(500, 64));
  EXPECT_EQ(free_buffers(*port), before - 1000);
  ASSERT_TRUE(eal().launch(1, [&] { lent.resize(500); }));
  eal().join(1);
  std::thread([&] { lent.clear(); }).join();
  EXPECT_EQ(free_buffers(*port), before);
}

TEST(Port, RefusesToLendWhenDryOrAskedForTooMuch) {
  const auto port = open({.device = "net_ring0", .buffers = 600});
  EXPECT_FALSE(port->allocate(port->largest_buffer(), 1));
  EXPECT_TRUE(port->allocate(port->largest_buffer() - 64, 64));
  std::vector<OwnedBytes> lent;
  while (OwnedBytes bytes = port->allocate(100, 0)) lent.push_back(std::move(bytes));
  EXPECT_EQ(lent.size(), 600U);

  TxFrame foreign = frame_of(OwnedBytes::from_heap(60));
  EXPECT_EQ(port->transmit(0, {&foreign, 1}), 0U);
  EXPECT_TRUE(foreign.bytes);
  EXPECT_EQ(port->statistics().no_buffer, 1U);
  lent.clear();
  EXPECT_EQ(port->transmit(0, {&foreign, 1}), 1U);
}

TEST(Port, MayBeClosedWhileItsBuffersAreOut) {
  OwnedBytes survivor;
  {
    const auto port = open({.device = "net_ring0"});
    survivor = port->allocate(10, 0);
    std::memcpy(survivor.data(), "0123456789", 10);
  }
  const auto again = open({.device = "net_ring0"});
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(survivor.text(), "0123456789");
}

TEST(Port, QueuesAreApart) {
  const auto port = open({.device = "net_ring0", .queues = 2});
  EXPECT_EQ(port->info().queues, 2);
  TxFrame frame = lent_frame(*port, 64, 9);
  ASSERT_EQ(port->transmit(1, {&frame, 1}), 1U);
  std::array<RxFrame, 1> received;
  EXPECT_EQ(port->receive(0, received), 0U);
  EXPECT_EQ(port->receive(1, received), 1U);
}

TEST(Port, SaysWhenADriverHasFewerQueues) {
  const auto port = open({.device = "net_ring0", .queues = 200});
  EXPECT_LT(port->info().queues, 200);
  ASSERT_EQ(port->notices().size(), 1U);
  EXPECT_THAT(port->notices()[0], HasSubstr("of the 200 queues asked for"));
}

TEST(Port, ReportsItself) {
  const auto port = open({.name = "access", .device = "net_null0", .mtu = 1400});
  EXPECT_EQ(port->info().name, "access");
  EXPECT_EQ(port->info().mtu, 1400);
  EXPECT_FALSE(port->info().accept_partial_checksum);
  EXPECT_EQ(port->wake_fd(0), -1);
  const PortStatus status = port->status();
  EXPECT_EQ(status.driver, "net_null");
  EXPECT_EQ(status.device, "net_null0");
  EXPECT_EQ(status.buffers, 8192U);
  EXPECT_TRUE(status.link_up);
  EXPECT_FALSE(status.interrupts);
}

TEST(Port, CountsWhatTheDriverCounts) {
  const auto port = open({.device = "net_null0,size=100"});
  std::array<RxFrame, 16> received;
  EXPECT_EQ(port->receive(0, received), 16U);
  const PortStatistics statistics = port->statistics();
  EXPECT_EQ(statistics.received_frames, 16U);
}

// A capture file as a receive side: the driver hands out what does not fit into a buffer in pieces.
class PcapFile {
 public:
  explicit PcapFile(const std::vector<std::uint32_t>& sizes) {
    char name[] = "/tmp/sluice-dpdk-test-XXXXXX";
    ::close(::mkstemp(name));
    path_ = name;
    std::ofstream out(path_, std::ios::binary);
    const auto put = [&](std::uint32_t value) {
      out.write(reinterpret_cast<const char*>(&value), sizeof value);
    };
    for (const std::uint32_t word : {0xa1b2c3d4U, 0x00040002U, 0U, 0U, 65535U, 1U}) put(word);
    for (const std::uint32_t size : sizes) {
      for (const std::uint32_t word : {0U, 0U, size, size}) put(word);
      for (std::uint32_t i = 0; i < size; ++i) out.put(static_cast<char>(i % 251));
    }
  }
  ~PcapFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Port, JoinsAFrameThatCameInPieces) {
  const PcapFile file({100, 9000, 65500, 200});
  const auto port = open({.device = "net_pcap0,rx_pcap=" + file.path()});
  const std::uint32_t before = free_buffers(*port);
  std::array<RxFrame, 8> received;
  ASSERT_EQ(port->receive(0, received), 3U);
  EXPECT_EQ(received[0].bytes.size(), 100U);
  ASSERT_EQ(received[1].bytes.size(), 9000U);
  EXPECT_EQ(received[2].bytes.size(), 200U);
  const ByteView joined = received[1].bytes.view();
  for (std::uint32_t i = 0; i < 9000; ++i) ASSERT_EQ(joined[i], i % 251) << i;
  const PortStatistics statistics = port->statistics();
  EXPECT_EQ(statistics.linearised, 1U);
  EXPECT_EQ(statistics.too_long_received, 1U);
  received = {};
  EXPECT_EQ(free_buffers(*port), before);
}

TEST(PortErrors, StartWithTheNameOfThePort) {
  EXPECT_THAT(refusal({.name = "access", .device = ""}), HasSubstr("port access: "));
}

TEST(PortErrors, ExplainABadDeviceString) {
  EXPECT_THAT(refusal({.device = "eth0"}), HasSubstr("net_af_packet0,iface=eth0"));
  EXPECT_THAT(refusal({.device = "net_tap0,iface"}), HasSubstr("expected key=value"));
  EXPECT_THAT(refusal({.device = "net_nonsense0"}), HasSubstr("'net_nonsense0' cannot be opened"));
  EXPECT_THAT(refusal({.device = "net_null0,nonsense=1"}), HasSubstr("cannot be opened"));
}

TEST(PortErrors, NameAMissingInterface) {
  EXPECT_THAT(refusal({.device = "net_af_packet0,iface=sl-nowhere"}),
              HasSubstr("there is no interface 'sl-nowhere'"));
  EXPECT_THAT(refusal({.device = "net_af_xdp0"}), HasSubstr("net_af_xdp0 needs iface=NAME"));
}

TEST(PortErrors, SayHowToFindAPciDevice) {
  EXPECT_THAT(refusal({.device = "ffff:ff:1f.7"}), HasSubstr("dpdk-devbind.py"));
}

TEST(PortErrors, RefuseNoQueuesAndAnMtuThatTheDriverCannot) {
  EXPECT_THAT(refusal({.device = "net_ring0", .queues = 0}), HasSubstr("at least 1"));
  EXPECT_THAT(refusal({.device = "net_ring0", .buffers = 2'000'000}), HasSubstr("no memory"));
}

TEST(PortErrors, LeaveTheDeviceFreeForTheNextAttempt) {
  EXPECT_THAT(refusal({.device = "net_null0,size=100", .buffers = 2'000'000}),
              HasSubstr("no memory"));
  const auto port = open({.device = "net_null0,size=200"});
  std::array<RxFrame, 1> received;
  ASSERT_EQ(port->receive(0, received), 1U);
  EXPECT_EQ(received[0].bytes.size(), 200U);
}

TEST(KernelFds, FindTheFirstSocketThatIsNew) {
  const std::vector<int> before = open_fds();
  const int first = ::socket(AF_INET, SOCK_DGRAM, 0);
  const int second = ::socket(AF_INET, SOCK_DGRAM, 0);
  const int other = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  EXPECT_THAT(sockets_since(before, AF_INET), ElementsAre(first, second));
  for (const int fd : {first, second, other}) ::close(fd);
}

TEST(Device, TakesAStringApart) {
  auto device = Device::parse("net_af_packet0,iface=eth0,framesz=4096");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->driver(), Driver::AfPacket);
  EXPECT_EQ(device->name(), "net_af_packet0");
  EXPECT_EQ(device->lower_interface(), "eth0");
  device->set_default("framesz", "16384");
  device->set_default("qpairs", "2");
  EXPECT_EQ(device->to_string(), "net_af_packet0,iface=eth0,framesz=4096,qpairs=2");
}

TEST(Device, KnowsAPciAddress) {
  for (const char* text : {"0000:3b:00.1", "3b:00.1", "0000:3B:1f.7,mprq_en=1"}) {
    const auto device = Device::parse(text);
    ASSERT_TRUE(device) << text;
    EXPECT_EQ(device->driver(), Driver::Pci) << text;
  }
  for (const char* text : {"0000:3b:00.9", "000:3b:00.1", "3b:00"}) {
    const auto device = Device::parse(text);
    EXPECT_TRUE(!device || device->driver() != Driver::Pci) << text;
  }
}

}  // namespace
}  // namespace sluice::dataplane
