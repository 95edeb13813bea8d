// SPDX-License-Identifier: Apache-2.0
#include "apps/control/rpc.h"
#include "tests/apps/fake_daemon.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

class RpcTest : public testing::Test {
 protected:
  RpcTest() : sources_(process_.sources()), rpc_(process_.registry, sources_) {}

  Json ask(const std::string& line) {
    const std::string answer = rpc_.handle(line);
    EXPECT_FALSE(answer.empty());
    EXPECT_EQ(answer.find('\n'), answer.size() - 1) << "one line";
    return Json::parse(answer);
  }
  Json result(const std::string& method, const Json& params = nullptr) {
    const Json answer = ask(to_line(make_request(1, method, params)));
    EXPECT_FALSE(answer.contains("error")) << answer;
    return answer.value("result", Json());
  }
  Json error(const std::string& line) { return ask(line).value("error", Json()); }
  std::string params_error(const std::string& method, const Json& params) {
    const Json answer = ask(to_line(make_request(1, method, params)));
    EXPECT_EQ(answer["error"]["code"], -32602);
    return answer["error"]["message"];
  }

  test::FakeProcess process_;
  const Sources sources_;
  const Rpc rpc_;
};

TEST_F(RpcTest, AnswerCarriesTheId) {
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":7,"method":"version"})")["id"], 7);
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":"x","method":"version"})")["id"], "x");
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":7,"method":"version"})")["jsonrpc"], "2.0");
}

TEST_F(RpcTest, ErrorsHaveTheCodesOfTheStandard) {
  EXPECT_EQ(error("{")["code"], -32700);
  EXPECT_EQ(error("")["code"], -32700);
  EXPECT_EQ(error("1")["code"], -32600);
  EXPECT_EQ(error(R"({"id":1,"method":"version"})")["code"], -32600);
  EXPECT_EQ(error(R"({"jsonrpc":"2.0","id":1})")["code"], -32600);
  EXPECT_EQ(error(R"({"jsonrpc":"2.0","id":1,"method":3})")["code"], -32600);
  EXPECT_EQ(error(R"({"jsonrpc":"2.0","id":1,"method":"no.such"})")["code"], -32601);
  EXPECT_EQ(error(R"({"jsonrpc":"2.0","id":1,"method":"version","params":[1]})")["code"], -32602);
  EXPECT_EQ(error(R"({"jsonrpc":"2.0","id":1,"method":"version","params":{"x":1}})")["message"],
            "unknown parameter x");
}

TEST_F(RpcTest, IdThatIsNoIdIsAnsweredWithNull) {
  EXPECT_TRUE(ask(R"({"jsonrpc":"2.0","id":[[[]]],"method":"version"})")["id"].is_null());
}

TEST_F(RpcTest, NotificationsAreSilentAndDone) {
  EXPECT_EQ(rpc_.handle(R"({"jsonrpc":"2.0","method":"drain"})"), "");
  EXPECT_TRUE(process_.draining);
}

TEST_F(RpcTest, BatchIsAnsweredInOneLine) {
  const Json answers = ask(R"([{"jsonrpc":"2.0","id":1,"method":"version"},
    {"jsonrpc":"2.0","method":"version"}, 5, {"jsonrpc":"2.0","id":2,"method":"core.list"}])");
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0]["id"], 1);
  EXPECT_EQ(answers[1]["error"]["code"], -32600);
  EXPECT_EQ(answers[2]["id"], 2);
  EXPECT_EQ(rpc_.handle(R"([{"jsonrpc":"2.0","method":"version"}])"), "");
}

TEST_F(RpcTest, BatchIsBounded) {
  EXPECT_EQ(error("[]")["code"], -32600);
  Json batch = Json::array();
  for (std::size_t i = 0; i <= kMaxBatch; ++i) batch.push_back(1);
  EXPECT_EQ(error(to_line(batch))["code"], -32600);
}

TEST_F(RpcTest, EveryMethodAndItsAliasesAnswer) {
  for (const Method& method : kMethods) {
    const Json own = result(std::string(method.name));
    EXPECT_TRUE(own.is_object());
    std::string_view names = method.kamcmd;
    while (!names.empty()) {
      const std::size_t blank = names.find(' ');
      EXPECT_EQ(result(std::string(names.substr(0, blank))), own) << names;
      names = blank == std::string_view::npos ? "" : names.substr(blank + 1);
    }
  }
}

TEST_F(RpcTest, CoresTellTheirShare) {
  const Json cores = result("core.list")["cores"];
  ASSERT_EQ(cores.size(), 2U);
  EXPECT_EQ(cores[0]["cpu"], 2);
  EXPECT_EQ(cores[0]["role"], "poll");
  EXPECT_DOUBLE_EQ(cores[0]["busy_ratio"], 0.25);
  EXPECT_EQ(cores[1]["role"], "servant");
}

TEST_F(RpcTest, VersionTellsTheState) {
  EXPECT_EQ(result("version")["ready"], true);
  EXPECT_EQ(result("drain")["draining"], true);
  EXPECT_EQ(result("version")["reason"], "draining");
}

TEST_F(RpcTest, RegistrationsComeInPages) {
  const Json first = result("registration.list", {{"limit", 2}});
  ASSERT_EQ(first["registrations"].size(), 2U);
  EXPECT_EQ(first["registrations"][0]["aor"], "alice@example.com");
  EXPECT_DOUBLE_EQ(first["registrations"][0]["q"], 0.5);
  const Json rest = result("registration.list", {{"limit", 2}, {"cursor", first["cursor"]}});
  ASSERT_EQ(rest["registrations"].size(), 1U);
  EXPECT_EQ(rest["registrations"][0]["aor"], "carol@example.com");
  EXPECT_FALSE(rest.contains("cursor"));
}

TEST_F(RpcTest, RegistrationsAreFilteredByAorAndContact) {
  EXPECT_EQ(result("registration.list", {{"filter", "bob@"}})["registrations"].size(), 1U);
  EXPECT_EQ(result("registration.list", {{"filter", "192.0.2.3"}})["registrations"].size(), 1U);
  EXPECT_EQ(result("registration.list", {{"filter", "nobody"}})["registrations"].size(), 0U);
}

// A walk over millions of rows for a filter that meets none must not hold up the other clients.
TEST_F(RpcTest, AFilteredWalkStopsAndCanGoOn) {
  RegistrationInfo row;
  row.aor = "x@example.com";
  process_.registrations.assign(200'000, row);
  process_.registrations.back().aor = "last@example.com";
  Json params = {{"filter", "last@"}};
  unsigned pages = 0;
  for (;; ++pages) {
    const Json page = result("registration.list", params);
    if (!page.contains("cursor")) {
      EXPECT_EQ(page["registrations"].size(), 1U);
      break;
    }
    EXPECT_EQ(page["registrations"].size(), 0U);
    params["cursor"] = page["cursor"];
  }
  EXPECT_EQ(pages, 3U);
}

TEST_F(RpcTest, BadParametersAreNamed) {
  EXPECT_EQ(params_error("registration.list", {{"limit", 0}}),
            "limit must be a whole number from 1 to 1000");
  EXPECT_EQ(params_error("registration.list", {{"limit", "all"}}),
            "limit must be a whole number from 1 to 1000");
  EXPECT_EQ(params_error("registration.list", {{"cursor", "x"}}), "cursor is none of ours");
  EXPECT_EQ(params_error("counter.list", {{"prefix", 1}}), "prefix must be a string");
  EXPECT_EQ(params_error("counter.list", {{"nonzero", 1}}), "nonzero must be true or false");
}

TEST_F(RpcTest, TextThatIsNotUtf8DoesNotBreakTheAnswer) {
  const Json rows = result("registration.list", {{"filter", "bob"}})["registrations"];
  EXPECT_EQ(rows[0]["user_agent"], "evil\x1b[2J\xef\xbf\xbd");
}

TEST_F(RpcTest, CountersAreSummedOverCores) {
  const Json all = result("counter.list", {{"prefix", "net_"}})["counters"];
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0]["counter"], "net_dropped_total");
  EXPECT_EQ(all[0]["labels"], "port=\"access\",reason=\"checksum\"");
  EXPECT_EQ(all[0]["value"], 42);
  EXPECT_EQ(all[0]["kind"], "counter");
  const Json some = result("counter.list", {{"prefix", "net_"}, {"nonzero", true}})["counters"];
  EXPECT_EQ(some.size(), 1U);
}

TEST_F(RpcTest, SourcesThatAreNotSetTellNothing) {
  const CounterRegistry registry;
  const Sources none;
  const Rpc rpc{registry, none};
  for (const Method& method : kMethods) {
    const Json answer = Json::parse(rpc.handle(to_line(make_request(1, method.name, nullptr))));
    EXPECT_TRUE(answer.contains("result")) << answer;
  }
}

}  // namespace
}  // namespace sluice::control
