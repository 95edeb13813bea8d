// SPDX-License-Identifier: Apache-2.0
#include "apps/sluicectl/completion.h"

#include "apps/control/protocol.h"

#include <string_view>

namespace sluice::sluicectl {
namespace {

void add_word(std::string& words, std::string_view word) {
  if (word.empty()) return;
  if (!words.empty()) words += ' ';
  words += word;
}

}  // namespace

std::string bash_completion() {
  constexpr std::string_view kShow = "show ";
  std::string first;
  std::string shown;
  std::string dotted;
  add_word(first, "show");
  for (const control::Method& method : control::kMethods) {
    if (method.command.substr(0, kShow.size()) == kShow) {
      add_word(shown, method.command.substr(kShow.size()));
    } else {
      add_word(first, method.command);
    }
    // A bare word is a command of its own; only dotted names are aliases.
    if (method.name.find('.') != std::string_view::npos) add_word(dotted, method.name);
    add_word(dotted, method.kamcmd);
  }
  add_word(first, "completion");
  return R"(# bash completion for sluicectl: source <(sluicectl completion bash)
_sluicectl() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  local command= i
  case $before in
    --socket) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --watch|--limit) COMPREPLY=(); return ;;
    show) mapfile -t COMPREPLY < <(compgen -W ")" +
         shown + R"(" -- "$word"); return ;;
    completion) mapfile -t COMPREPLY < <(compgen -W "bash" -- "$word"); return ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "--all --help --json --limit --nonzero --socket \
      --version --watch" -- "$word")
  elif [[ $word == *.* ]]; then
    mapfile -t COMPREPLY < <(compgen -W ")" +
         dotted + R"(" -- "$word")
  else
    for ((i = 1; i < COMP_CWORD; i++)); do
      case ${COMP_WORDS[i]} in
        --socket|--watch) ((i++)) ;;
        -*) ;;
        *) command=${COMP_WORDS[i]}; break ;;
      esac
    done
    [[ -n $command ]] || mapfile -t COMPREPLY < <(compgen -W ")" +
         first + R"(" -- "$word")
  fi
}
complete -F _sluicectl sluicectl
)";
}

}  // namespace sluice::sluicectl
