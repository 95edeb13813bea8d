// SPDX-License-Identifier: Apache-2.0
//
// The CLI as people run it: a process, its output and its exit code, against a made-up daemon.
#include "apps/control/protocol.h"
#include "tests/apps/fake_daemon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace sluice::control {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Ran {
  int code;
  std::string text;  // both outputs
};

Ran run(const std::string& arguments) {
  unsetenv("SLUICE_SOCKET");
  FILE* pipe = popen((std::string(SLUICECTL) + " " + arguments + " 2>&1").c_str(), "r");
  Ran out{-1, {}};
  std::array<char, 4096> chunk;
  while (const std::size_t got = fread(chunk.data(), 1, chunk.size(), pipe)) {
    out.text.append(chunk.data(), got);
  }
  out.code = WEXITSTATUS(pclose(pipe));
  return out;
}

class SluicectlTest : public testing::Test {
 protected:
  Ran ask(const std::string& arguments) {
    return run("--socket " + daemon_.socket() + " " + arguments);
  }

  test::FakeDaemon daemon_;
};

TEST_F(SluicectlTest, ListsCores) {
  const Ran ran = ask("show cores");
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.text,
            "\n"
            "  Core  Cpu  Role      Busy  Turns  BusyTurns  Sleeps\n"
            "     0    2  poll     25.0%   1000        500      20\n"
            "     1    3  servant   0.1%    900          9      10\n"
            "\n");
}

TEST_F(SluicectlTest, ListsPorts) {
  const Ran ran = ask("show ports");
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.text, HasSubstr("  access  net_tap0,iface=sluice0  up    02:00:00:00:00:01  "));
  EXPECT_THAT(ran.text, HasSubstr("198.18.0.2/24 fd00:18::2/64\n"));
}

TEST_F(SluicectlTest, ListsRegistrationsSafely) {
  const Ran ran = ask("show registrations");
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.text, HasSubstr("  alice@example.com  sip:alice@192.0.2.1:5060  "));
  EXPECT_THAT(ran.text, HasSubstr("evil?[2J\xef\xbf\xbd"));
  EXPECT_THAT(ran.text, Not(HasSubstr("\x1b")));
}

TEST_F(SluicectlTest, FiltersAndLimitsRegistrations) {
  EXPECT_THAT(ask("show registrations carol").text, Not(HasSubstr("alice")));
  const Ran ran = ask("show registrations --limit 2");
  EXPECT_THAT(ran.text, Not(HasSubstr("carol")));
  EXPECT_THAT(ran.text, HasSubstr("There are more"));
}

TEST_F(SluicectlTest, PutsPagesTogether) {
  daemon_.process.registrations.assign(2500, daemon_.process.registrations[0]);
  const Json all = Json::parse(ask("--json show registrations --limit 5000").text);
  EXPECT_EQ(all["registrations"].size(), 2500U);
  EXPECT_FALSE(all.contains("cursor"));
}

TEST_F(SluicectlTest, ListsTransactions) {
  EXPECT_EQ(ask("show transactions").text,
            "\n"
            "  Core  Kind               State       Active\n"
            "     1  invite_server      proceeding       7\n"
            "     1  non_invite_client  trying           0\n"
            "\n");
}

TEST_F(SluicectlTest, CountersLeaveOutZerosUnlessAsked) {
  EXPECT_EQ(ask("show counters net_").text,
            "\n"
            "  Counter            Labels                           Value  Meaning\n"
            "  net_dropped_total  port=\"access\",reason=\"checksum\"     42  "
            "Packets dropped, by reason.\n"
            "\n");
  EXPECT_EQ(ask("show counters net_ --nonzero").text, ask("show counters net_").text);
  EXPECT_THAT(ask("show counters --all").text, HasSubstr("reason=\"short\""));
}

TEST_F(SluicectlTest, ShowsTheVersion) {
  const Ran ran = ask("show version");
  EXPECT_THAT(ran.text, HasSubstr("  version         1.2.3\n"));
  EXPECT_THAT(ran.text, HasSubstr("  ready           true\n"));
}

TEST_F(SluicectlTest, Drains) {
  EXPECT_EQ(ask("drain").code, 0);
  EXPECT_TRUE(daemon_.process.draining);
  EXPECT_THAT(ask("show version").text, HasSubstr("  reason          draining\n"));
}

TEST_F(SluicectlTest, KnowsKamcmdNames) {
  EXPECT_EQ(ask("ul.dump").text, ask("show registrations").text);
  EXPECT_EQ(ask("ul.lookup alice").text, ask("show registrations alice").text);
  EXPECT_EQ(ask("core.psx").text, ask("show cores").text);
  EXPECT_EQ(ask("tm.stats").text, ask("show transactions").text);
  EXPECT_EQ(ask("core.version").text, ask("show version").text);
  EXPECT_EQ(ask("core.list").text, ask("show cores").text);
}

TEST_F(SluicectlTest, PrintsJsonForEveryCommand) {
  for (const Method& method : kMethods) {
    const Ran ran = ask(std::string(method.command) + " --json");
    EXPECT_EQ(ran.code, 0);
    EXPECT_TRUE(Json::accept(ran.text)) << method.command << ": " << ran.text;
  }
}

TEST_F(SluicectlTest, WatchAsksAgain) {
  const std::string command = "timeout 1.5 " + std::string(SLUICECTL) + " --socket " +
                              daemon_.socket() + " show transactions --watch 1";
  FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> chunk;
  while (const std::size_t got = fread(chunk.data(), 1, chunk.size(), pipe)) {
    text.append(chunk.data(), got);
  }
  pclose(pipe);
  const std::size_t first = text.find("Kind");
  EXPECT_NE(text.find("Kind", first + 1), std::string::npos) << text;
}

TEST_F(SluicectlTest, SocketMayComeFromTheEnvironment) {
  const std::string command =
      "SLUICE_SOCKET=" + daemon_.socket() + " " + SLUICECTL + " show version >/dev/null";
  EXPECT_EQ(WEXITSTATUS(system(command.c_str())), 0);
}

TEST(Sluicectl, SaysThatThereIsNoDaemon) {
  const Ran ran = run("--socket /nowhere/control.sock show cores");
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(
      ran.text,
      "sluicectl: cannot reach the daemon at /nowhere/control.sock: No such file or directory "
      "(is sluice running? Another socket: --socket PATH)\n");
}

TEST(Sluicectl, WrongUsageHasItsOwnCode) {
  EXPECT_EQ(run("").code, 2);
  EXPECT_EQ(run("show").code, 2);
  EXPECT_EQ(run("show nothing").code, 2);
  EXPECT_EQ(run("show cores --watch 0").code, 2);
  EXPECT_EQ(run("--help").code, 0);
  EXPECT_EQ(run("--version").code, 0);
}

TEST(Sluicectl, CompletionIsAScriptThatCompletes) {
  const std::string try_out =
      "bash -c 'source <(" + std::string(SLUICECTL) +
      " completion bash); COMP_WORDS=(sluicectl show \"c\"); COMP_CWORD=2; _sluicectl; "
      "echo ${COMPREPLY[@]}; COMP_WORDS=(sluicectl \"\"); COMP_CWORD=1; _sluicectl; "
      "echo ${COMPREPLY[@]}; COMP_WORDS=(sluicectl \"ul.\"); _sluicectl; echo ${COMPREPLY[@]}'";
  FILE* pipe = popen(try_out.c_str(), "r");
  std::array<char, 4096> chunk;
  const std::size_t got = fread(chunk.data(), 1, chunk.size(), pipe);
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_EQ(std::string(chunk.data(), got),
            "cores counters\nshow drain completion\nul.dump ul.lookup\n");
}

}  // namespace
}  // namespace sluice::control
