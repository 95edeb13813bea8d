// SPDX-License-Identifier: Apache-2.0
#include "config/keys.h"

#include <algorithm>
#include <vector>

namespace sluice::config {
namespace {

using enum Shape;
constexpr Need kMust = Need::Required;
constexpr Need kMay = Need::Optional;

// group, name, shape, need, default, least, greatest, choices, help
constexpr KeyInfo kKeys[] = {
    {"", "ports", Groups, kMust, "", "", "", "", "What the edge opens: one group for each port."},
    {"ports[]", "name", Text, kMust, "", "", "", "",
     "What other keys, metrics and `sluicectl` call the port: up to 31 letters, digits, `-` and "
     "`_`."},
    {"ports[]", "device", Text, kMust, "", "", "", "",
     "The DPDK device: a PCI address (`0000:3b:00.1`) or a virtual device with its arguments "
     "(`net_tap0,iface=sluice0`, `net_af_packet0,iface=veth0`)."},
    {"ports[]", "address", Texts, kMust, "", "", "", "",
     "The port's own addresses with the length of their network: `198.18.0.2/24`, "
     "`fd00:18::2/64`."},
    {"ports[]", "queues", Whole, kMay, "1", "1", "64", "",
     "Receive and transmit queues; each is polled by one core."},
    {"ports[]", "gateway", Texts, kMay, "", "", "", "",
     "The next hop for what no network or route covers: at most one IPv4 and one IPv6 address, "
     "each on a "
     "network of the port."},
    {"ports[]", "vlan", Whole, kMay, "0", "0", "4094", "",
     "The 802.1Q tag of the port's frames; 0 is untagged."},
    {"ports[]", "mtu", Whole, kMay, "1500", "1280", "9198", "",
     "The largest IP packet, in bytes; larger ones are fragmented."},
    {"ports[]", "routes", Groups, kMay, "", "", "", "",
     "Static routes; the longest matching prefix wins."},
    {"ports[].routes[]", "to", Text, kMust, "", "", "", "", "The network: `10.0.0.0/8`."},
    {"ports[].routes[]", "via", Text, kMust, "", "", "", "",
     "The next hop, of the same family, on a network of the port."},
    {"ports[]", "impair", Group, kMay, "", "", "", "",
     "Faults injected into what the port receives, for tests and rehearsals."},
    {"ports[].impair", "loss", Real, kMay, "0", "0", "1", "", "Probability that a packet is lost."},
    {"ports[].impair", "duplicate", Real, kMay, "0", "0", "1", "",
     "Probability that a packet comes twice."},
    {"ports[].impair", "reorder", Real, kMay, "0", "0", "1", "",
     "Probability that a packet is overtaken."},
    {"ports[].impair", "corrupt", Real, kMay, "0", "0", "1", "",
     "Probability that a bit of a packet flips."},
    {"ports[].impair", "seed", Whole, kMay, "1", "0", "9223372036854775807", "",
     "Start of the random sequence: the same seed gives the same faults."},

    {"", "cores", Group, kMay, "", "", "", "", "Which CPU does what."},
    {"cores", "plan", Choice, kMay, "auto", "", "", "auto",
     "`auto` plans from the machine. Instead of it, name the CPUs yourself in `poll`, `servant`, "
     "`both` "
     "and `control`."},
    {"cores", "poll", Wholes, kMay, "", "0", "1023", "",
     "CPUs that poll ports and parse: `[ 2, 3 ]`."},
    {"cores", "servant", Wholes, kMay, "", "0", "1023", "",
     "CPUs that hold transactions and registrations."},
    {"cores", "both", Wholes, kMay, "", "0", "1023", "",
     "CPUs that do both: best on small machines."},
    {"cores", "control", Wholes, kMay, "", "0", "1023", "",
     "CPUs for everything that may block; may be shared with the other lists. Without it these "
     "threads "
     "run anywhere."},
    {"cores", "idle", Choice, kMay, "adaptive", "", "", "adaptive|busy",
     "`adaptive` sleeps when there is nothing to do, `busy` never does."},
    {"cores", "handoff", Choice, kMay, "index", "", "", "index|decode",
     "The stage at which a message goes from its poll core to its servant core: after its headers "
     "are "
     "indexed, or after they are decoded too."},

    {"", "listen", Groups, kMust, "", "", "", "", "Where the edge answers SIP."},
    {"listen[]", "uri", Text, kMust, "", "", "", "",
     "`sip:ADDRESS:PORT;transport=udp`; the address belongs to a port. The port number may be "
     "missing: "
     "5060."},
    {"listen[]", "advertise", Text, kMay, "", "", "", "",
     "`host:port` to write into Via and Record-Route instead of the address, when the edge stands "
     "behind "
     "a NAT or a name."},

    {"", "domains", Groups, kMay, "", "", "", "", "The domains that are ours."},
    {"domains[]", "name", Text, kMust, "", "", "", "", "A host name or an address: `example.com`."},
    {"domains[]", "registrar", Choice, kMay, "local", "", "", "local|none",
     "`local` keeps the domain's registrations here; `none` passes its REGISTER requests on by "
     "`routes`."},
    {"domains[]", "aliases", Texts, kMay, "", "", "", "", "Other names of the same domain."},

    {"", "routes", Groups, kMay, "", "", "", "",
     "Where requests go that no registration answers; the most specific match wins."},
    {"routes[]", "match", Group, kMust, "", "", "", "", "Which requests."},
    {"routes[].match", "domain", Text, kMust, "", "", "", "",
     "The host of the Request-URI: `example.com`, `*.example.com` (every name below it) or `*` "
     "(any)."},
    {"routes[]", "to", Text, kMust, "", "", "", "",
     "The next hop: `sip:10.0.0.10:5060`. Its host is an address or a name of `hosts`."},

    {"", "hosts", Groups, kMay, "", "", "", "", "Names with addresses of your choosing."},
    {"hosts[]", "name", Text, kMust, "", "", "", "", "The name: `sip.example.com`."},
    {"hosts[]", "address", Text, kMust, "", "", "", "", "Its address: `10.0.0.1`."},

    {"", "registrar", Group, kMay, "", "", "", "",
     "Registrations in domains of `registrar = \"local\"`."},
    {"registrar", "default_expires", Span, kMay, "1h", "1s", "30d", "",
     "Lifetime of a binding whose REGISTER asks for none."},
    {"registrar", "min_expires", Span, kMay, "1m", "1s", "30d", "",
     "Shorter lifetimes are refused with 423 (RFC 3261 10.3 step 7)."},
    {"registrar", "max_expires", Span, kMay, "1h", "1s", "30d", "",
     "Longer lifetimes are shortened to this."},
    {"registrar", "max_contacts", Whole, kMay, "10", "1", "64", "",
     "Bindings of one address-of-record."},
    {"registrar", "jitter", Real, kMay, "0.1", "0", "0.5", "",
     "A granted lifetime is shortened by a random part of up to this fraction, never below "
     "`min_expires`, "
     "so that phones that came at once do not come back at once."},

    {"", "proxy", Group, kMay, "", "", "", "", "Requests that pass through."},
    {"proxy", "record_route", Flag, kMay, "true", "", "", "", "Stay in the path of dialogs."},
    {"proxy", "timer_c", Span, kMay, "181s", "1s", "1h", "",
     "How long an INVITE may ring; RFC 3261 16.6 step 11 asks for more than three minutes."},
    {"proxy", "max_forwards", Whole, kMay, "70", "1", "255", "",
     "For requests that come without Max-Forwards."},

    {"", "timers", Group, kMay, "", "", "", "", "The base timers of RFC 3261 17.1.1.1."},
    {"timers", "t1", Span, kMay, "500ms", "10ms", "10s", "", "Round-trip time estimate."},
    {"timers", "t2", Span, kMay, "4s", "10ms", "1m", "",
     "Greatest interval between retransmissions of a non-INVITE request or an INVITE response."},
    {"timers", "t4", Span, kMay, "5s", "10ms", "1m", "",
     "How long a message may stay in the network."},

    {"", "limits", Group, kMay, "", "", "", "", "The largest SIP message taken, and its parts."},
    {"limits", "message", Whole, kMay, "65535", "512", "65535", "", "Bytes of a message."},
    {"limits", "headers", Whole, kMay, "128", "16", "192", "", "Header fields of a message."},
    {"limits", "header_line", Whole, kMay, "8192", "128", "65535", "",
     "Bytes of a header field with its folds."},
    {"limits", "uri", Whole, kMay, "1024", "64", "65535", "", "Bytes of the Request-URI."},
    {"limits", "via", Whole, kMay, "70", "1", "192", "", "Via values of a message."},

    {"", "capacity", Group, kMay, "", "", "", "",
     "Pools, allocated at start; what exceeds them is refused and counted."},
    {"capacity", "transactions", Whole, kMay, "65536", "64", "16777216", "",
     "Transactions of each servant core."},
    {"capacity", "bindings", Whole, kMay, "100000", "64", "10000000", "",
     "Registered contacts of the whole process."},
    {"capacity", "messages", Whole, kMay, "8192", "256", "1048576", "",
     "Parsed messages in flight, of each poll core."},
    {"capacity", "buffers", Whole, kMay, "16384", "1024", "4194304", "",
     "Packet buffers of the whole process, about 2.3 kB each."},

    {"", "control", Group, kMay, "", "", "", "", "How people and monitoring reach the process."},
    {"control", "socket", Text, kMay, "/run/sluice/control.sock", "", "", "",
     "The Unix socket of `sluicectl`; up to 107 bytes."},
    {"control", "http", Text, kMay, "127.0.0.1:9465", "", "", "",
     "`ADDRESS:PORT` of `/metrics`, `/live`, `/ready` and the status page, or `off`. Nothing there "
     "asks "
     "who you are: keep it on loopback or a management network."},

    {"", "log", Group, kMay, "", "", "", "", "The log, on standard error."},
    {"log", "level", Choice, kMay, "info", "", "", "error|warning|info|debug",
     "The least serious line that is written."},
};

// Edit distance with swaps of neighbours (optimal string alignment): what fingers do.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

// "adaptive|busy" -> "adaptive" or "busy"
std::string quoted_choices(std::string_view choices) {
  std::string out;
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    const bool more = bar != std::string_view::npos;
    const std::string_view choice = choices.substr(0, bar);
    choices = more ? choices.substr(bar + 1) : std::string_view{};
    if (!out.empty()) out += choices.empty() ? " or " : ", ";
    out.append("\"").append(choice).append("\"");
  }
  return out;
}

std::string range(const KeyInfo& key) {
  return std::string(" from ").append(key.low).append(" to ").append(key.high);
}

std::string full_name(const KeyInfo& key) {
  std::string name{key.group};
  if (!name.empty()) name += '.';
  name += key.name;
  if (key.shape == Groups) name += "[]";
  return name;
}

}  // namespace

std::span<const KeyInfo> keys() {
  return kKeys;
}

const KeyInfo* find_key(std::string_view group, std::string_view name) {
  for (const KeyInfo& key : kKeys) {
    if (key.group == group && key.name == name) return &key;
  }
  return nullptr;
}

std::string expectation(const KeyInfo& key) {
  switch (key.shape) {
    case Text:
      return "a string";
    case Texts:
      return "a string or an array of strings";
    case Choice:
      return quoted_choices(key.choices);
    case Whole:
      return "a whole number" + range(key);
    case Wholes:
      return "an array of whole numbers" + range(key);
    case Real:
      return "a number" + range(key);
    case Flag:
      return "true or false";
    case Span:
      return "a duration" + range(key) + ", such as \"" + std::string(key.fallback) + "\"";
    case Group:
      return "a group: " + std::string(key.name) + " = { ... }";
    case Groups:
      return "a list of groups: " + std::string(key.name) + " = ( { ... } )";
  }
  return {};
}

const KeyInfo* nearest_key(std::string_view group, std::string_view typo) {
  if (typo.size() > 64) return nullptr;
  const KeyInfo* best = nullptr;
  std::size_t least = 3;  // more than two slips of the finger is another word
  for (const KeyInfo& key : kKeys) {
    if (key.group != group) continue;
    const std::size_t slips = distance(typo, key.name);
    // In a short word two slips leave nothing to recognise.
    if (slips < least && slips * 2 < key.name.size()) {
      least = slips;
      best = &key;
    }
  }
  return best;
}

std::string known_keys(std::string_view group) {
  std::string out;
  for (const KeyInfo& key : kKeys) {
    if (key.group != group) continue;
    if (!out.empty()) out += ", ";
    out += key.name;
  }
  return out;
}

std::string reference_markdown() {
  std::string out;
  std::string_view section;
  for (const KeyInfo& key : kKeys) {
    if (key.group.empty()) {
      section = key.name;
      out.append("### `").append(full_name(key)).append("`\n\n").append(key.help);
      if (key.need == Need::Required) out += " Required.";
      out += "\n\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n";
      for (const KeyInfo& inner : kKeys) {
        const bool inside =
            inner.group.substr(0, section.size()) == section &&
            (inner.group.size() == section.size() || inner.group[section.size()] == '[');
        if (!inside) continue;
        std::string value = expectation(inner);
        value.resize(std::min(value.find(", such as"), value.size()));
        value.resize(std::min(value.find(": "), value.size()));
        std::string fallback = inner.need == Need::Required ? "required" : "-";
        if (!inner.fallback.empty()) fallback = "`" + std::string(inner.fallback) + "`";
        out.append("| `").append(full_name(inner)).append("` | ").append(value).append(" | ");
        out.append(fallback).append(" | ").append(inner.help).append(" |\n");
      }
      out += '\n';
    }
  }
  return out;
}

}  // namespace sluice::config
