// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/copy.h: one element at a time, in double. Called by tests and by the op
// table's gradient checks.
#pragma once

#include <cstdint>

namespace ingot::kernels::reference {

/// dst (+)= src over shape[0 .. dims), strides in elements.
void strided_copy(int64_t dims, const int64_t* shape, const double* src, const int64_t* src_stride,
                  double* dst, const int64_t* dst_stride, bool accumulate);

}  // namespace ingot::kernels::reference
