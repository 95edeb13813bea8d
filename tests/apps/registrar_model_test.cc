// SPDX-License-Identifier: Apache-2.0
//
// The registrar against a model that anybody can check by reading it: random registers, refreshes,
// removals and queries of a few AoRs, with the clock jumping. Every answer and the table must
// agree.
#include "tests/apps/registrar_bench.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace sluice::registrar {
namespace {

using std::chrono::seconds;
using test::Answer;
using test::Register;
using test::RegistrarBench;

struct ModelBinding {
  std::string contact;
  std::string call_id;
  unsigned cseq;
  Instant expires;
};

struct Asked {
  std::string contact;
  std::uint32_t expires;
};

class Model {
 public:
  // The response code; the bindings change only with 200.
  int request(const std::string& aor, const std::string& call_id, unsigned cseq, bool star,
              const std::vector<Asked>& asked, Instant now) {
    std::vector<ModelBinding>& all = aors_[aor];
    std::erase_if(all, [now](const ModelBinding& one) { return one.expires <= now; });
    std::vector<ModelBinding> next = all;
    const auto same_call = [&](const ModelBinding& one) { return one.call_id == call_id; };
    if (star) {
      for (const auto& one : next) {
        if (same_call(one) && cseq <= one.cseq) return 500;
      }
      next.clear();
    }
    std::size_t repeated = 0, idle = 0;
    for (const Asked& one : asked) {
      if (one.expires > 0 && one.expires < kMin) return 423;
      const auto found = std::find_if(next.begin(), next.end(), [&](const ModelBinding& other) {
        return other.contact == one.contact;
      });
      if (found == next.end()) {
        if (one.expires == 0) {
          ++idle;
        } else {
          next.push_back({one.contact, call_id, cseq, now + granted(one.expires)});
        }
        continue;
      }
      if (same_call(*found) && cseq < found->cseq) return 500;
      if (same_call(*found) && cseq == found->cseq) {
        ++repeated;
      } else if (one.expires == 0) {
        next.erase(found);
      } else {
        *found = {one.contact, call_id, cseq, now + granted(one.expires)};
      }
    }
    if (repeated != 0) return repeated + idle == asked.size() ? 200 : 500;
    if (next.size() > kMost) return 403;
    all = next;
    return 200;
  }

  std::vector<std::string> contacts(const std::string& aor, Instant now) {
    std::vector<std::string> out;
    for (const auto& one : aors_[aor]) {
      if (one.expires <= now) continue;
      const auto left = std::chrono::ceil<seconds>(one.expires - now).count();
      out.push_back("<" + one.contact + ">;expires=" + std::to_string(left));
    }
    return out;
  }

  std::size_t bindings(Instant now) {
    std::size_t total = 0;
    for (const auto& [aor, all] : aors_) {
      total += static_cast<std::size_t>(std::count_if(
          all.begin(), all.end(), [now](const ModelBinding& one) { return one.expires > now; }));
    }
    return total;
  }

  static constexpr std::uint32_t kMin = 60, kMax = 600;
  static constexpr std::size_t kMost = 3;

 private:
  static Duration granted(std::uint32_t asked) { return seconds{std::min(asked, kMax)}; }
  std::map<std::string, std::vector<ModelBinding>> aors_;
};

class RegistrarModel : public testing::TestWithParam<unsigned> {};

TEST_P(RegistrarModel, AgreesWithTheModel) {
  std::mt19937 random{GetParam()};
  const auto below = [&random](unsigned bound) { return static_cast<unsigned>(random() % bound); };
  RegistrarBench bench(
      {.min_expires = Model::kMin, .max_expires = Model::kMax, .max_contacts = Model::kMost});
  Model model;
  for (int step = 0; step < 3000; ++step) {
    const std::string user = "user" + std::to_string(below(5));
    Register request{.to = "<sip:" + user + "@example.com>",
                     .call_id = "call-" + std::to_string(below(3)),
                     .cseq = static_cast<unsigned>(step / 50) + below(4)};
    std::vector<Asked> asked;
    const bool star = below(20) == 0;
    if (star) {
      request.lines = {"Contact: *", "Expires: 0"};
    } else {
      // Distinct contacts: what one request says twice is tested by name.
      std::vector<unsigned> numbers{0, 1, 2, 3, 4};
      std::shuffle(numbers.begin(), numbers.end(), random);
      numbers.resize(below(4));
      for (const unsigned number : numbers) {
        constexpr std::uint32_t kExpires[] = {0, 0, 59, 60, 100, 300, 600, 601, 4'000'000'000};
        const Asked one{"sip:c" + std::to_string(number) + "@192.0.2.1", kExpires[below(9)]};
        // 59 spoils a whole request: keep it rare.
        if (one.expires == 59 && below(4) != 0) continue;
        asked.push_back(one);
        request.lines.push_back("Contact: <" + one.contact +
                                ">;expires=" + std::to_string(one.expires));
      }
    }
    const Instant now = bench.cores.core().now();
    const std::string aor = user + "@example.com";
    const int expected = request.lines.empty()
                             ? 200
                             : model.request(aor, request.call_id, request.cseq, star, asked, now);
    const Answer answer = bench.send(request);
    ASSERT_EQ(answer.status, expected) << "step " << step << "\n" << request.text();
    if (answer.status == 200) {
      ASSERT_EQ(answer.all("Contact"), model.contacts(aor, now)) << "step " << step;
    }
    switch (below(10)) {
      case 0:
        bench.cores.clock.advance(seconds{below(700)});  // timers far behind
        bench.cores.core().refresh_time();
        break;
      case 1:
        bench.cores.clock.advance(std::chrono::milliseconds{below(2000)});
        [[fallthrough]];
      case 2:
        bench.cores.settle();
        ASSERT_EQ(bench.location.bindings(), model.bindings(bench.cores.core().now()))
            << "step " << step;
        break;
      default:
        break;
    }
  }
  bench.cores.clock.advance(seconds{Model::kMax});
  bench.cores.settle();
  bench.cores.advance(seconds{1});
  EXPECT_EQ(bench.location.aors(), 0U);
  EXPECT_EQ(bench.location.bindings(), 0U);
  bench.reader.quiescent();
  bench.reclaimer.barrier();
  EXPECT_EQ(bench.location.writer(0).slab().lent(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RegistrarModel, testing::Range(1U, 9U));

}  // namespace
}  // namespace sluice::registrar
