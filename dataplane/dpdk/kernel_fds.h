// SPDX-License-Identifier: Apache-2.0
//
// The file descriptors beneath a port that stands on the kernel, which its driver keeps to itself.
// No DPDK here.
//
// They are found in /proc/self/fd, for two purposes. net_tap arms O_ASYNC and a real-time signal on
// each queue's descriptor and reads only after a signal has come: a signal per packet. With the
// signals blocked (Eal) and O_ASYNC cleared it reads on every poll. The order matters: a handler
// that ran even once before O_ASYNC is cleared leaves the driver believing that the queue is empty,
// for good. And a core may sleep on the descriptors of af_packet and af_xdp, drivers that know no
// interrupts.
//
// Threads  Start-up only, except tap_is_up().
#pragma once

#include <string>
#include <vector>

namespace sluice::dataplane {

// This process's descriptors of the tap `interface`.
std::vector<int> find_tap_fds(const std::string& interface);
void clear_async(int fd);
// True if the kernel's side is up: only then is a tap writable. Unlike a look at the interface's
// flags this works when the interface has been moved to another network namespace.
bool tap_is_up(int fd) noexcept;

// Everything that is open now, in ascending order.
std::vector<int> open_fds();
// The sockets of `domain` (AF_PACKET...) that are open now and are not in `before`, which is
// sorted. In ascending order, which is the order of their creation.
std::vector<int> sockets_since(const std::vector<int>& before, int domain);

}  // namespace sluice::dataplane
