// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/image.h in double: each op as a sparse matrix whose entries are listed one
// by one; a gradient is the same list read the other way. Called by tests and by the op table.
#pragma once

#include <cstdint>

namespace ingot::kernels::reference {

struct ImageShape {
  int64_t batch, in_h, in_w, out_h, out_w, channels;
};

/// y = x padded by `top` and `left` (the rest follows from the sizes), zero or mirrored.
void pad(const ImageShape& shape, int64_t top, int64_t left, bool is_reflect, const double* x,
         double* y);
void pad_grad(const ImageShape& shape, int64_t top, int64_t left, bool is_reflect, const double* dy,
              double* dx);
/// y = x resampled.
void resize(const ImageShape& shape, bool is_bilinear, const double* x, double* y);
void resize_grad(const ImageShape& shape, bool is_bilinear, const double* dy, double* dx);

}  // namespace ingot::kernels::reference
