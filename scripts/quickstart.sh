#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh clone to a served model: installs the missing packages, builds only the program,
# runs every stage of recipes/quickstart.yaml. Arguments are overrides of the recipe:
#   scripts/quickstart.sh data.path=/my/texts train.minutes=20
# The same command again continues where it stopped.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
trap print_phases EXIT

phase packages install_packages run
phase configure cmake --preset release -DINGOT_TESTS=OFF
phase build cmake --build build/release --target ingot -j "$(jobs_here)"
phase run build/release/ingot run recipes/quickstart.yaml "$@"
