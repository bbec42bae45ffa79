#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds everything, runs the fast tests. Arguments go to ctest:
#   scripts/test.sh -R Softmax          only tests whose name matches
#   INGOT_SLOW=1 scripts/test.sh        the slow ones as well
# The last line is the count: "N passed, N failed, N skipped".
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build=build/release
report="${PWD}/${build}/tests.xml"

# The stories write thousands of small files and wait for each to be on the disk; where there is room
# they lie in memory, which takes a fifth off the whole.
in_memory() {
  local room free
  [[ -z "${TMPDIR:-}" && "${INGOT_SLOW:-0}" != 1 && -w /dev/shm ]] || return 1
  room=$(df --output=avail -k /dev/shm | tail -n 1)
  free=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
  ((room > 4 * 1024 * 1024 && free > 8 * 1024 * 1024))
}

use_memory() {
  TMPDIR=$(mktemp -d /dev/shm/ingot-tests.XXXXXX)
  chmod 1777 "${TMPDIR}"  # as /tmp: some tests read as another user
  export TMPDIR
  trap 'rm -rf "${TMPDIR}"' EXIT
}

run_tests() {
  ! in_memory || use_memory
  local labels=(-LE slow)
  [[ "${INGOT_SLOW:-0}" == 1 ]] && labels=()
  rm -f "${report}"
  # One more than the cores: a test that waits for the disk leaves its core to another.
  ctest --test-dir "${build}" --output-on-failure --no-tests=error -j "$(($(jobs_here) + 1))" \
    --output-junit "${report}" ${labels[@]+"${labels[@]}"} "$@"
}

# A test that could not start is reported as skipped by ctest; it counts as failed here.
count_tests() {
  [[ -f "${report}" ]] || { echo "0 passed, 1 failed, 0 skipped"; return; }
  awk '/<testcase / { total++ }
       /status="fail"/ { failed++ }
       /status="disabled"/ { skipped++ }
       /<skipped message=/ { if (/SKIP/) skipped++; else failed++ }
       END { printf "%d passed, %d failed, %d skipped\n",
             total - failed - skipped, failed, skipped }' "${report}"
}

phase packages install_packages run test
phase configure cmake --preset release -DINGOT_TESTS=ON
phase build cmake --build "${build}" -j "$(jobs_here)"
status=0
phase tests run_tests "$@" || status=$?
print_phases
count_tests | tee build/release/tests.count
exit "${status}"
