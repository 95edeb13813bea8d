// SPDX-License-Identifier: Apache-2.0
#include "intercept/inspection.h"

#include "sipcore/write/response.h"

#include <charconv>

namespace sluice::intercept {
namespace {

constexpr CounterInfo kRefuserInfos[] = {
    {"sip_refusals_total", "result=\"answered\"", "Messages refused without a transaction.",
     MetricKind::Counter},
    {"sip_refusals_total", "result=\"silent\"", "Messages refused without a transaction.",
     MetricKind::Counter},
    {"sip_refusals_total", "result=\"no_buffer\"", "Messages refused without a transaction.",
     MetricKind::Counter},
};
static_assert(std::size(kRefuserInfos) == static_cast<std::size_t>(RefuserCounter::Count));

// Seconds. Long enough to matter, short enough that a phone is back before its user gives up.
constexpr std::string_view kRetryAfter = "5";

}  // namespace

std::span<const CounterInfo> refuser_counter_infos() {
  return kRefuserInfos;
}

void Refuser::refuse(Core& core, const sip::Inbound& inbound, sip::ParseError error) noexcept {
  reasons_[error].add();
  const std::uint16_t code = sip::response_code(error);
  if (code == 0) {
    counters_[RefuserCounter::NotAnswered].add();
    return;
  }
  answer(core, inbound, sip::Response{.status = code, .reason = sip::text(error)});
}

void Refuser::busy(Core& core, const sip::Inbound& inbound) noexcept {
  constexpr sip::HeaderLine kHeaders[] = {{"Retry-After", kRetryAfter}};
  answer(core, inbound, sip::Response{.status = 503, .headers = kHeaders});
}

void Refuser::answer(Core& core, const sip::Inbound& inbound,
                     const sip::Response& response) noexcept {
  const sip::Message& message = inbound.message;
  const sip::HeaderField* via_field = message.find(sip::HeaderId::Via);
  // A response is never answered, an ACK never (RFC 3261 17.1.1.3), and without a Via there is no
  // way back that the sender would recognise.
  if (!message.is_request() || message.method() == sip::Method::Ack || via_field == nullptr) {
    counters_[RefuserCounter::NotAnswered].add();
    return;
  }
  std::string_view list = message.value(*via_field);
  std::string_view top;
  sip::next_value(list, top);
  const auto via = sip::parse_via(top);
  if (!via) {
    counters_[RefuserCounter::NotAnswered].add();
    return;
  }
  // RFC 3261 8.2.7: a stateless UAS gives a retransmission the same tag.
  char tag[16];
  const std::uint64_t hash =
      siphash13(tag_key_, top) ^ siphash13(tag_key_, message.value(sip::HeaderId::CallId));
  const auto tag_length =
      static_cast<std::size_t>(std::to_chars(tag, tag + sizeof tag, hash >> 4, 16).ptr - tag);
  const std::string_view to_tag{tag, tag_length};

  const std::uint32_t size = sip::write_response(message, inbound.source, to_tag, response, {});
  OwnedBytes bytes = outbox_.allocate(core, size);
  if (!bytes) {
    counters_[RefuserCounter::NoBuffer].add();
    return;
  }
  sip::write_response(message, inbound.source, to_tag, response, {bytes.data(), size});
  sip::Outbound out;
  out.bytes = std::move(bytes);
  out.remote = sip::response_target(*via, inbound.source);
  out.flow = inbound.flow;
  out.listener = inbound.listener;
  out.transport = inbound.transport;
  counters_[outbox_.send(core, std::move(out)) ? RefuserCounter::Answered
                                               : RefuserCounter::NoBuffer]
      .add();
}

bool Inspection::admit(Core& core, sip::Inbound& inbound) noexcept {
  const auto verdict = sip::check(inbound.message, limits_, inbound.essentials);
  if (verdict) return true;
  refuser_.refuse(core, inbound, verdict.error());
  return false;
}

}  // namespace sluice::intercept
