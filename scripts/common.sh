# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the scripts share: they run in the repository's root, time their phases, and know how many
# compilers fit on this machine. Sourced, never run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/packages.sh
source scripts/packages.sh

phase_times=()

# phase NAME COMMAND...: runs the command, remembers its wall time. Its failure is the script's.
phase() {
  local name="$1" begin=${EPOCHREALTIME/./} status=0
  shift
  echo "== ${name}: $*"
  "$@" || status=$?
  local spent=$((${EPOCHREALTIME/./} - begin))
  phase_times+=("$(printf '%8d.%01d s  %s' $((spent / 1000000)) $((spent / 100000 % 10)) "${name}")")
  return "${status}"
}

print_phases() {
  echo "== times"
  printf '%s\n' ${phase_times[@]+"${phase_times[@]}"}
}

# Compilers at a time: one per allowed core, and not more than memory holds (1.5 GB each).
# INGOT_JOBS=N overrides.
jobs_here() {
  local cores megabytes limit quota period
  if [[ -n "${INGOT_JOBS:-}" ]]; then
    echo "${INGOT_JOBS}"
    return
  fi
  cores="$(nproc)"
  megabytes="$(awk '/^MemAvailable:/ { printf "%d", $2 / 1024 }' /proc/meminfo)"
  if [[ -r /sys/fs/cgroup/cpu.max ]]; then
    read -r quota period </sys/fs/cgroup/cpu.max
    [[ "${quota}" == max ]] || limit=$(((quota + period - 1) / period))
    ((${limit:-cores} < cores)) && cores=${limit}
  fi
  if [[ -r /sys/fs/cgroup/memory.max ]]; then
    read -r limit </sys/fs/cgroup/memory.max
    [[ "${limit}" == max ]] || limit=$((limit / 1048576))
    [[ "${limit}" != max ]] && ((limit < megabytes)) && megabytes=${limit}
  fi
  limit=$((megabytes / 1500))
  ((limit < 1)) && limit=1
  ((limit < cores)) && cores=${limit}
  echo "${cores}"
}
