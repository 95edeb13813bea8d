// SPDX-License-Identifier: Apache-2.0
#include "sipcore/txn/table.h"

#include "sipcore/parse/sanity.h"

#include <charconv>
#include <cstring>

namespace sluice::sip {
namespace {

// Chained, so that moving a byte from one part to the next changes the result.
std::uint64_t hash_parts(HashKey key, std::initializer_list<std::string_view> parts) noexcept {
  for (const std::string_view part : parts) key.k0 ^= siphash13(key, part);
  return siphash13(key, std::string_view{});
}

// Digits of a number, without a terminator or the heap.
class Digits {
 public:
  explicit Digits(std::uint32_t number) noexcept
      : size_(static_cast<std::size_t>(
            std::to_chars(text_.data(), text_.data() + text_.size(), number).ptr - text_.data())) {}
  std::string_view text() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 10> text_;
  std::size_t size_;
};

// sent-by compares without case (RFC 3261 17.2.3, 19.1.4); a host longer than this goes in as
// spelled.
class LowerCase {
 public:
  explicit LowerCase(std::string_view text) noexcept : text_(text) {
    if (text.size() > folded_.size()) return;
    for (std::size_t i = 0; i < text.size(); ++i) {
      folded_[i] = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    }
    text_ = {folded_.data(), text.size()};
  }
  LowerCase(const LowerCase&) = delete;
  LowerCase& operator=(const LowerCase&) = delete;
  std::string_view text() const noexcept { return text_; }

 private:
  std::array<char, 256> folded_;
  std::string_view text_;
};

}  // namespace

TransactionKey::TransactionKey(const HashKey& secret,
                               std::initializer_list<std::string_view> parts) noexcept {
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size() + 1;
  if (size <= kCapacity) {
    for (const std::string_view part : parts) {
      std::memcpy(&text_[length_], part.data(), part.size());
      length_ = static_cast<std::uint8_t>(length_ + part.size());
      text_[length_++] = '\n';
    }
  } else {
    const std::uint64_t digest[] = {hash_parts(secret, parts),
                                    hash_parts({~secret.k0, secret.k1}, parts)};
    // No method begins with NUL, so a digest never equals a text.
    text_[0] = '\0';
    std::memcpy(&text_[1], digest, sizeof digest);
    length_ = 1 + sizeof digest;
  }
  hash_ = siphash13(secret, text());
}

TransactionKey server_key(const HashKey& secret, const Message& request,
                          const Essentials& essentials, std::string_view method) noexcept {
  const Via& via = essentials.via;
  if (essentials.rfc2543) {
    // 17.2.3: Request-URI, From tag, Call-ID, CSeq number and top Via. The To tag is left out: an
    // ACK has the one of our response and a CANCEL none, and the CSeq number tells a re-INVITE
    // apart.
    return {secret,
            {method, "2543", request.request_uri(), essentials.from_tag, essentials.call_id,
             Digits(essentials.cseq.number).text(), via.text}};
  }
  return {secret,
          {method, via.branch, LowerCase(via.host).text(), Digits(via.sent_by_port()).text()}};
}

TransactionKey client_key(const HashKey& secret, std::string_view branch,
                          std::string_view method) noexcept {
  return {secret, {method, branch}};
}

}  // namespace sluice::sip
