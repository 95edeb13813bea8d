// SPDX-License-Identifier: Apache-2.0
#include "apps/control/http_server.h"

#include "apps/control/metrics.h"
#include "apps/control/status_page.h"

#include <httplib.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace sluice::control {
namespace {

// httplib::ThreadPool with an end: its queue grows without one. A full queue stops accepting, and
// the kernel keeps the rest waiting.
class BoundedPool final : public httplib::TaskQueue {
 public:
  BoundedPool(unsigned threads, std::size_t most) : most_(most) {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }

  void enqueue(std::function<void()> task) override {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return tasks_.size() < most_; });
    tasks_.push_back(std::move(task));
    some_.notify_one();
  }

  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    some_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      some_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      room_.notify_one();
      lock.unlock();
      task();
    }
  }

  const std::size_t most_;
  std::vector<std::thread> threads_;
  // Under mutex_.
  std::mutex mutex_;
  std::condition_variable some_;
  std::condition_variable room_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
};

void answer_health(const std::function<Health()>& ask, const char* good,
                   httplib::Response& response) {
  const Health health = ask ? ask() : Health{};
  response.status = health.good ? 200 : 503;
  response.set_content((health.good ? good : health.reason) + "\n", "text/plain; charset=utf-8");
}

}  // namespace

struct HttpServer::Running {
  httplib::Server server;
  std::thread thread;
};

HttpServer::HttpServer(const CounterRegistry& counters, const Sources& sources)
    : counters_(counters), sources_(sources) {}

HttpServer::~HttpServer() {
  if (running_ == nullptr) return;
  running_->server.stop();
  running_->thread.join();
}

Result<std::uint16_t, std::string> HttpServer::open(const Endpoint& at) {
  auto running = std::make_unique<Running>();
  httplib::Server& server = running->server;
  server.new_task_queue = [] { return new BoundedPool(kWorkers, kQueue); };
  // The library's default is SO_REUSEPORT: a second daemon would share the port in silence.
  server.set_socket_options([](int fd) {
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  // A client may hold a worker for so long, and no longer.
  server.set_read_timeout(5, 0);
  server.set_write_timeout(5, 0);
  server.set_keep_alive_timeout(1);
  server.set_payload_max_length(4096);

  server.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(exposition(counters_, sources_),
                         "text/plain; version=0.0.4; charset=utf-8");
  });
  server.Get("/live", [this](const httplib::Request&, httplib::Response& response) {
    answer_health(sources_.live, "live", response);
  });
  server.Get("/ready", [this](const httplib::Request&, httplib::Response& response) {
    answer_health(sources_.ready, "ready", response);
  });
  server.Get("/", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(status_page(counters_, sources_), "text/html; charset=utf-8");
  });

  const std::string host = at.address.to_string();
  int port = at.port;
  errno = 0;
  if (port == 0) {
    port = server.bind_to_any_port(host);
  } else if (!server.bind_to_port(host, port)) {
    port = -1;
  }
  if (port < 0) {
    const std::string reason = errno != 0 ? std::strerror(errno) : "cannot bind";
    return fail("control.http " + at.to_string() + ": " + reason);
  }
  running->thread = std::thread([&server] { server.listen_after_bind(); });
  // stop() does nothing before the server runs, and the destructor would wait for ever.
  while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds{1});
  running_ = std::move(running);
  return static_cast<std::uint16_t>(port);
}

}  // namespace sluice::control
