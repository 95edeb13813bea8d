// SPDX-License-Identifier: Apache-2.0
//
// A registrar on a bench: one core, a manual clock, requests from text, answers as data.
#pragma once

#include "apps/registrar/registrar.h"
#include "dal/rcu/reader.h"
#include "dal/rcu/reclaimer.h"
#include "sipcore/parse/limits.h"
#include "tests/support/test_cores.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::test {

struct Answer : sip::Responder {
  std::uint16_t status = 0;
  int count = 0;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> headers;

  void respond(Core&, const sip::Response& response) override {
    ++count;
    status = response.status;
    reason = response.reason;
    for (const auto& header : response.headers) headers.emplace_back(header.name, header.value);
  }

  std::vector<std::string> all(std::string_view name) const {
    std::vector<std::string> out;
    for (const auto& [key, value] : headers) {
      if (key == name) out.push_back(value);
    }
    return out;
  }
  std::string get(std::string_view name) const {
    const auto found = all(name);
    return found.empty() ? std::string{} : found.front();
  }
};

// The text of a REGISTER; change what a test is about.
struct Register {
  std::string to = "<sip:alice@example.com>";
  std::string call_id = "call-1";
  unsigned cseq = 1;
  std::string via = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1";
  // Whole lines, without CRLF: "Contact: <sip:...>", "Expires: 60".
  std::vector<std::string> lines = {};

  std::string text() const {
    std::string out = "REGISTER sip:example.com SIP/2.0\r\nVia: " + via +
                      "\r\nMax-Forwards: 70\r\nFrom: " + to + ";tag=1\r\nTo: " + to +
                      "\r\nCall-ID: " + call_id + "\r\nCSeq: " + std::to_string(cseq) +
                      " REGISTER\r\n";
    for (const auto& line : lines) out += line + "\r\n";
    return out + "Content-Length: 0\r\n\r\n";
  }
};

class RegistrarBench {
 public:
  explicit RegistrarBench(const registrar::Options& options = {})
      : policy(options, {"Example.com", "example.net"}),
        location({.expected_aors = 1000}, {1, 2}, reclaimer, 1),
        registrar(location.writer(0)) {
    source = *Endpoint::parse("192.0.2.1:5060");
  }

  // False if the parser refuses the text: then it never reaches a registrar.
  bool try_send(std::string_view text, Answer& answer) {
    sip::Inbound in;
    in.bytes = OwnedBytes::copy_of(as_bytes(text));
    in.source = source;
    in.flow = flow;
    in.listener = 3;
    in.transport = transport;
    const sip::Limits limits;
    sip::Essentials essentials;
    if (!in.message.parse(in.bytes.view(), limits)) return false;
    if (!in.message.is_request() || !sip::check(in.message, limits, essentials)) return false;
    registrar.on_request(cores.core(), policy, answer, in, essentials);
    reader.quiescent();
    return true;
  }

  Answer send(const Register& request) {
    Answer answer;
    const bool parsed = try_send(request.text(), answer);
    SLUICE_CHECK(parsed);
    return answer;
  }

  // Bindings as the table has them.
  std::vector<std::string> contacts(std::string_view aor) {
    const rcu::ReadScope scope;
    std::vector<std::string> out;
    if (const auto* record = location.find(scope, location.key(aor))) {
      for (std::uint32_t i = 0; i < record->size(); ++i) out.emplace_back((*record)[i].contact);
    }
    return out;
  }

  std::uint64_t count(registrar::RegistrarCounter which) const {
    return registrar.counters()[which].value();
  }

  rcu::Reclaimer reclaimer;
  rcu::Reader reader{reclaimer};
  registrar::Policy policy;
  store::Location location;
  registrar::Registrar registrar;
  TestCores cores;
  Endpoint source;
  FlowId flow;
  Transport transport = Transport::Udp;
};

}  // namespace sluice::test
