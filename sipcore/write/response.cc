// SPDX-License-Identifier: Apache-2.0
#include "sipcore/write/response.h"

#include "sipcore/write/sink.h"

namespace sluice::sip {
namespace {

// What has to be worked out before a byte is written: the top Via with its place in the first Via
// field, and the texts that go into it.
struct TopVia {
  std::string_view before;  // "Via: " as spelled, up to the first value
  std::string_view after;   // the further values of the field and its CRLF
  std::string_view text;    // the first value
  Via via;
  bool understood = false;  // otherwise the value is copied as it is
  bool add_received = false;
  char address[48];
  std::size_t address_size = 0;
  Digits port{0};

  std::string_view received() const { return {address, address_size}; }
};

// RFC 3261 18.2.1: received when the sent-by host is not the source address. RFC 3581 4: always
// with rport.
bool needs_received(const Via& via, const Endpoint& source) {
  if (via.has_rport || !via.received.empty()) return true;
  const auto sent_by = IpAddress::parse(via.host);
  return !sent_by || *sent_by != source.address;
}

TopVia read_top_via(const Message& request, const HeaderField& field, const Endpoint& source) {
  TopVia top;
  const std::string_view line = request.at(field.line);
  std::string_view list = request.value(field);
  next_value(list, top.text);
  const auto begin = static_cast<std::size_t>(top.text.data() - line.data());
  if (top.text.empty()) {
    top.before = line;
    return top;
  }
  top.before = line.substr(0, begin);
  top.after = line.substr(begin + top.text.size());
  const auto via = parse_via(top.text);
  if (!via) return top;
  top.via = *via;
  top.understood = true;
  top.add_received = needs_received(*via, source);
  // Without brackets: via-received = IPv4address / IPv6address (RFC 3261 25.1, RFC 5118 4.5).
  if (top.add_received) top.address_size = source.address.format(top.address, false);
  top.port = Digits(source.port);
  return top;
}

template <typename Sink>
void put_top_via(Sink& sink, const TopVia& top) {
  sink.put(top.before);
  if (!top.understood || !top.add_received) {
    sink.put(top.text);
    sink.put(top.after);
    return;
  }
  // Parameters as they are but for ours: a `received` that came with the request is a lie.
  const std::string_view params = top.via.params.text();
  sink.put(top.text.substr(0, top.text.size() - params.size()));
  std::string_view rest = params;
  Params::Param param;
  for (const char* begin = rest.data(); Params::next(rest, param); begin = rest.data()) {
    if (equals_no_case(param.name, "received")) continue;
    if (equals_no_case(param.name, "rport")) {
      sink.put(";rport=");
      sink.put(top.port);
    } else {
      sink.put({begin, static_cast<std::size_t>(rest.data() - begin)});
    }
  }
  sink.put(";received=");
  sink.put(top.received());
  sink.put(top.after);
}

template <typename Sink>
void put_line(Sink& sink, const Message& request, HeaderId id) {
  const HeaderField* field = request.find(id);
  if (field != nullptr) sink.put(request.at(field->line));
}

template <typename Sink>
void put_all_lines(Sink& sink, const Message& request, const HeaderField* field) {
  for (; field != nullptr; field = request.next(*field)) sink.put(request.at(field->line));
}

template <typename Sink>
void put_to(Sink& sink, const Message& request, std::string_view tag) {
  const HeaderField* field = request.find(HeaderId::To);
  if (field == nullptr) return;
  if (tag.empty()) {
    sink.put(request.at(field->line));
    return;
  }
  const Slice before{field->line.offset,
                     static_cast<std::uint16_t>(field->value.end() - field->line.offset)};
  sink.put(request.at(before));
  sink.put(";tag=");
  sink.put(tag);
  sink.put("\r\n");
}

// RFC 3261 12.1.1, RFC 6665 4.4.1, RFC 3515 2.4.6: requests that make a dialog.
bool makes_dialog(Method method) {
  return method == Method::Invite || method == Method::Subscribe || method == Method::Refer;
}

bool lacks_tag(const Message& request) {
  const auto to = parse_name_addr(request.value(HeaderId::To));
  return to && !to->has_tag;
}

}  // namespace

std::uint32_t write_response(const Message& request, const Endpoint& source,
                             std::string_view to_tag, const Response& response,
                             std::span<std::uint8_t> out) noexcept {
  const HeaderField* first_via = request.find(HeaderId::Via);
  if (first_via == nullptr) return 0;
  const TopVia top = read_top_via(request, *first_via, source);
  // RFC 3261 8.2.6.2: every response but 100 has a tag in To.
  const bool add_tag = response.status != 100 && !to_tag.empty() && lacks_tag(request);
  const std::string_view tag = add_tag ? to_tag : std::string_view{};
  const bool record_route =
      response.status > 100 && response.status < 300 && makes_dialog(request.method());
  const Digits status(response.status);
  const Digits length(response.body.size());

  return measure_and_write(out, [&](auto& sink) {
    sink.put("SIP/2.0 ");
    sink.put(status);
    sink.put(" ");
    sink.put(response.reason.empty() ? reason_phrase(response.status) : response.reason);
    sink.put("\r\n");
    put_top_via(sink, top);
    put_all_lines(sink, request, request.next(*first_via));
    if (record_route) put_all_lines(sink, request, request.find(HeaderId::RecordRoute));
    put_line(sink, request, HeaderId::From);
    put_to(sink, request, tag);
    put_line(sink, request, HeaderId::CallId);
    put_line(sink, request, HeaderId::CSeq);
    // RFC 3261 8.2.6.1: we answer at once, so there is no delay to add.
    if (response.status == 100) put_line(sink, request, HeaderId::Timestamp);
    for (const HeaderLine& header : response.headers) {
      sink.put(header.name);
      sink.put(": ");
      sink.put(header.value);
      sink.put("\r\n");
    }
    sink.put("Content-Length: ");
    sink.put(length);
    sink.put("\r\n\r\n");
    sink.put(response.body);
  });
}

Endpoint response_target(const Via& top, const Endpoint& source) noexcept {
  return {source.address, top.has_rport ? source.port : top.sent_by_port()};
}

}  // namespace sluice::sip
