// SPDX-License-Identifier: Apache-2.0
//
// The words that sluicectl and the daemon share: JSON-RPC 2.0, one message a line, on a Unix
// socket.
//
// Threads  Constants and pure functions.
// Memory   kMaxRequest bounds what the daemon reads; a reply is bounded by the limit of a listing.
// See      docs/cli.md, "The socket"; https://www.jsonrpc.org/specification
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::control {

// Ordered: members come out as they went in, which is how people want to read them.
using Json = nlohmann::ordered_json;

constexpr std::string_view kDefaultSocket = "/run/sluice/control.sock";
constexpr std::size_t kMaxRequest = 64 * 1024;  // bytes of a line
constexpr std::size_t kMaxBatch = 64;           // calls in a line
constexpr std::size_t kMaxRows = 1000;          // of a listing that has pages

// JSON-RPC 2.0 section 5.1; -32000 to -32099 are ours.
enum class RpcError : int {
  Parse = -32700,
  InvalidRequest = -32600,
  MethodNotFound = -32601,
  InvalidParams = -32602,
  Internal = -32603,
  TooManyClients = -32000,
};

struct Method {
  std::string_view name;
  std::string_view
      kamcmd;  // the names that Kamailio's users know, separated by blanks; may be empty
  std::string_view command;  // after `sluicectl`
  std::string_view help;
};

constexpr Method kMethods[] = {
    {"core.list", "core.psx core.ps", "show cores", "Cores, their roles and how busy they are."},
    {"port.list", "corex.list_sockets", "show ports", "Ports, their addresses and packet counts."},
    {"registration.list", "ul.dump ul.lookup", "show registrations", "Registered contacts."},
    {"transaction.list", "tm.stats tm.list", "show transactions", "Transactions in progress."},
    {"counter.list", "stats.get_statistics stats.fetch", "show counters",
     "Every counter, with the reason of each drop."},
    {"version", "core.version core.uptime", "show version", "Version, uptime and state."},
    {"drain", "", "drain", "Refuse new work, finish what is in progress, then stop."},
};

constexpr bool is_word_of(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t blank = words.find(' ');
    if (words.substr(0, blank) == word) return true;
    words = blank == std::string_view::npos ? std::string_view{} : words.substr(blank + 1);
  }
  return false;
}

// By its own name or by one of Kamailio's; nullptr if there is none.
constexpr const Method* find_method(std::string_view name) {
  for (const Method& method : kMethods) {
    if (method.name == name || is_word_of(method.kamcmd, name)) return &method;
  }
  return nullptr;
}

// One line of JSON. Text from the network need not be UTF-8: what is not becomes U+FFFD.
inline std::string to_line(const Json& message) {
  return message.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

inline Json make_request(int id, std::string_view method, const Json& params) {
  Json request = {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}};
  if (!params.is_null()) request["params"] = params;
  return request;
}

inline Json make_error(const Json& id, RpcError code, std::string_view text) {
  return {{"jsonrpc", "2.0"},
          {"id", id},
          {"error", {{"code", static_cast<int>(code)}, {"message", text}}}};
}

}  // namespace sluice::control
