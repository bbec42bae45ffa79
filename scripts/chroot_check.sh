#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Proves the package list and the quick start on a machine that has nothing: makes a minimal Debian
# 12 in a folder, clones HEAD into it, and runs scripts/quickstart.sh there. Needs root (chroot) and
# about 4 GB. Arguments are overrides of the recipe; --test runs scripts/test.sh instead.
#   sudo scripts/chroot_check.sh train.minutes=1
#   INGOT_CHROOT=/big/disk/bookworm INGOT_MIRROR=http://deb.debian.org/debian scripts/chroot_check.sh
# The folder is kept when INGOT_CHROOT names it, else removed at the end.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mirror="${INGOT_MIRROR:-http://deb.debian.org/debian}"
root="${INGOT_CHROOT:-}"
command=(scripts/quickstart.sh "$@")
if [[ "${1:-}" == --test ]]; then command=(scripts/test.sh "${@:2}"); fi

if [[ "$(id -u)" != 0 ]]; then
  echo "chroot_check: needs root: sudo scripts/chroot_check.sh" >&2
  exit 1
fi
keep=1
if [[ -z "${root}" ]]; then
  keep=0
  root="$(mktemp -d /var/tmp/ingot-chroot.XXXXXX)"
fi

unmount_all() {
  local point
  for point in dev proc; do
    if mountpoint -q "${root}/${point}"; then umount "${root}/${point}"; fi
  done
}

# Never removes through a mount that could not be taken away.
clean_up() {
  unmount_all || { echo "chroot_check: ${root} is still mounted and was left" >&2; return; }
  print_phases
  if ((keep == 0)); then rm -rf --one-file-system "${root}"; fi
}
trap clean_up EXIT

# A minimal Debian: no compiler, no git, no sudo. Signatures are checked by debootstrap.
make_root() {
  if [[ -x "${root}/bin/bash" ]]; then
    echo "chroot_check: ${root} is there already"
    return
  fi
  mkdir -p "${root}"
  debootstrap --variant=minbase bookworm "${root}" "${mirror}" >"${root}.log" 2>&1 || {
    tail -n 20 "${root}.log" >&2
    return 1
  }
  rm -f "${root}.log"
}

# What the inside needs from the outside: names, proxies, the package sources of this machine's
# mirror, and a list of what is there before.
prepare_root() {
  cp -L /etc/resolv.conf "${root}/etc/resolv.conf" 2>/dev/null || true
  cp -L /etc/hosts "${root}/etc/hosts" 2>/dev/null || true
  echo "deb ${mirror} bookworm main" >"${root}/etc/apt/sources.list"
  mount --bind /dev "${root}/dev" || return
  mount -t proc proc "${root}/proc" || return
  rm -rf "${root}/ingot"
  git clone --quiet --no-hardlinks . "${root}/ingot" || return
  chroot "${root}" dpkg-query -W | wc -l | sed 's/$/ packages before/'
}

run_inside() {
  chroot "${root}" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" INGOT_JOBS="${INGOT_JOBS:-}" \
    bash -c 'cd /ingot && exec "$@"' bash "${command[@]}"
}

phase packages install_packages chroot
phase debootstrap make_root
phase prepare prepare_root
phase inside run_inside
