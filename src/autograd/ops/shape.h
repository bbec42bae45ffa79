// SPDX-License-Identifier: Apache-2.0
// Moving, selecting and converting elements. transpose, permute and slice are views (no copy; the
// next op that needs dense rows makes one, counted); reshape is a view when the tensor is
// contiguous.
#pragma once

#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace ingot::ops {

/// Same elements in row-major order with another shape; one axis may be -1. Throws kShapeMismatch.
[[nodiscard]] Tensor reshape(const Tensor& x, const std::vector<int64_t>& dims);
/// Swaps two axes (a view).
[[nodiscard]] Tensor transpose(const Tensor& x, int axis_a = -2, int axis_b = -1);
/// Axis i of the result is axis order[i] of x (a view).
[[nodiscard]] Tensor permute(const Tensor& x, std::span<const int> order);
/// Elements [begin, end) along an axis (a view). Throws kInvalidArgument outside the axis.
[[nodiscard]] Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end);
/// Tensors joined along an axis; other axes must agree.
[[nodiscard]] Tensor concat(const std::vector<Tensor>& parts, int axis);
/// Rows of a matrix by id: x [rows, cols], ids int32 or int64 [...] → [..., cols]. Ids are checked
/// when their values are known (not while a step is being recorded). Throws kInvalidArgument.
[[nodiscard]] Tensor gather(const Tensor& x, const Tensor& ids);
/// float32 ↔ bf16, f16 (nearest, ties to even); uint8, int32, int64 → float32. No gradient but for
/// float32 → float32.
[[nodiscard]] Tensor cast(const Tensor& x, DType dtype);

/// Throws kInvalidArgument unless every id is in [0, limit); not checked while recording a step.
void check_ids(const char* op, const Tensor& ids, int64_t limit);

}  // namespace ingot::ops
