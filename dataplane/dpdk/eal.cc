// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/eal.h"

#include "dataplane/dpdk/device.h"
#include "dataplane/dpdk/eal_log.h"

#include <fmt/format.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <utility>

namespace sluice::dataplane {
namespace {

std::uint64_t free_hugepage_megabytes() {
  std::uint64_t kilobytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", error)) {
    // hugepages-2048kB
    const std::string name = entry.path().filename().string();
    const std::size_t dash = name.find('-');
    if (dash == std::string::npos) continue;
    std::uint64_t pages = 0;
    std::ifstream(entry.path() / "free_hugepages") >> pages;
    kilobytes += pages * std::strtoull(name.c_str() + dash + 1, nullptr, 10);
  }
  return kilobytes / 1024;
}

std::string describe(const cpu_set_t& cpus) {
  std::string text;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &cpus)) text += (text.empty() ? "" : ",") + std::to_string(cpu);
  }
  return text;
}

// notes on net_tap: the driver arms a real-time signal for every packet. Blocked here, before EAL
// makes its threads, so that all of them inherit it. An overflow of the signal queue is reported as
// SIGIO, which would end the process.
void block_tap_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) sigaddset(&signals, number);
  sigaddset(&signals, SIGIO);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

// The plan as EAL wants it: "0@0,1@0,2@(0,1)"; the main lcore comes last and keeps all CPUs.
Result<std::string, std::string> lcores_argument(const EalOptions& options,
                                                 const cpu_set_t& allowed, unsigned main_lcore) {
  std::string text;
  for (const LcorePlan& plan : options.lcores) {
    if (plan.cpu >= CPU_SETSIZE || !CPU_ISSET(plan.cpu, &allowed)) {
      return fail(fmt::format("cores: CPU {} is not available to this process (it may use {})",
                              plan.cpu, describe(allowed)));
    }
    if (plan.lcore >= main_lcore) {
      return fail(fmt::format("cores: core number {} is above {}, the most this build of DPDK has",
                              plan.lcore, RTE_MAX_LCORE - 2));
    }
    const auto same = [&](const LcorePlan& other) { return other.lcore == plan.lcore; };
    if (std::count_if(options.lcores.begin(), options.lcores.end(), same) > 1) {
      return fail(fmt::format("cores: core {} is in the plan twice", plan.lcore));
    }
    text += fmt::format("{}@{},", plan.lcore, plan.cpu);
  }
  return text + fmt::format("{}@({})", main_lcore, describe(allowed));
}

}  // namespace

struct Eal::Task {
  std::function<void()> work;

  static int run(void* task) {
    static_cast<Task*>(task)->work();
    return 0;
  }
};

Eal::Eal(std::vector<LcorePlan> lcores, bool hugepages)
    : lcores_(std::move(lcores)), hugepages_(hugepages) {
  for (std::size_t i = 0; i < lcores_.size(); ++i) tasks_.push_back(std::make_unique<Task>());
}

Eal::~Eal() {
  join_all();
  rte_eal_cleanup();
}

Result<std::unique_ptr<Eal>, std::string> Eal::start(const EalOptions& options) {
  const std::uint64_t huge_mb = free_hugepage_megabytes();
  const bool enough = huge_mb >= options.memory_mb;
  if (options.hugepages == Hugepages::Require && !enough) {
    return fail(fmt::format(
        "hugepages are required but only {} MB of them are free and {} MB are asked for; run: "
        "echo {} > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
        huge_mb, options.memory_mb, (options.memory_mb + 1) / 2));
  }
  const bool hugepages = enough && options.hugepages != Hugepages::Never;

  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
    return fail(std::string("cores: the CPUs of this process cannot be read (sched_getaffinity)"));
  }
  constexpr unsigned kMainLcore = RTE_MAX_LCORE - 1;
  auto lcores = lcores_argument(options, allowed, kMainLcore);
  if (!lcores) return fail(std::move(lcores.error()));

  std::vector<std::string> arguments{"sluice",
                                     "--lcores",
                                     *lcores,
                                     "--main-lcore",
                                     std::to_string(kMainLcore),
                                     "-m",
                                     std::to_string(options.memory_mb),
                                     "--file-prefix",
                                     fmt::format("sluice-{}", ::getpid()),
                                     "--no-telemetry"};
  // --no-huge excludes --in-memory; both keep EAL from leaving files behind.
  if (hugepages) {
    arguments.emplace_back("--in-memory");
  } else {
    arguments.insert(arguments.end(), {"--no-huge", "--no-shconf"});
  }
  bool pci = false;
  for (const std::string& text : options.devices) {
    const auto device = Device::parse(text);
    if (!device || device->driver() != Driver::Pci) continue;
    if (std::string obstacle = device->find_obstacle(hugepages); !obstacle.empty()) {
      return fail(std::move(obstacle));
    }
    pci = true;
    arguments.insert(arguments.end(), {"-a", device->to_string()});
  }
  if (!pci) arguments.insert(arguments.end(), {"--no-pci", "--iova-mode=va"});

  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  block_tap_signals();
  EalLog::install(options.verbose);
  const EalLog::Listening listening;
  if (rte_eal_init(static_cast<int>(argv.size() - 1), argv.data()) < 0) {
    std::string said = listening.text();
    return fail(fmt::format("DPDK does not start with {} MB of {}: {}", options.memory_mb,
                            hugepages ? "hugepages" : "ordinary memory",
                            said.empty() ? rte_strerror(rte_errno) : said));
  }
  // EAL has made a directory for files that --no-shconf keeps it from writing, and would leave it
  // behind.
  ::rmdir(rte_eal_get_runtime_dir());
  return std::unique_ptr<Eal>(new Eal(options.lcores, hugepages));
}

bool Eal::launch(unsigned lcore, std::function<void()> work) {
  for (std::size_t i = 0; i < lcores_.size(); ++i) {
    if (lcores_[i].lcore != lcore) continue;
    if (rte_eal_get_lcore_state(lcore) != WAIT) return false;
    tasks_[i]->work = std::move(work);
    return rte_eal_remote_launch(&Task::run, tasks_[i].get(), lcore) == 0;
  }
  return false;
}

void Eal::join(unsigned lcore) {
  for (const LcorePlan& plan : lcores_) {
    if (plan.lcore == lcore) rte_eal_wait_lcore(lcore);
  }
}

void Eal::join_all() {
  for (const LcorePlan& plan : lcores_) rte_eal_wait_lcore(plan.lcore);
}

}  // namespace sluice::dataplane
