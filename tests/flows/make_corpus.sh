#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make_corpus.sh FOLDER FILES: that many small text files of made-up sentences, the same ones every
# time, with an e-mail address, an exact duplicate and a licence comment among them.
set -eu
mkdir -p "$1"
awk -v folder="$1" -v files="$2" '
function draw(n) { seed = (seed * 16807) % 2147483647; return seed % n }
BEGIN {
  seed = 20
  count = split("amber brook cedar delta ember frost grove heron inlet juniper kestrel lichen " \
                "meadow nettle orchard pebble quartz rowan sedge thistle umber violet willow yarrow",
                words, " ")
  for (f = 1; f <= files; ++f) {
    path = sprintf("%s/text%04d.txt", folder, f)
    if (f % 50 == 0) print "// Licensed under the Apache License, Version 2.0" > path
    lines = 6 + draw(10)
    for (l = 1; l <= lines; ++l) {
      line = ""
      for (w = 4 + draw(8); w > 0; --w) line = line words[1 + draw(count)] " "
      print line "number " draw(100000) "." > path
    }
    if (f % 40 == 0) print "write to someone" f "@example.org about it" > path
    close(path)
  }
}'
cp "$1/text0001.txt" "$1/copy.txt"
