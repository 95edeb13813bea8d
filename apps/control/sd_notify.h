// SPDX-License-Identifier: Apache-2.0
//
// Notifier: tells systemd how we are (sd_notify(3)), without libsystemd.
//
// Threads  The control thread.
// Errors   Nobody listening is no error: every call is then a no-op.
#pragma once

#include "base/clock.h"

#include <string>

namespace sluice::control {

class Notifier {
 public:
  // `socket`: a path, or "@name" in the abstract namespace; empty: nobody listens.
  explicit Notifier(std::string socket = {}, Duration watchdog = {});
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  static std::string environment_socket();
  static Duration environment_watchdog();

  bool connected() const { return fd_ >= 0; }
  void ready(const std::string& status);
  void stopping(const std::string& status);
  // Send it at least twice in each watchdog_interval(); zero: nobody waits for it.
  void watchdog();
  Duration watchdog_interval() const { return watchdog_; }

 private:
  void send(const std::string& message);

  const std::string socket_;
  const Duration watchdog_;
  int fd_ = -1;
};

}  // namespace sluice::control
