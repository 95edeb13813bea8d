// SPDX-License-Identifier: Apache-2.0
//
// A session of requests through the registrar. The input is cut at NUL; of each part the first byte
// moves the clock, and the rest is a whole message or, where it does not start like one, header
// lines of a REGISTER for one of four AoRs. Whatever comes: one answer each, a table that keeps its
// bounds, and nothing left once everything has expired.
#include "tests/apps/registrar_bench.h"

#include <cstdlib>
#include <string>

namespace {

using sluice::test::Answer;

constexpr std::uint32_t kMostContacts = 5;

void require(bool condition) {
  if (!condition) std::abort();
}

void feed(sluice::test::RegistrarBench& bench, std::string_view part) {
  const auto first = static_cast<unsigned char>(part.front());
  part.remove_prefix(1);
  bench.cores.clock.advance(std::chrono::seconds{first / 4});
  if (first % 2 == 0) bench.cores.settle();
  bench.cores.core().refresh_time();
  bench.source.port = static_cast<std::uint16_t>(1024 + first);

  std::string text;
  if (part.starts_with("REGISTER ")) {
    text = part;
  } else {
    sluice::test::Register request;
    request.to = "<sip:user" + std::to_string(first % 4) + "@example.com>";
    request.cseq = first;
    request.lines = {std::string(part)};
    text = request.text();
  }
  Answer answer;
  if (!bench.try_send(text, answer)) return;
  require(answer.count == 1);
  require(answer.status >= 200 && answer.status < 600);
  require(answer.all("Contact").size() <= kMostContacts);
  for (const auto& [name, value] : answer.headers) {
    require(value.find_first_of("\r\n") == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto& bench = *new sluice::test::RegistrarBench({.max_contacts = kMostContacts});
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    if (!part.empty()) feed(bench, part);
  }
  bench.cores.clock.advance(std::chrono::seconds{bench.policy.options().max_expires + 1});
  bench.cores.settle();
  bench.cores.advance(std::chrono::seconds{1}, std::chrono::milliseconds{500});
  require(bench.location.aors() == 0);
  require(bench.location.bindings() == 0);
  require(bench.cores.core().timers.size() == 0);
  return 0;
}
