// SPDX-License-Identifier: Apache-2.0
//
// Typed views of header values: Via, name-addr (From, To, Contact, Route...), CSeq, numbers.
//
// RFC 3261 20 and 25.1. A value may contain folds (CRLF + white space), which count as white space.
//
// Memory   string_views into the value they were parsed from: good for this call.
#pragma once

#include "base/result.h"
#include "sipcore/parse/message.h"
#include "sipcore/parse/parse_error.h"
#include "sipcore/parse/uri.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::sip {

// ";name=value;flag;..." as it stands; values may be quoted strings (returned with their quotes).
class Params {
 public:
  constexpr Params() = default;
  constexpr explicit Params(std::string_view text) : text_(text) {}
  std::string_view text() const { return text_; }  // with the leading ';' (empty if there are none)
  // Names compare without case. An empty view for a parameter without '='; nullopt if absent.
  std::optional<std::string_view> find(std::string_view name) const noexcept;

  struct Param {
    std::string_view name;
    std::string_view value;
    bool has_value = false;
  };
  // Takes the first parameter off `rest` (which starts with ';'); false when there is none left.
  static bool next(std::string_view& rest, Param& out) noexcept;

 private:
  std::string_view text_;
};

// RFC 3261 20.42, RFC 3581.
struct Via {
  std::string_view protocol_version;  // "2.0"
  std::string_view transport;         // as spelled: "UDP"
  std::string_view host;              // sent-by host; IPv6 keeps its brackets
  std::uint16_t port = 0;             // 0: none given
  Params params;
  std::string_view branch;    // empty if absent
  std::string_view received;  // empty if absent
  std::string_view maddr;     // empty if absent
  std::string_view rport;     // value; empty if absent or without a value
  bool has_rport = false;
  std::string_view text;  // the whole via-parm, trimmed

  std::uint16_t sent_by_port() const;  // the port, or the default of the transport
};
Result<Via, ParseError> parse_via(std::string_view value) noexcept;

// name-addr or addr-spec with header parameters: From, To, Contact, Route, Record-Route, Path,
// Refer-To.
struct NameAddr {
  std::string_view display_name;  // as spelled, quotes kept
  std::string_view uri;           // between the brackets, or the addr-spec
  bool bracketed = false;
  Params
      params;  // header parameters: in the addr-spec form every ';' parameter is one (RFC 3261 20)
  std::string_view tag_value;  // empty if absent
  bool has_tag = false;
  std::string_view text;

  std::string_view tag() const { return tag_value; }
};
Result<NameAddr, ParseError> parse_name_addr(std::string_view value) noexcept;

struct CSeq {
  std::uint32_t number = 0;  // < 2^31 (RFC 3261 8.1.1.5)
  std::string_view method;
};
Result<CSeq, ParseError> parse_cseq(std::string_view value) noexcept;

// 1*DIGIT, at most `most`; BadNumber otherwise.
Result<std::uint32_t, ParseError> parse_number(std::string_view value,
                                               std::uint32_t most = 0xffff'ffff) noexcept;
// q-value in thousandths: "0.7" is 700 (RFC 3261 25.1).
Result<std::uint16_t, ParseError> parse_q(std::string_view value) noexcept;

// Takes the first value off a comma-separated list, trimmed; commas inside quotes and <> do not
// count. False when the list is used up.
bool next_value(std::string_view& list, std::string_view& value) noexcept;

// Walks every value of every field with this id, in order. fn(std::string_view value, const
// HeaderField&) returns false to stop.
template <typename Fn>
void for_each_value(const Message& message, HeaderId id, Fn&& fn) {
  for (const HeaderField* field = message.find(id); field != nullptr;
       field = message.next(*field)) {
    std::string_view list = message.value(*field);
    std::string_view value;
    while (next_value(list, value)) {
      if (!fn(value, *field)) return;
    }
  }
}

// Does a list header (Require, Supported...) name this option tag? Tokens compare without case.
bool lists_token(const Message& message, HeaderId id, std::string_view token) noexcept;

// ASCII only, as every token comparison in SIP (RFC 3261 7.3.1).
bool equals_no_case(std::string_view a, std::string_view b) noexcept;
// SP, HTAB, CR, LF.
inline std::string_view trim(std::string_view text) noexcept {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace sluice::sip
