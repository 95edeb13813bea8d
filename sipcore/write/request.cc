// SPDX-License-Identifier: Apache-2.0
#include "sipcore/write/request.h"

#include "sipcore/parse/fields.h"
#include "sipcore/write/sink.h"

namespace sluice::sip {
namespace {

std::uint32_t write_sibling(const Message& invite, std::string_view method,
                            std::string_view to_line, std::span<const HeaderLine> headers,
                            std::span<std::uint8_t> out) noexcept {
  std::string_view vias = invite.value(HeaderId::Via);
  std::string_view top_via;
  const HeaderField* from = invite.find(HeaderId::From);
  const HeaderField* call_id = invite.find(HeaderId::CallId);
  const auto cseq = parse_cseq(invite.value(HeaderId::CSeq));
  if (!next_value(vias, top_via) || from == nullptr || call_id == nullptr || !cseq ||
      to_line.empty()) {
    return 0;
  }
  const Digits number(cseq->number);
  return measure_and_write(out, [&](auto& sink) {
    sink.put(method);
    sink.put(" ");
    sink.put(invite.request_uri());
    sink.put(" SIP/2.0\r\nVia: ");
    sink.put(top_via);
    sink.put("\r\nMax-Forwards: 70\r\n");
    for (const HeaderField* route = invite.find(HeaderId::Route); route != nullptr;
         route = invite.next(*route)) {
      sink.put(invite.at(route->line));
    }
    sink.put(invite.at(from->line));
    sink.put(to_line);
    sink.put(invite.at(call_id->line));
    sink.put("CSeq: ");
    sink.put(number);
    sink.put(" ");
    sink.put(method);
    sink.put("\r\n");
    for (const HeaderLine& header : headers) {
      sink.put(header.name);
      sink.put(": ");
      sink.put(header.value);
      sink.put("\r\n");
    }
    sink.put("Content-Length: 0\r\n\r\n");
  });
}

std::string_view to_line(const Message& message) {
  const HeaderField* to = message.find(HeaderId::To);
  return to == nullptr ? std::string_view{} : message.at(to->line);
}

}  // namespace

std::uint32_t write_ack(const Message& sent_invite, const Message& response,
                        std::span<std::uint8_t> out) noexcept {
  return write_sibling(sent_invite, "ACK", to_line(response), {}, out);
}

std::uint32_t write_cancel(const Message& sent_invite, std::span<const HeaderLine> headers,
                           std::span<std::uint8_t> out) noexcept {
  return write_sibling(sent_invite, "CANCEL", to_line(sent_invite), headers, out);
}

}  // namespace sluice::sip
