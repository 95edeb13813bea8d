// SPDX-License-Identifier: Apache-2.0
#include "config/check.h"

#include "config/check_ports.h"
#include "config/net_text.h"
#include "config/reader.h"

#include <algorithm>
#include <set>

namespace sluice::config {
namespace {

constexpr std::uint16_t kSipPort = 5060;  // RFC 3261 19.1.2

// --- cores ---

struct CpuList {
  std::string_view name;
  std::vector<unsigned>* to;
  bool exclusive;  // a CPU of it is in no other exclusive list
};

std::string join(const std::vector<unsigned>& numbers) {
  std::string out;
  for (const unsigned number : numbers) {
    if (!out.empty()) out += ", ";
    out += std::to_string(number);
  }
  return out;
}

void check_cpu_lists(const Reader& in, const Machine& machine, Cores& cores) {
  const CpuList lists[] = {{"poll", &cores.poll, true},
                           {"servant", &cores.servant, true},
                           {"both", &cores.both, true},
                           {"control", &cores.control, false}};
  std::vector<std::pair<unsigned, std::string>> taken;
  for (const CpuList& list : lists) {
    for (const auto& cpu : in.wholes(list.name)) {
      const auto number = static_cast<unsigned>(cpu.value);
      const auto owner = std::find_if(taken.begin(), taken.end(),
                                      [&](const auto& other) { return other.first == number; });
      if (list.exclusive && owner != taken.end()) {
        in.error(cpu, "names CPU " + std::to_string(number) + " again: it is in cores." +
                          owner->second + " already");
        continue;
      }
      const auto& cpus = machine.cpus;
      if (!cpus.empty() && std::find(cpus.begin(), cpus.end(), number) == cpus.end()) {
        in.error(cpu, "names CPU " + std::to_string(number) + ", which is not here; there are " +
                          join(cpus));
      }
      if (list.exclusive) taken.emplace_back(number, list.name);
      list.to->push_back(number);
    }
  }
}

Cores check_cores(const Reader& in, const Machine& machine) {
  Cores cores;
  cores.idle = in.text("idle").value == "busy" ? Idle::Busy : Idle::Adaptive;
  cores.handoff = in.text("handoff").value == "decode" ? Handoff::Decode : Handoff::Index;
  const auto plan = in.text("plan");
  for (const std::string_view name : {"poll", "servant", "both", "control"}) {
    if (!in.has(name)) continue;
    if (plan.given) {
      in.error(plan, "and cores." + std::string(name) + " exclude each other: keep one of them");
    }
    break;
  }
  cores.automatic = !in.has("poll") && !in.has("servant") && !in.has("both") && !in.has("control");
  if (cores.automatic) return cores;

  check_cpu_lists(in, machine, cores);
  // A list that was refused has been reported; an empty one has not.
  const auto names_one = [&](std::string_view name) { return !in.size_of(name).is_empty; };
  for (const std::string_view name : {"poll", "servant"}) {
    if (names_one(name) || names_one("both")) continue;
    in.error(in.size_of(name).place, "cores." + std::string(name) + " must name at least one core");
  }
  return cores;
}

// --- listen ---

std::vector<Listen> check_listen(const Reader& in, const std::vector<Port>& ports) {
  std::vector<Listen> out;
  for (const Reader& entry : in.groups("listen")) {
    Listen listen;
    const auto advertise = entry.text("advertise");
    if (advertise.good && advertise.given) {
      const auto name = parse_host_port(advertise.value);
      if (!name) {
        entry.error(advertise, "must be host:port; found " + quoted(advertise.value));
      } else {
        listen.advertise =
            name->host + ":" + std::to_string(name->port == 0 ? kSipPort : name->port);
      }
    }
    const auto text = entry.text("uri");
    if (!text.good) continue;
    const auto uri = parse_sip_uri(text.value);
    const auto address = uri ? IpAddress::parse(uri->target.host) : std::nullopt;
    const std::string found = "; found " + quoted(text.value);
    if (const std::string scheme = lower(text.value.substr(0, text.value.find(':')));
        scheme == "sips" || scheme == "ws" || scheme == "wss" ||
        (uri && !uri->transport.empty() && uri->transport != "udp")) {
      entry.error(text, "can only be UDP, sip:ADDRESS:PORT;transport=udp" + found);
      continue;
    }
    if (!uri || uri->scheme != "sip" || !uri->user.empty() || uri->has_unknown_params || !address) {
      entry.error(text, "must be sip:ADDRESS:PORT;transport=udp" + found);
      continue;
    }
    listen.transport = Transport::Udp;
    listen.local = {*address, uri->target.port == 0 ? kSipPort : uri->target.port};
    const auto port = port_of(*address, ports);
    if (!port) {
      // With no port read there is nothing to compare with, and that has been said.
      if (!ports.empty()) {
        entry.error(text, "has " + address->to_string() +
                              ", which is no port's address; there are " + all_addresses(ports));
      }
      continue;
    }
    listen.port = *port;
    const bool again = std::any_of(
        out.begin(), out.end(), [&](const Listen& other) { return other.local == listen.local; });
    if (again) {
      entry.error(text, "repeats " + listen.local.to_string());
      continue;
    }
    out.push_back(std::move(listen));
  }
  return out;
}

// --- domains, hosts, routes ---

std::vector<Domain> check_domains(const Reader& in) {
  std::vector<Domain> out;
  std::set<std::string> seen;
  for (const Reader& entry : in.groups("domains")) {
    Domain domain;
    domain.registrar =
        entry.text("registrar").value == "none" ? RegistrarMode::None : RegistrarMode::Local;
    const auto take = [&](const Read<std::string>& text) -> std::string {
      if (!text.good) return {};
      auto name = canonical_host(text.value);
      if (!name) {
        entry.error(text, "must be a host name or an address; found " + quoted(text.value));
        return {};
      }
      if (!seen.insert(*name).second) entry.error(text, "repeats " + *name);
      return *name;
    };
    domain.name = take(entry.text("name"));
    for (const auto& alias : entry.texts("aliases")) domain.aliases.push_back(take(alias));
    out.push_back(std::move(domain));
  }
  return out;
}

std::vector<Host> check_hosts(const Reader& in) {
  std::vector<Host> out;
  for (const Reader& entry : in.groups("hosts")) {
    Host host;
    const auto name = entry.text("name");
    if (name.good) {
      host.name = canonical_host(name.value).value_or("");
      if (host.name.empty() || IpAddress::parse(host.name)) {
        entry.error(name, "must be a host name; found " + quoted(name.value));
      }
      const bool again = std::any_of(out.begin(), out.end(),
                                     [&](const Host& other) { return other.name == host.name; });
      if (again) entry.error(name, "repeats " + host.name);
    }
    const auto address = entry.text("address");
    if (address.good) {
      if (const auto ip = IpAddress::parse(address.value)) {
        host.address = *ip;
      } else {
        entry.error(address, "must be an address; found " + quoted(address.value));
      }
    }
    out.push_back(std::move(host));
  }
  return out;
}

// "*", "*.example.com" or "example.com", in lower case.
std::optional<std::string> domain_pattern(const std::string& text) {
  if (text == "*") return text;
  const bool below = text.rfind("*.", 0) == 0;
  auto name = canonical_host(below ? text.substr(2) : text);
  if (!name || (below && IpAddress::parse(*name))) return std::nullopt;
  return below ? "*." + *name : *name;
}

std::vector<Route> check_routes(const Reader& in, const std::vector<Host>& hosts) {
  std::vector<Route> out;
  for (const Reader& entry : in.groups("routes")) {
    Route route;
    const Reader match = entry.group("match");
    if (const auto domain = match.text("domain"); domain.good) {
      route.domain = domain_pattern(domain.value).value_or("");
      if (route.domain.empty()) {
        match.error(domain, "must be a domain, *.DOMAIN or *; found " + quoted(domain.value));
      }
      const bool hidden = std::any_of(out.begin(), out.end(), [&](const Route& earlier) {
        return earlier.domain == route.domain;
      });
      if (hidden && !route.domain.empty()) {
        match.error(domain, "is never reached: an earlier route takes " + quoted(domain.value));
      }
    }
    if (const auto to = entry.text("to"); to.good) {
      route.to = to.value;
      const auto uri = parse_sip_uri(to.value);
      if (!uri || uri->scheme != "sip" || (!uri->transport.empty() && uri->transport != "udp")) {
        entry.error(to, "must be sip:HOST:PORT over UDP; found " + quoted(to.value));
      } else if (!IpAddress::parse(uri->target.host) &&
                 std::none_of(hosts.begin(), hosts.end(),
                              [&](const Host& host) { return host.name == uri->target.host; })) {
        entry.error(to, "names " + uri->target.host + ", which is neither an address nor in hosts");
      }
    }
    out.push_back(std::move(route));
  }
  return out;
}

// --- the rest ---

Registrar check_registrar(const Reader& in) {
  Registrar out;
  const auto least = in.span("min_expires");
  const auto most = in.span("max_expires");
  const auto usual = in.span("default_expires");
  out.min_expires = least.value;
  out.max_expires = most.value;
  out.default_expires = usual.value;
  out.max_contacts = static_cast<std::uint32_t>(in.whole("max_contacts").value);
  out.jitter = in.real("jitter").value;
  if (least.good && most.good && least.value > most.value) {
    in.error(least.given ? least : most, "leaves nothing: min_expires is greater than max_expires");
  } else if (usual.good && (usual.value < out.min_expires || usual.value > out.max_expires)) {
    in.error(usual.given ? usual : (most.given ? most : least),
             "contradicts the rest: default_expires must lie between min_expires and max_expires");
  }
  return out;
}

Timers check_timers(const Reader& in) {
  const auto t1 = in.span("t1");
  const auto t2 = in.span("t2");
  if (t1.good && t2.good && t1.value > t2.value) {
    in.error(t1.given ? t1 : t2, "contradicts the rest: t1 must not be greater than t2");
  }
  return {t1.value, t2.value, in.span("t4").value};
}

Limits check_limits(const Reader& in) {
  Limits out;
  const auto small = [&](std::string_view name) {
    return static_cast<std::uint16_t>(in.whole(name).value);
  };
  const auto message = in.whole("message");
  out.message = static_cast<std::uint32_t>(message.value);
  out.headers = small("headers");
  out.header_line = small("header_line");
  out.uri = small("uri");
  out.via = small("via");
  return out;
}

Capacity check_capacity(const Reader& in) {
  const auto number = [&](std::string_view name) {
    return static_cast<std::uint32_t>(in.whole(name).value);
  };
  return {number("transactions"), number("bindings"), number("messages"), number("buffers")};
}

Control check_control(const Reader& in) {
  Control out;
  const auto socket = in.text("socket");
  out.socket = socket.value;
  // sockaddr_un::sun_path, with its terminator.
  if (socket.good && (out.socket.empty() || out.socket.size() > 107)) {
    in.error(socket, "must be a path of 1 to 107 bytes; found " + quoted(out.socket));
  }
  const auto http = in.text("http");
  if (http.good && http.value != "off") {
    out.http = Endpoint::parse(http.value);
    if (!out.http || out.http->port == 0) {
      in.error(http, "must be ADDRESS:PORT or \"off\"; found " + quoted(http.value));
    }
  }
  return out;
}

LogLevel log_level(const std::string& text) {
  if (text == "error") return LogLevel::Error;
  if (text == "warning") return LogLevel::Warning;
  return text == "debug" ? LogLevel::Debug : LogLevel::Info;
}

}  // namespace

Settings check(const Node& root, const Machine& machine, Errors& errors) {
  const Reader in{root, "", "", errors};
  Settings out;
  out.ports = check_ports(in);
  out.cores = check_cores(in.group("cores"), machine);
  out.listen = check_listen(in, out.ports);
  out.domains = check_domains(in);
  out.hosts = check_hosts(in);
  out.routes = check_routes(in, out.hosts);
  out.registrar = check_registrar(in.group("registrar"));
  const Reader proxy = in.group("proxy");
  out.proxy = {proxy.flag("record_route").value, proxy.span("timer_c").value,
               static_cast<std::uint8_t>(proxy.whole("max_forwards").value)};
  out.timers = check_timers(in.group("timers"));
  out.limits = check_limits(in.group("limits"));
  out.capacity = check_capacity(in.group("capacity"));
  out.control = check_control(in.group("control"));
  out.log.level = log_level(in.group("log").text("level").value);
  return out;
}

}  // namespace sluice::config
