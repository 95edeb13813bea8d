#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what is missing of ci/packages.txt, the one list of Debian packages that building, testing and
# the lab need. Sourced by ci/up and ci/test.

sluice_install() {
  local root missing=() package
  root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
  while read -r package _; do
    [[ -z "$package" || "$package" == \#* ]] && continue
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done <"$root/ci/packages.txt"
  [[ ${#missing[@]} -eq 0 ]] && return 0
  if [[ $EUID -ne 0 ]]; then
    echo "Missing Debian packages: ${missing[*]}" >&2
    echo "Install them with: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    return 1
  fi
  echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null || true
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>"$root/.apt-errors" || {
    cat "$root/.apt-errors" >&2
    rm -f "$root/.apt-errors"
    return 1
  }
  rm -f "$root/.apt-errors"
}
