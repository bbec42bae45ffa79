#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The whole number of a key in a JSON file of one member a line: number.sh KEY FILE
sed -n "s/^ *\"$1\": *\([0-9]*\).*/\1/p" "$2"
