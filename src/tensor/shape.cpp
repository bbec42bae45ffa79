// SPDX-License-Identifier: Apache-2.0
#include "tensor/shape.h"

#include <algorithm>

namespace ingot {

Shape broadcast_shape(const char* op, const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape out;
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank());
    const int ib = i - (rank - b.rank());
    const int64_t da = ia < 0 ? 1 : a[ia];
    const int64_t db = ib < 0 ? 1 : b[ib];
    require(da == db || da == 1 || db == 1, Code::kShapeMismatch,
            "{}: shapes {} and {} do not broadcast: axis {} has sizes {} and {}", op, a.text(),
            b.text(), i, da, db);
    out.push(da == 1 ? db : da);
  }
  return out;
}

int normal_axis(const char* op, int axis, int rank) {
  require(axis >= -rank && axis < rank, Code::kInvalidArgument,
          "{}: axis {} is outside [{}, {}) of a rank-{} tensor", op, axis, -rank, rank, rank);
  return axis < 0 ? axis + rank : axis;
}

}  // namespace ingot
