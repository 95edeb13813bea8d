// SPDX-License-Identifier: Apache-2.0
#include "apps/control/sd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace sluice::control {
namespace {

// The number in an environment variable, 0 if there is none.
std::int64_t number_of(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return 0;
  std::int64_t value = 0;
  std::from_chars(text, text + std::strlen(text), value);
  return value;
}

}  // namespace

Notifier::Notifier(std::string socket, Duration watchdog)
    : socket_(std::move(socket)), watchdog_(watchdog) {
  if (socket_.empty() || socket_.size() >= sizeof(sockaddr_un::sun_path)) return;
  fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

Notifier::~Notifier() {
  if (fd_ >= 0) close(fd_);
}

std::string Notifier::environment_socket() {
  const char* socket = std::getenv("NOTIFY_SOCKET");
  return socket != nullptr ? socket : "";
}

Duration Notifier::environment_watchdog() {
  const std::int64_t pid = number_of("WATCHDOG_PID");
  if (pid != 0 && pid != getpid()) return {};
  return std::chrono::microseconds{number_of("WATCHDOG_USEC")};
}

void Notifier::ready(const std::string& status) {
  send("READY=1\nSTATUS=" + status);
}
void Notifier::stopping(const std::string& status) {
  send("STOPPING=1\nSTATUS=" + status);
}
void Notifier::watchdog() {
  if (watchdog_ > Duration::zero()) send("WATCHDOG=1");
}

void Notifier::send(const std::string& message) {
  if (fd_ < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, socket_.data(), socket_.size());
  // unix(7): an abstract name starts with a zero byte and is as long as the address says.
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  sendto(fd_, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to),
         length);
}

}  // namespace sluice::control
