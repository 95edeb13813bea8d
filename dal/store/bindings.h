// SPDX-License-Identifier: Apache-2.0
//
// Bindings: where an address-of-record can be reached; one immutable record in one piece of memory.
//
//   | node, lengths | AoR | row 0 | row 1 ... | texts of row 0, row 1 ... | tail |
//   '--------------- what readers touch ----------------------------------'
//
// The tail is the owner core's: its expiry timer and, once the record is replaced, the hook by
// which it is freed. It is last so that arming a neighbour's timer does not dirty a line that
// readers use.
//
// Threads  Read anywhere under the ReadScope that found it. Built, replaced and let go by one
//          LocationWriter.
// Memory   About 250 B for a phone with one binding (tests/dal/location_test.cc measures it).
#pragma once

#include "base/clock.h"
#include "base/endpoint.h"
#include "base/flow_id.h"
#include "dal/rcu/table.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::store {

class LocationWriter;

// One way to reach the AoR, as given to the table and as read from it. The texts live with the
// record.
struct Binding {
  std::string_view contact;  // the URI
  std::string_view params;  // the other Contact parameters with their leading ';', no expires, no q
  std::string_view instance;  // +sip.instance (RFC 5626): inside `params`, or empty
  std::string_view call_id;
  std::string_view path;  // Path values, comma-separated (RFC 3327); empty: none
  std::string_view user_agent;
  std::optional<Endpoint> received;  // the source, where it is not what the Via says
  FlowId flow;                       // the connection it registered over
  ListenerId listener = kNoListener;
  Transport transport = Transport::Udp;
  std::uint16_t q = 1000;  // thousandths
  std::uint32_t cseq = 0;
  std::uint32_t reg_id = 0;  // RFC 5626; 0: none
  Instant expires{};
  WallTime
      expires_wall{};  // the same moment, in whole seconds: for people, disks and other machines
  WallTime updated{};  // in whole seconds

  // The table drops it within the timer's grain; whoever routes by it asks here.
  bool live(Instant now) const noexcept { return expires > now; }
};

class Bindings : public rcu::TableNode {
 public:
  static constexpr std::uint32_t kMost = 64;
  // Texts are counted in 16 bits; longer ones cannot come in one message.
  static constexpr std::size_t kLongestText = 0xffff;

  std::string_view aor() const noexcept { return {bytes() + sizeof(Bindings), aor_length_}; }
  std::uint32_t size() const noexcept { return count_; }
  Binding operator[](std::uint32_t index) const noexcept;

  bool matches(std::string_view aor) const noexcept { return this->aor() == aor; }

 private:
  friend class LocationWriter;
  friend class Location;
  struct Row;
  struct Tail;
  class Expiry;

  Bindings() = default;

  static std::size_t rows_offset(std::size_t aor_length) noexcept {
    return (sizeof(Bindings) + aor_length + 7) / 8 * 8;
  }
  const char* bytes() const noexcept { return reinterpret_cast<const char*>(this); }
  Tail& tail() noexcept;

  std::uint32_t size_bytes_ = 0;
  std::uint16_t aor_length_ = 0;
  std::uint8_t count_ = 0;
};

}  // namespace sluice::store
