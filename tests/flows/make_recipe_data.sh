#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Small made-up data of the form and at the place that each recipe of recipes/ names, below the
# current folder.
set -eu
here=$(dirname "$0")

# label_of(i), a number below that many; the rest of the text tells a row from all others.
texts() {  # texts FILE ROWS HEADER SEPARATOR LABEL...
  file=$1 rows=$2 header=$3 separator=$4
  shift 4
  awk -v rows="$rows" -v header="$header" -v separator="$separator" -v names="$*" 'BEGIN {
    count = split(names, label, " ")
    print header
    for (i = 0; i < rows; ++i) {
      printf "%s%sa text about %s", label[1 + i % count], separator, "matter" i % count
      print " with the number " i " and the word w" 7 * i % 31
    }
  }' >"$file"
}

# Records of a label and 3072 bytes, two of each class.
cifar() {
  mkdir -p cifar10
  for i in 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9; do
    printf "\\00$i" | tr '89' '\10\11' | tail -c 1
    seq $((1000 + $1)) 9999 | tail -n +$((1 + 50 * i)) | head -c 3072
  done >cifar10/$2
}
