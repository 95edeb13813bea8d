// SPDX-License-Identifier: Apache-2.0
//
// The daemon: sluice --config FILE | sluice check FILE... | sluice --version
//
// Exit codes: 0 done; 1 the configuration is wrong; 2 the machine does not let it start; 64 usage.

#include "apps/sluice/edge.h"
#include "config/loader.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

constexpr int kBadConfiguration = 1;
constexpr int kCannotStart = 2;
constexpr int kUsage = 64;

// Prints every mistake; nullopt if there was one.
std::optional<sluice::config::Settings> load(const std::string& path) {
  auto settings = sluice::config::load_file(path, sluice::config::Machine::here());
  if (settings) return std::move(*settings);
  for (const auto& error : settings.error()) {
    std::fprintf(stderr, "%s\n", error.to_string().c_str());
  }
  return std::nullopt;
}

int check(const std::vector<std::string>& files) {
  int result = 0;
  for (const std::string& file : files) {
    if (load(file)) {
      std::printf("%s: good\n", file.c_str());
    } else {
      result = kBadConfiguration;
    }
  }
  return result;
}

int run(const std::string& file) {
  const auto settings = load(file);
  if (!settings) return kBadConfiguration;
  try {
    return sluice::run_edge(*settings);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sluice: %s\n", error.what());
    return kCannotStart;
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"sluice: a SIP edge on DPDK"};
  app.set_version_flag("--version", std::string("sluice ") + SLUICE_VERSION);
  std::string file;
  app.add_option("--config,-c", file, "run in the foreground with this configuration file");
  CLI::App* check_command =
      app.add_subcommand("check", "check configuration files and start nothing");
  std::vector<std::string> files;
  check_command->add_option("FILE", files, "configuration files")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kUsage;
  }
  if (check_command->parsed()) return check(files);
  if (file.empty()) {
    std::fputs("sluice: say --config FILE, check FILE or --help\n", stderr);
    return kUsage;
  }
  return run(file);
}
