// SPDX-License-Identifier: Apache-2.0
//
// QueueIdle: sleeps on the descriptors of a core's queues where the ports have them, else for a
// moment.
#pragma once

#include "base/poll_loop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <initializer_list>
#include <vector>

namespace sluice::test {

class QueueIdle final : public IdleWait {
 public:
  explicit QueueIdle(std::initializer_list<int> queue_fds) {
    fds_.push_back({::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), POLLIN, 0});
    for (const int fd : queue_fds) fds_.push_back({fd, POLLIN, 0});
  }
  ~QueueIdle() override { ::close(fds_[0].fd); }
  QueueIdle(const QueueIdle&) = delete;
  QueueIdle& operator=(const QueueIdle&) = delete;

  void wait(Duration at_most) noexcept override {
    if (!prepared_) ::prctl(PR_SET_TIMERSLACK, 1);  // of this thread; the default is 50 us
    prepared_ = true;
    const timespec time{at_most.count() / 1'000'000'000, at_most.count() % 1'000'000'000};
    ::ppoll(fds_.data(), fds_.size(), &time, nullptr);
  }
  void wake() noexcept override {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fds_[0].fd, &one, sizeof one);
  }
  Duration longest() const noexcept override {
    const bool all =
        std::none_of(fds_.begin(), fds_.end(), [](const pollfd& f) { return f.fd < 0; });
    return all ? Duration{std::chrono::seconds{1}} : std::chrono::milliseconds{1};
  }

 private:
  std::vector<pollfd> fds_;
  bool prepared_ = false;
};

}  // namespace sluice::test
