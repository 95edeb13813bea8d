// SPDX-License-Identifier: Apache-2.0
//
// Any text as a configuration file: Settings that keep their promises, or errors with a place and a
// sentence.
#include "config/loader.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// libconfig 1.5 forgets its scan buffer when a string never ends: 64 bytes of a start that fails.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libconfig";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  // Whoever writes the file may have it read any other, and some never end.
  if (text.find("@include") != std::string_view::npos) return 0;
  using namespace sluice::config;
  const auto loaded = load_text(text, "fuzz.cfg", Machine{{0, 1}});
  if (!loaded) {
    if (loaded.error().empty()) std::abort();
    for (const Error& error : loaded.error()) {
      if (error.text.empty() || error.file != "fuzz.cfg") std::abort();
      for (const char c : error.to_string()) {
        if (c < ' ' || c > '~') std::abort();
      }
    }
    return 0;
  }
  if (loaded->ports.empty() || loaded->listen.empty()) std::abort();
  for (const Listen& listen : loaded->listen) {
    if (listen.port >= loaded->ports.size()) std::abort();
  }
  for (const Port& port : loaded->ports) {
    if (port.addresses.empty() || port.queues == 0 || port.mtu < 1280) std::abort();
  }
  return 0;
}
