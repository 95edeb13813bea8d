// SPDX-License-Identifier: Apache-2.0
//
// TransactionOptions: the timers of RFC 3261 17 and RFC 6026, and how much one core may hold.
#pragma once

#include "base/clock.h"

#include <array>
#include <chrono>
#include <cstdint>

namespace sluice::sip {

// RFC 3261 Table 4 and RFC 6026 8; Timers A, E and G start at T1. What the RFCs let a reliable
// transport skip (A, E, G, D, I, J, K) is skipped there whatever stands here.
struct TimerOptions {
  Duration t1 = std::chrono::milliseconds{500};  // round trip estimate
  Duration t2 = std::chrono::seconds{4};  // longest retransmit interval, but not of INVITE requests
  Duration t4 = std::chrono::seconds{5};  // how long a message may linger in the network
  Duration b = 64 * t1;                   // INVITE client gives up
  Duration d = std::chrono::seconds{32};  // INVITE client absorbs response retransmits
  Duration f = 64 * t1;                   // non-INVITE client gives up
  Duration h = 64 * t1;                   // INVITE server waits for the ACK
  Duration i = t4;                        // INVITE server absorbs ACK retransmits
  Duration j = 64 * t1;                   // non-INVITE server absorbs request retransmits
  Duration k = t4;                        // non-INVITE client absorbs response retransmits
  Duration l = 64 * t1;                   // INVITE server in Accepted
  Duration m = 64 * t1;                   // INVITE client in Accepted
  // How long the application may take before 100 goes out for an INVITE (17.2.1: at most 200 ms);
  // zero: at once when on_request() has returned without an answer.
  Duration trying{};

  // Every timer that is defined by T1 and T4, from these.
  static constexpr TimerOptions from(Duration t1, Duration t2, Duration t4) {
    return {.t1 = t1, .t2 = t2, .t4 = t4};
  }

  // RFC 4320 4.1: how long until the Timer E of a client would be reset to T2; 100 for a non-INVITE
  // must not go out before (over UDP) and must go out then.
  constexpr Duration late_trying() const {
    Duration at{};
    for (Duration interval = t1; interval < t2; interval *= 2) at += interval;
    return at;
  }
};

// Blocks of one size for message copies.
struct MessageClass {
  std::uint32_t size = 0;
  std::uint32_t count = 0;
};

struct TransactionOptions {
  TimerOptions timers{};
  // Live transactions of each machine; above it new work gets 503 without state.
  std::uint32_t invite_servers = 16'384;
  std::uint32_t invite_clients = 16'384;
  std::uint32_t non_invite_servers = 32'768;
  std::uint32_t non_invite_clients = 16'384;
  // Ascending sizes. A message takes the smallest block that holds it and is free.
  std::array<MessageClass, 6> messages{
      {{512, 32'768}, {1'024, 16'384}, {2'048, 8'192}, {4'096, 1'024}, {16'384, 64}, {65'536, 16}}};
  std::uint32_t retry_after_s = 5;  // in the 503 of an exhausted core
};

}  // namespace sluice::sip
