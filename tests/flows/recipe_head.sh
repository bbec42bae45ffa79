#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The commands at the head of a recipe, as somebody would copy them: recipe_head.sh FILE FIRST prints
# the comment's indented lines from the one that begins with FIRST, without their marks.
sed -n 's/^#   \( *\)/\1/p' "$1" | awk -v first="$2" 'index($0, first) == 1 { found = 1 } found'
