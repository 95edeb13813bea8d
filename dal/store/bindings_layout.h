// SPDX-License-Identifier: Apache-2.0
//
// The inside of a Bindings record. Private to this folder.
#pragma once

#include "base/timer_wheel.h"
#include "dal/rcu/reclaimer.h"
#include "dal/store/bindings.h"

#include <cstddef>
#include <new>

namespace sluice::store {

struct Bindings::Row {
  std::int64_t expires;  // ns on the monotonic axis
  FlowId flow;
  std::uint32_t expires_wall;  // s since 1970, good until 2106
  std::uint32_t updated;
  std::uint32_t cseq;
  std::uint32_t reg_id;
  std::uint32_t
      text;  // offset of contact, params, call_id, path, user_agent, received in the record
  std::uint16_t contact, params, call_id, path, user_agent;  // lengths
  std::uint16_t instance_offset, instance;                   // inside params
  std::uint16_t q;
  ListenerId listener;
  std::uint8_t received;  // length: 0, 6 (IPv4) or 18
  std::uint8_t transport;
};

class Bindings::Expiry final : public Timer {
 private:
  void on_timer(Core& core) override;
};

struct Bindings::Tail {
  Bindings* record;
  LocationWriter* writer;  // made it, and owns its timer
  // Expiry while the record lives, then rcu::Retired.
  static constexpr std::size_t kShared = sizeof(Expiry) > sizeof(rcu::Retired)
                                             ? sizeof(Expiry)
                                             : sizeof(rcu::Retired);
  alignas(8) std::byte shared[kShared];

  Expiry& expiry() noexcept { return *std::launder(reinterpret_cast<Expiry*>(shared)); }
  static Tail& of(void* shared) noexcept {
    return *reinterpret_cast<Tail*>(static_cast<std::byte*>(shared) - offsetof(Tail, shared));
  }
};

inline Bindings::Tail& Bindings::tail() noexcept {
  return *reinterpret_cast<Tail*>(reinterpret_cast<std::byte*>(this) + size_bytes_ - sizeof(Tail));
}

}  // namespace sluice::store
