// SPDX-License-Identifier: Apache-2.0
//
// The file descriptors beneath a net_tap port, and what has to be done to them. No DPDK here.
//
// net_tap arms O_ASYNC and a real-time signal on each queue's descriptor and reads only after a signal
// has come: a signal per packet. With the signals blocked (Eal) and O_ASYNC cleared it reads on every
// poll. The order matters: a handler that ran even once before O_ASYNC is cleared leaves the driver
// believing that the queue is empty, for good.
//
// Threads  Start-up only, except tap_is_up().
#pragma once

#include <string>
#include <vector>

namespace sluice::dataplane {

// This process's descriptors of the tap `interface`, in the order of their creation.
std::vector<int> find_tap_fds(const std::string& interface);
void clear_async(int fd);
// True if the kernel's side is up: only then is a tap writable. Unlike a look at the interface's flags
// this works when the interface has been moved to another network namespace.
bool tap_is_up(int fd) noexcept;

}  // namespace sluice::dataplane
