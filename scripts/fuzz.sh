#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the libFuzzer targets of the parsers: first every seed, then new inputs for a minute each.
#   scripts/fuzz.sh                       all of tests/fuzz/fuzz_*.cpp
#   scripts/fuzz.sh fuzz_json             one
#   INGOT_FUZZ_SECONDS=600 scripts/fuzz.sh fuzz_json
# An input that breaks a target is left in build/fuzz/found/; put it into tests/fuzz/seeds/<target>/
# once the fault is mended, so that it is tried for ever.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

seconds="${INGOT_FUZZ_SECONDS:-60}"
found="build/fuzz/found"

# One target; its output goes to a log of its own, the closing lines are shown.
fuzz_one() {
  local target="$1" status=0
  local log="build/fuzz/${target}.log" corpus="build/fuzz/corpus/${target}"
  mkdir -p "${corpus}" "${found}"
  "build/fuzz/${target}" "${corpus}" "tests/fuzz/seeds/${target#fuzz_}" \
    -max_total_time="${seconds}" -rss_limit_mb=2048 -malloc_limit_mb=1024 -timeout=10 \
    -max_len=65536 -print_final_stats=1 -artifact_prefix="${found}/${target}-" \
    >"${log}" 2>&1 || status=$?
  if [[ ${status} -ne 0 ]]; then
    echo "${target}: FAILED; log in ${log}"
    tail -n 60 "${log}"
  else
    echo "${target}: $(awk '/number_of_executed_units/ { print $2 }' "${log}") inputs, no fault"
  fi
  return "${status}"
}

# As many at a time as there are cores.
fuzz_all() {
  local status=0 running=0 target
  for target in "$@"; do
    if ((running >= $(jobs_here))); then
      wait -n || status=1
      running=$((running - 1))
    fi
    fuzz_one "${target}" &
    running=$((running + 1))
  done
  while ((running > 0)); do
    wait -n || status=1
    running=$((running - 1))
  done
  return "${status}"
}

targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
  for source in tests/fuzz/fuzz_*.cpp; do targets+=("$(basename "${source}" .cpp)"); done
fi
trap print_phases EXIT
phase packages install_packages run fuzz
phase configure cmake --preset fuzz
phase build cmake --build build/fuzz -j "$(jobs_here)" --target "${targets[@]}"
phase fuzz fuzz_all "${targets[@]}"
