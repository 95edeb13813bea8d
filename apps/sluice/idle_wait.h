// SPDX-License-Identifier: Apache-2.0
//
// EpollIdleWait: how a core sleeps: an eventfd for other cores, and the receive interrupts of its
// ports.
//
// Threads  watch() before the core runs; wait() on the core's thread; wake() from any.
// Errors   A descriptor that epoll does not take is left out: longest() then stays short, so that
//          the
//          core looks for itself.
#pragma once

#include "base/poll_loop.h"

namespace sluice {

class EpollIdleWait final : public IdleWait {
 public:
  EpollIdleWait();
  ~EpollIdleWait() override;
  EpollIdleWait(const EpollIdleWait&) = delete;
  EpollIdleWait& operator=(const EpollIdleWait&) = delete;

  // A port's queue that this core polls; -1: it has no interrupt and must be looked at.
  void watch(int fd);

  void wait(Duration at_most) noexcept override;
  void wake() noexcept override;
  Duration longest() const noexcept override { return longest_; }

 private:
  int epoll_ = -1;
  int event_ = -1;
  Duration longest_;
};

}  // namespace sluice
