#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whether the peak memory of a run is within some percent of the planned one: within.sh RUN PERCENT
folder=$(dirname "$0")
planned=$(sh "$folder/number.sh" peak_bytes "$1/plan.json")
measured=$(sh "$folder/number.sh" peak_bytes "$1/stages/train.json")
awk -v planned="$planned" -v measured="$measured" -v percent="$2" 'BEGIN {
  off = 100 * (measured / planned - 1)
  if (planned > 0 && off <= percent && off >= -percent) print "within " percent " %"
  else printf "planned %d, measured %d: %.1f %%\n", planned, measured, off
}'
