// SPDX-License-Identifier: Apache-2.0
//
// Character classes of the SIP grammar (RFC 3261 25.1), one table look-up each.
//
// Where we are wider than the grammar, the row says so and why: real phones do it and nobody can
// gain anything by it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::sip {

enum CharClass : std::uint8_t {
  kToken = 0x01,       // token
  kUser = 0x02,        // user part of a URI; '%' stands for the start of an escape
  kPassword = 0x04,    // password of a URI
  kUriParam = 0x08,    // uri-parameters with their separators
  kUriHeader = 0x10,   // headers of a URI with their separators
  kHostName = 0x20,    // hostname or IPv4address
  kParamValue = 0x40,  // unquoted value of a header parameter
  kDigit = 0x80,
};

namespace chars_detail {

constexpr void add(std::array<std::uint8_t, 256>& table, std::string_view chars, unsigned classes) {
  for (const char c : chars) {
    auto& entry = table[static_cast<std::uint8_t>(c)];
    entry = static_cast<std::uint8_t>(entry | classes);
  }
}

constexpr std::array<std::uint8_t, 256> make_table() {
  std::array<std::uint8_t, 256> table{};
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::string_view kDigits = "0123456789";
  constexpr std::string_view kMark = "-_.!~*'()";
  constexpr unsigned kUriPart = kUser | kPassword | kUriParam | kUriHeader;
  add(table, kLetters, kToken | kUriPart | kHostName);
  add(table, kDigits, kToken | kUriPart | kHostName | kDigit);
  add(table, kMark, kUriPart);
  add(table, "%", kUriPart);
  add(table, "-.!%*_+`'~", kToken);
  add(table, "&=+$,;?/", kUser);
  add(table, "#", kUser);  // wider: phones dial feature codes (*72#) without the escape
  add(table, "&=+$,", kPassword);
  add(table, "[]/:&+$;=", kUriParam);
  add(table, "[]/?:+$&=", kUriHeader);
  add(table, "-.", kHostName);
  add(table, "_", kHostName);  // wider: names of machines in private zones
  // token / host / what lives there in practice: everything visible that does not end a parameter.
  for (unsigned c = 0x21; c < 0x7f; ++c) {
    if (c != ';' && c != ',' && c != '"' && c != '<' && c != '>') {
      table[c] = static_cast<std::uint8_t>(table[c] | kParamValue);
    }
  }
  return table;
}

}  // namespace chars_detail

inline constexpr std::array<std::uint8_t, 256> kCharClasses = chars_detail::make_table();

constexpr bool is(char c, unsigned classes) {
  return (kCharClasses[static_cast<std::uint8_t>(c)] & classes) != 0;
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_wsp(char c) {
  return c == ' ' || c == '\t';
}
// White space in a value: CR and LF can only be those of a fold, the indexer saw to that.
constexpr bool is_lws(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// -1 if it is no hexadecimal digit.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Offset of the first byte that is not of these classes; text.size() if all are.
constexpr std::size_t span_of(std::string_view text, unsigned classes) {
  std::size_t i = 0;
  while (i < text.size() && is(text[i], classes)) ++i;
  return i;
}

constexpr bool all(std::string_view text, unsigned classes) {
  return span_of(text, classes) == text.size();
}

constexpr bool is_token(std::string_view text) {
  return !text.empty() && all(text, kToken);
}

}  // namespace sluice::sip
