#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The one list of Debian 12 packages, by what they are for, and the function that installs the
# missing ones. Other scripts source this file; by hand:
#   scripts/packages.sh --list run test      prints the names
#   scripts/packages.sh run test             installs what is missing (root or sudo)
# Not a list of everything useful: a package stands here when a line of CMake or a script needs it.
set -euo pipefail

# shellcheck disable=SC2034  # the lists are read by name, in list_packages
{
# Builds and runs the program. Boost is headers only (Asio and Beast need no library of it);
# ca-certificates is what `ingot data get` checks a server by.
packages_run="g++ cmake ninja-build pkg-config libfmt-dev libssl-dev nlohmann-json3-dev
  libyaml-cpp-dev libutf8proc-dev zlib1g-dev liblzma-dev libpng-dev libjpeg-dev
  libhwy-dev libboost1.81-dev ca-certificates"
# Builds the tests. The sanitizer builds need nothing more: their runtimes come with g++.
packages_test="libgtest-dev"
# The repository's own rules (scripts/check_house.py, scripts/format.sh).
packages_house="python3 clang-format"
# libFuzzer comes with clang's runtime.
packages_fuzz="clang libclang-rt-14-dev"
# Working on the code: lint, a compiler cache.
packages_dev="clang-tidy ccache"
# scripts/chroot_check.sh
packages_chroot="debootstrap git"
}

# The names of the groups given as arguments, one per line.
list_packages() {
  local group names
  for group in "$@"; do
    names="packages_${group}"
    if [[ -z "${!names:-}" ]]; then
      echo "packages: unknown group \"${group}\". Known: run test house fuzz dev chroot" >&2
      return 2
    fi
    # shellcheck disable=SC2086  # the list is split on purpose
    printf '%s\n' ${!names}
  done
}

is_installed() {
  [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true)" == installed ]]
}

# Installs what is missing of the groups given as arguments, and says what it installs.
install_packages() {
  local listed name missing=() as_root=()
  listed="$(list_packages "$@")" || return
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "packages: no apt-get here, so nothing is installed. Needed, by their Debian 12 names:" \
      "${listed//$'\n'/ }" >&2
    return 0
  fi
  for name in ${listed}; do
    is_installed "${name}" || missing+=("${name}")
  done
  if [[ ${#missing[@]} -eq 0 ]]; then
    echo "packages: all $(wc -w <<<"${listed}") of $* are installed"
    return 0
  fi
  if [[ "$(id -u)" != 0 ]]; then
    if ! command -v sudo >/dev/null; then
      echo "packages: neither root nor sudo. As root, run: apt-get install --no-remove --no-install-recommends" \
        "${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "packages: installing ${missing[*]}"
  ${as_root[@]+"${as_root[@]}"} apt-get update -qq
  # Never at the cost of what is there: another version of a library may depend on it.
  if ! ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-remove --no-install-recommends "${missing[@]}"; then
    echo "packages: nothing was installed. If apt says above that packages need to be removed, these" \
      "conflict with what this machine has; see which with: apt-get install -s" \
      "--no-install-recommends ${missing[*]}" >&2
    return 1
  fi
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then
  if [[ $# -eq 0 ]]; then
    echo "use: scripts/packages.sh [--list] GROUP...   groups: run test house fuzz dev chroot" >&2
    exit 2
  fi
  if [[ "$1" == --list ]]; then
    shift
    list_packages "$@"
  else
    install_packages "$@"
  fi
fi
