// SPDX-License-Identifier: Apache-2.0
//
// The location table and the registrar above it: lookups at 10 k and 1 M AoRs (10 M with
// --ten-million), one by one and in bursts of 32, replacing a record, reading while 50 k writes a
// second happen, and a whole REGISTER without the network. Times in ns, `ticks` are TSC ticks per
// operation, `heap` counts operator new per operation.
//
//   location_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only
#include "tests/apps/registrar_bench.h"

#include <benchmark/benchmark.h>
#include <x86intrin.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {
std::atomic<std::uint64_t> heap_calls{0};
}

[[gnu::noinline]] void* operator new(std::size_t size) {
  heap_calls.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace {

using namespace sluice;

constexpr std::uint32_t kBurst = 32;
constexpr std::uint64_t kWritesPerSecond = 50'000;

// A key as it would lie in a message: in place, not behind a pointer.
struct Name {
  char text[23];
  std::uint8_t length;
  std::string_view view() const { return {text, length}; }
};

Name name_of(std::uint64_t number) {
  Name name;
  const int length =
      std::snprintf(name.text, sizeof name.text, "%08u@example.com", static_cast<unsigned>(number));
  name.length = static_cast<std::uint8_t>(length);
  return name;
}

std::vector<Name> random_names(std::uint64_t aors) {
  std::mt19937_64 random{aors};
  std::vector<Name> names(std::min<std::uint64_t>(aors * 4, 1 << 21));
  for (Name& name : names) name = name_of(random() % aors);
  return names;
}

void put(store::LocationWriter& writer, Core& core, std::string_view aor, std::uint32_t cseq) {
  char contact[64];
  const int length = std::snprintf(contact, sizeof contact, "sip:%.8s@192.0.2.%u:5060", aor.data(),
                                   static_cast<unsigned>(cseq % 250));
  store::Binding binding;
  binding.contact = {contact, static_cast<std::size_t>(length)};
  binding.call_id = "3c26700d5f9b-qj3k2h4x9v7s";
  binding.user_agent = "Yealink SIP-T46S 66.86.0.15";
  binding.received = Endpoint{IpAddress::v4(203, 0, 113, 9), 40000};
  binding.cseq = cseq;
  binding.expires = core.now() + std::chrono::hours{1};
  SLUICE_CHECK(writer.replace(core, writer.location().key(aor), {&binding, 1}));
}

struct Table {
  explicit Table(std::uint64_t aors)
      : location({.expected_aors = aors}, {1, 2}, reclaimer, 1), names(random_names(aors)) {
    for (std::uint64_t i = 0; i < aors; ++i) {
      put(location.writer(0), cores.core(), name_of(i).view(), 1);
    }
    bytes = static_cast<double>(location.writer(0).slab().held() + 16 * location.buckets()) /
            static_cast<double>(aors);
  }

  static rcu::Reclaimer reclaimer;
  store::Location location;
  test::TestCores cores;
  std::vector<Name> names;
  double bytes;
};
rcu::Reclaimer Table::reclaimer;
rcu::Reader& reader() {
  static rcu::Reader the_reader{Table::reclaimer};
  return the_reader;
}

// One table at a time: 10 M AoRs take 3 GB.
Table& table_of(std::int64_t aors) {
  static std::unique_ptr<Table> table;
  static std::int64_t size = 0;
  if (size != aors) {
    reader();
    table.reset();
    table = std::make_unique<Table>(static_cast<std::uint64_t>(aors));
    size = aors;
  }
  return *table;
}

// Ticks per operation, as the median over chunks: what others do on the machine falls out.
class Meter {
 public:
  explicit Meter(benchmark::State& state, std::uint32_t per_iteration = 1)
      : state_(state), per_iteration_(per_iteration), chunk_(512 / per_iteration) {
    chunks_.reserve(1 << 16);
    heap_ = heap_calls;
    start_ = __rdtsc();
  }
  void tick() noexcept {
    if (++in_chunk_ < chunk_) return;
    in_chunk_ = 0;
    const std::uint64_t now = __rdtsc();
    if (chunks_.size() < chunks_.capacity()) chunks_.push_back(now - start_);
    start_ = __rdtsc();
  }
  ~Meter() {
    const std::uint64_t heap = heap_calls - heap_;
    const auto operations = static_cast<double>(state_.iterations()) * per_iteration_;
    if (!chunks_.empty()) {
      std::nth_element(chunks_.begin(), chunks_.begin() + chunks_.size() / 2, chunks_.end());
      state_.counters["ticks"] = static_cast<double>(chunks_[chunks_.size() / 2]) /
                                 static_cast<double>(chunk_ * per_iteration_);
    }
    state_.counters["heap"] = static_cast<double>(heap) / operations;
    state_.SetItemsProcessed(static_cast<std::int64_t>(operations));
  }

 private:
  benchmark::State& state_;
  std::uint32_t per_iteration_, chunk_, in_chunk_ = 0;
  std::vector<std::uint64_t> chunks_;
  std::uint64_t heap_, start_;
};

void BM_LocationFind(benchmark::State& state) {
  Table& table = table_of(state.range(0));
  state.counters["bytes"] = table.bytes;
  std::size_t at = 0;
  std::uint64_t missed = 0;
  {
    Meter meter(state);
    for (auto _ : state) {
      const rcu::ReadScope scope;
      const auto* found = table.location.find(scope, table.location.key(table.names[at].view()));
      missed += found == nullptr || found->size() != 1;
      if (++at == table.names.size()) at = 0;
      meter.tick();
    }
  }
  reader().quiescent();
  if (missed != 0) state.SkipWithError("an AoR was not found");
}

void BM_LocationFindBurst(benchmark::State& state) {
  Table& table = table_of(state.range(0));
  std::vector<store::Location::Query> queries(kBurst);
  std::size_t at = 0;
  std::uint64_t missed = 0;
  {
    Meter meter(state, kBurst);
    for (auto _ : state) {
      const rcu::ReadScope scope;
      for (auto& query : queries) {
        const std::string_view aor = table.names[at].view();
        query = {table.location.key(aor).hash, aor};
        if (++at == table.names.size()) at = 0;
      }
      table.location.find_batch(scope, queries);
      for (const auto& query : queries)
        missed += query.found == nullptr || query.found->size() != 1;
      meter.tick();
    }
  }
  reader().quiescent();
  if (missed != 0) state.SkipWithError("an AoR was not found");
}

void BM_LocationReplace(benchmark::State& state) {
  Table& table = table_of(state.range(0));
  std::size_t at = 0;
  std::uint32_t cseq = 2;
  {
    Meter meter(state);
    for (auto _ : state) {
      put(table.location.writer(0), table.cores.core(), table.names[at].view(), ++cseq);
      if (++at == table.names.size()) at = 0;
      if (at % kBurst == 0) reader().quiescent();
      meter.tick();
    }
  }
  // Leave no debt to the next benchmark.
  table.cores.advance(std::chrono::milliseconds{200});
  reader().quiescent();
  Table::reclaimer.barrier();
}

// range(0) AoRs, range(1) writes a second from another core, spread over the time in bursts of a
// millisecond's worth.
void BM_LocationFindWhileWriting(benchmark::State& state) {
  table_of(1);  // frees the large one
  reader();
  std::atomic<bool> ready{false}, stop{false};
  std::unique_ptr<Table> table;
  std::uint64_t writes = 0;
  double seconds = 0;
  std::thread writer([&] {
    rcu::Reader own{Table::reclaimer};
    table = std::make_unique<Table>(static_cast<std::uint64_t>(state.range(0)));
    ready = true;
    const auto rate = static_cast<std::uint64_t>(state.range(1));
    const auto start = std::chrono::steady_clock::now();
    std::size_t at = table->names.size() / 2;
    while (!stop.load(std::memory_order_relaxed)) {
      seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      while (rate != 0 && static_cast<double>(writes) < seconds * static_cast<double>(rate)) {
        put(table->location.writer(0), table->cores.core(), table->names[at].view(), 7);
        if (++at == table->names.size()) at = 0;
        ++writes;
      }
      own.quiescent();
      own.offline();
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
      own.online();
    }
  });
  {
    rcu::Offline offline{reader()};
    while (!ready) std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  std::size_t at = 0;
  std::uint64_t missed = 0;
  {
    Meter meter(state, kBurst);
    for (auto _ : state) {
      {
        const rcu::ReadScope scope;
        for (std::uint32_t i = 0; i < kBurst; ++i) {
          const auto* found =
              table->location.find(scope, table->location.key(table->names[at].view()));
          missed += found == nullptr || found->size() != 1;
          if (++at == table->names.size()) at = 0;
        }
      }
      reader().quiescent();
      meter.tick();
    }
  }
  stop = true;
  {
    rcu::Offline offline{reader()};
    writer.join();
  }
  state.counters["writes/s"] = static_cast<double>(writes) / seconds;
  table.reset();
  if (missed != 0) state.SkipWithError("an AoR was not found");
}

struct Sink : sip::Responder {
  void respond(Core&, const sip::Response& response) override {
    accepted += response.status == 200;
    bytes += response.headers.size();
  }
  std::uint64_t accepted = 0, bytes = 0;
};

// A REGISTER as phones send it (about 560 B). `user` and `cseq` are overwritten in place.
class Message {
 public:
  Message() {
    text_ =
        "REGISTER sip:example.com SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bK4f2a9c81;rport\r\n"
        "From: \"Desk\" <sip:00000000@example.com>;tag=98ab12\r\n"
        "To: \"Desk\" <sip:00000000@example.com>\r\n"
        "Call-ID: 3c26700d5f9b-qj3k2h4x9v7s\r\n"
        "CSeq: 100000000 REGISTER\r\n"
        "Contact: <sip:00000000@192.168.1.20:5060>;expires=3600\r\n"
        "Max-Forwards: 70\r\n"
        "User-Agent: Yealink SIP-T46S 66.86.0.15\r\n"
        "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER, UPDATE, MESSAGE\r\n"
        "Content-Length: 0\r\n\r\n";
    for (std::size_t at = 0; (at = text_.find("00000000@", at)) != std::string::npos; ++at) {
      users_.push_back(at);
    }
    cseq_ = text_.find("100000000");
  }

  std::string_view text(std::uint64_t user, std::uint64_t cseq) {
    const Name name = name_of(user);
    for (const std::size_t at : users_) std::memcpy(&text_[at], name.text, 8);
    for (std::size_t i = 9; i-- > 1; cseq /= 10) {
      text_[cseq_ + i] = static_cast<char>('0' + cseq % 10);
    }
    return text_;
  }

 private:
  std::string text_;
  std::vector<std::size_t> users_;
  std::size_t cseq_;
};

// range(0) AoRs resident. Only on_request() is timed (`ticks`); `parse` is indexing and checking
// before it.
void BM_Register(benchmark::State& state, bool fresh) {
  const auto resident = static_cast<std::uint64_t>(state.range(0));
  Table& table = table_of(state.range(0));
  registrar::Registrar registrar(table.location.writer(0));
  const registrar::Policy policy({}, {"example.com"});
  Message message;
  Sink sink;
  sip::Inbound in;
  in.source = *Endpoint::parse("203.0.113.9:40000");
  const sip::Limits limits;
  std::mt19937_64 random{1};
  static std::uint64_t next = resident, cseq = 1;
  std::vector<std::uint64_t> ticks, parse_ticks;
  ticks.reserve(1 << 20);
  parse_ticks.reserve(1 << 20);
  std::uint64_t heap = 0, since = 0;
  for (auto _ : state) {
    const std::string_view text = message.text(fresh ? next++ : random() % resident, ++cseq);
    const std::uint64_t t0 = __rdtsc();
    sip::Essentials essentials;
    const bool parsed =
        in.message.parse(as_bytes(text), limits) && sip::check(in.message, limits, essentials);
    const std::uint64_t t1 = __rdtsc();
    const std::uint64_t heap_before = heap_calls.load(std::memory_order_relaxed);
    registrar.on_request(table.cores.core(), policy, sink, in, essentials);
    const std::uint64_t t2 = __rdtsc();
    heap += heap_calls.load(std::memory_order_relaxed) - heap_before;
    if (ticks.size() < ticks.capacity()) {
      ticks.push_back(t2 - t1);
      parse_ticks.push_back(t1 - t0);
    }
    if (!parsed) state.SkipWithError("the message does not parse");
    if (++since == kBurst) {
      since = 0;
      reader().quiescent();
    }
  }
  const auto median = [](std::vector<std::uint64_t>& of) {
    std::nth_element(of.begin(), of.begin() + of.size() / 2, of.end());
    return static_cast<double>(of[of.size() / 2]);
  };
  const auto count = static_cast<double>(state.iterations());
  state.counters["ticks"] = median(ticks);
  state.counters["parse"] = median(parse_ticks);
  state.counters["heap"] = static_cast<double>(heap) / count;
  if (sink.accepted != static_cast<std::uint64_t>(state.iterations())) {
    state.SkipWithError("a REGISTER was refused");
  }
  table.cores.advance(std::chrono::milliseconds{200});
  reader().quiescent();
  Table::reclaimer.barrier();
}

void register_sized(std::int64_t aors) {
  benchmark::RegisterBenchmark("BM_LocationFind", BM_LocationFind)->Arg(aors);
  benchmark::RegisterBenchmark("BM_LocationFindBurst", BM_LocationFindBurst)->Arg(aors);
  benchmark::RegisterBenchmark("BM_LocationReplace", BM_LocationReplace)->Arg(aors);
}

}  // namespace

int main(int argc, char** argv) {
  bool ten_million = false;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--ten-million") {
      ten_million = true;
      std::copy(argv + i + 1, argv + argc, argv + i);
      --argc;
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  const auto refresh = [](benchmark::State& state) { BM_Register(state, false); };
  const auto fresh = [](benchmark::State& state) { BM_Register(state, true); };
  register_sized(10'000);
  benchmark::RegisterBenchmark("BM_Register/refresh", refresh)->Arg(10'000);
  register_sized(1'000'000);
  benchmark::RegisterBenchmark("BM_Register/refresh", refresh)->Arg(1'000'000);
  benchmark::RegisterBenchmark("BM_Register/new", fresh)->Arg(1'000'000)->Iterations(300'000);
  if (ten_million) register_sized(10'000'000);
  benchmark::RegisterBenchmark("BM_LocationFindWhileWriting", BM_LocationFindWhileWriting)
      ->Args({1'000'000, 0})
      ->Args({1'000'000, kWritesPerSecond})
      ->UseRealTime();
  benchmark::RunSpecifiedBenchmarks();
  table_of(1);
  return 0;
}
