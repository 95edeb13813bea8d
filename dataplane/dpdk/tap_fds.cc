// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/tap_fds.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace sluice::dataplane {

std::vector<int> find_tap_fds(const std::string& interface) {
  std::vector<int> fds;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone) != "/dev/net/tun") continue;
    const int fd = std::atoi(entry.path().filename().c_str());
    ifreq query{};
    if (::ioctl(fd, TUNGETIFF, &query) == 0 && interface == query.ifr_name) fds.push_back(fd);
  }
  std::sort(fds.begin(), fds.end());
  return fds;
}

void clear_async(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0) ::fcntl(fd, F_SETFL, flags & ~O_ASYNC);
}

bool tap_is_up(int fd) noexcept {
  pollfd query{fd, POLLOUT, 0};
  return ::poll(&query, 1, 0) == 1 && (query.revents & POLLOUT) != 0;
}

}  // namespace sluice::dataplane
