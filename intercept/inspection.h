// SPDX-License-Identifier: Apache-2.0
//
// Refuser: answers a request that will not be served, without a transaction.
// Inspection: decodes and checks a parsed message before any servant sees it.
//
// RFC 3261 8.2.7 (stateless UAS), 16.3 step 1, 18.2.1; responses and ACKs are never answered.
//
// Threads  One of each per core that parses or inspects; used by it alone.
// Memory   A refusal is written straight into a transmit buffer.
// Errors   A refusal that finds no buffer is only counted: the peer will retransmit.
#pragma once

#include "base/counters.h"
#include "base/hash.h"
#include "sipcore/inbound.h"
#include "sipcore/outbound.h"
#include "sipcore/parse/sanity.h"
#include "sipcore/responder.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::intercept {

enum class RefuserCounter : std::uint8_t { Answered, NotAnswered, NoBuffer, Count };
using RefuserCounters =
    CounterBlock<RefuserCounter, static_cast<std::size_t>(RefuserCounter::Count)>;
std::span<const CounterInfo> refuser_counter_infos();

class Refuser {
 public:
  Refuser(sip::Outbox& outbox, HashKey tag_key) : outbox_(outbox), tag_key_(tag_key) {}

  // The parser's or the inspection's verdict; counts it by reason and answers if it deserves one.
  void refuse(Core& core, const sip::Inbound& inbound, sip::ParseError error) noexcept;
  // 503 + Retry-After (RFC 3261 21.5.4).
  void busy(Core& core, const sip::Inbound& inbound) noexcept;

  const sip::ParseErrorCounters& reasons() const noexcept { return reasons_; }
  const RefuserCounters& counters() const noexcept { return counters_; }

 private:
  void answer(Core& core, const sip::Inbound& inbound, const sip::Response& response) noexcept;

  sip::Outbox& outbox_;
  const HashKey tag_key_;
  sip::ParseErrorCounters reasons_;
  RefuserCounters counters_;
};

class Inspection {
 public:
  Inspection(const sip::Limits& limits, Refuser& refuser) : limits_(limits), refuser_(refuser) {}

  // Fills inbound.essentials. False: refused, answered and counted; drop it.
  bool admit(Core& core, sip::Inbound& inbound) noexcept;

 private:
  const sip::Limits limits_;
  Refuser& refuser_;
};

}  // namespace sluice::intercept
