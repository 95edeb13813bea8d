// SPDX-License-Identifier: Apache-2.0
//
// Uri: a view of one URI (RFC 3261 19.1, 25.1; RFC 3966 tel; RFC 5031 urn:service).
//
// Memory   string_views into the text it was parsed from: good for this call.
#pragma once

#include "base/hash.h"
#include "base/result.h"
#include "sipcore/parse/parse_error.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::sip {

enum class Scheme : std::uint8_t { Sip, Sips, Tel, Urn, Other };

struct Uri {
  Scheme scheme = Scheme::Other;
  std::string_view text;  // the whole URI
  std::string_view user;  // still escaped; with any ";" or "?" it legally contains; tel: the number
  std::string_view password;  // still escaped
  std::string_view host;      // IPv6 keeps its brackets
  std::string_view params;    // without the leading ';'
  std::string_view headers;   // without the leading '?'
  std::uint16_t port = 0;     // 0: none given
  bool has_user = false;

  bool is_sip() const { return scheme == Scheme::Sip || scheme == Scheme::Sips; }
  // Value of a URI parameter; an empty view for one without '='; nullopt if absent. Names compare
  // without case.
  std::optional<std::string_view> param(std::string_view name) const noexcept;
};

// An unknown scheme is no error: Scheme::Other with `text` only. Errors: BadUri.
Result<Uri, ParseError> parse_uri(std::string_view text) noexcept;

// RFC 3261 19.1.4, both ways round: escapes decoded, host without case, default ports are not
// filled in.
bool equivalent(const Uri& a, const Uri& b) noexcept;

// The canonical address-of-record (RFC 3261 10.3 step 5): "user@host" with user unescaped and the
// host in lower case, without parameters, port kept only if given. Returns the length, 0 if it does
// not fit or has no user@host form. `out` has room for `size` bytes.
std::size_t canonical_aor(const Uri& uri, char* out, std::size_t size) noexcept;

}  // namespace sluice::sip
