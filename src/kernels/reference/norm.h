// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/norm.h in double: layer norm and RMS norm of one [rows, cols] array.
// Gradients recompute the statistics. Called by tests and by the op table's gradient checks.
#pragma once

#include <cstdint>

namespace ingot::kernels::reference {

/// Shape and kind; rms: no centring, bias ignored.
struct NormShape {
  bool rms;
  int64_t rows;
  int64_t cols;
  double eps;
};

/// weight and bias may be null.
void norm(const NormShape& shape, const double* x, const double* weight, const double* bias,
          double* y);

/// Where the gradients go; each may be null.
struct NormGradients {
  double* dx;
  double* dweight;
  double* dbias;
};
void norm_grad(const NormShape& shape, const double* dy, const double* x, const double* weight,
               const NormGradients& to);

}  // namespace ingot::kernels::reference
