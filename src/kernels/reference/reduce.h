// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/reduce.h in double, from the definitions. Gradients are written beside the
// values. Called by tests and by the op table's gradient checks.
#pragma once

#include <cstdint>

#include "kernels/reduce.h"

namespace ingot::kernels::reference {

/// x as [outer, reduce, inner].
struct Triple {
  int64_t outer;
  int64_t reduce;
  int64_t inner;
};

void reduce(ReduceOp op, int64_t correction, Triple shape, const double* x, double* out);
void argmax(Triple shape, const double* x, int64_t* index);
/// dx = the gradient of reduce for the upstream dy; ties of max go to the first.
void reduce_grad(ReduceOp op, int64_t correction, Triple shape, const double* dy, const double* x,
                 double* dx);
/// out = x summed over the axes where out_shape is 1.
void sum_to(int64_t dims, const int64_t* shape, const int64_t* out_shape, const double* x,
            double* out);

}  // namespace ingot::kernels::reference
