// SPDX-License-Identifier: Apache-2.0
// The truth for elementwise kernels: plain loops in double, written from the formulas of
// kernels/elementwise.h and sharing nothing with the fast versions. Called by tests and by the op
// table's gradient checks.
#pragma once

#include <cstdint>

#include "kernels/elementwise.h"

namespace ingot::kernels::reference {

[[nodiscard]] double unary_value(UnaryOp op, double x, double p0, double p1);
/// d unary_value / dx, with the subgradients of the contract.
[[nodiscard]] double unary_slope(UnaryOp op, double x, double p0, double p1);
[[nodiscard]] double activation_value(Activation activation, double x);
[[nodiscard]] double activation_slope(Activation activation, double x);
[[nodiscard]] double binary_value(BinaryOp op, double a, double b);
/// d binary_value / d(operand wrt).
[[nodiscard]] double binary_slope(BinaryOp op, int wrt, double a, double b);

/// A strided operand.
struct View {
  const double* p;
  const int64_t* stride;
};

/// out (contiguous) = a op b over shape[0 .. dims).
void binary(BinaryOp op, int64_t dims, const int64_t* shape, View a, View b, double* out);
/// dx (contiguous) = dy * slope.
void binary_grad(BinaryOp op, int wrt, int64_t dims, const int64_t* shape, const double* dy, View a,
                 View b, double* dx);
/// out = cond != 0 ? a : b.
void where(int64_t dims, const int64_t* shape, View cond, View a, View b, double* out);

/// The offset of flat (row-major) index i of `shape` under `stride`.
[[nodiscard]] int64_t offset_of(int64_t i, int64_t dims, const int64_t* shape,
                                const int64_t* stride);
[[nodiscard]] int64_t count_of(int64_t dims, const int64_t* shape);

}  // namespace ingot::kernels::reference
