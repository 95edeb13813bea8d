// SPDX-License-Identifier: Apache-2.0
//
// sluicectl: asks the daemon, prints the answer.
//
// Exit codes: 0 done; 1 the daemon refused; 2 wrong usage; 3 the daemon cannot be reached.
// See docs/cli.md.
#include "apps/control/protocol.h"
#include "apps/sluicectl/client.h"
#include "apps/sluicectl/completion.h"
#include "apps/sluicectl/show.h"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace sluice::sluicectl {
namespace {

using control::Json;

enum Exit : int { kDone = 0, kRefused = 1, kUsage = 2, kUnreachable = 3 };

struct Options {
  std::string socket{control::kDefaultSocket};
  bool json = false;
  unsigned watch = 0;  // seconds; 0: once
  std::string filter;
  std::size_t limit = control::kMaxRows;
  bool nonzero = true;
  std::string method;  // empty: the command needs no daemon
};

// The method's own name and Kamailio's stand for the command: "ul.dump" is "show registrations".
std::vector<std::string> without_aliases(int argc, char** argv) {
  std::vector<std::string> words;
  bool has_command = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::string_view before = argv[i - 1];
    const bool is_option = word.substr(0, 1) == "-" || before == "--socket" || before == "--watch";
    const bool dotted = word.find('.') != std::string_view::npos;
    const control::Method* method =
        !has_command && !is_option && dotted ? control::find_method(word) : nullptr;
    has_command = has_command || !is_option;
    std::string_view command = method != nullptr ? method->command : std::string_view{};
    if (method == nullptr) words.emplace_back(word);
    while (!command.empty()) {
      const std::size_t blank = command.find(' ');
      words.emplace_back(command.substr(0, blank));
      command = blank == std::string_view::npos ? std::string_view{} : command.substr(blank + 1);
    }
  }
  // CLI11 takes its arguments from the back.
  std::reverse(words.begin(), words.end());
  return words;
}

void add_commands(CLI::App& app, Options& options) {
  constexpr std::string_view kShow = "show ";
  CLI::App* show = app.add_subcommand("show", "Show what the daemon knows.");
  show->require_subcommand(1);
  for (const control::Method& method : control::kMethods) {
    const bool shown = method.command.substr(0, kShow.size()) == kShow;
    const std::string_view name = shown ? method.command.substr(kShow.size()) : method.command;
    std::string help{method.help};
    if (!method.kamcmd.empty()) help.append(" Also: ").append(method.kamcmd);
    CLI::App* command = (shown ? show : &app)->add_subcommand(std::string(name), help);
    command->callback([&options, &method] { options.method = method.name; });
    if (method.name == "registration.list") {
      command->add_option("FILTER", options.filter, "Part of the AoR or of the contact");
      command->add_option("--limit", options.limit, "The most rows")
          ->check(CLI::PositiveNumber)
          ->capture_default_str();
    } else if (method.name == "counter.list") {
      command->add_option("PREFIX", options.filter, "What the counter's name begins with");
      command->add_flag("--nonzero,!--all", options.nonzero,
                        "Leave out what is zero (the default), or do not");
    }
  }
  CLI::App* completion = app.add_subcommand("completion", "Print a completion script.");
  completion->add_subcommand("bash", "For bash: source <(sluicectl completion bash)")->callback([] {
    std::fputs(bash_completion().c_str(), stdout);
  });
  completion->require_subcommand(1);
}

// A listing that comes in pages is put together here.
Json list_registrations(Client& client, const Options& options) {
  Json all = {{"registrations", Json::array()}};
  Json params = Json::object();
  if (!options.filter.empty()) params["filter"] = options.filter;
  for (;;) {
    const std::size_t left = options.limit - all["registrations"].size();
    params["limit"] = std::min(left, control::kMaxRows);
    const Json page = client.call("registration.list", params);
    for (const Json& row : page.value("registrations", Json::array())) {
      all["registrations"].push_back(row);
    }
    const auto cursor = page.find("cursor");
    if (cursor == page.end()) return all;
    if (all["registrations"].size() >= options.limit) {
      all["cursor"] = *cursor;
      return all;
    }
    params["cursor"] = *cursor;
  }
}

Json ask(Client& client, const Options& options) {
  if (options.method == "registration.list") return list_registrations(client, options);
  Json params = Json::object();
  if (options.method == "counter.list") {
    params["nonzero"] = options.nonzero;
    if (!options.filter.empty()) params["prefix"] = options.filter;
  }
  return client.call(options.method, params);
}

void print(const Options& options, const Json& result) {
  const std::string text = options.json
                               ? result.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                               : show(options.method, result);
  // A terminal shows the newest answer in place of the last one.
  if (options.watch != 0 && isatty(STDOUT_FILENO) != 0) std::fputs("\x1b[H\x1b[2J", stdout);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

int run(const Options& options) {
  try {
    Client client(options.socket);
    for (;;) {
      print(options, ask(client, options));
      if (options.watch == 0) return kDone;
      std::this_thread::sleep_for(std::chrono::seconds{options.watch});
    }
  } catch (const Unreachable& error) {
    std::fprintf(stderr, "sluicectl: %s\n", error.what());
    return kUnreachable;
  } catch (const Refused& error) {
    std::fprintf(stderr, "sluicectl: %s\n", error.what());
    return kRefused;
  }
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Asks a running sluice.", "sluicectl"};
  app.require_subcommand(1);
  app.fallthrough();  // global options may follow the command
  app.set_version_flag("--version", "sluicectl " SLUICE_VERSION);
  app.add_option("--socket", options.socket, "The daemon's control socket")
      ->envname("SLUICE_SOCKET")
      ->capture_default_str();
  app.add_flag("--json", options.json, "Print the daemon's answer as JSON");
  app.add_option("--watch", options.watch, "Ask again every N seconds, until interrupted")
      ->check(CLI::Range(1, 86'400));
  app.footer("Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no daemon.");
  add_commands(app, options);
  for (CLI::App* command : app.get_subcommands(nullptr)) {
    command->fallthrough();
    for (CLI::App* inner : command->get_subcommands(nullptr)) inner->fallthrough();
  }
  try {
    app.parse(without_aliases(argc, argv));
  } catch (const CLI::Success& success) {
    return app.exit(success);  // --help, --version
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return kUsage;
  }
  return options.method.empty() ? kDone : run(options);
}

}  // namespace
}  // namespace sluice::sluicectl

int main(int argc, char** argv) {
  return sluice::sluicectl::main(argc, argv);
}
