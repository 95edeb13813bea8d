// SPDX-License-Identifier: Apache-2.0
//
// What the kernel knows about this process, for the metrics that every exporter has.
//
// Threads  Any. Reads /proc/self.
// Errors   What cannot be read is zero.
#pragma once

namespace sluice::control {

struct ProcessStats {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double virtual_bytes = 0;
  double start_time = 0;  // seconds since the epoch
  double threads = 0;
  double open_fds = 0;
  double max_fds = 0;
};

ProcessStats read_process_stats();

}  // namespace sluice::control
