// SPDX-License-Identifier: Apache-2.0
#include "config/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace sluice::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const Machine kFourCpus{{0, 1, 2, 3}};

// Lines 1 and 2 of most tests.
const std::string kMinimal =
    "ports = ( { name = \"access\"; device = \"net_tap0\"; address = \"198.18.0.2/24\"; } );\n"
    "listen = ( { uri = \"sip:198.18.0.2:5060;transport=udp\"; } );\n";

std::vector<std::string> errors_of(const std::string& text) {
  const auto loaded = load_text(text, "sluice.cfg", kFourCpus);
  std::vector<std::string> out;
  if (!loaded) {
    for (const Error& error : loaded.error()) out.push_back(error.to_string());
  }
  return out;
}

// What is wrong with `more` on line 3, without "sluice.cfg:3: ".
std::vector<std::string> errors_on_line_3(const std::string& more) {
  std::vector<std::string> out;
  for (const std::string& error : errors_of(kMinimal + more)) {
    EXPECT_EQ(error.substr(0, 14), "sluice.cfg:3: ") << error;
    out.push_back(error.substr(std::min<std::size_t>(14, error.size())));
  }
  return out;
}

// What is wrong with a port that has these further keys.
std::vector<std::string> errors_of_port(const std::string& keys) {
  return errors_of(
      "listen = ( { uri = \"sip:198.18.0.2\"; } );\n"
      "ports = ( { name = \"access\"; device = \"net_tap0\"; address = [ \"198.18.0.2/24\" ];\n" +
      keys + " } );\n");
}

Settings load(const std::string& text) {
  const auto loaded = load_text(text, "sluice.cfg", kFourCpus);
  if (!loaded) {
    for (const Error& error : loaded.error()) ADD_FAILURE() << error.to_string();
    return {};
  }
  return *loaded;
}

// --- What is understood ---

TEST(Loader, MinimalFileHasTheDefaults) {
  const Settings settings = load(kMinimal);
  ASSERT_EQ(settings.ports.size(), 1U);
  EXPECT_EQ(settings.ports[0].name, "access");
  EXPECT_EQ(settings.ports[0].device, "net_tap0");
  EXPECT_THAT(settings.ports[0].addresses, ElementsAre(*Prefix::parse("198.18.0.2/24")));
  EXPECT_EQ(settings.ports[0].queues, 1);
  EXPECT_EQ(settings.ports[0].vlan, 0);
  EXPECT_EQ(settings.ports[0].mtu, 1500);
  EXPECT_FALSE(settings.ports[0].impair);
  EXPECT_TRUE(settings.cores.automatic);
  EXPECT_EQ(settings.cores.idle, Idle::Adaptive);
  EXPECT_EQ(settings.cores.handoff, Handoff::Index);
  ASSERT_EQ(settings.listen.size(), 1U);
  EXPECT_EQ(settings.listen[0].transport, Transport::Udp);
  EXPECT_EQ(settings.listen[0].local, *Endpoint::parse("198.18.0.2:5060"));
  EXPECT_EQ(settings.listen[0].port, 0U);
  EXPECT_EQ(settings.listen[0].advertise, "");
  EXPECT_EQ(settings.registrar.default_expires, 1h);
  EXPECT_EQ(settings.registrar.min_expires, 1min);
  EXPECT_EQ(settings.registrar.max_expires, 1h);
  EXPECT_EQ(settings.registrar.max_contacts, 10U);
  EXPECT_DOUBLE_EQ(settings.registrar.jitter, 0.1);
  EXPECT_TRUE(settings.proxy.record_route);
  EXPECT_EQ(settings.proxy.timer_c, 181s);
  EXPECT_EQ(settings.proxy.max_forwards, 70);
  EXPECT_EQ(settings.timers.t1, 500ms);
  EXPECT_EQ(settings.timers.t2, 4s);
  EXPECT_EQ(settings.timers.t4, 5s);
  EXPECT_EQ(settings.limits.message, 65535U);
  EXPECT_EQ(settings.limits.headers, 128);
  EXPECT_EQ(settings.limits.header_line, 8192);
  EXPECT_EQ(settings.limits.uri, 1024);
  EXPECT_EQ(settings.limits.via, 70);
  EXPECT_EQ(settings.capacity.transactions, 65536U);
  EXPECT_EQ(settings.capacity.bindings, 100000U);
  EXPECT_EQ(settings.capacity.messages, 8192U);
  EXPECT_EQ(settings.capacity.buffers, 16384U);
  EXPECT_EQ(settings.control.socket, "/run/sluice/control.sock");
  EXPECT_EQ(settings.control.http, Endpoint::parse("127.0.0.1:9465"));
  EXPECT_EQ(settings.log.level, LogLevel::Info);
}

TEST(Loader, EveryKeyIsRead) {
  const Settings settings = load(R"(
ports = (
  { name = "access"; device = "net_tap0,iface=sluice0";
    address = [ "198.18.0.2/24", "fd00:18::2/64" ];
    queues = 2; mtu = 1400; gateway = [ "198.18.0.1", "fe80::1" ];
    impair = { loss = 0.1; duplicate = 0.2; reorder = 0.3; corrupt = 1; seed = 42L; }; },
  { name = "core"; device = "0000:3b:00.1"; address = ( "198.19.0.2/24" );
    gateway = "198.19.0.9"; vlan = 12;
    routes = ( { to = "10.0.0.0/8"; via = "198.19.0.1"; } ); } );
cores = { poll = [ 2, 3 ]; servant = [ 1 ]; both = [ 0 ]; control = [ 1 ];
          idle = "busy"; handoff = "decode"; };
listen = ( { uri = "sip:198.18.0.2"; advertise = "Edge.example.com"; },
           { uri = "sip:[fd00:18::2]:5070;transport=UDP"; },
           { uri = "sip:198.19.0.2:5060"; advertise = "[fd00::9]:5080"; } );
domains = ( { name = "Example.com"; aliases = [ "198.18.0.2", "fd00:18::2" ]; },
            { name = "pbx.example.net"; registrar = "none"; aliases = "pbx"; } );
hosts = ( { name = "SIP.example.com"; address = "10.0.0.1"; } );
routes = ( { match = { domain = "a.example.com"; }; to = "sip:sip.example.com:5080"; },
           { match = { domain = "*.Example.com"; }; to = "sip:[fd00::1];transport=udp"; },
           { match = { domain = "*"; }; to = "sip:10.0.0.10:5060"; } );
registrar = { default_expires = "10m"; min_expires = "30s"; max_expires = "2h";
              max_contacts = 3; jitter = 0; };
proxy = { record_route = false; timer_c = "4m"; max_forwards = 20; };
timers = { t1 = "100ms"; t2 = "1s"; t4 = "2s"; };
limits = { message = 4096; headers = 32; header_line = 512; uri = 256; via = 10; };
capacity = { transactions = 1000; bindings = 2000; messages = 3000; buffers = 4000; };
control = { socket = "/tmp/s.sock"; http = "off"; };
log = { level = "debug"; };
)");
  ASSERT_EQ(settings.ports.size(), 2U);
  const Port& access = settings.ports[0];
  EXPECT_EQ(access.device, "net_tap0,iface=sluice0");
  EXPECT_EQ(access.queues, 2);
  EXPECT_EQ(access.mtu, 1400);
  EXPECT_THAT(access.addresses,
              ElementsAre(*Prefix::parse("198.18.0.2/24"), *Prefix::parse("fd00:18::2/64")));
  EXPECT_THAT(access.gateways,
              ElementsAre(*IpAddress::parse("198.18.0.1"), *IpAddress::parse("fe80::1")));
  ASSERT_TRUE(access.impair);
  EXPECT_DOUBLE_EQ(access.impair->loss, 0.1);
  EXPECT_DOUBLE_EQ(access.impair->duplicate, 0.2);
  EXPECT_DOUBLE_EQ(access.impair->reorder, 0.3);
  EXPECT_DOUBLE_EQ(access.impair->corrupt, 1);
  EXPECT_EQ(access.impair->seed, 42U);
  const Port& core = settings.ports[1];
  EXPECT_EQ(core.vlan, 12);
  EXPECT_THAT(core.gateways, ElementsAre(*IpAddress::parse("198.19.0.9")));
  ASSERT_EQ(core.routes.size(), 1U);
  EXPECT_EQ(core.routes[0].to, *Prefix::parse("10.0.0.0/8"));
  EXPECT_EQ(core.routes[0].via, *IpAddress::parse("198.19.0.1"));

  EXPECT_FALSE(settings.cores.automatic);
  EXPECT_THAT(settings.cores.poll, ElementsAre(2U, 3U));
  EXPECT_THAT(settings.cores.servant, ElementsAre(1U));
  EXPECT_THAT(settings.cores.both, ElementsAre(0U));
  EXPECT_THAT(settings.cores.control, ElementsAre(1U));
  EXPECT_EQ(settings.cores.idle, Idle::Busy);
  EXPECT_EQ(settings.cores.handoff, Handoff::Decode);

  ASSERT_EQ(settings.listen.size(), 3U);
  EXPECT_EQ(settings.listen[0].local, *Endpoint::parse("198.18.0.2:5060"));
  EXPECT_EQ(settings.listen[0].advertise, "edge.example.com:5060");
  EXPECT_EQ(settings.listen[1].local, *Endpoint::parse("[fd00:18::2]:5070"));
  EXPECT_EQ(settings.listen[1].port, 0U);
  EXPECT_EQ(settings.listen[2].port, 1U);
  EXPECT_EQ(settings.listen[2].advertise, "[fd00::9]:5080");

  ASSERT_EQ(settings.domains.size(), 2U);
  EXPECT_EQ(settings.domains[0].name, "example.com");
  EXPECT_EQ(settings.domains[0].registrar, RegistrarMode::Local);
  EXPECT_THAT(settings.domains[0].aliases, ElementsAre("198.18.0.2", "[fd00:18::2]"));
  EXPECT_EQ(settings.domains[1].registrar, RegistrarMode::None);
  EXPECT_THAT(settings.domains[1].aliases, ElementsAre("pbx"));
  ASSERT_EQ(settings.hosts.size(), 1U);
  EXPECT_EQ(settings.hosts[0].name, "sip.example.com");
  EXPECT_EQ(settings.hosts[0].address, *IpAddress::parse("10.0.0.1"));
  ASSERT_EQ(settings.routes.size(), 3U);
  EXPECT_EQ(settings.routes[1].domain, "*.example.com");
  EXPECT_EQ(settings.routes[2].to, "sip:10.0.0.10:5060");

  EXPECT_EQ(settings.registrar.default_expires, 10min);
  EXPECT_EQ(settings.registrar.min_expires, 30s);
  EXPECT_EQ(settings.registrar.max_expires, 2h);
  EXPECT_EQ(settings.registrar.max_contacts, 3U);
  EXPECT_DOUBLE_EQ(settings.registrar.jitter, 0);
  EXPECT_FALSE(settings.proxy.record_route);
  EXPECT_EQ(settings.proxy.timer_c, 4min);
  EXPECT_EQ(settings.proxy.max_forwards, 20);
  EXPECT_EQ(settings.timers.t1, 100ms);
  EXPECT_EQ(settings.timers.t2, 1s);
  EXPECT_EQ(settings.timers.t4, 2s);
  EXPECT_EQ(settings.limits.message, 4096U);
  EXPECT_EQ(settings.limits.headers, 32);
  EXPECT_EQ(settings.limits.header_line, 512);
  EXPECT_EQ(settings.limits.uri, 256);
  EXPECT_EQ(settings.limits.via, 10);
  EXPECT_EQ(settings.capacity.transactions, 1000U);
  EXPECT_EQ(settings.capacity.bindings, 2000U);
  EXPECT_EQ(settings.capacity.messages, 3000U);
  EXPECT_EQ(settings.capacity.buffers, 4000U);
  EXPECT_EQ(settings.control.socket, "/tmp/s.sock");
  EXPECT_FALSE(settings.control.http);
  EXPECT_EQ(settings.log.level, LogLevel::Debug);
}

// --- The file as a whole ---

TEST(Loader, EmptyFileNamesWhatItNeeds) {
  EXPECT_THAT(errors_of(""),
              ElementsAre("sluice.cfg:1: ports is missing: it must be a list of groups: "
                          "ports = ( { ... } )",
                          "sluice.cfg:1: listen is missing: it must be a list of groups: "
                          "listen = ( { ... } )"));
}

TEST(Loader, SyntaxErrorHasItsLine) {
  EXPECT_THAT(errors_of("ports = (\n  { name = ; } );\n"),
              ElementsAre("sluice.cfg:2: syntax error"));
}

TEST(Loader, KeyTwiceIsAnError) {
  EXPECT_THAT(errors_on_line_3("log = { level = \"info\"; level = \"debug\"; };"),
              ElementsAre("duplicate setting name"));
}

TEST(Loader, MissingFileIsAnError) {
  const auto loaded = load_file("/nowhere/sluice.cfg", kFourCpus);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error()[0].to_string(), "/nowhere/sluice.cfg: cannot be read");
}

TEST(Loader, FolderIsNoFile) {
  const auto loaded = load_file("/", kFourCpus);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error()[0].to_string(), "/: cannot be read");
}

TEST(Loader, CollectsAllErrorsInTheOrderOfTheFile) {
  EXPECT_THAT(
      errors_of("log = { level = \"loud\"; };\n"
                "timers = { t1 = 500; };\n"
                "cores = { idle = \"lazy\"; };\n" +
                kMinimal + "proxy = { timer_c = \"1d\"; };\n"),
      ElementsAre("sluice.cfg:1: log.level must be \"error\", \"warning\", \"info\" or "
                  "\"debug\"; found \"loud\"",
                  "sluice.cfg:2: timers.t1 must be a duration from 10ms to 10s, such as "
                  "\"500ms\"; found 500",
                  "sluice.cfg:3: cores.idle must be \"adaptive\" or \"busy\"; found \"lazy\"",
                  "sluice.cfg:6: proxy.timer_c must be a duration from 1s to 1h, such as "
                  "\"181s\"; found \"1d\""));
}

TEST(Loader, NestingHasAnEnd) {
  std::string deep(40, '(');
  deep += std::string(40, ')');
  const auto errors = errors_on_line_3("domains = " + deep + ";");
  EXPECT_THAT(errors, testing::Contains("the file nests too deeply"));
}

// --- Unknown keys ---

TEST(Loader, UnknownKeyNamesTheNearest) {
  EXPECT_THAT(errors_on_line_3("registar = { };"),
              ElementsAre("unknown key registar; did you mean registrar?"));
  EXPECT_THAT(errors_of_port("adress = \"198.18.0.3/24\";"),
              ElementsAre("sluice.cfg:3: unknown key ports[0].adress; did you mean address?"));
  EXPECT_THAT(errors_on_line_3("timers = { tl = \"500ms\"; };"),
              ElementsAre("unknown key timers.tl; known here: t1, t2, t4"));
}

TEST(Loader, KeysOfFeaturesThatAreNotHereAreUnknown) {
  EXPECT_THAT(
      errors_on_line_3("intercept = { };"),
      ElementsAre("unknown key intercept; known here: ports, cores, listen, domains, routes, "
                  "hosts, registrar, proxy, timers, limits, capacity, control, log"));
  EXPECT_THAT(errors_on_line_3("domains = ( { name = \"a.example\"; auth = \"required\"; } );"),
              ElementsAre("unknown key domains[0].auth; known here: name, registrar, aliases"));
  EXPECT_THAT(errors_on_line_3("dispatcher = ( );").size(), 1U);
  EXPECT_THAT(errors_on_line_3("store = { };").size(), 1U);
  EXPECT_THAT(errors_on_line_3("objects = { };").size(), 1U);
}

// --- @include ---

class LoaderInclude : public testing::Test {
 protected:
  LoaderInclude() {
    char name[] = "/tmp/sluice-config-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~LoaderInclude() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  std::vector<std::string> errors() const {
    std::vector<std::string> out;
    const auto loaded = load_file(folder_ / "sluice.cfg", kFourCpus);
    if (loaded) return out;
    for (const Error& error : loaded.error()) {
      const std::string text = error.to_string();
      const std::string prefix = folder_.string() + "/";
      EXPECT_EQ(text.substr(0, prefix.size()), prefix);
      out.push_back(text.substr(prefix.size()));
    }
    return out;
  }

  std::filesystem::path folder_;
};

TEST_F(LoaderInclude, ReadsAFileBesideTheFirst) {
  write("sluice.cfg", kMinimal + "@include \"limits.cfg\"\n");
  write("limits.cfg", "limits = { headers = 40; };\n");
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_EQ(load_file(folder_ / "sluice.cfg", kFourCpus)->limits.headers, 40);
}

TEST_F(LoaderInclude, ErrorsNameTheIncludedFileAndLine) {
  write("sluice.cfg", kMinimal + "@include \"limits.cfg\"\nlog = { level = 3; };\n");
  write("limits.cfg", "\nlimits = {\n  headers = 4;\n  headrs = 40; };\n");
  EXPECT_THAT(errors(),
              ElementsAre("sluice.cfg:4: log.level must be \"error\", \"warning\", \"info\" or "
                          "\"debug\"; found 3",
                          "limits.cfg:3: limits.headers must be a whole number from 16 to "
                          "192; found 4",
                          "limits.cfg:4: unknown key limits.headrs; did you mean headers?"));
}

TEST_F(LoaderInclude, MissingIncludedFileIsAnError) {
  write("sluice.cfg", kMinimal + "@include \"nowhere.cfg\"\n");
  EXPECT_THAT(errors(), ElementsAre("sluice.cfg:3: cannot open include file"));
}

TEST_F(LoaderInclude, FileThatIncludesItselfIsAnError) {
  write("sluice.cfg", kMinimal + "@include \"sluice.cfg\"\n");
  EXPECT_EQ(errors().size(), 1U);
}

// --- ports ---

TEST(LoaderPorts, TypesAndRanges) {
  EXPECT_THAT(
      errors_of_port("queues = 0;"),
      ElementsAre("sluice.cfg:3: ports[0].queues must be a whole number from 1 to 64; found 0"));
  EXPECT_THAT(
      errors_of_port("queues = \"two\";"),
      ElementsAre(
          "sluice.cfg:3: ports[0].queues must be a whole number from 1 to 64; found \"two\""));
  EXPECT_THAT(
      errors_of_port("queues = 1.5;"),
      ElementsAre("sluice.cfg:3: ports[0].queues must be a whole number from 1 to 64; found 1.5"));
  EXPECT_THAT(
      errors_of_port("vlan = 4095;"),
      ElementsAre("sluice.cfg:3: ports[0].vlan must be a whole number from 0 to 4094; found 4095"));
  EXPECT_THAT(
      errors_of_port("mtu = 68;"),
      ElementsAre("sluice.cfg:3: ports[0].mtu must be a whole number from 1280 to 9198; found 68"));
  EXPECT_THAT(
      errors_of_port("impair = { loss = 1.5; };"),
      ElementsAre("sluice.cfg:3: ports[0].impair.loss must be a number from 0 to 1; found 1.5"));
  EXPECT_THAT(
      errors_of_port("impair = 1;"),
      ElementsAre("sluice.cfg:3: ports[0].impair must be a group: impair = { ... }; found 1"));
}

TEST(LoaderPorts, RequiredKeys) {
  EXPECT_THAT(
      errors_of("ports = (\n  { } );\nlisten = ( { uri = \"sip:198.18.0.2\"; } );\n"),
      ElementsAre("sluice.cfg:2: ports[0].name is missing: it must be a string",
                  "sluice.cfg:2: ports[0].device is missing: it must be a string",
                  "sluice.cfg:2: ports[0].address is missing: it must be a string or an array "
                  "of strings",
                  "sluice.cfg:3: listen[0].uri has 198.18.0.2, which is no port's address; "
                  "there are none"));
}

TEST(LoaderPorts, MustBeAListOfGroups) {
  EXPECT_THAT(
      errors_of("ports = { };\nlisten = ( );\n"),
      ElementsAre("sluice.cfg:1: ports must be a list of groups: ports = ( { ... } ); found a "
                  "group",
                  "sluice.cfg:2: listen must not be empty"));
  EXPECT_THAT(errors_of("ports = ( \"access\" );\nlisten = ( );\n"),
              ElementsAre("sluice.cfg:1: ports[0] must be a group { ... }; found \"access\"",
                          "sluice.cfg:2: listen must not be empty"));
}

TEST(LoaderPorts, Addresses) {
  const auto errors = errors_of(
      "listen = ( { uri = \"sip:198.18.0.2\"; } );\n"
      "ports = ( { name = \"access\"; device = \"net_tap0\"; address = [\n"
      "  \"198.18.0.2/24\",\n"
      "  \"198.18.0.300/24\",\n"
      "  \"198.18.0.3\",\n"
      "  \"127.0.0.1/8\",\n"
      "  \"224.0.0.1/8\",\n"
      "  \"198.18.0.2/16\" ]; } );\n");
  EXPECT_THAT(
      errors,
      ElementsAre(
          "sluice.cfg:4: ports[0].address[1] must be ADDRESS/LENGTH; found \"198.18.0.300/24\"",
          "sluice.cfg:5: ports[0].address[2] must be ADDRESS/LENGTH; found \"198.18.0.3\"",
          "sluice.cfg:6: ports[0].address[3] must be the address of a host; found "
          "\"127.0.0.1/8\"",
          "sluice.cfg:7: ports[0].address[4] must be the address of a host; found "
          "\"224.0.0.1/8\"",
          "sluice.cfg:8: ports[0].address[5] repeats 198.18.0.2"));
}

TEST(LoaderPorts, NamesAndDevicesAreUnique) {
  EXPECT_THAT(
      errors_of(
          kMinimal.substr(kMinimal.find('\n') + 1) +
          "ports = ( { name = \"access\"; device = \"net_tap0,iface=a\"; address = "
          "\"198.18.0.2/24\"; },\n"
          " { name = \"access\"; device = \"net_tap0,iface=b\"; address = \"198.18.0.2/24\"; },\n"
          " { name = \"a b\"; device = \"\"; address = [ ]; } );\n"),
      ElementsAre(
          "sluice.cfg:3: ports[1].name repeats \"access\"",
          "sluice.cfg:3: ports[1].device repeats \"net_tap0\"",
          "sluice.cfg:3: ports[1].address repeats 198.18.0.2",
          "sluice.cfg:4: ports[2].name must be 1 to 31 letters, digits, - or _; found \"a b\"",
          "sluice.cfg:4: ports[2].device must not be empty",
          "sluice.cfg:4: ports[2].address must not be empty"));
}

TEST(LoaderPorts, NextHopsAreOnANetworkOfThePort) {
  EXPECT_THAT(
      errors_of_port("gateway = \"10.0.0.1\";"),
      ElementsAre("sluice.cfg:3: ports[0].gateway is 10.0.0.1, which is on no network of the "
                  "port; there are 198.18.0.2/24"));
  EXPECT_THAT(
      errors_of_port("gateway = \"198.18.0.2\";"),
      ElementsAre("sluice.cfg:3: ports[0].gateway is 198.18.0.2, which is the port's own address"));
  EXPECT_THAT(errors_of_port("gateway = \"router\";"),
              ElementsAre("sluice.cfg:3: ports[0].gateway must be an address; found \"router\""));
  EXPECT_THAT(errors_of_port("gateway = [ \"198.18.0.1\", \"198.18.0.3\" ];"),
              ElementsAre("sluice.cfg:3: ports[0].gateway[1] is a second gateway for IPv4"));
  EXPECT_THAT(errors_of_port("gateway = 1;"),
              ElementsAre("sluice.cfg:3: ports[0].gateway must be a string or an array of strings; "
                          "found 1"));
}

TEST(LoaderPorts, StaticRoutes) {
  EXPECT_THAT(
      errors_of_port("routes = ( { to = \"10.1.0.0/8\"; via = \"198.18.0.1\"; } );"),
      ElementsAre("sluice.cfg:3: ports[0].routes[0].to must be a network: 10.0.0.0/8; found "
                  "\"10.1.0.0/8\""));
  EXPECT_THAT(
      errors_of_port("routes = ( { to = \"fd00::/8\"; via = \"198.18.0.1\"; } );"),
      ElementsAre("sluice.cfg:3: ports[0].routes[0].via must be of the same family as fd00::/8"));
  EXPECT_THAT(
      errors_of_port("routes = ( { to = \"ten\"; via = \"198.18.0.1\"; } );"),
      ElementsAre("sluice.cfg:3: ports[0].routes[0].to must be NETWORK/LENGTH; found \"ten\""));
  EXPECT_THAT(errors_of_port("routes = ( { to = \"10.0.0.0/8\"; } );"),
              ElementsAre("sluice.cfg:3: ports[0].routes[0].via is missing: it must be a string"));
}

// --- cores ---

TEST(LoaderCores, BothRolesMustBeCovered) {
  EXPECT_THAT(errors_on_line_3("cores = { poll = [ ]; servant = [ 1 ]; };"),
              ElementsAre("cores.poll must name at least one core"));
  EXPECT_THAT(errors_on_line_3("cores = { servant = [ 1 ]; };"),
              ElementsAre("cores.poll must name at least one core"));
  EXPECT_THAT(errors_on_line_3("cores = { poll = [ 1 ]; };"),
              ElementsAre("cores.servant must name at least one core"));
  EXPECT_THAT(errors_on_line_3("cores = { both = [ 1 ]; };"), IsEmpty());
}

TEST(LoaderCores, ACpuHasOnePlace) {
  EXPECT_THAT(errors_on_line_3("cores = { poll = [ 1 ]; servant = [ 2, 1 ]; };"),
              ElementsAre("cores.servant names CPU 1 again: it is in cores.poll already"));
  EXPECT_THAT(errors_on_line_3("cores = { both = [ 1, 1 ]; };"),
              ElementsAre("cores.both names CPU 1 again: it is in cores.both already"));
  EXPECT_THAT(errors_on_line_3("cores = { both = [ 1 ]; control = [ 1 ]; };"), IsEmpty());
}

TEST(LoaderCores, ACpuMustExist) {
  EXPECT_THAT(errors_on_line_3("cores = { both = [ 9 ]; };"),
              ElementsAre("cores.both names CPU 9, which is not here; there are 0, 1, 2, 3"));
  EXPECT_THAT(errors_on_line_3("cores = { both = [ -1 ]; };"),
              ElementsAre("cores.both must be an array of whole numbers from 0 to 1023; found -1"));
  EXPECT_TRUE(load_text(kMinimal + "cores = { both = [ 9 ]; };", "sluice.cfg", Machine{}));
}

TEST(LoaderCores, APlanAndListsExcludeEachOther) {
  EXPECT_THAT(errors_on_line_3("cores = { plan = \"auto\"; both = [ 1 ]; };"),
              ElementsAre("cores.plan and cores.both exclude each other: keep one of them"));
  EXPECT_THAT(errors_on_line_3("cores = { plan = \"best\"; };"),
              ElementsAre("cores.plan must be \"auto\"; found \"best\""));
}

// --- listen ---

std::vector<std::string> errors_of_listen(const std::string& uri) {
  return errors_of(kMinimal.substr(0, kMinimal.find('\n') + 1) + "listen = ( { uri = \"" + uri +
                   "\"; } );\n");
}

TEST(LoaderListen, AddressBelongsToAPort) {
  EXPECT_THAT(errors_of_listen("sip:198.18.0.9:5060"),
              ElementsAre("sluice.cfg:2: listen[0].uri has 198.18.0.9, which is no port's address; "
                          "there are 198.18.0.2/24"));
}

TEST(LoaderListen, OnlyUdpIsServed) {
  for (const char* uri : {"sip:198.18.0.2:5060;transport=tcp", "sips:198.18.0.2:5061",
                          "wss://198.18.0.2:443", "ws:198.18.0.2"}) {
    EXPECT_THAT(errors_of_listen(uri), ElementsAre("sluice.cfg:2: listen[0].uri can only be UDP, "
                                                   "sip:ADDRESS:PORT;transport=udp; found \"" +
                                                   std::string(uri) + "\""));
  }
}

TEST(LoaderListen, UriIsAnAddress) {
  for (const char* uri : {"sip:example.com", "198.18.0.2:5060", "sip:a@198.18.0.2",
                          "sip:198.18.0.2:0", "sip:198.18.0.2;maddr=1.2.3.4"}) {
    EXPECT_THAT(
        errors_of_listen(uri),
        ElementsAre("sluice.cfg:2: listen[0].uri must be sip:ADDRESS:PORT;transport=udp; found \"" +
                    std::string(uri) + "\""));
  }
}

TEST(LoaderListen, RepetitionAndAdvertise) {
  EXPECT_THAT(errors_of(kMinimal.substr(0, kMinimal.find('\n') + 1) +
                        "listen = ( { uri = \"sip:198.18.0.2\"; },\n"
                        "           { uri = \"sip:198.18.0.2:5060\"; } );\n"),
              ElementsAre("sluice.cfg:3: listen[1].uri repeats 198.18.0.2:5060"));
  EXPECT_THAT(errors_of(kMinimal.substr(0, kMinimal.find('\n') + 1) +
                        "listen = ( { uri = \"sip:198.18.0.2\"; advertise = \"a b\"; } );\n"),
              ElementsAre("sluice.cfg:2: listen[0].advertise must be host:port; found \"a b\""));
}

// --- domains, hosts, routes ---

TEST(LoaderDomains, NamesAreUnique) {
  EXPECT_THAT(
      errors_on_line_3("domains = ( { name = \"a.example\"; aliases = [ \"A.example\" ]; } );"),
      ElementsAre("domains[0].aliases[0] repeats a.example"));
  EXPECT_THAT(errors_on_line_3("domains = ( { name = \"a b\"; } );"),
              ElementsAre("domains[0].name must be a host name or an address; found \"a b\""));
  EXPECT_THAT(errors_on_line_3("domains = ( { name = \"a.example\"; registrar = \"remote\"; } );"),
              ElementsAre("domains[0].registrar must be \"local\" or \"none\"; found \"remote\""));
}

TEST(LoaderHosts, NameAndAddress) {
  EXPECT_THAT(errors_on_line_3("hosts = ( { name = \"10.0.0.1\"; address = \"sip\"; } );"),
              ElementsAre("hosts[0].name must be a host name; found \"10.0.0.1\"",
                          "hosts[0].address must be an address; found \"sip\""));
  EXPECT_THAT(errors_on_line_3("hosts = ( { name = \"a\"; address = \"10.0.0.1\"; }, "
                               "{ name = \"A\"; address = \"10.0.0.2\"; } );"),
              ElementsAre("hosts[1].name repeats a"));
}

TEST(LoaderRoutes, TargetsCanBeReached) {
  EXPECT_THAT(errors_on_line_3(
                  "routes = ( { match = { domain = \"*\"; }; to = \"sip:core.example.com\"; } );"),
              ElementsAre("routes[0].to names core.example.com, which is neither an address nor in "
                          "hosts"));
  for (const char* to :
       {"dispatcher:core", "sips:10.0.0.1", "sip:10.0.0.1;transport=tls", "10.0.0.1"}) {
    EXPECT_THAT(errors_on_line_3("routes = ( { match = { domain = \"*\"; }; to = \"" +
                                 std::string(to) + "\"; } );"),
                ElementsAre("routes[0].to must be sip:HOST:PORT over UDP; found \"" +
                            std::string(to) + "\""));
  }
}

TEST(LoaderRoutes, Patterns) {
  EXPECT_THAT(
      errors_on_line_3("routes = ( { match = { domain = \"a*\"; }; to = \"sip:10.0.0.1\"; } );"),
      ElementsAre("routes[0].match.domain must be a domain, *.DOMAIN or *; found \"a*\""));
  EXPECT_THAT(errors_on_line_3("routes = ( { to = \"sip:10.0.0.1\"; } );"),
              ElementsAre("routes[0].match is missing: it must be a group: match = { ... }"));
  EXPECT_THAT(errors_on_line_3("routes = ( { match = { }; to = \"sip:10.0.0.1\"; } );"),
              ElementsAre("routes[0].match.domain is missing: it must be a string"));
  EXPECT_THAT(
      errors_on_line_3("routes = ( { match = { domain = \"*\"; }; to = \"sip:10.0.0.1\"; }, "
                       "{ match = { domain = \"*\"; }; to = \"sip:10.0.0.2\"; } );"),
      ElementsAre("routes[1].match.domain is never reached: an earlier route takes "
                  "\"*\""));
}

// --- the rest ---

TEST(LoaderRegistrar, LifetimesAreOrdered) {
  EXPECT_THAT(errors_on_line_3("registrar = { min_expires = \"2h\"; };"),
              ElementsAre("registrar.min_expires leaves nothing: min_expires is greater than "
                          "max_expires"));
  EXPECT_THAT(
      errors_on_line_3("registrar = { default_expires = \"2h\"; };"),
      ElementsAre("registrar.default_expires contradicts the rest: default_expires must lie "
                  "between min_expires and max_expires"));
  EXPECT_THAT(errors_on_line_3("registrar = { jitter = 0.6; };"),
              ElementsAre("registrar.jitter must be a number from 0 to 0.5; found 0.6"));
}

TEST(LoaderTimers, T1IsNotAboveT2) {
  EXPECT_THAT(errors_on_line_3("timers = { t1 = \"5s\"; };"),
              ElementsAre("timers.t1 contradicts the rest: t1 must not be greater than t2"));
}

TEST(LoaderProxy, Types) {
  EXPECT_THAT(errors_on_line_3("proxy = { record_route = 1; };"),
              ElementsAre("proxy.record_route must be true or false; found 1"));
  EXPECT_THAT(errors_on_line_3("proxy = 1;"),
              ElementsAre("proxy must be a group: proxy = { ... }; found 1"));
}

TEST(LoaderControl, SocketAndHttp) {
  EXPECT_THAT(
      errors_on_line_3("control = { http = \"localhost:9465\"; };"),
      ElementsAre("control.http must be ADDRESS:PORT or \"off\"; found \"localhost:9465\""));
  EXPECT_THAT(errors_on_line_3("control = { socket = \"\"; };"),
              ElementsAre("control.socket must be a path of 1 to 107 bytes; found \"\""));
}

TEST(Loader, WhatIsQuotedCannotDriveATerminal) {
  EXPECT_THAT(errors_on_line_3("log = { level = \"\\x1b[2J\"; };"),
              ElementsAre("log.level must be \"error\", \"warning\", \"info\" or \"debug\"; found "
                          "\"?[2J\""));
}

// --- Examples ---

TEST(Examples, EachPasses) {
  unsigned count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(SLUICE_SOURCE_DIR "/config/examples")) {
    if (entry.path().extension() != ".cfg") continue;
    ++count;
    const auto loaded = load_file(entry.path(), kFourCpus);
    if (loaded) continue;
    for (const Error& error : loaded.error()) ADD_FAILURE() << error.to_string();
  }
  EXPECT_GE(count, 4U);
}

}  // namespace
}  // namespace sluice::config
