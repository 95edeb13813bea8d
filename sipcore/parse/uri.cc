// SPDX-License-Identifier: Apache-2.0
//
// RFC 3261 19.1 and 25.1 (SIP-URI), RFC 3966 3 (tel), RFC 8141 (urn).
#include "sipcore/parse/uri.h"

#include "base/endpoint.h"
#include "sipcore/parse/char_span.h"
#include "sipcore/parse/chars.h"
#include "sipcore/parse/decode.h"
#include "sipcore/parse/fields.h"
#include "sipcore/parse/host.h"

namespace sluice::sip {
namespace {

// Comparing two URIs looks each parameter of one up in the other. Real ones have a handful; the
// bound keeps a hostile pair from costing millions of steps.
constexpr unsigned kMostParts = 32;

// Every '%' starts an escape: "%" HEXDIG HEXDIG.
bool escapes_are_whole(std::string_view text) {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 3)) {
    if (at + 2 >= text.size() || hex_value(text[at + 1]) < 0 || hex_value(text[at + 2]) < 0) {
      return false;
    }
  }
  return true;
}

constexpr CharSet kParamNameChars = CharSet::of(kUriParam, {}, ";=");
constexpr CharSet kParamChars = CharSet::of(kUriParam, {}, ";");
constexpr CharSet kHeaderChars = CharSet::of(kUriHeader);
constexpr CharSet kUserInfoChars = CharSet::of(kUser | kPassword, ":");
constexpr CharSet kPasswordChars = CharSet::of(kPassword);

// ";a=b;c" without the leading ';': no parameter is empty or starts with '='.
bool params_are_whole(std::string_view params) {
  std::size_t at = 0;
  for (unsigned count = 1; count <= kMostParts; ++count) {
    const std::size_t name = at;
    at = span_of(params, at, kParamNameChars);
    if (at == name) return false;
    if (at < params.size() && params[at] == '=') at = span_of(params, at, kParamChars);
    if (at == params.size()) return true;
    if (params[at++] != ';') return false;
  }
  return false;
}

// "a=b&c=d" without the leading '?'.
bool headers_are_whole(std::string_view headers) {
  if (headers.empty() || !all_of(headers, kHeaderChars)) return false;
  unsigned count = 1;
  for (const char c : headers) count += c == '&';
  return count <= kMostParts;
}

// `info` holds characters of a userinfo only.
bool split_user(std::string_view info, Uri& uri) {
  const std::size_t colon = info.find(':');
  uri.user = info.substr(0, colon);
  uri.has_user = true;
  if (colon == std::string_view::npos) return !uri.user.empty();
  uri.password = info.substr(colon + 1);
  return !uri.user.empty() && all_of(uri.password, kPasswordChars);
}

bool decode_sip(Uri& uri, std::string_view rest) {
  // '@' stands nowhere in a URI but after the userinfo (25.1), so there is no question which one
  // counts: a second one fails the character check of whatever it stands in.
  const std::size_t at = span_of(rest, 0, kUserInfoChars);
  if (at < rest.size() && rest[at] == '@') {
    if (!split_user(rest.substr(0, at), uri)) return false;
    rest.remove_prefix(at + 1);
  }
  std::size_t used = 0;
  if (!parse_host_port(rest, used, uri.host, uri.port, /*lws_around_colon=*/false)) {
    return false;
  }
  rest.remove_prefix(used);
  if (rest.empty()) {
    if (!escapes_are_whole(uri.user) || !escapes_are_whole(uri.password)) {
      return false;
    }
    return true;
  }
  if (const std::size_t question = rest.find('?'); question != std::string_view::npos) {
    uri.headers = rest.substr(question + 1);
    rest = rest.substr(0, question);
    if (!headers_are_whole(uri.headers)) return false;
  }
  if (!rest.empty()) {
    if (rest.front() != ';') return false;
    uri.params = rest.substr(1);
    if (!params_are_whole(uri.params)) return false;
  }
  if (!escapes_are_whole(uri.text)) return false;
  return true;
}

// RFC 3966 3: "+" digits, or a local number that may hold hexadecimal digits, '*' and '#'.
bool decode_tel(Uri& uri, std::string_view rest) {
  const std::size_t semicolon = rest.find(';');
  uri.user = rest.substr(0, semicolon);
  if (semicolon != std::string_view::npos) {
    uri.params = rest.substr(semicolon + 1);
    if (!params_are_whole(uri.params)) return false;
  }
  uri.has_user = true;
  bool dialable = false;
  for (std::size_t i = 0; i < uri.user.size(); ++i) {
    const char c = uri.user[i];
    if (hex_value(c) >= 0 || c == '*' || c == '#') {
      dialable = true;
    } else if (!(c == '-' || c == '.' || c == '(' || c == ')' || (c == '+' && i == 0))) {
      return false;
    }
  }
  if (!dialable || !escapes_are_whole(uri.params)) return false;
  return true;
}

bool is_opaque(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (c <= ' ' || c == '<' || c == '>' || c == '"' || c == '\x7f') return false;
  }
  return true;
}

// One decoded byte off the front.
char take_decoded(std::string_view& text) {
  if (text.front() == '%' && text.size() > 2) {
    const int high = hex_value(text[1]);
    const int low = hex_value(text[2]);
    if (high >= 0 && low >= 0) {
      text.remove_prefix(3);
      return static_cast<char>(high * 16 + low);
    }
  }
  const char c = text.front();
  text.remove_prefix(1);
  return c;
}

bool same_decoded(std::string_view a, std::string_view b, bool ignore_case) {
  while (!a.empty() && !b.empty()) {
    const char x = take_decoded(a);
    const char y = take_decoded(b);
    if (ignore_case ? to_lower(x) != to_lower(y) : x != y) return false;
  }
  return a.empty() && b.empty();
}

// One "name=value" off a list with this separator.
struct Pair {
  std::string_view name;
  std::string_view value;
};

bool take_pair(std::string_view& list, char separator, Pair& out) {
  if (list.empty()) return false;
  const std::size_t end = list.find(separator);
  const std::string_view item = list.substr(0, end);
  list = end == std::string_view::npos ? std::string_view{} : list.substr(end + 1);
  const std::size_t equals = item.find('=');
  out.name = item.substr(0, equals);
  out.value = equals == std::string_view::npos ? std::string_view{} : item.substr(equals + 1);
  return true;
}

// No name may occur twice (RFC 3261 19.1.1), but nobody checks: any of them may match.
enum class Found : std::uint8_t { Absent, Different, Same };

Found look_up(std::string_view list, char separator, const Pair& wanted, bool ignore_case) {
  Found found = Found::Absent;
  for (Pair pair; take_pair(list, separator, pair);) {
    if (!same_decoded(pair.name, wanted.name, true)) continue;
    if (same_decoded(pair.value, wanted.value, ignore_case)) return Found::Same;
    found = Found::Different;
  }
  return found;
}

// RFC 3261 19.1.4: these never match when only one side has them, even with their default value.
bool counts_when_alone(std::string_view name) {
  for (const std::string_view special : {"user", "ttl", "method", "maddr", "transport"}) {
    if (same_decoded(name, special, true)) return true;
  }
  return false;
}

bool params_match_one_way(std::string_view a, std::string_view b, bool all_count) {
  for (Pair mine; take_pair(a, ';', mine);) {
    const Found found = look_up(b, ';', mine, true);
    if (found == Found::Different) return false;
    if (found == Found::Absent && (all_count || counts_when_alone(mine.name))) return false;
  }
  return true;
}

// "URI header components are never ignored": each one must be on the other side.
bool headers_match_one_way(std::string_view a, std::string_view b) {
  for (Pair mine; take_pair(a, '&', mine);) {
    if (look_up(b, '&', mine, false) != Found::Same) return false;
  }
  return true;
}

bool is_visual_separator(char c) {
  return c == '-' || c == '.' || c == '(' || c == ')';
}

// RFC 3966 5: the digits without visual separators.
bool same_number(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t j = 0;
  for (;;) {
    while (i < a.size() && is_visual_separator(a[i])) ++i;
    while (j < b.size() && is_visual_separator(b[j])) ++j;
    if (i == a.size() || j == b.size()) return i == a.size() && j == b.size();
    if (to_lower(a[i++]) != to_lower(b[j++])) return false;
  }
}

}  // namespace

std::optional<std::string_view> Uri::param(std::string_view name) const noexcept {
  std::string_view list = params;
  for (Pair pair; take_pair(list, ';', pair);) {
    if (same_decoded(pair.name, name, true)) return pair.value;
  }
  return std::nullopt;
}

bool decode_uri(std::string_view text, Uri& uri) noexcept {
  uri.text = text;
  if (text.starts_with("sip:")) {  // as nearly everybody writes it
    uri.scheme = Scheme::Sip;
    return decode_sip(uri, text.substr(4));
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view scheme = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  if (equals_no_case(scheme, "sip")) {
    uri.scheme = Scheme::Sip;
    return decode_sip(uri, rest);
  }
  if (equals_no_case(scheme, "sips")) {
    uri.scheme = Scheme::Sips;
    return decode_sip(uri, rest);
  }
  if (equals_no_case(scheme, "tel")) {
    uri.scheme = Scheme::Tel;
    return decode_tel(uri, rest);
  }
  // RFC 3986 3.1: ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
  const char first = to_lower(scheme.front());
  if (first < 'a' || first > 'z') return false;
  for (const char c : scheme) {
    const char lower = to_lower(c);
    if (!(lower >= 'a' && lower <= 'z') && !is_digit(c) && c != '+' && c != '-' && c != '.') {
      return false;
    }
  }
  if (!is_opaque(rest)) return false;
  if (equals_no_case(scheme, "urn")) uri.scheme = Scheme::Urn;
  return true;
}

Result<Uri, ParseError> parse_uri(std::string_view text) noexcept {
  Result<Uri, ParseError> uri;
  if (!decode_uri(text, *uri)) uri = fail(ParseError::BadUri);
  return uri;
}

bool equivalent(const Uri& a, const Uri& b) noexcept {
  if (a.scheme != b.scheme) return false;
  switch (a.scheme) {
    case Scheme::Sip:
    case Scheme::Sips:
      return a.has_user == b.has_user && a.port == b.port && equals_no_case(a.host, b.host) &&
             same_decoded(a.user, b.user, false) && same_decoded(a.password, b.password, false) &&
             params_match_one_way(a.params, b.params, false) &&
             params_match_one_way(b.params, a.params, false) &&
             headers_match_one_way(a.headers, b.headers) &&
             headers_match_one_way(b.headers, a.headers);
    case Scheme::Tel:
      return same_number(a.user, b.user) && params_match_one_way(a.params, b.params, true) &&
             params_match_one_way(b.params, a.params, true);
    case Scheme::Urn:  // RFC 5031 3: service names compare without case
      return equals_no_case(a.text, b.text);
    case Scheme::Other:
      return a.text == b.text;
  }
  return false;
}

std::size_t canonical_aor(const Uri& uri, char* out, std::size_t size) noexcept {
  if (!uri.is_sip() || !uri.has_user) return 0;
  std::size_t length = 0;
  const auto put = [&](char c) {
    if (length < size) out[length] = c;
    ++length;
  };
  for (std::string_view user = uri.user; !user.empty();) put(take_decoded(user));
  put('@');
  for (const char c : uri.host) put(to_lower(c));
  if (uri.port != 0) {
    char digits[5];
    std::size_t count = 0;
    for (unsigned port = uri.port; port != 0; port /= 10) {
      digits[count++] = static_cast<char>('0' + port % 10);
    }
    put(':');
    while (count != 0) put(digits[--count]);
  }
  return length <= size ? length : 0;
}

}  // namespace sluice::sip
