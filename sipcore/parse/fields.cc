// SPDX-License-Identifier: Apache-2.0
//
// RFC 3261 20, 25.1: the grammar of the header values that an edge reads itself.
#include "sipcore/parse/fields.h"

#include "base/endpoint.h"
#include "sipcore/parse/char_span.h"
#include "sipcore/parse/chars.h"
#include "sipcore/parse/decode.h"
#include "sipcore/parse/host.h"

namespace sluice::sip {
namespace {

constexpr CharSet kTokenChars = CharSet::of(kToken);
constexpr CharSet kValueChars = CharSet::of(kParamValue);
constexpr CharSet kHostChars = CharSet::of(kHostName);
// Everything a list item or a quoted string can be skipped over in one go; DEL and what is above
// 127 too, but those stop a span and are skipped singly.
constexpr CharSet kPlainListChars = CharSet::of(0xff, " \t\r\n;", ",\"<>");
constexpr CharSet kPlainQuotedChars = CharSet::of(0xff, " \t\r\n;,<>", "\"\\");
constexpr CharSet kDisplayNameChars = CharSet::of(kToken, " \t\r\n");
constexpr CharSet kAddrSpecChars = CharSet::of(0xff, "", ";,?\"<>");

std::size_t skip_lws(std::string_view text, std::size_t at) {
  while (at < text.size() && is_lws(text[at])) ++at;
  return at;
}

// `at` is the opening quote; returns the offset after the closing one, npos if it is missing.
std::size_t skip_quoted(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    at = span_of(text, at, kPlainQuotedChars);
    if (at == text.size()) break;
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

enum class Step : std::uint8_t { Param, End, Malformed };

// generic-param = token [ EQUAL gen-value ], after a SEMI. `at` stands before the ';'.
Step step_param(std::string_view text, std::size_t& at, Params::Param& out) {
  at = skip_lws(text, at);
  if (at == text.size()) return Step::End;
  if (text[at] != ';') return Step::Malformed;
  at = skip_lws(text, at + 1);
  const std::size_t name = at;
  at = span_of(text, at, kTokenChars);
  if (at == name) return Step::Malformed;
  out.name = text.substr(name, at - name);
  out.value = {};
  out.has_value = false;
  const std::size_t after = skip_lws(text, at);
  if (after == text.size() || text[after] != '=') return Step::Param;
  out.has_value = true;
  at = skip_lws(text, after + 1);
  const std::size_t value = at;
  if (at < text.size() && text[at] == '"') {
    at = skip_quoted(text, at);
    if (at == std::string_view::npos) return Step::Malformed;
  } else {
    at = span_of(text, at, kValueChars);
    if (at == value) return Step::Malformed;
  }
  out.value = text.substr(value, at - value);
  return Step::Param;
}

// sent-protocol = protocol-name SLASH protocol-version SLASH transport, white space around the
// slashes.
bool parse_sent_protocol(std::string_view text, std::size_t& at, Via& via) {
  if (text.starts_with("SIP/2.0/")) {  // as nearly everybody writes it
    const std::size_t end = span_of(text, 8, kTokenChars);
    via.protocol_version = text.substr(4, 3);
    via.transport = text.substr(8, end - 8);
    at = skip_lws(text, end);
    if (end != 8 && at != end) return true;
    at = 0;  // the long way finds out what is wrong
  }
  const auto token = [&](std::string_view& out) {
    at = skip_lws(text, at);
    const std::size_t begin = at;
    at = span_of(text, at, kTokenChars);
    out = text.substr(begin, at - begin);
    return at != begin;
  };
  const auto slash = [&] {
    at = skip_lws(text, at);
    return at < text.size() && text[at++] == '/';
  };
  std::string_view name;
  if (!token(name) || !slash() || !token(via.protocol_version) || !slash() ||
      !token(via.transport)) {
    return false;
  }
  if (!equals_no_case(name, "SIP") || via.protocol_version != "2.0") return false;
  const std::size_t before = at;
  at = skip_lws(text, at);
  return at != before;
}

}  // namespace

bool parse_host_port(std::string_view text, std::size_t& used, std::string_view& host,
                     std::uint16_t& port, bool lws_around_colon) noexcept {
  std::size_t at = 0;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    at = close + 1;
    // What a bracketed host says is used as an address, so it has to be one (RFC 5118 4.10: the
    // three colons of RFC 3261's grammar bug are refused).
    if (!IpAddress::parse(text.substr(0, at))) return false;
  } else {
    at = span_of(text, 0, kHostChars);
    if (at == 0) return false;
  }
  host = text.substr(0, at);
  port = 0;
  used = at;
  std::size_t colon = lws_around_colon ? skip_lws(text, at) : at;
  if (colon == text.size() || text[colon] != ':') return true;
  ++colon;
  if (lws_around_colon) colon = skip_lws(text, colon);
  std::size_t end = colon;
  while (end < text.size() && is_digit(text[end])) ++end;
  const auto number = parse_number(text.substr(colon, end - colon), 65'535);
  if (!number || *number == 0) return false;
  port = static_cast<std::uint16_t>(*number);
  used = end;
  return true;
}

bool equals_no_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

bool Params::next(std::string_view& rest, Param& out) noexcept {
  std::size_t at = 0;
  if (step_param(rest, at, out) != Step::Param) {
    rest = {};
    return false;
  }
  rest.remove_prefix(at);
  return true;
}

std::optional<std::string_view> Params::find(std::string_view name) const noexcept {
  std::string_view rest = text_;
  Param param;
  while (next(rest, param)) {
    if (equals_no_case(param.name, name)) return param.value;
  }
  return std::nullopt;
}

std::uint16_t Via::sent_by_port() const {
  if (port != 0) return port;
  // RFC 3261 18.2.2, 19.1.2; RFC 7118 4: a WebSocket client's port is of no use, its default is.
  if (equals_no_case(transport, "TLS") || equals_no_case(transport, "TLS-SCTP")) return 5061;
  if (equals_no_case(transport, "WS")) return 80;
  if (equals_no_case(transport, "WSS")) return 443;
  return 5060;
}

bool decode_via(std::string_view value, Via& via) noexcept {
  const std::string_view text = trim(value);
  via.text = text;
  std::size_t at = 0;
  if (!parse_sent_protocol(text, at, via)) return false;
  std::size_t used = 0;
  if (!parse_host_port(text.substr(at), used, via.host, via.port, /*lws_around_colon=*/true)) {
    return false;
  }
  at = skip_lws(text, at + used);
  if (at == text.size()) return true;
  via.params = Params(text.substr(at));
  // Twice the same of these would let two readers see two different messages.
  unsigned seen = 0;
  const auto take = [&seen](unsigned bit, std::string_view& out, std::string_view found) {
    const bool first = (seen & bit) == 0;
    seen |= bit;
    out = found;
    return first;
  };
  Params::Param param;
  for (;;) {
    switch (step_param(text, at, param)) {
      case Step::End:
        return true;
      case Step::Malformed:
        return false;
      case Step::Param:
        break;
    }
    bool good = true;
    switch (param.name.size()) {
      case 5:
        if (equals_no_case(param.name, "rport")) {
          via.has_rport = true;
          good = take(1, via.rport, param.value);
        } else if (equals_no_case(param.name, "maddr")) {
          good = take(2, via.maddr, param.value);
        }
        break;
      case 6:
        if (equals_no_case(param.name, "branch")) good = take(4, via.branch, param.value);
        break;
      case 8:
        if (equals_no_case(param.name, "received")) good = take(8, via.received, param.value);
        break;
      default:
        break;
    }
    if (!good) return false;
  }
}

Result<Via, ParseError> parse_via(std::string_view value) noexcept {
  Result<Via, ParseError> via;
  if (!decode_via(value, *via)) via = fail(ParseError::BadVia);
  return via;
}

namespace {

// display-name = *( token LWS ); wider: unquoted UTF-8 names are common.
bool is_display_name(std::string_view text) {
  for (std::size_t at = 0;; ++at) {
    at = span_of(text, at, kDisplayNameChars);
    if (at == text.size()) return true;
    if (static_cast<std::uint8_t>(text[at]) < 0x80) return false;
  }
}

// The header parameters, from `at` on: all of them well formed, at most one tag.
bool take_params(std::string_view text, std::size_t at, NameAddr& out) {
  at = skip_lws(text, at);
  if (at == text.size()) return true;
  out.params = Params(text.substr(at));
  Params::Param param;
  for (;;) {
    switch (step_param(text, at, param)) {
      case Step::End:
        return true;
      case Step::Malformed:
        return false;
      case Step::Param:
        break;
    }
    if (param.name.size() != 3 || !equals_no_case(param.name, "tag")) continue;
    if (out.has_tag) return false;
    out.has_tag = true;
    out.tag_value = param.value;
  }
}

}  // namespace

bool decode_name_addr(std::string_view value, NameAddr& out) noexcept {
  const std::string_view text = trim(value);
  out.text = text;
  if (text.empty()) return false;
  std::size_t at = 0;
  if (text.front() == '"') {
    at = skip_quoted(text, 0);
    if (at == std::string_view::npos) return false;
    out.display_name = text.substr(0, at);
    at = skip_lws(text, at);
    if (at == text.size() || text[at] != '<') return false;
  } else if (text.front() != '<') {
    const std::size_t open = text.find('<');
    if (open != std::string_view::npos) {
      out.display_name = trim(text.substr(0, open));
      if (!is_display_name(out.display_name)) return false;
      at = open;
    }
  }
  if (text[at] == '<') {
    const std::size_t close = text.find('>', at);
    if (close == std::string_view::npos) return false;
    out.bracketed = true;
    out.uri = text.substr(at + 1, close - at - 1);
    at = close + 1;
  } else {
    // RFC 3261 20: with a comma, question mark or semicolon in it the URI must stand in brackets.
    // So a semicolon starts the header parameters, and whatever else ends the URI is refused there.
    at = span_of(text, 0, kAddrSpecChars);
    out.uri = text.substr(0, at);
  }
  return !out.uri.empty() && take_params(text, at, out);
}

Result<NameAddr, ParseError> parse_name_addr(std::string_view value) noexcept {
  Result<NameAddr, ParseError> address;
  if (!decode_name_addr(value, *address)) address = fail(ParseError::BadNameAddr);
  return address;
}

Result<CSeq, ParseError> parse_cseq(std::string_view value) noexcept {
  const std::string_view text = trim(value);
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  // RFC 3261 8.1.1.5: less than 2**31.
  const auto number = parse_number(text.substr(0, digits), 0x7fff'ffff);
  const std::size_t method = skip_lws(text, digits);
  if (!number || method == digits || !is_token(text.substr(method))) {
    return fail(ParseError::BadCSeq);
  }
  return CSeq{*number, text.substr(method)};
}

Result<std::uint32_t, ParseError> parse_number(std::string_view value,
                                               std::uint32_t most) noexcept {
  if (value.empty()) return fail(ParseError::BadNumber);
  std::uint64_t number = 0;
  for (const char c : value) {
    if (!is_digit(c)) return fail(ParseError::BadNumber);
    number = number * 10 + static_cast<unsigned>(c - '0');
    if (number > most) return fail(ParseError::BadNumber);
  }
  return static_cast<std::uint32_t>(number);
}

Result<std::uint16_t, ParseError> parse_q(std::string_view value) noexcept {
  // qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
  if (value.empty() || value.size() > 5 || (value[0] != '0' && value[0] != '1') ||
      (value.size() > 1 && value[1] != '.')) {
    return fail(ParseError::BadNumber);
  }
  unsigned thousandths = value[0] == '1' ? 1000 : 0;
  unsigned weight = 100;
  for (std::size_t i = 2; i < value.size(); ++i, weight /= 10) {
    if (!is_digit(value[i])) return fail(ParseError::BadNumber);
    thousandths += static_cast<unsigned>(value[i] - '0') * weight;
  }
  if (thousandths > 1000) return fail(ParseError::BadNumber);
  return static_cast<std::uint16_t>(thousandths);
}

bool next_value(std::string_view& list, std::string_view& value) noexcept {
  list = trim(list);
  if (list.empty()) return false;
  std::size_t at = 0;
  bool in_brackets = false;
  for (;;) {
    at = span_of(list, at, kPlainListChars);
    if (at == list.size()) break;
    const char c = list[at];
    if (c == ',' && !in_brackets) break;
    if (c == '"') {
      at = skip_quoted(list, at);
      if (at == std::string_view::npos) at = list.size();
      continue;
    }
    if (c == '<') in_brackets = true;
    if (c == '>') in_brackets = false;
    ++at;
  }
  value = trim(list.substr(0, at));
  list = at < list.size() ? list.substr(at + 1) : std::string_view{};
  return true;
}

bool lists_token(const Message& message, HeaderId id, std::string_view token) noexcept {
  bool found = false;
  for_each_value(message, id, [&](std::string_view value, const HeaderField&) {
    found = equals_no_case(value, token);
    return !found;
  });
  return found;
}

}  // namespace sluice::sip
