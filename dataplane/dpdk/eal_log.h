// SPDX-License-Identifier: Apache-2.0
//
// EalLog: what DPDK has to say, kept until somebody wants to know.
//
// DPDK logs harmless complaints and real causes alike. They are kept in a small buffer; an error
// message takes the last lines out, and on success nobody hears of them.
//
// Threads  Any: drivers log from every lcore.
// Memory   The last 4 KiB.
#pragma once

#include <string>

namespace sluice::dataplane {

class EalLog {
 public:
  // Takes over DPDK's log stream for the rest of the process; with `verbose` it goes to stderr too.
  static void install(bool verbose);
  // The same for libbpf and libxdp, once the af_xdp driver has loaded them.
  static void install_bpf();

  // While one lives, notices and errors are kept; otherwise only critical ones are, so that a
  // driver that complains about each packet cannot slow a core down.
  class Listening {
   public:
    Listening();
    ~Listening();
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;
    // What was logged since, as "; "-joined lines, the last few of them; empty if nothing.
    std::string text() const;
  };
};

}  // namespace sluice::dataplane
