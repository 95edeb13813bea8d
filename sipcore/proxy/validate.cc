// SPDX-License-Identifier: Apache-2.0
#include "sipcore/proxy/validate.h"

#include "sipcore/txn/branch.h"

#include <cstring>

namespace sluice::sip {
namespace {

bool has_looped(const Message& message, std::uint64_t loop) noexcept {
  bool looped = false;
  for_each_value(message, HeaderId::Via, [&](std::string_view value, const HeaderField&) {
    // The hash is keyed: who else's sent-by stands before it need not be looked at. Most Vias do
    // not have a branch of our length at all.
    const auto via = parse_via(value);
    if (via) {
      const auto theirs = loop_part(via->branch);
      looped = theirs && *theirs == loop;
    }
    return !looped;
  });
  return looped;
}

bool is_supported(std::string_view token, std::span<const std::string_view> supported) noexcept {
  for (const std::string_view each : supported) {
    if (equals_no_case(each, token)) return true;
  }
  return false;
}

void list_unsupported(const Message& message, std::span<const std::string_view> supported,
                      Refusal& refusal) noexcept {
  for_each_value(message, HeaderId::ProxyRequire, [&](std::string_view token, const HeaderField&) {
    if (is_supported(token, supported)) return true;
    refusal.status = 420;
    std::size_t& size = refusal.unsupported_size;
    const std::size_t comma = size == 0 ? 0 : 2;
    if (size + comma + token.size() > refusal.unsupported_text.size()) return false;
    std::memcpy(&refusal.unsupported_text[size], ", ", comma);
    std::memcpy(&refusal.unsupported_text[size + comma], token.data(), token.size());
    size += comma + token.size();
    return true;
  });
}

}  // namespace

std::uint64_t loop_hash(const HashKey& key, const Message& message,
                        const Essentials& essentials) noexcept {
  HashKey chain = key;
  const auto add = [&chain](std::string_view part) { chain.k0 ^= siphash13(chain, part); };
  add(message.request_uri());
  add(essentials.from_tag);
  add(essentials.to_tag);
  add(essentials.call_id);
  const std::uint32_t cseq = essentials.cseq.number;
  add({reinterpret_cast<const char*>(&cseq), sizeof cseq});
  for (const HeaderId id :
       {HeaderId::Route, HeaderId::ProxyRequire, HeaderId::ProxyAuthorization}) {
    for (const HeaderField* field = message.find(id); field != nullptr;
         field = message.next(*field)) {
      add(message.value(*field));
    }
  }
  return siphash13(chain, std::string_view{});
}

Refusal validate(const Message& message, const Essentials& essentials, const RoutePlan& plan,
                 std::uint64_t loop, std::span<const std::string_view> supported) noexcept {
  Refusal refusal;
  if (plan.request_uri.scheme == Scheme::Other) {
    refusal.status = 416;
  } else if (essentials.has_max_forwards && essentials.max_forwards == 0) {
    refusal.status = 483;
  } else if (has_looped(message, loop)) {
    refusal.status = 482;
  } else {
    list_unsupported(message, supported, refusal);
  }
  return refusal;
}

}  // namespace sluice::sip
