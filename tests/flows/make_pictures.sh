#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A folder of pictures by class, 4 x 4 gray pixels, bright and dark: make_pictures.sh FOLDER COUNT
# They are PGM files whatever their names say, which is told by their first bytes.
mkdir -p "$1/bright" "$1/dark"
awk -v folder="$1" -v n="$2" 'BEGIN {
  for (i = 0; i < n; ++i) {
    file = folder (i % 2 ? "/dark/" : "/bright/") i ".png"
    printf "P5\n4 4\n255\n" > file
    for (k = 0; k < 16; ++k) printf "%c", (i % 2 ? 33 : 90) + (i * 7 + k * 5) % 30 > file
    close(file)
  }
}'
