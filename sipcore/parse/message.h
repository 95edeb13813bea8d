// SPDX-License-Identifier: Apache-2.0
//
// Message: the index of one SIP message; slices into bytes that somebody else owns.
//
// RFC 3261 7 (structure), 7.3.1 (folding, compact forms, lists), 18.3 (framing over UDP), 25.1.
//
// Threads  Plain data; moves between cores with its bytes.
// Memory   Owns nothing, allocates nothing. Slices count from the first of the bytes given to
//          parse();
//          string_views live as long as those bytes. rebase() follows them after a copy.
// Errors   parse() says why (ParseError) and keeps what it has indexed so far, so that a refusal
//          can
//          still be answered from the top Via, From, To, Call-ID and CSeq: a bad start line does
//          not stop the indexing, the first bad header field does. Never answer a response or an
//          ACK.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/slice.h"
#include "sipcore/parse/limits.h"
#include "sipcore/parse/parse_error.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sluice::sip {

enum class Method : std::uint8_t {
#define SLUICE_METHOD(name, token) name,
#include "sipcore/parse/methods.def"
#undef SLUICE_METHOD
  Other,  // any other token: Message::method_text() has it
  Count
};

Method method_from(std::string_view token) noexcept;  // case-sensitive; Other if unknown
std::string_view to_string(Method method) noexcept;   // "" for Other

enum class HeaderId : std::uint8_t {
#define SLUICE_HEADER(name, text, compact, list) name,
#include "sipcore/parse/headers.def"
#undef SLUICE_HEADER
  Other,
  Count
};

HeaderId header_from(std::string_view name) noexcept;  // long or compact form, any case
std::string_view to_string(HeaderId id) noexcept;      // the long form; "" for Other
bool is_list(HeaderId id) noexcept;

// One header field as it stands in the message.
struct HeaderField {
  Slice line;  // from the name's first byte to after the last CRLF (folds included)
  Slice name;
  Slice value;  // without surrounding white space; may contain folds (CRLF + SP/HTAB)
  HeaderId id = HeaderId::Other;
  std::uint8_t next_same = 0;  // index of the next field with this id; 0: none
};

class Message {
 public:
  enum class Kind : std::uint8_t { Request, Response };

  // Indexes one message that fills `bytes` (a datagram; leading CRLFs are skipped, RFC 3261 7.5;
  // octets beyond Content-Length are discarded, 18.3). Structure only: line ends, header names, the
  // start line, Content-Length. Says nothing yet about the values (see sanity.h). On a stream the
  // framer has cut the message already and passes its exact bytes.
  Result<void, ParseError> parse(ByteView bytes, const Limits& limits) noexcept;

  // The same bytes as given to parse(), at another address.
  void rebase(const std::uint8_t* base) noexcept { base_ = reinterpret_cast<const char*>(base); }

  bool is_request() const noexcept { return kind_ == Kind::Request; }
  bool is_response() const noexcept { return kind_ == Kind::Response; }

  // Request: method and Request-URI. For a response, method() is that of CSeq (Other before
  // sanity).
  Method method() const noexcept { return method_; }
  std::string_view method_text() const noexcept { return at(method_text_); }
  std::string_view request_uri() const noexcept { return at(request_uri_); }
  Slice request_uri_slice() const noexcept { return request_uri_; }
  // Response.
  std::uint16_t status() const noexcept { return status_; }
  std::string_view reason() const noexcept { return at(reason_); }

  std::span<const HeaderField> headers() const noexcept { return {fields_.data(), count_}; }
  // First field with this id in the message, or nullptr.
  const HeaderField* find(HeaderId id) const noexcept {
    const std::uint8_t at = first_[static_cast<std::size_t>(id)];
    return at == 0 ? nullptr : &fields_[at - 1];
  }
  const HeaderField* next(const HeaderField& field) const noexcept {
    return field.next_same == 0 ? nullptr : &fields_[field.next_same - 1];
  }
  // Value of the first field with this id; empty if there is none.
  std::string_view value(HeaderId id) const noexcept {
    const HeaderField* field = find(id);
    return field == nullptr ? std::string_view{} : at(field->value);
  }
  std::string_view value(const HeaderField& field) const noexcept { return at(field.value); }
  std::string_view name(const HeaderField& field) const noexcept { return at(field.name); }

  std::string_view at(Slice slice) const noexcept { return {base_ + slice.offset, slice.length}; }
  // The whole message: start line to the end of the body, without what a datagram carries beyond.
  // Slices do not count from here but from the first byte given to parse(): leading CRLFs may lie
  // between.
  std::string_view text() const noexcept { return {base_ + start_line_.offset, size_}; }
  std::uint32_t size() const noexcept { return size_; }
  Slice start_line() const noexcept { return start_line_; }  // without its CRLF
  std::string_view body() const noexcept { return at(body_); }
  Slice body_slice() const noexcept { return body_; }

 private:
  friend class MessageIndexer;

  const char* base_ = nullptr;
  std::uint32_t size_ = 0;
  Kind kind_ = Kind::Request;
  Method method_ = Method::Other;
  std::uint16_t status_ = 0;
  Slice start_line_, method_text_, request_uri_, reason_, body_;
  std::uint16_t count_ = 0;
  // 1 + index of the first field of each id; 0: absent. Only [0, count_) of fields_ is ever read.
  std::array<std::uint8_t, static_cast<std::size_t>(HeaderId::Count)> first_{};
  std::array<HeaderField, kMaxHeaderFields> fields_;
};

}  // namespace sluice::sip
