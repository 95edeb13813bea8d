// SPDX-License-Identifier: Apache-2.0
//
// Any line as a JSON-RPC request: silence, or one line of JSON.
#include "apps/control/rpc.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  using namespace sluice::control;
  static const Counter counter;
  static const CounterInfo info{"a_total", "b=\"c\"", "Help.", MetricKind::Counter};
  static const CounterRegistry registry = [] {
    CounterRegistry out;
    out.add(0, {&info, 1}, {&counter, 1});
    return out;
  }();
  static const Sources sources = [] {
    Sources out;
    out.registrations = [](std::uint64_t position, std::uint32_t budget) {
      RegistrationSlice slice;
      slice.rows.push_back({"a@b", "sip:a", "192.0.2.1:5060", "\xff\x1b", 1, 1000});
      slice.next = position + budget;
      slice.done = slice.next > 100'000;
      return slice;
    };
    return out;
  }();
  const std::string answer =
      Rpc(registry, sources).handle({reinterpret_cast<const char*>(data), size});
  if (answer.empty()) return 0;
  if (answer.find('\n') != answer.size() - 1 || !Json::accept(answer)) std::abort();
  return 0;
}
