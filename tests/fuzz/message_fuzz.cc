// SPDX-License-Identifier: Apache-2.0
//
// Any datagram: parse, check, answer, relay. Beyond "no crash" it holds the parser to what its
// callers rely on: slices inside the message, whatever is accepted survives being written and
// parsed again.
#include "base/assert.h"
#include "sipcore/parse/sanity.h"
#include "sipcore/write/edit_list.h"
#include "sipcore/write/request.h"
#include "sipcore/write/response.h"

#include <array>
#include <cstdint>
#include <vector>

namespace sluice::sip {
namespace {

void slices_are_inside(const Message& message, std::size_t size) {
  const auto inside = [&](Slice slice) { SLUICE_CHECK(slice.end() <= size); };
  inside(message.start_line());
  inside(message.body_slice());
  inside(message.request_uri_slice());
  SLUICE_CHECK(message.start_line().offset + message.size() <= size);
  std::uint32_t end = 0;
  for (const HeaderField& field : message.headers()) {
    inside(field.line);
    SLUICE_CHECK(field.line.offset >= end);  // ascending, without overlap
    end = field.line.end();
    SLUICE_CHECK(field.name.offset >= field.line.offset && field.name.end() <= end);
    SLUICE_CHECK(field.value.offset >= field.name.end() && field.value.end() <= end);
    SLUICE_CHECK(message.at(field.line).ends_with("\r\n"));
    SLUICE_CHECK(header_from(message.name(field)) == field.id);
  }
}

void walk_lists(const Message& message) {
  for (const HeaderId id :
       {HeaderId::Via, HeaderId::Contact, HeaderId::Route, HeaderId::RecordRoute}) {
    for_each_value(message, id, [&](std::string_view value, const HeaderField&) {
      if (id == HeaderId::Via) {
        static_cast<void>(parse_via(value));
      } else if (const auto address = parse_name_addr(value); address) {
        static_cast<void>(parse_uri(address->uri));
      }
      return true;
    });
  }
}

void relay(const Message& message, const Essentials& essentials) {
  EditList edits(message);
  edits.insert(message.find(HeaderId::Via)->line.offset,
               "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKf\r\n");
  if (const HeaderField* hops = message.find(HeaderId::MaxForwards); hops != nullptr) {
    edits.replace(hops->value, edits.keep_number(essentials.max_forwards));
  }
  SLUICE_CHECK(edits.ok());
  std::vector<std::uint8_t> out(edits.size());
  SLUICE_CHECK(edits.write(out.data()) == out.data() + out.size());
  Message again;
  Limits limits;
  limits.headers = kMaxHeaderFields;
  if (out.size() > limits.message || message.headers().size() == limits.headers) return;
  SLUICE_CHECK(again.parse(out, limits));
  SLUICE_CHECK(again.headers().size() == message.headers().size() + 1);
  SLUICE_CHECK(again.body() == message.body());
  Essentials decoded;
  limits.via = 1000;
  SLUICE_CHECK(check(again, limits, decoded));
  SLUICE_CHECK(decoded.from_tag == essentials.from_tag && decoded.to_tag == essentials.to_tag);
  SLUICE_CHECK(decoded.call_id == essentials.call_id);
  SLUICE_CHECK(decoded.cseq.number == essentials.cseq.number);
}

void answer(const Message& message, bool accepted) {
  const Endpoint source{IpAddress::v4(198, 18, 0, 1), 5060};
  std::array<std::uint8_t, 70'000> out;
  const std::uint32_t size = write_response(message, source, "tag", {.status = 200}, out);
  if (size == 0 || size > out.size() || !accepted) return;
  Message response;
  Essentials decoded;
  Limits limits;
  if (size > limits.message) return;
  SLUICE_CHECK(response.parse({out.data(), size}, limits));
  SLUICE_CHECK(response.status() == 200);
  SLUICE_CHECK(response.value(HeaderId::CallId) == message.value(HeaderId::CallId));
  // A lower Via may be nonsense for a response: check() reads the second one.
  if (const auto checked = check(response, limits, decoded); !checked) {
    SLUICE_CHECK(checked.error() == ParseError::BadVia);
  } else {
    SLUICE_CHECK(!decoded.to_tag.empty());
  }
  std::array<std::uint8_t, 4096> ack;
  static_cast<void>(write_ack(message, response, ack));
}

}  // namespace
}  // namespace sluice::sip

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::sip;
  Message message;
  Limits limits;
  const auto parsed = message.parse({data, size}, limits);
  slices_are_inside(message, size);
  walk_lists(message);
  Essentials essentials;
  const bool accepted = static_cast<bool>(check(message, limits, essentials)) && parsed;
  if (message.is_request()) answer(message, accepted);
  if (accepted) relay(message, essentials);
  return 0;
}
