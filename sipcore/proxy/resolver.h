// SPDX-License-Identifier: Apache-2.0
//
// NextHopResolver: from a URI to the address of the next element (the place of RFC 3263).
//
// Threads  Called on servant cores; must not block.
// Errors   nullopt: nothing is known about this host. The branch fails with 478, which operators
//          know from Kamailio as "unresolvable destination".
#pragma once

#include "base/core.h"
#include "sipcore/parse/uri.h"
#include "sipcore/proxy/target.h"

#include <optional>

namespace sluice::sip {

class NextHopResolver {
 public:
  virtual ~NextHopResolver() = default;
  virtual std::optional<NextHop> resolve(Core& core, const Uri& uri) const noexcept = 0;
};

// What a URI says by itself: its transport and port, RFC 3263 4.1 without NAPTR. nullopt: no
// transport of ours.
std::optional<Transport> transport_of(const Uri& uri) noexcept;
std::uint16_t port_of(const Uri& uri, Transport transport) noexcept;
// The host to contact: maddr if there is one (RFC 3261 19.1.1), IPv6 in brackets.
std::string_view host_of(const Uri& uri) noexcept;

// IP addresses only.
class LiteralResolver final : public NextHopResolver {
 public:
  std::optional<NextHop> resolve(Core& core, const Uri& uri) const noexcept override;
};

}  // namespace sluice::sip
