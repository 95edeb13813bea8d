// SPDX-License-Identifier: Apache-2.0
#include "dataplane/dpdk/eal_log.h"

#include <dlfcn.h>
#include <rte_log.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <deque>
#include <mutex>
#include <string_view>
#include <utility>

namespace sluice::dataplane {
namespace {

constexpr std::size_t kKept = 4096;
constexpr std::size_t kQuoted = 4;  // lines in an error message

// Process-wide because DPDK's log is.
struct Kept {
  std::mutex mutex;
  std::string text;
  bool verbose = false;
};

Kept& kept() {
  static Kept instance;
  return instance;
}

ssize_t keep(void*, const char* data, std::size_t size) {
  Kept& log = kept();
  const std::scoped_lock lock(log.mutex);
  log.text.append(data, size);
  if (log.text.size() > kKept) log.text.erase(0, log.text.size() - kKept);
  if (log.verbose) std::fwrite(data, 1, size, stderr);
  return static_cast<ssize_t>(size);
}

int keep_formatted(int, const char* format, va_list values) {
  char line[512];
  const int length = std::vsnprintf(line, sizeof line, format, values);
  if (length > 0) keep(nullptr, line, std::min<std::size_t>(length, sizeof line - 1));
  return length;
}

}  // namespace

void EalLog::install_bpf() {
  // Not linked: only this one driver brings them, and only some machines have it.
  for (const auto& [library, function] : {std::pair{"libbpf.so.1", "libbpf_set_print"},
                                          std::pair{"libxdp.so.1", "libxdp_set_print"}}) {
    void* handle = ::dlopen(library, RTLD_NOW | RTLD_NOLOAD);
    if (handle == nullptr) continue;
    using SetPrint = void* (*)(int (*)(int, const char*, va_list));
    if (const auto set = reinterpret_cast<SetPrint>(::dlsym(handle, function)))
      set(&keep_formatted);
    ::dlclose(handle);
  }
}

void EalLog::install(bool verbose) {
  kept().verbose = verbose;
  cookie_io_functions_t functions{};
  functions.write = &keep;
  std::FILE* stream = fopencookie(nullptr, "w", functions);
  if (stream == nullptr) return;
  std::setvbuf(stream, nullptr, _IOLBF, 0);
  rte_openlog_stream(stream);
}

EalLog::Listening::Listening() {
  {
    const std::scoped_lock lock(kept().mutex);
    kept().text.clear();
  }
  rte_log_set_global_level(RTE_LOG_NOTICE);
}

EalLog::Listening::~Listening() {
  if (!kept().verbose) rte_log_set_global_level(RTE_LOG_CRIT);
}

std::string EalLog::Listening::text() const {
  const std::scoped_lock lock(kept().mutex);
  std::deque<std::string_view> lines;
  std::string_view rest = kept().text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (!line.empty()) lines.push_back(line);
    if (lines.size() > kQuoted) lines.pop_front();
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  std::string joined;
  for (const std::string_view line : lines) {
    if (!joined.empty()) joined += "; ";
    joined += line;
  }
  return joined;
}

}  // namespace sluice::dataplane
