// SPDX-License-Identifier: Apache-2.0
//
// Names, addresses and URIs as they stand in a configuration file. The packet path has a parser of
// its own (sipcore/parse/uri.h); this one refuses more, because a configuration can be corrected.
#pragma once

#include "base/endpoint.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::config {

// A name in lower case, or an address: "example.com", "198.18.0.2", "[fd00::2]" (brackets kept).
// Empty if the text is neither.
std::optional<std::string> canonical_host(std::string_view text);

std::string lower(std::string_view text);

struct HostPort {
  std::string host;        // canonical
  std::uint16_t port = 0;  // 0: none given
};

// "host", "host:port", "[v6]:port".
std::optional<HostPort> parse_host_port(std::string_view text);

// scheme ":" [user "@"] host [":" port] *(";" parameter); no headers.
struct SipUri {
  std::string scheme;  // lower case
  std::string user;
  HostPort target;
  std::string transport;  // of the transport parameter, lower case; empty: none
  bool has_unknown_params = false;
};
std::optional<SipUri> parse_sip_uri(std::string_view text);

// Clears the bits beyond the prefix length.
Prefix network_of(Prefix prefix);

}  // namespace sluice::config
