#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a machine can check of the house style: clang-format, the licence line, ASCII, 100 columns,
# and no paths of anybody's machine. Prints each offence as file:line; exit code 1 if there is one.
set -u
cd "$(dirname "$0")/.." || exit 2

# Tracked files; in a tarball, all of them.
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
  mapfile -t files < <(git ls-files)
else
  mapfile -t files < <(find . -type f -not -path './build*' -not -path './.git/*' -printf '%P\n')
fi

code=() formatted=() text=()
for file in "${files[@]}"; do
  [[ -f $file ]] || continue
  case $file in
    tests/data/* | LICENSE) continue ;;
  esac
  case $file in
    *.h | *.cc) code+=("$file") formatted+=("$file") ;;
    *.def | *.py | *.sh | *.toml) code+=("$file") ;;
    # Scripts without an extension.
    *) [[ $file != *.* && $(head -c 2 "$file") == '#!' ]] && code+=("$file") ;;
  esac
  text+=("$file")
done

offences=0
report() {  # a heading, and the offences on standard input
  local lines
  lines=$(cat)
  [[ -z $lines ]] && return
  printf '%s:\n%s\n' "$1" "$lines"
  offences=$((offences + $(wc -l <<<"$lines")))
}

# clang-format is not the same from one version to the next; 14 is the project's.
formatter=$(command -v clang-format-14) || {
  echo 'clang-format-14 is not installed' >&2
  exit 2
}
report 'Not as clang-format has it (clang-format-14 -i FILE)' < <(
  ((${#formatted[@]})) &&
    "$formatter" --dry-run --ferror-limit=1 "${formatted[@]}" 2>&1 | grep -E '(warning|error):')

report 'No SPDX line at the top' < <(
  for file in "${code[@]}"; do
    # A script has its interpreter first.
    head -n 2 "$file" | grep -qE '^(//|#) SPDX-License-Identifier: Apache-2\.0$' || echo "$file:1"
  done)

report 'Not ASCII' < <(LC_ALL=C grep -nHP '[^\x00-\x7F]' "${code[@]}")
report 'Longer than 100 columns' < <(grep -nHE '^.{101}' "${formatted[@]}")
# A row of a .def table is a line; scripts hold long commands and sentences.
mapfile -t scripts < <(printf '%s\n' "${code[@]}" | grep -vE '\.(h|cc|def)$')
report 'A script longer than 110 columns' < <(grep -nHE '^.{111}' "${scripts[@]}")
report 'A path of a machine' < <(
  grep -nHIE '(^|[^[:alnum:]_.-])/(work|home|root|Users)/' "${text[@]}")

((offences == 0)) && echo "${#code[@]} files, no offence"
exit $((offences > 0))
