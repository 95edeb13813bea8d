// SPDX-License-Identifier: Apache-2.0
#include "apps/sluice/idle_wait.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <system_error>

namespace sluice {
namespace {

// Every source can wake us: sleep long, but look round now and then all the same.
constexpr Duration kEverySourceWakes = std::chrono::milliseconds{100};
// Some port cannot: the first packet after idle waits at most this long (the goal is 1 ms).
constexpr Duration kMustLook = std::chrono::microseconds{700};

}  // namespace

EpollIdleWait::EpollIdleWait() : longest_(kEverySourceWakes) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  event_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (epoll_ < 0 || event_ < 0) {
    throw std::system_error(errno, std::generic_category(), "cannot create an epoll or eventfd");
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = event_;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &event);
}

EpollIdleWait::~EpollIdleWait() {
  close(event_);
  close(epoll_);
}

void EpollIdleWait::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (fd < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) longest_ = kMustLook;
}

void EpollIdleWait::wait(Duration at_most) noexcept {
  // Without this the kernel rounds a sleep up by 50 us; per thread, so it is set where it counts.
  thread_local const int slack = prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
  static_cast<void>(slack);
  const auto nanoseconds = at_most.count();
  timespec timeout{};
  timeout.tv_sec = nanoseconds / 1'000'000'000;
  timeout.tv_nsec = nanoseconds % 1'000'000'000;
  epoll_event events[8];
  const int count = epoll_pwait2(epoll_, events, 8, &timeout, nullptr);
  for (int i = 0; i < count; ++i) {
    if (events[i].data.fd != event_) continue;
    std::uint64_t ticks = 0;
    // Non-blocking: it only resets the counter.
    if (read(event_, &ticks, sizeof ticks) < 0) continue;
  }
}

void EpollIdleWait::wake() noexcept {
  const std::uint64_t one = 1;
  // A full counter means that it is awake already.
  if (write(event_, &one, sizeof one) < 0) return;
}

}  // namespace sluice
