// SPDX-License-Identifier: Apache-2.0
#include "sipcore/proxy/route_plan.h"

namespace sluice::sip {
namespace {

// A value that cannot be parsed is not ours; it fails when it is to be followed.
Uri uri_of(std::string_view value) noexcept {
  const auto address = parse_name_addr(value);
  if (!address) return {};
  return parse_uri(address->uri).value_or(Uri{});
}

bool is_ours(Core& core, TargetPolicy& policy, const Uri& uri) {
  return uri.is_sip() && policy.is_self(core, uri.host, uri.port);
}

}  // namespace

RoutePlan plan_routes(Core& core, TargetPolicy& policy, const Message& message,
                      const Essentials& essentials) {
  RoutePlan plan{.request_uri = essentials.request_uri};
  std::string_view last;
  std::string_view front[3];
  for_each_value(message, HeaderId::Route, [&](std::string_view value, const HeaderField&) {
    if (plan.values < 3) front[plan.values] = value;
    last = value;
    ++plan.values;
    return true;
  });
  if (plan.values == 0) return plan;

  // What we put into a Record-Route has no user and always has lr: only a strict router moves it
  // into the Request-URI.
  const Uri& uri = plan.request_uri;
  std::uint16_t left = plan.values;
  if (!uri.has_user && uri.param("lr") && is_ours(core, policy, uri)) {
    if (const Uri target = uri_of(last); target.scheme != Scheme::Other) {
      plan.request_uri = target;
      plan.removed_last = true;
      --left;
    }
  }
  if (left > 0) {
    if (const Uri first = uri_of(front[0]); is_ours(core, policy, first)) {
      plan.removed_front = 1;
      // The two halves of a double Record-Route say so, like Kamailio's.
      if (left > 1 && first.param("r2")) {
        const Uri second = uri_of(front[1]);
        if (second.param("r2") && is_ours(core, policy, second)) plan.removed_front = 2;
      }
    }
    if (left > plan.removed_front) plan.top = front[plan.removed_front];
  }
  return plan;
}

}  // namespace sluice::sip
