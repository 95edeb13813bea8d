// SPDX-License-Identifier: Apache-2.0
#include "dal/store/bindings.h"

#include "dal/store/bindings_layout.h"
#include "dal/store/location.h"

namespace sluice::store {

Binding Bindings::operator[](std::uint32_t index) const noexcept {
  SLUICE_ASSERT(index < count_);
  const Row& row = reinterpret_cast<const Row*>(bytes() + rows_offset(aor_length_))[index];
  const char* at = bytes() + row.text;
  const auto take = [&at](std::size_t length) {
    const std::string_view text{at, length};
    at += length;
    return text;
  };
  Binding out;
  out.contact = take(row.contact);
  out.params = take(row.params);
  out.instance = out.params.substr(row.instance_offset, row.instance);
  out.call_id = take(row.call_id);
  out.path = take(row.path);
  out.user_agent = take(row.user_agent);
  if (row.received != 0) {
    const auto* packed = reinterpret_cast<const std::uint8_t*>(at);
    const IpFamily family = row.received == 6 ? IpFamily::V4 : IpFamily::V6;
    out.received = Endpoint{IpAddress::from_bytes(family, packed + 2),
                            static_cast<std::uint16_t>(packed[0] << 8 | packed[1])};
  }
  out.flow = row.flow;
  out.listener = row.listener;
  out.transport = static_cast<Transport>(row.transport);
  out.q = row.q;
  out.cseq = row.cseq;
  out.reg_id = row.reg_id;
  out.expires = Instant{Duration{row.expires}};
  out.expires_wall = WallTime{std::chrono::seconds{row.expires_wall}};
  out.updated = WallTime{std::chrono::seconds{row.updated}};
  return out;
}

void Bindings::Expiry::on_timer(Core& core) {
  Tail& tail = Tail::of(this);
  tail.writer->expire(core, *tail.record);
}

}  // namespace sluice::store
