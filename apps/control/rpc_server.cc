// SPDX-License-Identifier: Apache-2.0
#include "apps/control/rpc_server.h"

#include "base/assert.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>

namespace sluice::control {
namespace {

std::string failure(const std::string& what, const std::string& path) {
  return what + " " + path + ": " + std::strerror(errno);
}

bool answers_at(const sockaddr_un& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int failed = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  // EAGAIN: somebody listens and has more callers than it can take.
  const bool answers = failed == 0 || errno == EAGAIN;
  close(fd);
  return answers;
}

}  // namespace

RpcServer::RpcServer(const Rpc& rpc) : rpc_(rpc) {
  wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  SLUICE_CHECK(wake_ >= 0);
}

RpcServer::~RpcServer() {
  for (Client& client : clients_) drop(client);
  if (listener_ >= 0) {
    close(listener_);
    unlink(path_.c_str());
  }
  close(wake_);
}

Result<void, std::string> RpcServer::open(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail("control socket " + path + ": a path has 1 to 107 bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());

  struct stat found {};
  if (lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) {
      return fail("control socket " + path + ": there is something else, which is left alone");
    }
    if (answers_at(address)) {
      return fail("control socket " + path +
                  ": another sluice listens there; stop it or set control.socket");
    }
    unlink(path.c_str());
  } else if (const auto folder = std::filesystem::path(path).parent_path(); !folder.empty()) {
    std::error_code ignored;  // bind() says what is wrong
    std::filesystem::create_directory(folder, ignored);
  }

  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail(failure("control socket", path));
  // unix(7): the new socket takes the descriptor's mode, less the umask; so it is never open to
  // all.
  if (fchmod(fd, 0660) != 0 ||
      bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    const std::string text = failure("control socket", path);
    close(fd);
    return fail(text);
  }
  listener_ = fd;
  path_ = path;
  if (chmod(path.c_str(), 0660) != 0 || listen(fd, 64) != 0) {
    return fail(failure("control socket", path));
  }
  return {};
}

void RpcServer::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
}

void RpcServer::serve(Milliseconds at_most) {
  polled_.assign({{wake_, POLLIN, 0}, {listener_, POLLIN, 0}});
  for (const Client& client : clients_) {
    // Back-pressure: whoever does not take its answers is not heard.
    polled_.push_back({client.fd, static_cast<short>(client.out.empty() ? POLLIN : POLLOUT), 0});
  }
  if (::poll(polled_.data(), polled_.size(), static_cast<int>(at_most.count())) < 0) return;

  const auto now = Clock::now();
  if (polled_[0].revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(wake_, &count, sizeof count);
  }
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    Client& client = clients_[i];
    const short events = polled_[i + 2].revents;
    if (events != 0) client.last = now;
    if ((events & POLLOUT) != 0) {
      write_to(client);
      answer(client);
    } else if (events != 0) {
      read_from(client);
    }
    if (now - client.last > kIdle) drop(client);
  }
  std::erase_if(clients_, [](const Client& client) { return client.fd < 0; });
  if (polled_[1].revents != 0) accept_all(now);
}

void RpcServer::accept_all(Clock::time_point now) {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    clients_.push_back({fd, {}, {}, now});
    if (clients_.size() <= kMaxClients) continue;
    Client& last = clients_.back();
    last.out = to_line(make_error(nullptr, RpcError::TooManyClients, "too many clients"));
    last.closing = true;
    write_to(last);
    drop(last);
    clients_.pop_back();
  }
}

void RpcServer::read_from(Client& client) {
  char chunk[4096];
  const ssize_t got = recv(client.fd, chunk, sizeof chunk, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(client);
  client.in.append(chunk, static_cast<std::size_t>(got));
  answer(client);
}

// One line at a time: the next one waits until the answer is taken.
void RpcServer::answer(Client& client) {
  while (client.fd >= 0 && client.out.empty()) {
    const std::size_t end = client.in.find('\n');
    if (end == std::string::npos) break;
    client.out = rpc_.handle(std::string_view(client.in).substr(0, end));
    client.in.erase(0, end + 1);
    if (!client.out.empty()) write_to(client);
  }
  if (client.fd >= 0 && client.out.empty() && client.in.size() > kMaxRequest) {
    client.out = to_line(make_error(
        nullptr, RpcError::InvalidRequest,
        "a request has at most " + std::to_string(kMaxRequest) + " bytes and ends with a newline"));
    client.closing = true;
    write_to(client);
  }
}

void RpcServer::write_to(Client& client) {
  const ssize_t sent =
      send(client.fd, client.out.data(), client.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) drop(client);
    return;
  }
  client.out.erase(0, static_cast<std::size_t>(sent));
  if (!client.out.empty()) return;
  if (client.closing) return drop(client);
}

void RpcServer::drop(Client& client) {
  if (client.fd >= 0) close(client.fd);
  client.fd = -1;
}

}  // namespace sluice::control
