// SPDX-License-Identifier: Apache-2.0
// Plain loops for kernels/copy.h: every index is split into coordinates. Tests call it.
#include "kernels/reference/copy.h"

#include "kernels/reference/elementwise.h"

namespace ingot::kernels::reference {

void strided_copy(int64_t dims, const int64_t* shape, const double* src, const int64_t* src_stride,
                  double* dst, const int64_t* dst_stride, bool accumulate) {
  for (int64_t i = 0; i < count_of(dims, shape); ++i) {
    const double v = src[offset_of(i, dims, shape, src_stride)];
    double& to = dst[offset_of(i, dims, shape, dst_stride)];
    to = accumulate ? to + v : v;
  }
}

}  // namespace ingot::kernels::reference
