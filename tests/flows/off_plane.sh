#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How far answers are from the least squares plane of a table whose last column is the target, by the
# normal equations in double: off_plane.sh TABLE ANSWERS
paste -d, "$1" "$2" | awk -F, '
  NR == 1 { n = NF - 1; next }  # features, 1 for the constant; then target and answer
  {
    for (k = 1; k < n; ++k) x[k] = $k
    x[n] = 1
    for (i = 1; i <= n; ++i) {
      for (k = 1; k <= n; ++k) a[i, k] += x[i] * x[k]
      a[i, n + 1] += x[i] * $n
      row[NR, i] = x[i]
    }
    answer[NR] = $(n + 1)
  }
  END {
    for (i = 1; i <= n; ++i) {  # Gauss and Jordan; the matrix is positive definite
      for (k = n + 1; k >= i; --k) a[i, k] /= a[i, i]
      for (r = 1; r <= n; ++r) {
        if (r == i) continue
        for (k = n + 1; k >= i; --k) a[r, k] -= a[r, i] * a[i, k]
      }
    }
    for (r = 2; r <= NR; ++r) {
      plane = 0
      for (i = 1; i <= n; ++i) plane += a[i, n + 1] * row[r, i]
      off = plane > answer[r] ? plane - answer[r] : answer[r] - plane
      if (off > most) most = off
    }
    printf "%.1e\n", most
  }'
