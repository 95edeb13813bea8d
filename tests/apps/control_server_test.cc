// SPDX-License-Identifier: Apache-2.0
#include "apps/control/sd_notify.h"
#include "apps/control/status_page.h"
#include "tests/apps/fake_daemon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace sluice::control {
namespace {

using testing::HasSubstr;

const std::string kAskVersion = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}\n";

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

class Caller {
 public:
  explicit Caller(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    const sockaddr_un address = address_of(path);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const timeval patience{5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  ~Caller() { close(fd_); }

  bool say(const std::string& text) {
    return send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  void finish() { shutdown(fd_, SHUT_WR); }
  // A line, or what came before the end.
  std::string hear() {
    std::string line;
    for (char c = 0; c != '\n' && recv(fd_, &c, 1, 0) == 1;) line += c;
    return line;
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

TEST(ControlSocket, AnswersAndIsForOwnerAndGroup) {
  test::FakeDaemon daemon;
  struct stat found {};
  ASSERT_EQ(stat(daemon.socket().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0660U);
  Caller caller(daemon.socket());
  ASSERT_TRUE(caller.say(kAskVersion));
  EXPECT_THAT(caller.hear(), HasSubstr("\"version\":\"1.2.3\""));
}

TEST(ControlSocket, RequestsMayComeInPiecesAndTogether) {
  test::FakeDaemon daemon;
  Caller caller(daemon.socket());
  for (const char c : kAskVersion) ASSERT_TRUE(caller.say({c}));
  EXPECT_THAT(caller.hear(), HasSubstr("1.2.3"));
  ASSERT_TRUE(caller.say(kAskVersion + kAskVersion + kAskVersion));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(caller.hear(), HasSubstr("1.2.3"));
}

TEST(ControlSocket, ACallerThatHasSaidAllIsStillAnswered) {
  test::FakeDaemon daemon;
  Caller caller(daemon.socket());
  ASSERT_TRUE(caller.say(kAskVersion));
  caller.finish();
  EXPECT_THAT(caller.hear(), HasSubstr("1.2.3"));
  EXPECT_EQ(caller.hear(), "");
}

TEST(ControlSocket, ARequestIsBounded) {
  test::FakeDaemon daemon;
  Caller caller(daemon.socket());
  // The daemon may hang up before it has heard all.
  caller.say(std::string(kMaxRequest + 8192, 'x'));
  EXPECT_THAT(caller.hear(), HasSubstr("at most 65536 bytes"));
  EXPECT_EQ(caller.hear(), "");
}

// The slow one asks for more than the socket holds and takes nothing; the others are served all the
// while.
TEST(ControlSocket, ASlowCallerHoldsUpNobody) {
  test::FakeDaemon daemon;
  RegistrationInfo row;
  row.user_agent = std::string(1000, 'a');
  daemon.process.registrations.assign(1000, row);
  Caller slow(daemon.socket());
  const std::string ask = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"registration.list\"}\n";
  ASSERT_TRUE(slow.say(ask + ask + ask));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    Caller other(daemon.socket());
    ASSERT_TRUE(other.say(kAskVersion));
    EXPECT_THAT(other.hear(), HasSubstr("1.2.3"));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{4});
  // And the slow one gets all of its answers in the end.
  for (int i = 0; i < 3; ++i) EXPECT_GT(slow.hear().size(), 1'000'000U);
}

TEST(ControlSocket, TooManyCallersAreToldSo) {
  test::FakeDaemon daemon;
  std::vector<std::unique_ptr<Caller>> callers;
  for (std::size_t i = 0; i < RpcServer::kMaxClients; ++i) {
    callers.push_back(std::make_unique<Caller>(daemon.socket()));
    ASSERT_TRUE(callers.back()->say(kAskVersion));
    ASSERT_THAT(callers.back()->hear(), HasSubstr("1.2.3"));
  }
  Caller late(daemon.socket());
  EXPECT_THAT(late.hear(), HasSubstr("too many clients"));
  callers.pop_back();
  // The place is free as soon as the daemon has seen the end of the connection.
  for (int attempt = 0; attempt < 100; ++attempt) {
    Caller again(daemon.socket());
    if (again.say(kAskVersion) && again.hear().find("1.2.3") != std::string::npos) return;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  FAIL() << "the place was never given again";
}

TEST(ControlSocket, ASocketThatIsLeftOverIsReplaced) {
  test::FakeProcess process;
  test::TempFolder folder;
  const std::string path = folder / "control.sock";
  const int left = socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = address_of(path);
  ASSERT_EQ(bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(left);
  Control control(process.registry, process.sources());
  EXPECT_TRUE(control.open({path, std::nullopt}));
}

TEST(ControlSocket, ASecondDaemonIsRefusedAndTheFirstGoesOn) {
  test::FakeDaemon daemon;
  test::FakeProcess process;
  {
    Control second(process.registry, process.sources());
    const auto opened = second.open({daemon.socket(), std::nullopt});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error(), "control socket " + daemon.socket() +
                                  ": another sluice listens there; stop it or set control.socket");
  }
  Caller caller(daemon.socket());
  ASSERT_TRUE(caller.say(kAskVersion));
  EXPECT_THAT(caller.hear(), HasSubstr("1.2.3"));
}

TEST(ControlSocket, WhatIsNoSocketIsLeftAlone) {
  test::FakeProcess process;
  test::TempFolder folder;
  const std::string path = folder / "notes.txt";
  std::ofstream(path) << "precious";
  Control control(process.registry, process.sources());
  const auto opened = control.open({path, std::nullopt});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(),
            "control socket " + path + ": there is something else, which is left alone");
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(ControlSocket, AFolderThatIsMissingIsMadeOrNamed) {
  test::FakeProcess process;
  test::TempFolder folder;
  Control near(process.registry, process.sources());
  EXPECT_TRUE(near.open({folder / "run/control.sock", std::nullopt}));
  Control far(process.registry, process.sources());
  const auto opened = far.open({folder / "a/b/control.sock", std::nullopt});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error(), HasSubstr("No such file or directory"));
}

TEST(Control, TicksAndLeavesNothingBehind) {
  std::string path;
  {
    test::FakeDaemon daemon;
    path = daemon.socket();
    for (int i = 0; i < 200 && daemon.process.ticks < 3; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    EXPECT_GE(daemon.process.ticks, 3U);
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

// --- HTTP ---

TEST(ControlHttp, ServesMetrics) {
  test::FakeDaemon daemon;
  httplib::Client client("127.0.0.1", daemon.control.http_port());
  const auto answer = client.Get("/metrics");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(answer->body, HasSubstr("sluice_net_dropped_total{"));
}

TEST(ControlHttp, ReadyTurnsWhenDraining) {
  test::FakeDaemon daemon;
  httplib::Client client("127.0.0.1", daemon.control.http_port());
  EXPECT_EQ(client.Get("/ready")->status, 200);
  EXPECT_EQ(client.Get("/ready")->body, "ready\n");
  daemon.process.draining = true;
  EXPECT_EQ(client.Get("/ready")->status, 503);
  EXPECT_EQ(client.Get("/ready")->body, "draining\n");
  EXPECT_EQ(client.Get("/live")->status, 200);
}

TEST(ControlHttp, LiveTurnsWhenACoreIsStuck) {
  test::FakeDaemon daemon;
  httplib::Client client("127.0.0.1", daemon.control.http_port());
  daemon.process.stuck = true;
  EXPECT_EQ(client.Get("/live")->status, 503);
  EXPECT_EQ(client.Get("/live")->body, "core 1 is stuck\n");
}

TEST(ControlHttp, StatusPageIsWhole) {
  test::FakeDaemon daemon;
  httplib::Client client("127.0.0.1", daemon.control.http_port());
  const auto answer = client.Get("/");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body.find("{{"), std::string::npos) << "a mark was not filled in";
  EXPECT_THAT(answer->body, HasSubstr("<td>net_tap0,iface=sluice0</td>"));
  EXPECT_THAT(answer->body, HasSubstr("<td>25.0 %</td>"));
  EXPECT_THAT(answer->body, HasSubstr("port=&quot;access&quot;"));
  EXPECT_EQ(client.Get("/nowhere")->status, 404);
}

TEST(ControlHttp, AddressThatIsTakenIsNamed) {
  test::FakeDaemon daemon;
  test::FakeProcess process;
  test::TempFolder folder;
  Control second(process.registry, process.sources());
  const Endpoint taken{IpAddress::v4(127, 0, 0, 1), daemon.control.http_port()};
  const auto opened = second.open({folder / "control.sock", taken});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(), "control.http " + taken.to_string() + ": Address already in use");
}

TEST(StatusPage, EscapesText) {
  EXPECT_EQ(escape_html("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
}

// --- systemd ---

std::string received(int fd) {
  char text[256];
  const ssize_t got = recv(fd, text, sizeof text, MSG_DONTWAIT);
  return {text, got > 0 ? static_cast<std::size_t>(got) : 0};
}

TEST(Notifier, SpeaksToTheSocket) {
  test::TempFolder folder;
  const std::string path = folder / "notify.sock";
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  const sockaddr_un address = address_of(path);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  Notifier notifier(path, std::chrono::seconds{5});
  notifier.ready("2 cores");
  EXPECT_EQ(received(fd), "READY=1\nSTATUS=2 cores");
  notifier.watchdog();
  EXPECT_EQ(received(fd), "WATCHDOG=1");
  notifier.stopping("draining");
  EXPECT_EQ(received(fd), "STOPPING=1\nSTATUS=draining");
  close(fd);
}

TEST(Notifier, KnowsAbstractNames) {
  const std::string name = "@sluice-notify-test-" + std::to_string(getpid());
  sockaddr_un address = address_of(name);
  address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), length), 0);
  Notifier(name).ready("up");
  EXPECT_EQ(received(fd), "READY=1\nSTATUS=up");
  close(fd);
}

TEST(Notifier, IsSilentWhenNobodyListens) {
  Notifier nobody;
  EXPECT_FALSE(nobody.connected());
  nobody.ready("up");
  nobody.watchdog();
  Notifier gone("/nowhere/notify.sock");
  gone.ready("up");
}

TEST(Notifier, ReadsTheEnvironment) {
  setenv("NOTIFY_SOCKET", "/run/notify", 1);
  setenv("WATCHDOG_USEC", "3000000", 1);
  unsetenv("WATCHDOG_PID");
  EXPECT_EQ(Notifier::environment_socket(), "/run/notify");
  EXPECT_EQ(Notifier::environment_watchdog(), std::chrono::seconds{3});
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(Notifier::environment_watchdog(), Duration::zero());
  unsetenv("NOTIFY_SOCKET");
  unsetenv("WATCHDOG_USEC");
  unsetenv("WATCHDOG_PID");
  EXPECT_EQ(Notifier::environment_socket(), "");
}

}  // namespace
}  // namespace sluice::control
