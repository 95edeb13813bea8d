// SPDX-License-Identifier: Apache-2.0
//
// Client: one connection to the daemon's control socket.
//
// Threads  One.
// Errors   Unreachable: nobody to talk to. Refused: the daemon said no. Both carry a sentence for
//          people.
#pragma once

#include "apps/control/protocol.h"

#include <stdexcept>
#include <string>
#include <string_view>

namespace sluice::sluicectl {

class Unreachable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Client {
 public:
  explicit Client(std::string socket);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The "result" of the answer.
  control::Json call(std::string_view method, const control::Json& params);

 private:
  std::string read_line();

  const std::string socket_;
  int fd_ = -1;
  int id_ = 0;
  std::string in_;
};

}  // namespace sluice::sluicectl
