#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The fast tests under sanitizers. Address and undefined behaviour: the engine and the rooms that read
# bytes from elsewhere. Threads: the team and the kernels, which all other rooms only launch (serve has
# threads of its own: INGOT_ROOMS=serve). INGOT_ROOMS names other rooms; the command line's tests run
# the release program and are in neither. CONTRIBUTING.md says what is left out.
#   scripts/sanitize.sh           both
#   scripts/sanitize.sh asan      one of them; further arguments go to ctest
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

asan_rooms=(${INGOT_ROOMS:-base kernels tensor autograd io text data serve})
tsan_rooms=(${INGOT_ROOMS:-base kernels tensor})

# No core files, leaks are errors, and the first finding ends the test.
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

# Names of the test programs of the rooms that have tests.
test_targets() {
  local room
  for room in "$@"; do
    if compgen -G "tests/${room}/*_test.cpp" >/dev/null; then echo "${room}_test"; fi
  done
}

# Only the rooms' own programs are built; the others' placeholder "NOT_BUILT" tests are left out, and
# the examples, which need the whole library.
run_rooms() {
  local preset="$1" targets
  shift
  targets="$1"
  shift
  # shellcheck disable=SC2086  # a list of words
  cmake --build "build/${preset}" -j "$(jobs_here)" --target ${targets} || return
  ctest --test-dir "build/${preset}" --output-on-failure --no-tests=error -j "$(jobs_here)" \
    --timeout 300 -LE slow -E '_NOT_BUILT|^Example\.' "$@"
}

sanitize() {
  local preset="$1" targets
  shift
  case "${preset}" in
    asan) targets="$(test_targets "${asan_rooms[@]}")" ;;
    tsan) targets="$(test_targets "${tsan_rooms[@]}")" ;;
    *) echo "sanitize: unknown \"${preset}\". Known: asan tsan" >&2; exit 2 ;;
  esac
  phase "configure ${preset}" cmake --preset "${preset}"
  phase "${preset}" run_rooms "${preset}" "${targets//$'\n'/ }" "$@"
}

phase packages install_packages run test
if [[ $# -eq 0 ]]; then
  status=0
  sanitize asan || status=1
  sanitize tsan || status=1
  print_phases
  exit "${status}"
fi
trap print_phases EXIT
sanitize "$@"
