// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/pool.h in double, pixel by pixel over the whole image. Called by tests and
// by the op table's truths.
#pragma once

#include "kernels/pool.h"

namespace ingot::kernels::reference {

/// y; `index` (null: not wanted) as in pool.h.
void max_pool(const PoolShape& shape, const double* x, double* y, int32_t* index);
/// dx = the gradient for dy.
void max_pool_grad(const PoolShape& shape, const double* dy, const int32_t* index, double* dx);
void avg_pool(const PoolShape& shape, bool counts_padding, const double* x, double* y);
void avg_pool_grad(const PoolShape& shape, bool counts_padding, const double* dy, double* dx);

}  // namespace ingot::kernels::reference
