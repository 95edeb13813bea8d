// SPDX-License-Identifier: Apache-2.0
#include "sipcore/proxy/forward.h"

#include "sipcore/write/edit_list.h"

#include <array>

namespace sluice::sip {
namespace {

// The edits of one message, and where views into it stand.
class Edits : public EditList {
 public:
  explicit Edits(const Message& message) noexcept
      : EditList(message), base_(message.at(Slice{}).data()) {}

  Slice slice_of(std::string_view view) const noexcept {
    return {static_cast<std::uint16_t>(view.data() - base_),
            static_cast<std::uint16_t>(view.size())};
  }
  void remove_between(std::uint32_t from, std::uint32_t to) noexcept {
    if (from == to) return;
    remove({static_cast<std::uint16_t>(from), static_cast<std::uint16_t>(to - from)});
  }
  std::size_t finish(std::span<std::uint8_t> out) const noexcept {
    if (!ok()) return 0;
    if (size() <= out.size()) write(out.data());
    return size();
  }

 private:
  const char* base_;
};

// First value of a list, and the rest of it.
std::string_view first_of(std::string_view list, std::string_view& rest) noexcept {
  std::string_view value;
  rest = list;
  next_value(rest, value);
  return value;
}

void set_number(const Message& message, HeaderId id, std::uint32_t number, std::uint32_t top,
                Edits& edits) noexcept {
  const std::string_view digits = edits.keep_number(number);
  if (const HeaderField* field = message.find(id)) {
    edits.replace(field->value, digits);
  } else {
    edits.insert(top, edits.keep({to_string(id), ": ", digits, "\r\n"}));
  }
}

// Steps 3 and 9, and RFC 5393 5.3.
void edit_numbers(const Forwarding& f, std::uint32_t top, Edits& edits) noexcept {
  const Essentials& essentials = f.essentials;
  set_number(f.message, HeaderId::MaxForwards,
             essentials.has_max_forwards ? essentials.max_forwards - 1 : essentials.max_forwards,
             top, edits);
  if (f.max_breadth != 0) {
    set_number(f.message, HeaderId::MaxBreadth, f.max_breadth, top, edits);
  }
  if (is_stream(f.out.transport) && f.message.find(HeaderId::ContentLength) == nullptr) {
    set_number(f.message, HeaderId::ContentLength,
               static_cast<std::uint32_t>(f.message.body().size()), top, edits);
  }
}

// 18.2.1 and RFC 3581 4: the Via of who sent us this gets what we know better.
void mark_source(const Forwarding& f, Edits& edits) noexcept {
  const Via& via = f.essentials.via;
  const auto sent_by = IpAddress::parse(via.host);
  const bool differs = !sent_by || *sent_by != f.source.address;
  if (!via.has_rport && !differs && via.received.empty()) return;

  std::array<char, 48> text;
  const std::string_view address =
      edits.keep({text.data(), f.source.address.format(text.data(), false)});
  const std::string_view port = edits.keep_number(f.source.port);
  std::string_view rest = via.params.text();
  Params::Param param;
  bool has_received = false;
  while (Params::next(rest, param)) {
    if (equals_no_case(param.name, "rport")) {
      if (!param.value.empty()) {
        edits.replace(edits.slice_of(param.value), port);
      } else {
        const std::uint32_t end = edits.slice_of(param.name).end();
        edits.insert(param.has_value ? end + 1 : end,
                     param.has_value ? port : edits.keep({"=", port}));
      }
    } else if (equals_no_case(param.name, "received") && !param.value.empty()) {
      // Whoever wrote it, only we can know it.
      has_received = true;
      edits.replace(edits.slice_of(param.value), address);
    }
  }
  if (!has_received) {
    edits.insert(edits.slice_of(via.text).end(), edits.keep({";received=", address}));
  }
}

void insert_via(const Forwarding& f, std::uint32_t at, Edits& edits) noexcept {
  edits.insert(at, edits.keep({"Via: SIP/2.0/", via_name(f.out.transport), " ", f.out.sent_by,
                               ";branch=", f.branch, ";rport\r\n"}));
}

void insert_record_route(const Forwarding& f, const Listener& listener, bool is_double,
                         std::uint32_t at, Edits& edits) noexcept {
  const bool stream = is_stream(listener.transport);
  // 16.6 step 4: a sips Request-URI asks for a sips Record-Route.
  edits.insert(
      at,
      edits.keep({"Record-Route: <",
                  f.plan.request_uri.scheme == Scheme::Sips ? "sips:" : "sip:", listener.sent_by,
                  stream ? ";transport=" : "", stream ? uri_name(listener.transport) : "",
                  is_double ? ";r2=on;lr>\r\n" : ";lr>\r\n"}));
}

void insert_record_routes(const Forwarding& f, std::uint32_t top, Edits& edits) noexcept {
  if (f.record == nullptr) return;
  const HeaderField* first = f.message.find(HeaderId::RecordRoute);
  // On top of the others; without others the place among the headers is free.
  const std::uint32_t at = first != nullptr ? first->line.offset : top;
  // Two of them when the sides differ, so that each peer finds the one it can reach (16.7 step 8
  // would rewrite the response instead, which the callee never sees).
  const bool is_double =
      f.record->transport != f.out.transport || f.record->network != f.out.network;
  insert_record_route(f, f.out, is_double, at, edits);
  if (is_double) insert_record_route(f, *f.record, true, at, edits);
}

// Takes out the Route values that do not stay, field by field.
void remove_routes(const Forwarding& f, bool drop_top, Edits& edits) noexcept {
  std::uint16_t index = 0;
  std::uint16_t dropped = f.plan.removed_front;
  if (drop_top) ++dropped;
  const auto stays = [&](std::uint16_t at) { return at >= dropped && f.plan.keeps(at); };
  const Message& message = f.message;
  for (const HeaderField* field = message.find(HeaderId::Route); field != nullptr;
       field = message.next(*field)) {
    // Values go from the front (ours) or from the back (a strict router's): what stays is one run.
    std::string_view list = message.value(*field);
    std::string_view value;
    std::optional<std::uint32_t> begin;
    std::uint32_t end = 0;
    while (next_value(list, value)) {
      if (!stays(index++)) continue;
      if (!begin) begin = edits.slice_of(value).offset;
      end = edits.slice_of(value).end();
    }
    if (!begin) {
      edits.remove(field->line);
      continue;
    }
    edits.remove_between(field->value.offset, *begin);
    edits.remove_between(end, field->value.end());
  }
}

void edit_routes(const Forwarding& f, std::uint32_t top, Edits& edits) noexcept {
  const bool strict = !f.step.last_route.empty();
  const bool strict_message = strict && f.target.route.empty();
  remove_routes(f, strict_message, edits);

  std::string_view path = f.target.route;
  if (strict && !path.empty()) first_of(f.target.route, path);
  if (!trim(path).empty()) {
    const HeaderField* first = f.message.find(HeaderId::Route);
    const std::uint32_t at = first != nullptr ? first->line.offset : top;
    edits.insert(at, "Route: ");
    edits.insert(at, trim(path));  // may be long: stays where it is
    edits.insert(at, "\r\n");
  }
  if (strict) {
    // After every other Route: behind the last one's line, or alone.
    const HeaderField* last = f.message.find(HeaderId::Route);
    while (last != nullptr && f.message.next(*last) != nullptr) last = f.message.next(*last);
    const std::uint32_t at = last != nullptr ? last->line.end() : top;
    edits.insert(at, "Route: <");
    edits.insert(at, f.step.last_route);
    edits.insert(at, ">\r\n");
  }
}

}  // namespace

std::optional<RouteStep> step_to(const RoutePlan& plan, const Target& target) noexcept {
  RouteStep step{.request_uri = target.uri};
  std::string_view rest;
  const std::string_view route = target.route.empty() ? plan.top : first_of(target.route, rest);
  const std::string_view next_text = [&]() -> std::string_view {
    if (route.empty()) return target.uri;
    const auto address = parse_name_addr(route);
    return address ? address->uri : std::string_view{};
  }();
  const auto next = parse_uri(next_text);
  if (!next) return std::nullopt;
  step.next = *next;
  if (!route.empty() && !next->param("lr")) {
    step.request_uri = next_text;
    step.last_route = target.uri;
  }
  return step;
}

std::size_t write_forwarded(const Forwarding& f, std::span<std::uint8_t> out) noexcept {
  const HeaderField* via = f.message.find(HeaderId::Via);
  if (via == nullptr) return 0;
  const std::uint32_t top = via->line.offset;
  Edits edits(f.message);
  if (f.step.request_uri != f.message.request_uri()) {
    edits.replace(f.message.request_uri_slice(), f.step.request_uri);
  }
  insert_via(f, top, edits);
  insert_record_routes(f, top, edits);
  edit_numbers(f, top, edits);
  edit_routes(f, top, edits);
  mark_source(f, edits);
  return edits.finish(out);
}

std::size_t write_relayed_response(const Message& response, std::string_view challenges,
                                   std::span<std::uint8_t> out) noexcept {
  const HeaderField* via = response.find(HeaderId::Via);
  if (via == nullptr) return 0;
  Edits edits(response);
  std::string_view rest;
  first_of(response.value(*via), rest);
  std::string_view second;
  if (next_value(rest, second)) {
    edits.remove_between(via->value.offset, edits.slice_of(second).offset);
  } else {
    if (response.next(*via) == nullptr) return 0;
    edits.remove(via->line);
  }
  if (!challenges.empty()) edits.insert(response.headers().back().line.end(), challenges);
  return edits.finish(out);
}

}  // namespace sluice::sip
