// SPDX-License-Identifier: Apache-2.0
// The gradient of broadcasting as a chain of [outer, reduce, inner] sums: axes are grouped into
// runs that are kept or summed, and the last summed run goes first, so each pass shrinks the array.
// Every usual case (bias, scalar, row, column) is a single pass. See reduce.h for the contract.
#include <array>

#include "kernels/elementwise.h"
#include "kernels/reduce.h"

namespace ingot::kernels {
namespace {

/// Runs of neighbouring axes with the same fate; axes of size 1 are dropped.
struct Runs {
  int64_t count = 0;
  std::array<int64_t, kMaxDims> size{};
  std::array<bool, kMaxDims> summed{};

  void push(int64_t length, bool sum) {
    if (length == 1) return;
    if (count > 0 && summed[count - 1] == sum) {
      size[count - 1] *= length;
      return;
    }
    size[count] = length;
    summed[count++] = sum;
  }
};

Runs find_runs(int64_t dims, const int64_t* shape, const int64_t* out_shape) {
  Runs runs;
  for (int64_t i = 0; i < dims; ++i) runs.push(shape[i], shape[i] != out_shape[i]);
  return runs;
}

/// One pass: the last summed run, as a triple; `rest` are the runs after it.
struct Pass {
  int64_t outer = 1;
  int64_t reduce = 1;
  int64_t inner = 1;
  bool last = true;
};

/// Removes the last summed run from `runs`; false when there is none.
bool next_pass(Runs& runs, Pass& pass) {
  int64_t at = runs.count - 1;
  while (at >= 0 && !runs.summed[at]) --at;
  if (at < 0) return false;
  pass = Pass{};
  Runs rest;
  for (int64_t i = 0; i < runs.count; ++i) {
    if (i < at) pass.outer *= runs.size[i];
    if (i > at) pass.inner *= runs.size[i];
    if (i < at && runs.summed[i]) pass.last = false;
    if (i != at) rest.push(runs.size[i], runs.summed[i]);
  }
  pass.reduce = runs.size[at];
  runs = rest;
  return true;
}

int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

int64_t sum_to_scratch_bytes(int64_t dims, const int64_t* shape, const int64_t* out_shape,
                             int team_size) {
  Runs runs = find_runs(dims, shape, out_shape);
  Pass pass;
  int64_t bytes = 0;
  while (next_pass(runs, pass)) {
    bytes += aligned(reduce_scratch_bytes(pass.outer, pass.reduce, pass.inner, team_size));
    if (!pass.last) bytes += aligned(pass.outer * pass.inner * int64_t{sizeof(float)});
  }
  return bytes;
}

void sum_to(const SumToArgs& args, Team& team) {
  Runs runs = find_runs(args.dims, args.shape, args.out_shape);
  Pass pass;
  const float* x = args.x;
  auto* free = reinterpret_cast<char*>(args.scratch);
  bool any = false;
  while (next_pass(runs, pass)) {
    any = true;
    ReduceArgs r;
    r.x = x;
    r.outer = pass.outer;
    r.reduce = pass.reduce;
    r.inner = pass.inner;
    r.scratch = free;
    free += aligned(reduce_scratch_bytes(pass.outer, pass.reduce, pass.inner, team.size()));
    r.out = pass.last ? args.out : reinterpret_cast<float*>(free);
    if (!pass.last) free += aligned(pass.outer * pass.inner * int64_t{sizeof(float)});
    r.accumulate = pass.last && args.accumulate;
    reduce(r, team);
    x = r.out;
  }
  if (any) return;
  ScaleAddArgs copy;
  copy.x = x;
  copy.dst = args.out;
  copy.n = 1;
  for (int64_t i = 0; i < args.dims; ++i) copy.n *= args.shape[i];
  copy.accumulate = args.accumulate;
  scale_add(copy, team);
}

}  // namespace ingot::kernels
