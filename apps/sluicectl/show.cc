// SPDX-License-Identifier: Apache-2.0
#include "apps/sluicectl/show.h"

#include "apps/sluicectl/table.h"

#include <fmt/format.h>

#include <span>

namespace sluice::sluicectl {
namespace {

using control::Json;

enum class Form : unsigned char { Text, Number, Percent };

struct Column {
  std::string_view head;
  const char* member;
  Form form;
};

struct Listing {
  std::string_view method;
  const char* member;  // of the result: the rows
  std::span<const Column> columns;
};

constexpr Column kCores[] = {
    {"Core", "core", Form::Number},     {"Cpu", "cpu", Form::Number},
    {"Role", "role", Form::Text},       {"Busy", "busy_ratio", Form::Percent},
    {"Turns", "turns", Form::Number},   {"BusyTurns", "busy_turns", Form::Number},
    {"Sleeps", "sleeps", Form::Number},
};
constexpr Column kPorts[] = {
    {"Port", "port", Form::Text},
    {"Device", "device", Form::Text},
    {"Link", "link", Form::Text},
    {"Mac", "mac", Form::Text},
    {"Queues", "queues", Form::Number},
    {"Mtu", "mtu", Form::Number},
    {"RxPackets", "rx_packets", Form::Number},
    {"RxBytes", "rx_bytes", Form::Number},
    {"RxMissed", "rx_missed", Form::Number},
    {"RxErrors", "rx_errors", Form::Number},
    {"TxPackets", "tx_packets", Form::Number},
    {"TxBytes", "tx_bytes", Form::Number},
    {"TxErrors", "tx_errors", Form::Number},
    {"Addresses", "addresses", Form::Text},
};
constexpr Column kRegistrations[] = {
    {"Aor", "aor", Form::Text},
    {"Contact", "contact", Form::Text},
    {"Expires", "expires", Form::Number},
    {"Received", "received", Form::Text},
    {"Q", "q", Form::Number},
    {"UserAgent", "user_agent", Form::Text},
};
constexpr Column kTransactions[] = {
    {"Core", "core", Form::Number},
    {"Kind", "kind", Form::Text},
    {"State", "state", Form::Text},
    {"Active", "active", Form::Number},
};
constexpr Column kCounters[] = {
    {"Counter", "counter", Form::Text},
    {"Labels", "labels", Form::Text},
    {"Value", "value", Form::Number},
    {"Meaning", "help", Form::Text},
};

constexpr Listing kListings[] = {
    {"core.list", "cores", kCores},
    {"port.list", "ports", kPorts},
    {"registration.list", "registrations", kRegistrations},
    {"transaction.list", "transactions", kTransactions},
    {"counter.list", "counters", kCounters},
};

std::string cell(const Json& value, Form form) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) {
    std::string out;
    for (const Json& part : value) {
      if (!out.empty()) out += ' ';
      out += cell(part, form);
    }
    return out;
  }
  if (value.is_number() && form == Form::Percent)
    return fmt::format("{:.1f}%", 100 * value.get<double>());
  if (value.is_number_float()) return fmt::format("{:.10g}", value.get<double>());
  return value.is_null() ? "-" : value.dump();
}

std::string show_listing(const Listing& listing, const Json& result) {
  Table table;
  for (const Column& column : listing.columns) {
    table.add_column(std::string(column.head),
                     column.form == Form::Text ? Align::Left : Align::Right);
  }
  for (const Json& row : result.value(listing.member, Json::array())) {
    std::vector<std::string> cells;
    for (const Column& column : listing.columns) {
      cells.push_back(cell(row.value(column.member, Json()), column.form));
    }
    table.add_row(std::move(cells));
  }
  std::string out = table.text();
  if (result.contains("cursor")) out += "  There are more: --limit N shows N of them.\n\n";
  return out;
}

// A result that is one thing and no list: a line for each member.
std::string show_members(const Json& result) {
  Table table;
  table.add_column("Name", Align::Left);
  table.add_column("Value", Align::Left);
  for (const auto& [name, value] : result.items()) table.add_row({name, cell(value, Form::Text)});
  return table.text();
}

}  // namespace

std::string show(std::string_view method, const Json& result) {
  for (const Listing& listing : kListings) {
    if (listing.method == method) return show_listing(listing, result);
  }
  return show_members(result);
}

}  // namespace sluice::sluicectl
