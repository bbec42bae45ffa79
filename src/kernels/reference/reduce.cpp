// SPDX-License-Identifier: Apache-2.0
// Plain loops in double for kernels/reduce.h. Tests and gradient checks call it.
#include "kernels/reference/reduce.h"

#include <cmath>
#include <limits>

#include "kernels/reference/elementwise.h"

namespace ingot::kernels::reference {
namespace {

double mean_of(const double* x, int64_t n, int64_t stride) {
  double sum = 0.0;
  for (int64_t r = 0; r < n; ++r) sum += x[r * stride];
  return sum / static_cast<double>(n);
}

double reduce_line(ReduceOp op, int64_t correction, const double* x, int64_t n, int64_t stride) {
  double sum = 0.0;
  if (op == ReduceOp::kVariance) {
    const double mean = mean_of(x, n, stride);
    for (int64_t r = 0; r < n; ++r) sum += (x[r * stride] - mean) * (x[r * stride] - mean);
    return sum / static_cast<double>(n - correction);
  }
  if (op == ReduceOp::kMean) return mean_of(x, n, stride);
  if (op == ReduceOp::kSum) {
    for (int64_t r = 0; r < n; ++r) sum += x[r * stride];
    return sum;
  }
  double best = -std::numeric_limits<double>::infinity();
  for (int64_t r = 0; r < n; ++r) {
    const double v = x[r * stride];
    if (v > best || std::isnan(v)) best = v;
    if (std::isnan(best)) return best;
  }
  return best;
}

}  // namespace

void reduce(ReduceOp op, int64_t correction, Triple s, const double* x, double* out) {
  for (int64_t o = 0; o < s.outer; ++o) {
    for (int64_t i = 0; i < s.inner; ++i) {
      const double* line = x + o * s.reduce * s.inner + i;
      out[o * s.inner + i] = reduce_line(op, correction, line, s.reduce, s.inner);
    }
  }
}

void argmax(Triple s, const double* x, int64_t* index) {
  for (int64_t k = 0; k < s.outer * s.inner; ++k) {
    const double* line = x + k / s.inner * s.reduce * s.inner + k % s.inner;
    int64_t best = 0;
    for (int64_t r = 1; r < s.reduce && !std::isnan(line[best * s.inner]); ++r) {
      const double v = line[r * s.inner];
      if (v > line[best * s.inner] || std::isnan(v)) best = r;
    }
    index[k] = best;
  }
}

void reduce_grad(ReduceOp op, int64_t correction, Triple s, const double* dy, const double* x,
                 double* dx) {
  const auto n = static_cast<double>(s.reduce);
  for (int64_t k = 0; k < s.outer * s.inner; ++k) {
    const int64_t at = k / s.inner * s.reduce * s.inner + k % s.inner;
    const double mean = op == ReduceOp::kVariance ? mean_of(x + at, s.reduce, s.inner) : 0.0;
    int64_t best = 0;
    for (int64_t r = 1; op == ReduceOp::kMax && r < s.reduce; ++r) {
      if (x[at + r * s.inner] > x[at + best * s.inner]) best = r;
    }
    for (int64_t r = 0; r < s.reduce; ++r) {
      double slope = 1.0;
      if (op == ReduceOp::kMean) slope = 1.0 / n;
      if (op == ReduceOp::kMax) slope = r == best ? 1.0 : 0.0;
      if (op == ReduceOp::kVariance) {
        slope = 2.0 * (x[at + r * s.inner] - mean) / (n - static_cast<double>(correction));
      }
      dx[at + r * s.inner] = dy[k] * slope;
    }
  }
}

void sum_to(int64_t dims, const int64_t* shape, const int64_t* out_shape, const double* x,
            double* out) {
  int64_t stride[kMaxDims];
  int64_t next = 1;
  for (int64_t axis = dims - 1; axis >= 0; --axis) {
    stride[axis] = out_shape[axis] == shape[axis] ? next : 0;
    next *= out_shape[axis];
  }
  for (int64_t i = 0; i < count_of(dims, out_shape); ++i) out[i] = 0.0;
  for (int64_t i = 0; i < count_of(dims, shape); ++i) {
    out[offset_of(i, dims, shape, stride)] += x[i];
  }
}

}  // namespace ingot::kernels::reference
