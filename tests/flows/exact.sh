#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Trains a recipe whole, on 2 and 3 threads, op by op, and killed three times with SIGKILL and
# continued each time on another number of threads; says of each way whether it ends with the model
# and the metrics (but for what the clock said) of the whole run on one thread: exact.sh RECIPE
recipe=$1

same_as_whole() {
  for run in whole "$1"; do sed 's/,"clock":.*//' $run/metrics.jsonl >$run.lines; done
  cmp whole.lines "$1.lines" && cmp whole/model/model.safetensors "$1/model/model.safetensors" &&
    echo "$1: the same"
}

# Killed as soon as it has logged some steps. The status is that of the killed program, 137.
kill_one() {
  lines=$(cat killed/metrics.jsonl 2>/dev/null | wc -l)
  ingot train "$recipe" out=killed threads=$1 >/dev/null 2>&1 &
  pid=$!
  tries=0
  until [ "$(cat killed/metrics.jsonl 2>/dev/null | wc -l)" -gt $((lines + 1)) ] ||
    [ -e killed/model/model.safetensors ]; do
    tries=$((tries + 1))
    [ $tries -lt 30000 ] || { kill -KILL $pid; exit 9; }
    sleep 0.001
  done
  kill -KILL $pid 2>/dev/null
  wait $pid 2>/dev/null
}

# Begins again where the run was over before it could be killed three times.
kill_three() {
  for attempt in 1 2 3 4 5; do
    rm -rf killed
    for threads in 2 1 3; do
      kill_one $threads
      [ $? -eq 137 ] && [ ! -e killed/model/model.safetensors ] || continue 2
    done
    return 0
  done
  echo "the run was always over before it was killed three times"
  exit 8
}

ingot train "$recipe" out=whole threads=1 2>/dev/null || exit 7
for threads in 2 3; do
  ingot train "$recipe" out=threads_$threads threads=$threads >/dev/null 2>&1
  same_as_whole threads_$threads
done
ingot train "$recipe" out=eager threads=2 train.replay=false >/dev/null 2>&1
same_as_whole eager
kill_three
ingot train "$recipe" out=killed threads=2 2>&1 >/dev/null | grep 'continues at step'
same_as_whole killed
