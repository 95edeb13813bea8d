// SPDX-License-Identifier: Apache-2.0
//
// Messages for tests: text with \n for CRLF, files of the RFCs' torture tests, and the outcome of
// parse + check in one word.
#pragma once

#include "sipcore/parse/message.h"
#include "sipcore/parse/sanity.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::sip::test {

// "\n" stands for CRLF.
inline std::string crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

inline std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// A file under $SLUICE_DATA, or under ../shared/data beside the source tree; nullopt where it is
// absent.
inline std::optional<std::string> read_shared(const std::string& name) {
  const char* folder = std::getenv("SLUICE_DATA");
  const std::string root = folder != nullptr ? folder : SLUICE_SOURCE_ROOT "/../shared/data";
  return read_file(root + "/" + name);
}

// A message that lives in a heap block of exactly its size, so that ASan sees a read beyond it.
struct Parsed {
  explicit Parsed(std::string_view text, const Limits& limits = {})
      : size(text.size()), bytes(new std::uint8_t[text.size()]) {
    std::copy(text.begin(), text.end(), bytes.get());
    parsed = message.parse({bytes.get(), size}, limits);
    checked = check(message, limits, essentials);
  }

  // nullopt: accepted.
  std::optional<ParseError> error() const {
    if (!parsed) return parsed.error();
    if (!checked) return checked.error();
    return std::nullopt;
  }

  std::size_t size;
  std::unique_ptr<std::uint8_t[]> bytes;
  Message message;
  Essentials essentials;
  Result<void, ParseError> parsed;
  Result<void, ParseError> checked;
};

inline std::string name_of(std::optional<ParseError> error) {
  return error ? std::string(label(*error)) : "accepted";
}

}  // namespace sluice::sip::test
