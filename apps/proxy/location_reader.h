// SPDX-License-Identifier: Apache-2.0
//
// LocationReader: what the proxy wants to know of the registrations.
//
// Threads  Any servant core; must not block or lock.
// Memory   What a BindingSink is given is good for that call.
#pragma once

#include "base/core.h"
#include "sipcore/proxy/target.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::proxy {

struct Binding {
  std::string_view contact;  // URI
  std::uint16_t q = 1000;    // in thousandths
  // Where the REGISTER came from: set for who sits behind a NAT or on a stream.
  std::optional<sip::NextHop> received;
  std::string_view path;  // Path values, comma-separated (RFC 3327)
  FlowId flow;
  ListenerId listener = kNoListener;
};

class BindingSink {
 public:
  virtual ~BindingSink() = default;
  virtual void on_binding(const Binding& binding) = 0;
};

class LocationReader {
 public:
  enum class Answer : std::uint8_t {
    UnknownUser,    // there is no such address-of-record
    NotRegistered,  // there is, without a live binding
    Found,
  };
  virtual ~LocationReader() = default;
  // `aor`: "user@host" in canonical form (RFC 3261 10.3 step 5). Gives each live binding to `sink`.
  virtual Answer lookup(Core& core, std::string_view aor, BindingSink& sink) = 0;
};

}  // namespace sluice::proxy
