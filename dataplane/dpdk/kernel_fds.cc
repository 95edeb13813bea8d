// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/kernel_fds.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace sluice::dataplane {

std::vector<int> open_fds() {
  std::vector<int> fds;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    fds.push_back(std::atoi(entry.path().filename().c_str()));
  }
  // The one that the directory was read with is not open any more.
  std::erase_if(fds, [](int fd) { return ::fcntl(fd, F_GETFD) < 0; });
  std::sort(fds.begin(), fds.end());
  return fds;
}

std::vector<int> find_tap_fds(const std::string& interface) {
  std::vector<int> fds;
  for (const int fd : open_fds()) {
    ifreq query{};
    // Only a tun device knows this request.
    if (::ioctl(fd, TUNGETIFF, &query) == 0 && interface == query.ifr_name) fds.push_back(fd);
  }
  return fds;
}

std::vector<int> sockets_since(const std::vector<int>& before, int domain) {
  std::vector<int> fds;
  for (const int fd : open_fds()) {
    int its_domain = -1;
    socklen_t size = sizeof its_domain;
    if (!std::binary_search(before.begin(), before.end(), fd) &&
        ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &its_domain, &size) == 0 && its_domain == domain) {
      fds.push_back(fd);
    }
  }
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
