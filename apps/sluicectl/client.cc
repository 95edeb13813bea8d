// SPDX-License-Identifier: Apache-2.0
#include "apps/sluicectl/client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sluice::sluicectl {
namespace {

using control::Json;

// The daemon's control thread answers within milliseconds; so long only if something is wrong.
constexpr timeval kPatience{10, 0};

std::string advice(int error) {
  switch (error) {
    case ENOENT:
    case ECONNREFUSED:
      return "is sluice running? Another socket: --socket PATH";
    case EACCES:
    case EPERM:
      return "the socket is for its owner and group";
    default:
      return "another socket: --socket PATH";
  }
}

}  // namespace

Client::Client(std::string socket) : socket_(std::move(socket)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) {
    throw Unreachable("\"" + socket_ + "\" is no path of a socket (1 to 107 bytes)");
  }
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(fd_);
    throw Unreachable("cannot reach the daemon at " + socket_ + ": " + std::strerror(error) + " (" +
                      advice(error) + ")");
  }
}

Client::~Client() {
  close(fd_);
}

std::string Client::read_line() {
  for (;;) {
    if (const std::size_t end = in_.find('\n'); end != std::string::npos) {
      std::string line = in_.substr(0, end);
      in_.erase(0, end + 1);
      return line;
    }
    char chunk[16384];
    const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) throw Unreachable("the daemon at " + socket_ + " closed the connection");
    if (got < 0) throw Unreachable("no answer from the daemon at " + socket_);
    in_.append(chunk, static_cast<std::size_t>(got));
  }
}

Json Client::call(std::string_view method, const Json& params) {
  const std::string request = control::to_line(control::make_request(++id_, method, params));
  if (send(fd_, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    throw Unreachable("the daemon at " + socket_ + " takes no request");
  }
  const Json answer = Json::parse(read_line(), nullptr, false);
  if (!answer.is_object()) throw Refused("the daemon's answer is not JSON-RPC");
  if (const auto error = answer.find("error"); error != answer.end()) {
    throw Refused(error->is_object() ? error->value("message", "refused") : "refused");
  }
  const auto result = answer.find("result");
  if (result == answer.end()) throw Refused("the daemon's answer has no result");
  return *result;
}

}  // namespace sluice::sluicectl
