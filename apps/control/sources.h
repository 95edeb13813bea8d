// SPDX-License-Identifier: Apache-2.0
//
// Sources: what the control thread may ask the rest of the process, as functions that wiring fills.
// This keeps apps/control ignorant of the packet path.
//
// Threads  Each function says which thread calls it. "Control": the one thread that runs Control,
//          so it may
//          read under RCU if wiring registered that thread. "Any": also the HTTP threads, so it may
//          only read constants and relaxed counters.
// Memory   Answers are values; nothing borrowed from the packet path leaves a function.
// Errors   A function that is not set answers as if there were nothing to tell.
#pragma once

#include "base/clock.h"
#include "base/core.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sluice::control {

struct PortInfo {
  std::string name;
  std::string device;
  std::vector<std::string> addresses;  // with their prefix lengths
  std::string mac;
  bool link_up = false;
  std::uint16_t queues = 0;
  std::uint16_t mtu = 0;
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t rx_missed = 0;  // the device had no room for them
  std::uint64_t rx_errors = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t tx_errors = 0;
};

struct CoreInfo {
  unsigned id = 0;
  unsigned cpu = 0;
  Role role = Role::Both;
  std::uint64_t turns = 0;  // these four as PollLoop counts them
  std::uint64_t busy_turns = 0;
  std::uint64_t sleeps = 0;
  Duration busy{};
  std::uint64_t messages = 0;  // SIP messages that its servant took
};

struct RegistrationInfo {
  std::string aor;
  std::string contact;
  std::string received;  // where the REGISTER came from
  std::string user_agent;
  std::int64_t expires = 0;  // seconds from now
  std::uint16_t q = 0;       // thousandths
};

// A slice of a walk over all registrations: see rcu::TableCursor.
struct RegistrationSlice {
  std::vector<RegistrationInfo> rows;
  std::uint64_t next = 0;  // where to go on
  bool done = true;
};

struct TransactionInfo {
  unsigned core = 0;
  std::string kind;   // "invite_server"
  std::string state;  // "proceeding"
  std::uint64_t active = 0;
};

// Of /live and /ready: not good has a reason, one line for people.
struct Health {
  bool good = true;
  std::string reason;
};

struct Sources {
  std::string version;                           // constant
  std::function<Duration()> uptime;              // any
  std::function<Health()> live;                  // any: is every core turning?
  std::function<Health()> ready;                 // any: neither starting nor draining?
  std::function<std::vector<PortInfo>()> ports;  // any
  std::function<std::vector<CoreInfo>()> cores;  // any
  std::function<std::vector<TransactionInfo>()> transactions;  // control
  // control; one RCU read section each: about `budget` rows from `position` on, zero at first.
  std::function<RegistrationSlice(std::uint64_t position, std::uint32_t budget)> registrations;
  std::function<void()> drain;  // control; returns at once, ready() tells the rest
  std::function<void()> tick;   // control; ten times a second: watchdog, table growth, log
};

}  // namespace sluice::control
