// SPDX-License-Identifier: Apache-2.0
#include "apps/options/servant.h"
#include "tests/support/sip_text.h"
#include "tests/support/sip_wire.h"
#include "tests/support/test_cores.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::options {
namespace {

class Recorder final : public sip::Responder {
 public:
  void respond(Core&, const sip::Response& response) override {
    status = response.status;
    for (const sip::HeaderLine& line : response.headers) names += std::string(line.name) + " ";
  }
  std::uint16_t status = 0;
  std::string names;
};

class OptionsServantTest : public ::testing::Test {
 protected:
  void ask() {
    const auto inbound =
        wire.inbound(test::RequestText{.method = "OPTIONS"}.str(), "198.18.0.1:5060");
    sip::Essentials essentials;
    ASSERT_TRUE(sip::check(inbound->message, {}, essentials).has_value());
    servant.on_request(cores.core(), {*inbound, essentials}, recorder);
  }
  test::TestCores cores;
  test::SipWire wire;
  std::atomic<bool> draining{false};
  OptionsServant servant{draining};
  Recorder recorder;
};

TEST_F(OptionsServantTest, TellsItsCapabilities) {
  ask();
  EXPECT_EQ(recorder.status, 200);
  for (const char* name : {"Allow ", "Accept ", "Supported "}) {
    EXPECT_NE(recorder.names.find(name), std::string::npos) << name;
  }
}

TEST_F(OptionsServantTest, RefusesWhileDraining) {
  draining = true;
  ask();
  EXPECT_EQ(recorder.status, 503);
  EXPECT_EQ(recorder.names, "Retry-After ");
}

}  // namespace
}  // namespace sluice::options
