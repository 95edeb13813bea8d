// SPDX-License-Identifier: Apache-2.0
#include "sipcore/proxy/resolver.h"

#include "sipcore/parse/fields.h"

namespace sluice::sip {

std::optional<Transport> transport_of(const Uri& uri) noexcept {
  const auto param = uri.param("transport");
  if (!param) return uri.scheme == Scheme::Sips ? Transport::Tls : Transport::Udp;
  for (const Transport transport :
       {Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss}) {
    if (!equals_no_case(*param, uri_name(transport))) continue;
    if (uri.scheme != Scheme::Sips) return transport;
    // RFC 5630 3.1.1: transport=tcp in a sips URI means TLS over TCP; UDP cannot be secured.
    if (transport == Transport::Tcp || transport == Transport::Tls) return Transport::Tls;
    if (transport == Transport::Ws || transport == Transport::Wss) return Transport::Wss;
    return std::nullopt;
  }
  return std::nullopt;
}

std::uint16_t port_of(const Uri& uri, Transport transport) noexcept {
  if (uri.port != 0) return uri.port;
  switch (transport) {
    case Transport::Tls:
      return 5061;
    case Transport::Ws:
      return 80;
    case Transport::Wss:
      return 443;
    default:
      return 5060;
  }
}

std::string_view host_of(const Uri& uri) noexcept {
  const auto maddr = uri.param("maddr");
  return maddr && !maddr->empty() ? *maddr : uri.host;
}

std::optional<NextHop> LiteralResolver::resolve(Core&, const Uri& uri) const noexcept {
  if (!uri.is_sip()) return std::nullopt;
  const auto transport = transport_of(uri);
  const auto address = IpAddress::parse(host_of(uri));
  if (!transport || !address) return std::nullopt;
  return NextHop{*transport, {*address, port_of(uri, *transport)}};
}

}  // namespace sluice::sip
