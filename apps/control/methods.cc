// SPDX-License-Identifier: Apache-2.0
#include "apps/control/methods.h"

#include "apps/control/metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>

namespace sluice::control {
namespace {

// Rows of one RCU read section, and the most rows that one call looks at: the control thread serves
// others too, so a long walk goes on with the caller's next call.
constexpr std::uint32_t kSlice = 256;
constexpr std::uint32_t kMostVisited = 65'536;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string_view role_name(Role role) {
  if (role == Role::Poll) return "poll";
  return role == Role::Servant ? "servant" : "both";
}

void allow_only(const Json& params, std::initializer_list<std::string_view> names) {
  for (const auto& [name, value] : params.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw BadParams("unknown parameter " + name);
    }
  }
}

std::string text_param(const Json& params, const char* name) {
  const auto at = params.find(name);
  if (at == params.end()) return {};
  if (!at->is_string()) throw BadParams(std::string(name) + " must be a string");
  return at->get<std::string>();
}

bool flag_param(const Json& params, const char* name) {
  const auto at = params.find(name);
  if (at == params.end()) return false;
  if (!at->is_boolean()) throw BadParams(std::string(name) + " must be true or false");
  return at->get<bool>();
}

std::size_t limit_param(const Json& params) {
  const auto at = params.find("limit");
  if (at == params.end()) return kMaxRows;
  if (!at->is_number_unsigned() || at->get<std::uint64_t>() == 0 ||
      at->get<std::uint64_t>() > kMaxRows) {
    throw BadParams("limit must be a whole number from 1 to " + std::to_string(kMaxRows));
  }
  return at->get<std::size_t>();
}

Json list_cores(const Json& params, const Sources& sources) {
  allow_only(params, {});
  Json rows = Json::array();
  const double uptime = sources.uptime ? seconds(sources.uptime()) : 0;
  for (const CoreInfo& core : sources.cores ? sources.cores() : std::vector<CoreInfo>{}) {
    rows.push_back({{"core", core.id},
                    {"cpu", core.cpu},
                    {"role", role_name(core.role)},
                    {"busy_seconds", seconds(core.busy)},
                    {"busy_ratio", uptime > 0 ? seconds(core.busy) / uptime : 0},
                    {"messages", core.messages},
                    {"turns", core.turns},
                    {"busy_turns", core.busy_turns},
                    {"sleeps", core.sleeps}});
  }
  return {{"cores", std::move(rows)}};
}

Json list_ports(const Json& params, const Sources& sources) {
  allow_only(params, {});
  Json rows = Json::array();
  for (const PortInfo& port : sources.ports ? sources.ports() : std::vector<PortInfo>{}) {
    rows.push_back({{"port", port.name},
                    {"device", port.device},
                    {"addresses", port.addresses},
                    {"mac", port.mac},
                    {"link", port.link_up ? "up" : "down"},
                    {"queues", port.queues},
                    {"mtu", port.mtu},
                    {"rx_packets", port.rx_packets},
                    {"rx_bytes", port.rx_bytes},
                    {"rx_missed", port.rx_missed},
                    {"rx_errors", port.rx_errors},
                    {"tx_packets", port.tx_packets},
                    {"tx_bytes", port.tx_bytes},
                    {"tx_errors", port.tx_errors}});
  }
  return {{"ports", std::move(rows)}};
}

// The cursor is opaque to the caller; a string, since JSON's numbers lose bits in many languages.
std::uint64_t cursor_param(const Json& params) {
  const std::string text = text_param(params, "cursor");
  if (text.empty()) return 0;
  std::uint64_t position = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, position);
  if (error != std::errc{} || rest != end) throw BadParams("cursor is none of ours");
  return position;
}

// `filter` is a part of the AoR or of the contact. `cursor` in the answer: there may be more, ask
// again.
Json list_registrations(const Json& params, const Sources& sources) {
  allow_only(params, {"filter", "limit", "cursor"});
  const std::string filter = text_param(params, "filter");
  const std::size_t limit = limit_param(params);
  RegistrationSlice slice{{}, cursor_param(params), !sources.registrations};
  Json rows = Json::array();
  std::uint32_t visited = 0;
  while (!slice.done && rows.size() < limit && visited < kMostVisited) {
    // A slice may hold a few rows more than asked for (bindings of one AoR stay together).
    const auto budget = static_cast<std::uint32_t>(
        std::min<std::size_t>(kSlice, filter.empty() ? limit - rows.size() : kSlice));
    slice = sources.registrations(slice.next, budget);
    visited += budget;
    for (const RegistrationInfo& row : slice.rows) {
      if (!filter.empty() && row.aor.find(filter) == std::string::npos &&
          row.contact.find(filter) == std::string::npos) {
        continue;
      }
      rows.push_back({{"aor", row.aor},
                      {"contact", row.contact},
                      {"expires", row.expires},
                      {"received", row.received},
                      {"q", row.q / 1000.0},
                      {"user_agent", row.user_agent}});
    }
  }
  Json result = {{"registrations", std::move(rows)}};
  if (!slice.done) result["cursor"] = std::to_string(slice.next);
  return result;
}

Json list_transactions(const Json& params, const Sources& sources) {
  allow_only(params, {});
  Json rows = Json::array();
  for (const TransactionInfo& row :
       sources.transactions ? sources.transactions() : std::vector<TransactionInfo>{}) {
    rows.push_back(
        {{"core", row.core}, {"kind", row.kind}, {"state", row.state}, {"active", row.active}});
  }
  return {{"transactions", std::move(rows)}};
}

// Whole numbers stay whole: 42, not 42.0.
Json number(double value) {
  if (value >= 0 && value < 9e15 && std::floor(value) == value) {
    return static_cast<std::uint64_t>(value);
  }
  return value;
}

Json list_counters(const Json& params, const CounterRegistry& counters) {
  allow_only(params, {"prefix", "nonzero"});
  const std::string prefix = text_param(params, "prefix");
  const bool nonzero = flag_param(params, "nonzero");
  Json rows = Json::array();
  for (const Sample& sample : collect(counters)) {
    if (sample.metric.compare(0, prefix.size(), prefix) != 0) continue;
    if (nonzero && sample.value == 0) continue;
    rows.push_back({{"counter", sample.metric},
                    {"labels", format_labels(sample.labels)},
                    {"value", number(sample.value)},
                    {"kind", sample.kind == MetricKind::Counter ? "counter" : "gauge"},
                    {"help", sample.help}});
  }
  return {{"counters", std::move(rows)}};
}

Json show_version(const Json& params, const Sources& sources) {
  allow_only(params, {});
  const Health ready = sources.ready ? sources.ready() : Health{};
  Json result = {{"version", sources.version},
                 {"uptime_seconds", sources.uptime ? seconds(sources.uptime()) : 0},
                 {"ready", ready.good}};
  if (!ready.good) result["reason"] = ready.reason;
  return result;
}

Json start_drain(const Json& params, const Sources& sources) {
  allow_only(params, {});
  if (sources.drain) sources.drain();
  return {{"draining", true}};
}

}  // namespace

Json run_method(std::string_view method, const Json& params, const CounterRegistry& counters,
                const Sources& sources) {
  if (method == "core.list") return list_cores(params, sources);
  if (method == "port.list") return list_ports(params, sources);
  if (method == "registration.list") return list_registrations(params, sources);
  if (method == "transaction.list") return list_transactions(params, sources);
  if (method == "counter.list") return list_counters(params, counters);
  if (method == "version") return show_version(params, sources);
  if (method == "drain") return start_drain(params, sources);
  throw std::logic_error("a method of kMethods that is not here");
}

}  // namespace sluice::control
