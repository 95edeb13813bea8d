// SPDX-License-Identifier: Apache-2.0
#include "config/loader.h"

#include "config/check.h"
#include "config/document.h"

#include <libconfig.h++>
#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sluice::config {
namespace {

using libconfig::Setting;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// How messages call a file. libconfig says nullptr for the text itself and an included file's name
// as it was written, which is beside the main file.
std::string shown(const char* file, const std::string& main_file) {
  if (file == nullptr) return main_file;
  const std::string folder = folder_of(main_file);
  return folder == "." ? file : folder + "/" + file;
}

// libconfig recurses as deep as the file nests; ours has four levels.
constexpr unsigned kDeepest = 16;

class Copier {
 public:
  Copier(std::string main_file, Errors& errors)
      : main_file_(std::move(main_file)), errors_(errors) {}

  Node copy(const Setting& from, unsigned depth = 0) {
    Node to;
    if (const char* name = from.getName()) to.name = name;
    to.place = {shown(from.getSourceFile(), main_file_), std::max(1U, from.getSourceLine())};
    switch (from.getType()) {
      case Setting::TypeString:
        to.kind = Node::Kind::String;
        to.text = from.c_str();
        break;
      case Setting::TypeInt:
      case Setting::TypeInt64:
        to.kind = Node::Kind::Whole;
        to.whole = from.getType() == Setting::TypeInt ? static_cast<int>(from)
                                                      : static_cast<long long>(from);
        to.real = static_cast<double>(to.whole);
        break;
      case Setting::TypeFloat:
        to.kind = Node::Kind::Real;
        to.real = from;
        break;
      case Setting::TypeBoolean:
        to.kind = Node::Kind::Flag;
        to.flag = from;
        break;
      case Setting::TypeGroup:
        to.kind = Node::Kind::Group;
        break;
      case Setting::TypeArray:
        to.kind = Node::Kind::Array;
        break;
      case Setting::TypeList:
      default:
        to.kind = Node::Kind::List;
        break;
    }
    if (!from.isAggregate()) return to;
    if (depth == kDeepest) {
      errors_.push_back({to.place.file, to.place.line, "the file nests too deeply"});
      return to;
    }
    for (int i = 0; i < from.getLength(); ++i) to.children.push_back(copy(from[i], depth + 1));
    return to;
  }

 private:
  const std::string main_file_;
  Errors& errors_;
};

// In the order in which a person reads: the main file first, each from its top.
void sort_as_read(Errors& errors, const std::string& main_file) {
  std::stable_sort(errors.begin(), errors.end(), [&](const Error& a, const Error& b) {
    if (a.file != b.file) {
      if (a.file == main_file || b.file == main_file) return a.file == main_file;
      return a.file < b.file;
    }
    return a.line < b.line;
  });
}

}  // namespace

std::string Error::to_string() const {
  return line == 0 ? file + ": " + text : file + ":" + std::to_string(line) + ": " + text;
}

Machine Machine::here() {
  Machine machine;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) machine.cpus.push_back(cpu);
    }
  }
  return machine;
}

Result<Settings, Errors> load_text(std::string_view text, const std::string& name,
                                   const Machine& machine) {
  Errors errors;
  try {
    libconfig::Config file;
    file.setIncludeDir(folder_of(name).c_str());
    file.readString(std::string(text));
    const Node root = Copier(name, errors).copy(file.getRoot());
    Settings settings = check(root, machine, errors);
    if (errors.empty()) return settings;
  } catch (const libconfig::ParseException& bad) {
    errors.push_back(
        {shown(bad.getFile(), name), static_cast<unsigned>(bad.getLine()), bad.getError()});
  } catch (const std::exception& bad) {
    errors.push_back({name, 0, bad.what()});
  }
  sort_as_read(errors, name);
  return fail(std::move(errors));
}

Result<Settings, Errors> load_file(const std::string& path, const Machine& machine) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || std::filesystem::is_directory(path)) return fail(Errors{{path, 0, "cannot be read"}});
  // An empty file puts nothing into the stream, which is no failure to read.
  if (in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();
  return load_text(text.str(), path, machine);
}

}  // namespace sluice::config
