// SPDX-License-Identifier: Apache-2.0
#include "apps/control/status_page.h"

#include "apps/control/metrics.h"
#include "apps/control/web_assets.h"

#include <fmt/format.h>

#include <initializer_list>

namespace sluice::control {
namespace {

void replace(std::string& page, std::string_view mark, const std::string& with) {
  const std::size_t at = page.find(mark);
  if (at != std::string::npos) page.replace(at, mark.size(), with);
}

std::string row(std::initializer_list<std::string> cells) {
  std::string out = "<tr>";
  for (const std::string& cell : cells) out += "<td>" + escape_html(cell) + "</td>";
  return out + "</tr>\n";
}

std::string role_name(Role role) {
  if (role == Role::Poll) return "poll";
  return role == Role::Servant ? "servant" : "both";
}

std::string core_rows(const Sources& sources, double uptime) {
  std::string out;
  for (const CoreInfo& core : sources.cores ? sources.cores() : std::vector<CoreInfo>{}) {
    const double busy = std::chrono::duration<double>(core.busy).count();
    out += row({std::to_string(core.id), std::to_string(core.cpu), role_name(core.role),
                fmt::format("{:.1f} %", uptime > 0 ? 100 * busy / uptime : 0),
                std::to_string(core.turns), std::to_string(core.sleeps)});
  }
  return out;
}

std::string port_rows(const Sources& sources) {
  std::string out;
  for (const PortInfo& port : sources.ports ? sources.ports() : std::vector<PortInfo>{}) {
    out += row({port.name, port.device, fmt::format("{}", fmt::join(port.addresses, " ")),
                port.link_up ? "up" : "down", std::to_string(port.rx_packets),
                std::to_string(port.tx_packets), std::to_string(port.rx_missed + port.rx_errors),
                std::to_string(port.tx_errors)});
  }
  return out;
}

std::string counter_rows(const CounterRegistry& counters) {
  std::string out;
  for (const Sample& sample : collect(counters)) {
    if (sample.value == 0) continue;
    out += row({sample.metric, format_labels(sample.labels), fmt::format("{:.15g}", sample.value),
                sample.help});
  }
  return out;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string status_page(const CounterRegistry& counters, const Sources& sources) {
  std::string page{kStatusHtml};
  const Health ready = sources.ready ? sources.ready() : Health{};
  const double uptime =
      sources.uptime ? std::chrono::duration<double>(sources.uptime()).count() : 0;
  replace(page, "{{state}}", ready.good ? "ready" : escape_html(ready.reason));
  replace(page, "{{state-class}}", ready.good ? "good" : "bad");
  replace(page, "{{version}}", escape_html(sources.version));
  replace(page, "{{uptime}}", fmt::format("{:.0f}", uptime));
  replace(page, "{{cores}}", core_rows(sources, uptime));
  replace(page, "{{ports}}", port_rows(sources));
  replace(page, "{{counters}}", counter_rows(counters));
  return page;
}

}  // namespace sluice::control
