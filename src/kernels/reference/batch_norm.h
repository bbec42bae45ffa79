// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/batch_norm.h in double. Called by tests and by the op table's truths.
#pragma once

#include <cstdint>

namespace ingot::kernels::reference {

struct BatchNormShape {
  int64_t rows, cols;
  double eps;
  bool is_relu;
};

/// mean and biased variance of every column of x.
void batch_norm_stats(const BatchNormShape& shape, const double* x, double* mean, double* var);

/// The columns' constants; weight and bias may be null.
struct BatchNormColumns {
  const double *mean, *var, *weight, *bias;
};
void batch_norm(const BatchNormShape& shape, const double* x, const BatchNormColumns& columns,
                double* y);

struct BatchNormGradients {
  double *dx, *dweight, *dbias;
};
/// With the statistics of x when is_training, else the given ones taken as constants.
void batch_norm_grad(const BatchNormShape& shape, bool is_training, const double* dy,
                     const double* x, const BatchNormColumns& columns,
                     const BatchNormGradients& to);

}  // namespace ingot::kernels::reference
