// SPDX-License-Identifier: Apache-2.0
//
// Settings: a configuration file, typed and checked. What each key means is in keys.cc, which also
// holds the defaults: a Settings comes from loader.h, with every member set.
//
// Threads  A value: built once by the thread that loads the file, then read by anybody.
// Memory   Owns what it holds; references between parts are indices.
#pragma once

#include "base/clock.h"
#include "base/endpoint.h"
#include "base/flow_id.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::config {

// --- Ports: what the data plane opens -----------------------------------------------------------

struct StaticRoute {
  Prefix to;
  IpAddress via;  // on a network of the port
};

// Faults injected into what a port receives: tests and rehearsals. Probabilities, 0 to 1.
struct Impairment {
  double loss = 0;
  double duplicate = 0;
  double reorder = 0;
  double corrupt = 0;
  std::uint64_t seed = 0;
};

struct Port {
  std::string name;
  std::string device;  // as the DPDK EAL spells it: "net_tap0,iface=sluice0", "0000:3b:00.1"
  std::vector<Prefix> addresses;  // never empty
  std::uint16_t queues = 0;
  std::vector<IpAddress> gateways;  // at most one of each family, on a network of the port
  std::uint16_t vlan = 0;           // 0: untagged
  std::uint16_t mtu = 0;
  std::vector<StaticRoute> routes;
  std::optional<Impairment> impair;
};

// --- Cores: who does what where -----------------------------------------------------------------

enum class Idle : std::uint8_t { Adaptive, Busy };
// The stage at which a message goes from its poll core to its servant core.
enum class Handoff : std::uint8_t { Index, Decode };

struct Cores {
  // True: apps/sluice plans from the machine it finds, and the four lists are empty.
  // False: poll, servant and both are disjoint and cover both roles. `control` may be empty:
  // unpinned.
  bool automatic = false;
  std::vector<unsigned> poll;
  std::vector<unsigned> servant;
  std::vector<unsigned> both;
  std::vector<unsigned> control;
  Idle idle{};
  Handoff handoff{};
};

// --- SIP ----------------------------------------------------------------------------------------

struct Listen {
  Transport transport{};
  Endpoint local;         // its address is one of ports[port].addresses
  std::size_t port = 0;   // index into Settings::ports
  std::string advertise;  // "host:port" for Via and Record-Route; empty: `local` itself
};

enum class RegistrarMode : std::uint8_t { Local, None };

struct Domain {
  std::string name;  // lower case, as are the aliases
  RegistrarMode registrar{};
  std::vector<std::string> aliases;
};

// The most specific match wins: a name, then the longest "*.name", then "*".
struct Route {
  // "example.com"; "*.example.com" (any name below it, not itself); "*" (any). Lower case.
  std::string domain;
  std::string to;  // a sip: URI whose host is an address or one of `hosts`
};

// A name with an address of our own choosing, in place of DNS.
struct Host {
  std::string name;  // lower case
  IpAddress address;
};

struct Registrar {
  Duration default_expires{};
  Duration min_expires{};
  Duration max_expires{};
  std::uint32_t max_contacts = 0;
  double jitter = 0;  // fraction: a granted expiry is shortened by a random part of up to this
};

struct Proxy {
  bool record_route = false;
  Duration timer_c{};
  std::uint8_t max_forwards = 0;  // for requests that come without one
};

// RFC 3261 17.1.1.1, Table 4.
struct Timers {
  Duration t1{};
  Duration t2{};
  Duration t4{};
};

// The members of sip::Limits, which says what they mean.
struct Limits {
  std::uint32_t message = 0;
  std::uint16_t headers = 0;
  std::uint16_t header_line = 0;
  std::uint16_t uri = 0;
  std::uint16_t via = 0;
};

// --- The process --------------------------------------------------------------------------------

// Everything is allocated at start: these bounds are the memory.
struct Capacity {
  std::uint32_t transactions = 0;  // of each servant core
  std::uint32_t bindings = 0;      // of the whole process
  std::uint32_t messages = 0;      // parsed messages in flight, of each poll core
  std::uint32_t buffers = 0;       // packet buffers of the whole process
};

struct Control {
  std::string socket;
  std::optional<Endpoint> http;  // empty: "off"
};

enum class LogLevel : std::uint8_t { Error, Warning, Info, Debug };

struct Log {
  LogLevel level{};
};

struct Settings {
  std::vector<Port> ports;  // never empty
  Cores cores;
  std::vector<Listen> listen;  // never empty
  std::vector<Domain> domains;
  std::vector<Route> routes;
  std::vector<Host> hosts;
  Registrar registrar;
  Proxy proxy;
  Timers timers;
  Limits limits;
  Capacity capacity;
  Control control;
  Log log;
};

}  // namespace sluice::config
