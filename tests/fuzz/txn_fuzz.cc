// SPDX-License-Identifier: Apache-2.0
//
// Random events on a proxy under virtual time: requests, responses to what it sent, time, loss of
// buffers. Whatever happens, it ends: after all timers nothing is live, nothing is lent.
//
// Each input byte pair is one event: what, and which message, branch or status it is about.
#include "sipcore/proxy/proxy.h"
#include "tests/support/sip_text.h"
#include "tests/support/sip_wire.h"
#include "tests/support/test_cores.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace sluice::test {
namespace {

using namespace std::chrono_literals;  // NOLINT: durations

// Forks by the call's number: one, two at once, two in a row, unresolvable, refused.
class FuzzPolicy final : public sip::TargetPolicy {
 public:
  bool is_self(Core&, std::string_view host, std::uint16_t) override {
    return host == "198.18.0.2";
  }
  sip::RequestHandler* handler_for(Core&, const sip::RoutedRequest&) override { return nullptr; }
  sip::Decision targets_for(Core&, const sip::RoutedRequest& request,
                            sip::TargetSet& targets) override {
    const int kind = request.received.essentials.call_id.back() % 6;
    if (kind == 0) return {.status = 404};
    if (kind == 1) targets.add({.uri = "sip:b@nowhere.example"});
    targets.add({.uri = "sip:b@198.18.0.9"});
    if (kind >= 3) {
      targets.add({.uri = "sip:c@198.18.0.10;transport=tcp",
                   .q = static_cast<std::uint16_t>(kind == 3 ? 1'000 : 500)});
    }
    if (kind == 5) targets.add({.uri = "sip:d@198.19.0.1"});
    return {.record_route = true};
  }
};

constexpr const char* kMethods[] = {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "MESSAGE"};
constexpr int kStatus[] = {100, 180, 183, 200, 200, 302, 401, 404,
                           407, 408, 486, 487, 500, 503, 603, 699};

class Fuzzer {
 public:
  void event(std::uint8_t what, std::uint8_t detail) {
    switch (what % 8) {
      case 0:
      case 1:
        return request(kMethods[what / 8 % 6], detail);
      case 2:
      case 3:
        return response(what / 8, kStatus[detail % 16]);
      case 4:
        return cores_.advance(std::chrono::milliseconds{detail * 5}, 20ms);
      case 5:
        return cores_.advance(std::chrono::seconds{detail}, 500ms);
      case 6:
        wire_.refuse = detail % 2 == 1;
        return;
      case 7:
        return lose(detail);
    }
  }

  void finish() {
    wire_.refuse = false;
    // Each serial group may take Timer C and the end of a cancelled branch; then all linger.
    cores_.advance(1'200s, 500ms);
    if (layer_.live() + layer_.lent() + proxy_.lent() + wire_.lent() != 0 ||
        cores_.core().timers.size() != 0) {
      std::abort();
    }
  }

 private:
  void request(const char* method, std::uint8_t detail) {
    const std::string number = std::to_string(detail % 7);
    RequestText text{.method = method,
                     .via = "SIP/2.0/UDP 198.18.0.1:5060;branch=" +
                            std::string(detail & 0x80 ? "" : "z9hG4bK") + number,
                     .call_id = "call-" + number};
    if (detail & 0x40) text.to += ";tag=b";
    receive(text.str(), detail & 0x20 ? 2 : 0);
  }

  void response(std::uint8_t which, int status) {
    if (wire_.sent.empty()) return;
    const SentMessage& sent = wire_.sent[which % wire_.sent.size()];
    if (sent.text.starts_with("SIP/2.0") || sent.text.starts_with("ACK")) return;
    receive(response_to(sent.text, status), sent.listener);
  }

  // Reports one of the requests that were sent as undeliverable.
  void lose(std::uint8_t which) {
    if (wire_.sent.empty()) return;
    const SentMessage& sent = wire_.sent[which % wire_.sent.size()];
    if (sent.text.starts_with("SIP/2.0")) return;
    layer_.on_transport_error(cores_.core(),
                              sent.text.substr(sent.text.find("branch=") + 7, sip::Branch::kLength),
                              sent.what());
  }

  void receive(const std::string& text, ListenerId listener) {
    layer_.on_message(cores_.core(), wire_.inbound(text, "198.18.0.1:5060", listener));
    while (wire_.sent.size() > 64) wire_.sent.pop_front();
  }

  static sip::TransactionOptions options() {
    sip::TransactionOptions options;
    options.invite_servers = options.invite_clients = 4;
    options.non_invite_servers = options.non_invite_clients = 6;
    options.messages = {{{512, 6}, {1'024, 8}, {4'096, 2}}};
    return options;
  }

  TestCores cores_;
  SipWire wire_;
  FuzzPolicy policy_;
  sip::LiteralResolver resolver_;
  sip::TransactionLayer layer_{1, options(), {}, {1, 2}, wire_};
  sip::Proxy proxy_{layer_,    wire_,  policy_,
                    resolver_, {3, 4}, {.contexts = 4, .branches = 6, .waiting_targets = 2}};
};

}  // namespace
}  // namespace sluice::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::test::Fuzzer fuzzer;
  for (std::size_t i = 0; i + 1 < size && i < 400; i += 2) fuzzer.event(data[i], data[i + 1]);
  fuzzer.finish();
  return 0;
}
