// SPDX-License-Identifier: Apache-2.0
//
// A call and a message through the proxy, from the first request to the last timer: the heap hears
// nothing of it.
#include "tests/sipcore/proxy/proxy_fixture.h"
#include "tests/support/alloc_guard.h"

namespace sluice::test {
namespace {

class ProxyHeapTest : public ProxyTest {
 protected:
  ProxyHeapTest() {
    wire.capture = false;
    policy.decision.record_route = true;
    // The policy keeps strings of what it saw: let it have their memory.
    policy.request_uri.reserve(256);
    policy.top_route.reserve(256);
  }

  // Receives `text`; returns what was sent last. The heap is watched while the layer runs, not
  // while the test makes its texts.
  std::string step(const std::string& text, std::string_view source) {
    sip::InboundPointer inbound = wire.inbound(text, source);
    const AllocGuard guard;
    layer.on_message(cores.core(), std::move(inbound));
    requests += guard.count();
    return {wire.last.data(), wire.last.size()};
  }

  std::uint64_t requests = 0;
};

TEST_F(ProxyHeapTest, GuardSeesTheHeap) {
  const AllocGuard guard;
  // volatile: or the compiler proves the string away.
  const std::string* volatile text = new std::string(100, 'x');
  EXPECT_GE(guard.count(), 2U);
  delete text;
}

TEST_F(ProxyHeapTest, AMessageTakesNothing) {
  invite.method = "MESSAGE";
  invite.via = "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKmessage";
  const std::string out = step(invite.str(), "198.18.0.1:5060");
  ASSERT_TRUE(out.starts_with("MESSAGE"));
  const std::string answer = step(response_to(out, 200), "198.18.0.9:5060");
  EXPECT_TRUE(answer.starts_with("SIP/2.0 200"));
  step(invite.str(), "198.18.0.1:5060");

  const AllocGuard guard;
  cores.advance(100s, 100ms);
  EXPECT_EQ(guard.count(), 0U);
  EXPECT_EQ(requests, 0U);
}

TEST_F(ProxyHeapTest, AnInviteAnsweredAndRefusedTakesNothing) {
  for (const int status : {200, 486}) {
    invite.via = "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKi" + std::to_string(status);
    invite.call_id = "call-" + std::to_string(status);
    step(invite.str(), "198.18.0.1:5060");
    // Timer A brings the INVITE again, and with it its branch.
    cores.advance(600ms, 100ms);
    const std::string out(wire.last.data(), wire.last.size());
    ASSERT_TRUE(out.starts_with("INVITE")) << out;
    step(response_to(out, 180), "198.18.0.9:5060");
    RequestText cancel = invite;
    if (status == 486) {
      cancel.method = "CANCEL";
      step(cancel.str(), "198.18.0.1:5060");
    }
    const std::string final = step(response_to(out, status), "198.18.0.9:5060");
    EXPECT_TRUE(final.starts_with("SIP/2.0 " + std::to_string(status)));
    RequestText ack = invite;
    ack.method = "ACK";
    ack.to += ";tag=bob";
    if (status == 200) ack.via += "ack";
    step(ack.str(), "198.18.0.1:5060");
    cores.advance(100s, 100ms);
  }
  EXPECT_EQ(requests, 0U);
}

}  // namespace
}  // namespace sluice::test
