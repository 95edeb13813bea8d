// SPDX-License-Identifier: Apache-2.0
//
// hostport, as it stands in URIs and in Via (RFC 3261 25.1; IPv6 per RFC 5118 and RFC 5954).
//
// Memory   string_views into the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::sip {

// Reads host [":" port] off the front of `text`; `used` says how much of it. What follows is the
// caller's business. Port 0 stands for "none given", so an explicit 0 is refused. Via allows white
// space around the colon, a URI does not.
bool parse_host_port(std::string_view text, std::size_t& used, std::string_view& host,
                     std::uint16_t& port, bool lws_around_colon) noexcept;

}  // namespace sluice::sip
