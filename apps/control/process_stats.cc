// SPDX-License-Identifier: Apache-2.0
#include "apps/control/process_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace sluice::control {
namespace {

// /proc/stat: "btime <seconds since the epoch>".
double boot_time() {
  std::ifstream in("/proc/stat");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("btime ", 0) == 0) return std::stod(line.substr(6));
  }
  return 0;
}

// proc(5): the fields of /proc/self/stat after the command's name, which may hold blanks and
// parentheses. The first of them is field 3, "state".
std::vector<std::string> stat_fields() {
  std::ifstream in("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::size_t close = text.rfind(')');
  if (close == std::string::npos) return {};
  std::istringstream rest(text.substr(close + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

}  // namespace

ProcessStats read_process_stats() {
  ProcessStats out;
  const std::vector<std::string> fields = stat_fields();
  const auto field = [&](std::size_t number) { return std::stod(fields[number - 3]); };
  if (fields.size() >= 22) {
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    out.cpu_seconds = (field(14) + field(15)) / ticks;
    out.threads = field(20);
    out.start_time = boot_time() + field(22) / ticks;
    out.virtual_bytes = field(23);
    out.resident_bytes = field(24) * static_cast<double>(sysconf(_SC_PAGESIZE));
  }
  std::error_code ignored;
  const std::filesystem::directory_iterator fds("/proc/self/fd", ignored);
  out.open_fds = static_cast<double>(std::distance(begin(fds), end(fds)));
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) out.max_fds = static_cast<double>(limit.rlim_cur);
  return out;
}

}  // namespace sluice::control
