// SPDX-License-Identifier: Apache-2.0
#include "config/net_text.h"

#include <algorithm>
#include <charconv>

namespace sluice::config {
namespace {

bool is_label_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// RFC 1123 2.1, and the underscore that real zones have. The last label is not all digits, so that
// a mistyped address ("10.0.0") does not pass for a name.
bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  bool digits = true;
  std::size_t label = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.') {
      if (label == 0 || text[i - 1] == '-') return false;
      label = 0;
      digits = true;
      continue;
    }
    if (!is_label_char(text[i]) || (label == 0 && text[i] == '-') || ++label > 63) return false;
    digits = digits && text[i] >= '0' && text[i] <= '9';
  }
  return label != 0 && !digits && text.back() != '-';
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || rest != end || port == 0) return std::nullopt;
  return port;
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::optional<std::string> canonical_host(std::string_view text) {
  if (const auto address = IpAddress::parse(text)) {
    return address->is_v4() ? address->to_string() : "[" + address->to_string() + "]";
  }
  std::string name = lower(text);
  if (!is_name(name)) return std::nullopt;
  return name;
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  HostPort out;
  std::size_t colon = text.rfind(':');
  // The colons of a bracketed IPv6 address are not ours.
  if (colon != std::string_view::npos && text.find(']', colon) != std::string_view::npos) {
    colon = std::string_view::npos;
  }
  const std::string_view host = text.substr(0, colon);
  if (host.find(':') != std::string_view::npos && host.front() != '[') return std::nullopt;
  const auto canonical = canonical_host(host);
  if (!canonical) return std::nullopt;
  out.host = *canonical;
  if (colon != std::string_view::npos) {
    const auto port = parse_port(text.substr(colon + 1));
    if (!port) return std::nullopt;
    out.port = *port;
  }
  return out;
}

std::optional<SipUri> parse_sip_uri(std::string_view text) {
  const bool visible = std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '?' && c != '<' && c != '>' && c != '"';
  });
  const std::size_t colon = text.find(':');
  if (!visible || colon == std::string_view::npos || colon == 0) return std::nullopt;
  SipUri out;
  out.scheme = lower(text.substr(0, colon));
  text.remove_prefix(colon + 1);
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    out.user = text.substr(0, at);
    text.remove_prefix(at + 1);
    if (out.user.empty()) return std::nullopt;
  }
  const std::size_t semicolon = text.find(';');
  const auto target = parse_host_port(text.substr(0, semicolon));
  if (!target) return std::nullopt;
  out.target = *target;
  text = semicolon == std::string_view::npos ? std::string_view{} : text.substr(semicolon);
  while (!text.empty()) {
    text.remove_prefix(1);  // the ';'
    const std::string_view param = text.substr(0, text.find(';'));
    const std::size_t equals = param.find('=');
    const std::string name = lower(param.substr(0, equals));
    if (name.empty()) return std::nullopt;
    if (name == "transport" && equals != std::string_view::npos && out.transport.empty()) {
      out.transport = lower(param.substr(equals + 1));
      if (out.transport.empty()) return std::nullopt;
    } else if (name != "lr") {
      out.has_unknown_params = true;
    }
    text.remove_prefix(param.size());
  }
  return out;
}

Prefix network_of(Prefix prefix) {
  for (std::size_t i = 0; i < prefix.address.size(); ++i) {
    const unsigned first = static_cast<unsigned>(i) * 8;
    if (first >= prefix.length) {
      prefix.address.bytes[i] = 0;
    } else if (prefix.length - first < 8) {
      prefix.address.bytes[i] &= static_cast<std::uint8_t>(0xff << (8 - (prefix.length - first)));
    }
  }
  return prefix;
}

}  // namespace sluice::config
