// SPDX-License-Identifier: Apache-2.0
//
// RFC 3261 8.1.1, 8.1.3.1, 16.3 step 1, 16.7 step 3, 18.1.2, 18.2.1; RFC 4475 for what to do with
// the rest.
#include "sipcore/parse/sanity.h"

#include "base/endpoint.h"
#include "sipcore/parse/char_span.h"
#include "sipcore/parse/chars.h"
#include "sipcore/parse/decode.h"

namespace sluice::sip {
namespace {

constexpr std::string_view kMagicCookie = "z9hG4bK";  // RFC 3261 8.1.1.7

// Fields that are no list, but of which several are either allowed (RFC 3261 7.3.1: one challenge
// or credential each; RFC 8224 4) or merely tell people something, so that no two readers can act
// differently on them.
constexpr bool may_repeat(HeaderId id) {
  switch (id) {
    case HeaderId::Authorization:
    case HeaderId::ProxyAuthorization:
    case HeaderId::WwwAuthenticate:
    case HeaderId::ProxyAuthenticate:
    case HeaderId::AuthenticationInfo:
    case HeaderId::Identity:
    case HeaderId::Privacy:
    case HeaderId::UserAgent:
    case HeaderId::Server:
    case HeaderId::Subject:
    case HeaderId::Date:
    case HeaderId::Organization:
    case HeaderId::Priority:
    case HeaderId::MimeVersion:
    case HeaderId::Other:
      return true;
    default:
      return false;
  }
}

constexpr auto kSingle = [] {
  std::array<bool, static_cast<std::size_t>(HeaderId::Count)> single{};
#define SLUICE_HEADER(name, text, compact, list) \
  single[static_cast<std::size_t>(HeaderId::name)] = !list && !may_repeat(HeaderId::name);
#include "sipcore/parse/headers.def"
#undef SLUICE_HEADER
  return single;
}();

bool has_duplicate(const Message& message) {
  for (const HeaderField& field : message.headers()) {
    if (field.next_same != 0 && kSingle[static_cast<std::size_t>(field.id)]) return true;
  }
  return false;
}

// RFC 3261 16.7 step 3 sends a response to the Via below the top one; RFC 4475 3.3.10: never to a
// broadcast address.
bool is_nowhere(std::string_view host) {
  if (!host.starts_with('0') && !host.starts_with("255.")) return false;
  const auto address = IpAddress::parse(host);
  return address && (address->is_broadcast() || address->is_unspecified());
}

// The topmost Via is read whole; of the others a request needs only that they are list items.
Result<void, ParseError> check_vias(const Message& message, const Limits& limits, Essentials& out) {
  unsigned count = 0;
  ParseError error = ParseError::Count;
  for_each_value(message, HeaderId::Via, [&](std::string_view value, const HeaderField&) {
    if (++count > limits.via) {
      error = ParseError::TooManyVias;
    } else if (value.empty()) {
      error = ParseError::BadVia;
    } else if (count == 1) {
      if (!decode_via(value, out.via)) {
        out.via = {};
        error = ParseError::BadVia;
      }
    } else if (count == 2 && message.is_response()) {
      const auto next = parse_via(value);
      if (!next || is_nowhere(next->host) || is_nowhere(next->received) ||
          is_nowhere(next->maddr)) {
        error = ParseError::BadVia;
      }
    }
    return error == ParseError::Count;
  });
  if (error != ParseError::Count) return fail(error);
  if (count == 0) return fail(ParseError::BadVia);  // "Via:" with nothing behind it
  out.rfc2543 =
      out.via.branch.size() <= kMagicCookie.size() || !out.via.branch.starts_with(kMagicCookie);
  return {};
}

// From and To may name any scheme (RFC 4475 3.3.4); a SIP URI among them has to be well formed.
Result<void, ParseError> check_name_addr(std::string_view value, NameAddr& out,
                                         std::string_view& tag) {
  Uri uri;
  ParseError error = ParseError::Count;
  if (!decode_name_addr(value, out)) {
    error = ParseError::BadNameAddr;
  } else if (!decode_uri(out.uri, uri)) {
    error = ParseError::BadUri;
  } else if (out.has_tag && !is_token(out.tag_value)) {
    error = ParseError::BadParameter;
  }
  if (error != ParseError::Count) {
    out = {};
    return fail(error);
  }
  tag = out.tag_value;
  return {};
}

// callid = word [ "@" word ]. Wider: any visible ASCII, because '=' and more '@' are common and the
// value is only ever compared whole.
constexpr CharSet kCallIdChars = CharSet::of(kParamValue, ";,\"<>");

bool is_call_id(std::string_view value) {
  return !value.empty() && all_of(value, kCallIdChars);
}

Result<void, ParseError> check_request(const Message& message, Essentials& out) {
  if (message.method_text() != out.cseq.method) return fail(ParseError::CSeqMismatch);
  if (const HeaderField* field = message.find(HeaderId::MaxForwards); field != nullptr) {
    const auto hops = parse_number(message.value(*field), 255);  // RFC 3261 20.22
    if (!hops) return fail(hops.error());
    out.max_forwards = *hops;
    out.has_max_forwards = true;
  }
  Uri& uri = out.request_uri;
  ParseError error = ParseError::Count;
  if (!decode_uri(message.request_uri(), uri)) {
    error = ParseError::BadUri;
  } else if (uri.scheme == Scheme::Other) {
    error = ParseError::UnsupportedScheme;
  } else if (!uri.headers.empty()) {
    // RFC 3261 19.1.1, table 1: no headers in a Request-URI; forwarded they would become somebody's
    // fields.
    error = ParseError::BadUri;
  }
  if (error != ParseError::Count) {
    uri = {};
    return fail(error);
  }
  return {};
}

}  // namespace

Result<void, ParseError> check(const Message& message, const Limits& limits,
                               Essentials& out) noexcept {
  out = Essentials{};
  for (const HeaderId id :
       {HeaderId::Via, HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq}) {
    if (message.find(id) == nullptr) return fail(ParseError::MissingHeader);
  }
  if (has_duplicate(message)) return fail(ParseError::DuplicateHeader);
  if (const auto vias = check_vias(message, limits, out); !vias) return vias;
  const auto from = check_name_addr(message.value(HeaderId::From), out.from, out.from_tag);
  if (!from) return from;
  const auto to = check_name_addr(message.value(HeaderId::To), out.to, out.to_tag);
  if (!to) return to;
  const std::string_view call_id = message.value(HeaderId::CallId);
  if (!is_call_id(call_id)) return fail(ParseError::BadCallId);
  out.call_id = call_id;
  const auto cseq = parse_cseq(message.value(HeaderId::CSeq));
  if (!cseq) return fail(cseq.error());
  out.cseq = *cseq;
  return message.is_request() ? check_request(message, out) : Result<void, ParseError>{};
}

}  // namespace sluice::sip
