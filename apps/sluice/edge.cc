// SPDX-License-Identifier: Apache-2.0
#include "apps/sluice/edge.h"

#include "apps/control/control.h"
#include "apps/control/sd_notify.h"
#include "apps/sluice/views.h"
#include "apps/sluice/wiring.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace sluice {
namespace {

using std::chrono::steady_clock;

// How long a drain waits for transactions that are unanswered: an INVITE may ring for long, but an
// operator who stops a process wants it to stop (systemd's own default is 90 s).
constexpr std::chrono::seconds kDrainLimit{30};
// A core that has not turned for so long is stuck: a handler that blocks or loops.
constexpr std::chrono::seconds kStuck{1};

// SIGTERM and SIGINT as a file descriptor. Blocked before any thread exists, so all inherit it.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    fd_ = signalfd(-1, &set_, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd_ < 0) throw StartError("cannot listen for signals");
  }
  ~Signals() { close(fd_); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // How many have come since the last call.
  int take() noexcept {
    int count = 0;
    signalfd_siginfo info;
    while (read(fd_, &info, sizeof info) == sizeof info) ++count;
    return count;
  }

 private:
  sigset_t set_;
  int fd_;
};

void pin_control_thread(const std::vector<unsigned>& cpus) {
  if (cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned cpu : cpus) CPU_SET(cpu, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

// The control thread's regular work: signals, drain, watchdog, growth of the location table.
class Supervisor {
 public:
  Supervisor(Signals& signals, Wiring& wiring, control::Notifier& notifier)
      : signals_(signals), wiring_(wiring), notifier_(notifier) {
    for (const auto& core : wiring_.cores()) {
      pulses_.push_back({core->loop.pulse(), steady_clock::now(), false});
    }
  }

  void set_control(control::Control& control) { control_ = &control; }

  void drain() {
    if (wiring_.draining()) return;
    wiring_.drain();
    drain_began_ = steady_clock::now();
    notifier_.stopping("draining");
    fmt::print("draining: new work gets 503, {} transactions are unanswered\n",
               wiring_.unanswered());
    std::fflush(stdout);
  }

  void tick() {
    const int signals = signals_.take();
    if (signals > 0) {
      const bool again = wiring_.draining() || signals > 1;
      drain();
      if (again) control_->stop();  // whoever asks twice does not want to wait
    }
    const auto now = steady_clock::now();
    if (wiring_.draining() && (wiring_.unanswered() == 0 || now - drain_began_ > kDrainLimit)) {
      control_->stop();
    }
    watch(now);
    if (now - maintained_ > std::chrono::seconds{5}) {
      maintained_ = now;
      const Online online(wiring_.reader());
      wiring_.location().maintain();
    }
  }

  // Any thread; relaxed.
  control::Health live() const {
    const unsigned stuck = stuck_.load(std::memory_order_relaxed);
    if (stuck == 0) return {};
    return {false, fmt::format("{} cores do not turn", stuck)};
  }

 private:
  struct Pulse {
    std::uint64_t turns;
    steady_clock::time_point seen;
    bool stuck;
  };

  void watch(steady_clock::time_point now) {
    unsigned stuck = 0;
    for (std::size_t i = 0; i < pulses_.size(); ++i) {
      Pulse& pulse = pulses_[i];
      const std::uint64_t turns = wiring_.cores()[i]->loop.pulse();
      if (turns != pulse.turns) {
        if (pulse.stuck) fmt::print("core {} turns again\n", i);
        pulse = {turns, now, false};
      } else if (now - pulse.seen > kStuck) {
        if (!pulse.stuck) fmt::print("core {} has not turned for a second\n", i);
        pulse.stuck = true;
        ++stuck;
      }
    }
    stuck_.store(stuck, std::memory_order_relaxed);
    const auto interval = notifier_.watchdog_interval();
    if (stuck == 0 && interval > Duration::zero() && now - notified_ > interval / 3) {
      notified_ = now;
      notifier_.watchdog();
    }
  }

  Signals& signals_;
  Wiring& wiring_;
  control::Notifier& notifier_;
  control::Control* control_ = nullptr;
  std::vector<Pulse> pulses_;
  std::atomic<unsigned> stuck_{0};
  steady_clock::time_point drain_began_{};
  steady_clock::time_point maintained_{};
  steady_clock::time_point notified_{};
};

void print_banner(const Wiring& wiring, std::uint16_t http_port) {
  const config::Settings& settings = wiring.settings();
  fmt::print("sluice {}: {} cores, {} ports\n", SLUICE_VERSION, wiring.cores().size(),
             wiring.ports().size());
  for (const auto& port : wiring.ports()) {
    for (const std::string& notice : port->notices()) {
      fmt::print("port {}: {}\n", port->info().name, notice);
    }
  }
  for (const config::Listen& listen : settings.listen) {
    fmt::print("listening on sip:{};transport={}\n", listen.local.to_string(),
               uri_name(listen.transport));
  }
  fmt::print("control socket {}", settings.control.socket);
  if (http_port != 0) fmt::print(", http port {}", http_port);
  fmt::print("\n");
  std::fflush(stdout);
}

}  // namespace

int run_edge(const config::Settings& settings) {
  control::Notifier notifier(control::Notifier::environment_socket(),
                             control::Notifier::environment_watchdog());
  Signals signals;  // before any thread: all of them inherit the mask
  Wiring wiring(settings);
  Supervisor supervisor(signals, wiring, notifier);
  control::Sources sources = make_sources(wiring);
  sources.live = [&supervisor] { return supervisor.live(); };
  sources.drain = [&supervisor] { supervisor.drain(); };
  sources.tick = [&supervisor] { supervisor.tick(); };
  control::Control control(wiring.counters(), std::move(sources));
  supervisor.set_control(control);

  wiring.start();
  pin_control_thread(settings.cores.control);
  const auto opened = control.open(settings.control);
  if (!opened) throw StartError(opened.error());
  print_banner(wiring, control.http_port());
  notifier.ready("serving");
  control.run();
  wiring.stop();
  fmt::print("stopped\n");
  return 0;
}

}  // namespace sluice
