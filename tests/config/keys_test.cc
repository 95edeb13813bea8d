// SPDX-License-Identifier: Apache-2.0
#include "config/keys.h"

#include "config/loader.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace sluice::config {
namespace {

TEST(Keys, RowsAreUniqueAndStandInAGroupOfTheTable) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  std::set<std::string> groups{""};
  for (const KeyInfo& key : keys()) {
    EXPECT_TRUE(seen.insert({key.group, key.name}).second) << key.group << "." << key.name;
    EXPECT_TRUE(groups.count(std::string(key.group))) << key.group << " before its row";
    EXPECT_FALSE(key.help.empty()) << key.name;
    std::string path{key.group};
    if (!path.empty()) path += '.';
    path += key.name;
    if (key.shape == Shape::Group) groups.insert(path);
    if (key.shape == Shape::Groups) groups.insert(path + "[]");
  }
}

// A file in which only `key` is given, with a value of a type that no key has there.
std::string file_with_wrong_type(const KeyInfo& key) {
  std::string text =
      std::string(key.name) +
      (key.shape == Shape::Groups || key.shape == Shape::Group ? " = 1;" : " = { };");
  std::string group{key.group};
  while (!group.empty()) {
    const std::size_t dot = group.rfind('.');
    std::string name = dot == std::string::npos ? group : group.substr(dot + 1);
    group = dot == std::string::npos ? "" : group.substr(0, dot);
    const bool list = name.size() > 2 && name.substr(name.size() - 2) == "[]";
    if (list) name.resize(name.size() - 2);
    text = name + (list ? " = ( { " + text + " } );" : " = { " + text + " };");
  }
  return text;
}

// A row that nobody reads would be a key that is taken in silence and does nothing.
TEST(Keys, EveryRowIsReadAndItsTypeChecked) {
  for (const KeyInfo& key : keys()) {
    const std::string text = file_with_wrong_type(key);
    const auto loaded = load_text(text, "sluice.cfg", Machine{});
    ASSERT_FALSE(loaded) << text;
    bool found = false;
    for (const Error& error : loaded.error()) {
      found |= error.text.find(std::string(key.name) + " must be " + expectation(key) +
                               "; found") != std::string::npos;
    }
    EXPECT_TRUE(found) << text;
  }
}

TEST(Keys, NearestForgivesTwoSlipsInALongWord) {
  EXPECT_EQ(nearest_key("", "ports"), find_key("", "ports"));
  EXPECT_EQ(nearest_key("", "prots"), find_key("", "ports"));
  EXPECT_EQ(nearest_key("", "registar"), find_key("", "registrar"));
  EXPECT_EQ(nearest_key("", "capcty"), find_key("", "capacity"));
  EXPECT_EQ(nearest_key("", "intercept"), nullptr);
  EXPECT_EQ(nearest_key("timers", "tx"), nullptr);
  EXPECT_EQ(nearest_key("", std::string(1000, 'p')), nullptr);
}

// The reference in the manual is printed from the table. To renew it after a change of the table:
//   SLUICE_UPDATE_DOCS=1 build/tests/config/config_test --gtest_filter='Keys.*'
TEST(Keys, ManualPrintsTheTable) {
  const std::string path = SLUICE_SOURCE_DIR "/docs/configuration.md";
  std::stringstream manual;
  manual << std::ifstream(path).rdbuf();
  std::string text = manual.str();
  const std::string begin = "<!-- keys: printed from config/keys.cc -->\n";
  const std::string end = "<!-- end of keys -->\n";
  const std::size_t from = text.find(begin);
  const std::size_t to = text.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const std::string want = "\n" + reference_markdown();
  const std::string have = text.substr(from + begin.size(), to - from - begin.size());
  if (std::getenv("SLUICE_UPDATE_DOCS") != nullptr) {
    text.replace(from + begin.size(), have.size(), want);
    std::ofstream(path) << text;
    return;
  }
  EXPECT_EQ(have, want);
}

}  // namespace
}  // namespace sluice::config
