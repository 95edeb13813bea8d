// SPDX-License-Identifier: Apache-2.0
//
// RFC 3261 7 (structure), 7.3.1 (header fields), 18.3 (framing), 25.1 (start line).
#include "sipcore/parse/message.h"

#include "sipcore/parse/char_span.h"
#include "sipcore/parse/chars.h"
#include "sipcore/parse/fields.h"
#include "sipcore/parse/names.h"
#include "sipcore/parse/scan.h"

#include <algorithm>
#include <bit>

namespace sluice::sip {
namespace {

// Picked once, at start-up.
const ScanLines kScanLines = scan_kernels().front().scan;

constexpr std::uint32_t kLargestIndexed = 65'535;  // what a Slice can say

constexpr Slice slice(std::uint32_t begin, std::uint32_t end) {
  return {static_cast<std::uint16_t>(begin), static_cast<std::uint16_t>(end - begin)};
}

enum class Version : std::uint8_t { Sip20, OtherSip, None };

// RFC 3261 7.1: case-insensitive; "SIP" "/" 1*DIGIT "." 1*DIGIT.
Version version_from(std::string_view text) {
  if (text.size() == 7 && equals_no_case(text, "SIP/2.0")) return Version::Sip20;
  if (text.size() < 7 || !equals_no_case(text.substr(0, 4), "SIP/")) return Version::None;
  const std::string_view number = text.substr(4);
  const std::size_t dot = number.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == number.size()) return Version::None;
  const bool digits = all(number.substr(0, dot), kDigit) && all(number.substr(dot + 1), kDigit);
  return digits ? Version::OtherSip : Version::None;
}

// " SIP/" somewhere after the method: without it this is another protocol's request (HTTP, RTSP),
// and not worth an answer.
bool mentions_sip(std::string_view line) {
  for (std::size_t at = line.find('/'); at != std::string_view::npos; at = line.find('/', at + 1)) {
    if (at >= 4 && line[at - 4] == ' ' && equals_no_case(line.substr(at - 3, 3), "SIP"))
      return true;
  }
  return false;
}

// quoted-pair = "\\" (%x00-09 / ...): inside a quoted string and nowhere else is a NUL legal.
bool nuls_are_quoted(std::string_view value) {
  bool quoted = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\0') return false;
    if (value[i] == '"') quoted = !quoted;
    if (quoted && value[i] == '\\') ++i;
  }
  return true;
}

}  // namespace

class MessageIndexer {
 public:
  MessageIndexer(Message& message, ByteView bytes, const Limits& limits)
      : m_(message),
        limits_(limits),
        text_(reinterpret_cast<const char*>(bytes.data())),
        size_(static_cast<std::uint32_t>(std::min<std::size_t>(bytes.size(), kLargestIndexed))),
        most_fields_(std::min(limits.headers, kMaxHeaderFields)),
        too_large_(bytes.size() > std::min(limits.message, kLargestIndexed)) {}

  Result<void, ParseError> run() {
    reset();
    if (!start_line()) return fail(error_);
    if (too_large_) note(ParseError::TooLarge);
    const bool whole = header_fields();
    cseq_of_response();
    if (whole) body();
    if (failed_) return fail(error_);
    return {};
  }

 private:
  static constexpr std::uint32_t kBatch = 128;  // line ends found at a time

  // The first error is the one that counts.
  bool note(ParseError error) {
    if (!failed_) error_ = error;
    failed_ = true;
    return false;
  }

  void reset() {
    m_.base_ = text_;
    m_.kind_ = Message::Kind::Request;
    m_.method_ = Method::Other;
    m_.status_ = 0;
    m_.method_text_ = m_.request_uri_ = m_.reason_ = m_.body_ = {};
    m_.count_ = 0;
    m_.first_.fill(0);
    // RFC 3261 7.5: CRLFs before the start line are ignored.
    while (begin_ + 1 < size_ && text_[begin_] == '\r' && text_[begin_ + 1] == '\n') begin_ += 2;
    m_.start_line_ = slice(begin_, begin_);
    m_.size_ = size_ - begin_;
    scanned_ = begin_;
  }

  // Offset of the next LF, or false when the text ends first or a defect stands before it.
  bool next_line_end(std::uint32_t& end) {
    if (used_ == scan_.count && !scan_more()) return false;
    end = ends_[used_++];
    return scan_.defect > end || note(defect_kind());
  }

  [[gnu::noinline]] bool scan_more() {
    const bool at_end = scan_.complete || (scan_.count != 0 && scan_.count < kBatch);
    if (!at_end) {
      scan_ = kScanLines(text_, scanned_, size_, ends_.data(), kBatch);
      used_ = 0;
      escaped_nul_ |= scan_.escaped_nul;
    }
    if (at_end || scan_.count == 0)
      return note(has_defect() ? defect_kind() : ParseError::Truncated);
    scanned_ = std::uint32_t{ends_[scan_.count - 1]} + 1;
    return true;
  }

  bool has_defect() const { return scan_.defect != LineScan::kNoDefect; }
  ParseError defect_kind() const {
    return scan_.defect < size_ && text_[scan_.defect] == '\0' ? ParseError::NulByte
                                                               : ParseError::BareCrLf;
  }

  std::string_view between(std::uint32_t begin, std::uint32_t end) const {
    return {text_ + begin, end - begin};
  }

  // False: nothing that follows can be indexed.
  bool start_line() {
    const std::size_t method_size = span_of(between(begin_, size_), kToken);
    const std::uint32_t method_end = begin_ + static_cast<std::uint32_t>(method_size);
    const bool response = method_size == 3 && method_end < size_ && text_[method_end] == '/' &&
                          equals_no_case(between(begin_, method_end), "SIP");
    const bool request = method_size != 0 && method_end < size_ && text_[method_end] == ' ';
    if (!response && !request) return note(ParseError::NotSip);
    if (response) m_.kind_ = Message::Kind::Response;

    std::uint32_t line_end = 0;
    if (!next_line_end(line_end)) return false;
    line_end -= 1;  // the CR
    m_.start_line_ = slice(begin_, line_end);
    if (escaped_nul_ && !nuls_are_quoted(between(begin_, line_end))) note(ParseError::NulByte);
    begin_of_field_ = line_end + 2;
    if (response) {
      status_line(line_end);
      return true;
    }
    m_.method_text_ = slice(begin_, method_end);
    m_.method_ = method_from(m_.method_text());
    return request_line(method_end + 1, line_end);
  }

  // RFC 3261 25.1: Method SP Request-URI SP SIP-Version, single spaces and none elsewhere. False:
  // not SIP.
  bool request_line(std::uint32_t uri, std::uint32_t end) {
    const std::string_view rest = between(uri, end);
    const std::size_t space = rest.find(' ');
    if (space != 0 && space != std::string_view::npos) {
      const Version version = version_from(rest.substr(space + 1));
      if (version != Version::None) {
        m_.request_uri_ = slice(uri, uri + static_cast<std::uint32_t>(space));
        if (space > limits_.uri) note(ParseError::UriTooLong);
        if (version == Version::OtherSip) note(ParseError::BadVersion);
        return true;
      }
    }
    if (!mentions_sip(between(begin_, end))) return note(ParseError::NotSip);
    note(ParseError::BadStartLine);
    return true;
  }

  // RFC 3261 25.1: SIP-Version SP Status-Code SP Reason-Phrase; the phrase may be empty, its SP is
  // there.
  void status_line(std::uint32_t end) {
    const std::string_view line = between(begin_, end);
    const std::size_t space = line.find(' ');
    const Version version = version_from(line.substr(0, space));
    if (version == Version::None || space == std::string_view::npos) {
      note(ParseError::BadStartLine);
      return;
    }
    if (version == Version::OtherSip) note(ParseError::BadVersion);
    const std::string_view rest = line.substr(space + 1);
    const std::size_t digits = span_of(rest, kDigit);
    if (digits == 0 || digits == rest.size() || rest[digits] != ' ') {
      note(ParseError::BadStartLine);
      return;
    }
    const auto code = parse_number(rest.substr(0, digits), 699);
    if (digits != 3 || !code || *code < 100) {
      note(ParseError::BadStatusCode);
      return;
    }
    m_.status_ = static_cast<std::uint16_t>(*code);
    const auto reason = static_cast<std::uint32_t>(begin_ + space + 1 + digits + 1);
    m_.reason_ = slice(reason, end);
  }

  // True: the header section is whole and every field is in the index.
  bool header_fields() {
    std::uint32_t end = 0;
    for (;;) {
      const std::uint32_t begin = begin_of_field_;
      if (!next_line_end(end)) return false;
      if (end == begin + 1) return true;  // the empty line
      // RFC 3261 7.3.1: a line that starts with white space continues the one before.
      while (end + 1 < size_ && is_wsp(text_[end + 1])) {
        if (!next_line_end(end)) return false;
      }
      begin_of_field_ = end + 1;
      if (!add_field(begin, end - 1)) return false;
    }
  }

  // `end` is the offset of the field's last CR. The members it needs more than once are copied
  // first: stores of single bytes could alias them.
  [[gnu::always_inline]] bool add_field(std::uint32_t begin, std::uint32_t end) {
    const char* const text = text_;
    if (end + 2 - begin > limits_.header_line) return note(ParseError::HeaderTooLong);
    const std::uint32_t count = m_.count_;
    if (count >= most_fields_) return note(ParseError::TooManyHeaders);

    // Names are short: sixteen bytes nearly always hold the colon, and the name for
    // header_from_16().
    const std::uint32_t readable = size_ - begin;
    const __m128i first =
        readable >= 16 ? load_16(text + begin) : load_partial(text + begin, readable);
    const auto colons =
        static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(first, _mm_set1_epi8(':'))));
    std::uint32_t colon = begin + static_cast<std::uint32_t>(std::countr_zero(colons | 0x10000U));
    if (colons == 0) {
      while (colon < end && text[colon] != ':') ++colon;
    }
    if (colon >= end || colon == begin) return note(ParseError::BadHeaderName);
    std::uint32_t name_end = colon;  // HCOLON = *( SP / HTAB ) ":" SWS
    while (is_wsp(text[name_end - 1])) {
      if (--name_end == begin) return note(ParseError::BadHeaderName);
    }
    const std::string_view name{text + begin, name_end - begin};
    const HeaderId id = header_from_16(name, keep_bytes(first, name_end - begin));
    if (id == HeaderId::Other && !is_token(name)) return note(ParseError::BadHeaderName);

    // Nearly always one space before the value and none behind it. text[end] is a CR, so the second
    // test needs no bound.
    std::uint32_t value = colon + 1;
    if (text[value] == ' ') ++value;
    while (value < end && is_lws(text[value])) ++value;
    std::uint32_t value_end = end;
    while (value_end > value && is_lws(text[value_end - 1])) --value_end;
    if (escaped_nul_ && !nuls_are_quoted({text + value, value_end - value})) {
      return note(ParseError::NulByte);
    }

    const auto which = static_cast<std::size_t>(id);
    const auto number = static_cast<std::uint8_t>(count + 1);
    HeaderField& field = m_.fields_[count];
    field.line = slice(begin, end + 2);
    field.name = slice(begin, name_end);
    field.value = slice(value, value_end);
    field.id = id;
    field.next_same = 0;
    m_.count_ = number;
    if (m_.first_[which] == 0) {
      m_.first_[which] = number;
    } else {
      m_.fields_[last_[which] - 1U].next_same = number;
    }
    last_[which] = number;
    return true;
  }

  // RFC 3261 18.3, 20.14. Two Content-Length fields are refused even where they agree: whoever
  // stands behind us may read the other one.
  void body() {
    const std::uint32_t begin = begin_of_field_ + 2;
    std::uint32_t end = size_;
    if (const HeaderField* field = m_.find(HeaderId::ContentLength); field != nullptr) {
      if (field->next_same != 0) {
        note(ParseError::DuplicateHeader);
        return;
      }
      const auto length = parse_number(m_.value(*field));
      if (!length || *length > size_ - begin) {
        note(ParseError::BadContentLength);
        return;
      }
      end = begin + *length;
    }
    if (too_large_) return;  // the end of the body was not looked at
    m_.body_ = slice(begin, end);
    m_.size_ = end - m_.start_line_.offset;
  }

  // The method of a response is that of its CSeq (RFC 3261 8.1.3.3, 17.1.3).
  void cseq_of_response() {
    if (!m_.is_response()) return;
    const HeaderField* field = m_.find(HeaderId::CSeq);
    if (field == nullptr) return;
    const std::uint32_t end = field->value.end();
    std::uint32_t begin = end;
    while (begin > field->value.offset && !is_lws(text_[begin - 1])) --begin;
    m_.method_text_ = slice(begin, end);
    m_.method_ = method_from(m_.method_text());
  }

  Message& m_;
  const Limits& limits_;
  const char* text_;
  std::uint32_t size_;
  std::uint32_t most_fields_;
  bool too_large_;
  bool failed_ = false;
  ParseError error_ = ParseError::NotSip;
  std::uint32_t begin_ = 0;           // first byte after the leading CRLFs
  std::uint32_t begin_of_field_ = 0;  // first byte not yet indexed
  std::uint32_t scanned_ = 0;         // first byte not yet scanned
  std::uint32_t used_ = 0;            // line ends of `ends_` already used
  bool escaped_nul_ = false;
  LineScan scan_;
  std::array<std::uint16_t, kBatch> ends_;
  // 1 + index of the last field of each id; only where Message::first_ is set.
  std::array<std::uint8_t, static_cast<std::size_t>(HeaderId::Count)> last_;
};

Result<void, ParseError> Message::parse(ByteView bytes, const Limits& limits) noexcept {
  return MessageIndexer(*this, bytes, limits).run();
}

}  // namespace sluice::sip
