// SPDX-License-Identifier: Apache-2.0
//
// What a message costs: index only, checked, fully decoded, answered, relayed. In ns and in TSC
// ticks, a message and a byte. BM_<work>/<message>; "mix" is a shuffled day's traffic.
//
//   parse_bench --benchmark_repetitions=7 --benchmark_report_aggregates_only=true
#include "perf/micro/sip_corpus.h"
#include "sipcore/parse/sanity.h"
#include "sipcore/parse/scan.h"
#include "sipcore/write/edit_list.h"
#include "sipcore/write/response.h"

#include <benchmark/benchmark.h>
#include <x86intrin.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

namespace sluice::sip {
namespace {

using perf::Corpus;

constexpr std::size_t kDistinct = 1024;

const Corpus& corpus(const std::string& name) {
  static std::map<std::string, Corpus> all;
  auto found = all.find(name);
  if (found == all.end()) {
    if (name == "mix") {
      found = all.emplace(name, Corpus({{"register", 600},
                                        {"invite", 450},
                                        {"ok_invite", 900},
                                        {"invite_in_dialog", 450},
                                        {"options", 600}}))
                  .first;
    } else {
      found = all.emplace(name, Corpus(perf::read_vector(name), kDistinct)).first;
    }
  }
  return found->second;
}

// Runs work(message text) over the corpus again and again. The ticks are the median of small groups
// of messages: what else runs on the core does not count.
template <typename Work>
void run(benchmark::State& state, const std::string& name, Work&& work) {
  constexpr std::size_t kGroup = 16;
  struct Group {
    double ticks;
    double bytes;
  };
  const Corpus& messages = corpus(name);
  std::vector<Group> groups;
  groups.reserve(1 << 16);
  std::size_t next = 0;
  std::uint64_t bytes = 0;
  std::uint64_t begin = __rdtsc();
  std::size_t in_group = 0;
  std::uint64_t group_bytes = 0;
  for (auto _ : state) {
    const std::string& text = messages.messages()[next];
    if (++next == messages.messages().size()) next = 0;
    bytes += text.size();
    group_bytes += text.size();
    work(text);
    if (++in_group == kGroup) {
      const std::uint64_t end = __rdtsc();
      if (groups.size() < groups.capacity()) {
        groups.push_back({static_cast<double>(end - begin), static_cast<double>(group_bytes)});
      }
      in_group = 0;
      group_bytes = 0;
      begin = __rdtsc();
    }
  }
  state.counters["bytes"] = messages.mean_size();
  if (!groups.empty()) {
    const auto middle = groups.begin() + static_cast<std::ptrdiff_t>(groups.size() / 2);
    std::nth_element(groups.begin(), middle, groups.end(), [](const Group& a, const Group& b) {
      return a.ticks / a.bytes < b.ticks / b.bytes;
    });
    state.counters["ticks"] = middle->ticks / middle->bytes * messages.mean_size();
    state.counters["ticks/B"] = middle->ticks / middle->bytes;
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["MB/s"] =
      benchmark::Counter(static_cast<double>(bytes) / 1e6, benchmark::Counter::kIsRate);
}

void must(bool good) {
  if (!good) std::abort();
}

void BM_Index(benchmark::State& state, const std::string& name) {
  Message message;
  const Limits limits;
  run(state, name, [&](const std::string& text) {
    must(static_cast<bool>(message.parse(as_bytes(text), limits)));
    benchmark::DoNotOptimize(message);
  });
}

void BM_IndexAndCheck(benchmark::State& state, const std::string& name) {
  Message message;
  Essentials essentials;
  const Limits limits;
  run(state, name, [&](const std::string& text) {
    must(message.parse(as_bytes(text), limits) && check(message, limits, essentials));
    benchmark::DoNotOptimize(essentials);
  });
}

// The lower Vias, every Contact, Route and Record-Route value and its URI: what check() does not
// decode.
void decode_rest(const Message& message) {
  bool top = true;
  for_each_value(message, HeaderId::Via, [&top](std::string_view value, const HeaderField&) {
    if (top) {
      top = false;
      return true;
    }
    benchmark::DoNotOptimize(parse_via(value));
    return true;
  });
  for (const HeaderId id : {HeaderId::Contact, HeaderId::Route, HeaderId::RecordRoute}) {
    for_each_value(message, id, [](std::string_view value, const HeaderField&) {
      const auto address = parse_name_addr(value);
      must(address && parse_uri(address->uri));
      return true;
    });
  }
}

void BM_FullDecode(benchmark::State& state, const std::string& name) {
  Message message;
  Essentials essentials;
  const Limits limits;
  run(state, name, [&](const std::string& text) {
    must(message.parse(as_bytes(text), limits) && check(message, limits, essentials));
    decode_rest(message);
    benchmark::DoNotOptimize(essentials);
  });
}

void BM_WriteResponse(benchmark::State& state, const std::string& name) {
  Message message;
  must(static_cast<bool>(message.parse(as_bytes(corpus(name).messages()[0]), {})));
  const Endpoint source{IpAddress::v4(198, 18, 0, 21), 5060};
  std::array<std::uint8_t, 4096> out;
  run(state, name, [&](const std::string&) {
    benchmark::DoNotOptimize(write_response(message, source, "as2f9c11d0", {.status = 200}, out));
  });
}

// What a proxy changes: a Via and a Record-Route on top, Max-Forwards, the Request-URI.
void BM_Relay(benchmark::State& state, const std::string& name) {
  Message message;
  must(static_cast<bool>(message.parse(as_bytes(corpus(name).messages()[0]), {})));
  std::array<std::uint8_t, 4096> out;
  run(state, name, [&](const std::string&) {
    EditList edits(message);
    const std::uint32_t via = message.find(HeaderId::Via)->line.offset;
    edits.insert(via, edits.keep({"Via: SIP/2.0/UDP 198.19.0.2:5060;branch=z9hG4bK",
                                  "0123456789abcdef", "\r\n"}));
    edits.insert(via, "Record-Route: <sip:198.19.0.2:5060;lr>\r\n");
    edits.replace(message.find(HeaderId::MaxForwards)->value, edits.keep_number(69));
    edits.replace(message.request_uri_slice(), "sip:bob@198.19.0.40:5060");
    must(edits.ok() && edits.size() <= out.size());
    benchmark::DoNotOptimize(edits.write(out.data()));
    benchmark::DoNotOptimize(out);
  });
}

void BM_Copy(benchmark::State& state, const std::string& name) {
  std::array<std::uint8_t, 4096> out;
  run(state, name, [&](const std::string& text) {
    std::memcpy(out.data(), text.data(), text.size());
    benchmark::DoNotOptimize(out);
  });
}

void BM_Via(benchmark::State& state) {
  constexpr std::string_view kValue =
      "SIP/2.0/UDP 198.18.0.21:5060;rport;branch=z9hG4bKPj4f1c0d6a-3b7e-4c55-9a1e";
  for (auto _ : state) benchmark::DoNotOptimize(parse_via(kValue));
}
BENCHMARK(BM_Via);

void BM_NameAddr(benchmark::State& state) {
  constexpr std::string_view kValue = "\"Alice Example\" <sip:alice@example.com>;tag=8d3fa1c27b";
  for (auto _ : state) benchmark::DoNotOptimize(parse_name_addr(kValue));
}
BENCHMARK(BM_NameAddr);

void BM_Uri(benchmark::State& state) {
  constexpr std::string_view kValue = "sip:alice@198.18.0.21:5060;transport=udp;ob";
  for (auto _ : state) benchmark::DoNotOptimize(parse_uri(kValue));
}
BENCHMARK(BM_Uri);

void BM_HeaderFrom(benchmark::State& state) {
  constexpr std::array<std::string_view, 8> kNames = {
      "Via",     "From",       "Call-ID",   "Content-Length",
      "Contact", "User-Agent", "Supported", "X-Unknown"};
  std::size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(header_from(kNames[next++ % kNames.size()]));
}
BENCHMARK(BM_HeaderFrom);

void register_all() {
  const std::array<std::string, 6> names = {"invite",  "invite_in_dialog", "register",
                                            "options", "ok_invite",        "mix"};
  using Function = void (*)(benchmark::State&, const std::string&);
  const std::array<std::pair<const char*, Function>, 4> works = {
      {{"BM_Copy", BM_Copy},
       {"BM_Index", BM_Index},
       {"BM_IndexAndCheck", BM_IndexAndCheck},
       {"BM_FullDecode", BM_FullDecode}}};
  for (const auto& [work, function] : works) {
    for (const std::string& name : names) {
      benchmark::RegisterBenchmark((std::string(work) + "/" + name).c_str(), function, name);
    }
  }
  for (const std::string& name : {names[0], names[2], names[3]}) {
    benchmark::RegisterBenchmark(("BM_WriteResponse/" + name).c_str(), BM_WriteResponse, name);
    benchmark::RegisterBenchmark(("BM_Relay/" + name).c_str(), BM_Relay, name);
  }
}

}  // namespace
}  // namespace sluice::sip

int main(int argc, char** argv) {
  sluice::sip::register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
