// SPDX-License-Identifier: Apache-2.0
// Reductions over axes of float32 tensors, in an order fixed by the shape. `axes` may be negative
// and must be distinct; empty means all. The result drops the axes, or keeps them as 1 with
// keep_axes. Throw kInvalidArgument for a wrong axis. Axes that are not neighbours cost one
// transposing copy.
#pragma once

#include <initializer_list>

#include "tensor/tensor.h"

namespace ingot::ops {

[[nodiscard]] Tensor sum(const Tensor& x, std::initializer_list<int> axes = {},
                         bool keep_axes = false);
[[nodiscard]] Tensor mean(const Tensor& x, std::initializer_list<int> axes = {},
                          bool keep_axes = false);
/// Largest element; the gradient goes to the first one that has the value.
[[nodiscard]] Tensor max(const Tensor& x, std::initializer_list<int> axes = {},
                         bool keep_axes = false);
/// Mean squared distance from the mean, divided by n − correction (0: population, 1: sample).
[[nodiscard]] Tensor variance(const Tensor& x, std::initializer_list<int> axes = {},
                              int correction = 0, bool keep_axes = false);
/// Index (int64) of the first largest element along one axis. No gradient.
[[nodiscard]] Tensor argmax(const Tensor& x, int axis = -1, bool keep_axes = false);

}  // namespace ingot::ops
