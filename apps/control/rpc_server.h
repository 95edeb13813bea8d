// SPDX-License-Identifier: Apache-2.0
//
// RpcServer: the control socket. Many clients, one thread, no client waits for another.
//
// Threads  All but wake() on the control thread.
// Memory   For each client a request of at most kMaxRequest bytes and the answers not yet taken; a
//          client is
//          not read from while it has answers to take, so these are bounded too.
// Errors   open() says what is wrong; later a bad client loses its connection and nobody else
//          notices.
#pragma once

#include "apps/control/rpc.h"
#include "base/result.h"

#include <poll.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace sluice::control {

class RpcServer {
 public:
  using Milliseconds = std::chrono::milliseconds;

  static constexpr std::size_t kMaxClients = 64;
  // A client that says or takes nothing for so long makes room for others.
  static constexpr std::chrono::seconds kIdle{300};

  explicit RpcServer(const Rpc& rpc);
  ~RpcServer();  // removes the socket that open() made
  RpcServer(const RpcServer&) = delete;
  RpcServer& operator=(const RpcServer&) = delete;

  // Replaces the socket of a daemon that is gone; refuses if one answers there. The socket is for
  // its owner and group (0660).
  Result<void, std::string> open(const std::string& path);

  // Serves what is ready, waiting for it at most `at_most`.
  void serve(Milliseconds at_most);

  void wake() noexcept;  // any thread: ends a wait

 private:
  using Clock = std::chrono::steady_clock;

  struct Client {
    int fd;
    std::string in;
    std::string out;
    Clock::time_point last;
    bool closing = false;  // after `out`
  };

  void accept_all(Clock::time_point now);
  void read_from(Client& client);
  void answer(Client& client);
  void write_to(Client& client);
  void drop(Client& client);

  const Rpc& rpc_;
  std::string path_;
  int listener_ = -1;
  int wake_ = -1;
  std::vector<Client> clients_;  // dropped ones have fd -1 until the end of serve()
  std::vector<pollfd> polled_;
};

}  // namespace sluice::control
