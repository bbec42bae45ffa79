#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Formats every C++ file of the repository in place; with --check only says which differ.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mode=(-i)
[[ "${1:-}" == --check ]] && mode=(--dry-run --Werror)
folders=()
for folder in src tests benchmarks examples; do
  if [[ -d "${folder}" ]]; then folders+=("${folder}"); fi
done
find "${folders[@]}" -name '*.h' -print0 -o -name '*.cpp' -print0 |
  xargs -0 clang-format "${mode[@]}"
