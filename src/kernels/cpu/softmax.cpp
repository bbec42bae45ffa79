// SPDX-License-Identifier: Apache-2.0
// Row-wise softmax: maximum, then exponentials stored and summed in one pass, then a scaling.
// A long row stays in the caches between passes. See softmax.h for the contract.
#include "kernels/softmax.h"

#include <cmath>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/softmax.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/log-inl.h"
#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

void softmax_row(const float* x, float* y, int64_t n) {
  const Df d;
  const Vf top = hn::Set(d, row_max(x, n));
  const Vf sums = sum_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf e = keep(Exp(d, hn::Sub(load(x + i, lanes), top)), lanes);
    store(e, y + i, lanes);
    return e;
  });
  const Vf scale = hn::Set(d, 1.0F / sum_lanes(sums));
  for_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR {
    store(hn::Mul(load(static_cast<const float*>(y) + i, lanes), scale), y + i, lanes);
  });
}

void log_softmax_row(const float* x, float* y, int64_t n) {
  const Df d;
  const float top_value = row_max(x, n);
  const Vf top = hn::Set(d, top_value);
  const Vf sums = sum_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR {
    return keep(Exp(d, hn::Sub(load(x + i, lanes), top)), lanes);
  });
  const Vf log_sum = log_vector(d, hn::Set(d, sum_lanes(sums)));
  for_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR {
    store(hn::Sub(hn::Sub(load(x + i, lanes), top), log_sum), y + i, lanes);
  });
}

void softmax_rows(const SoftmaxArgs& a, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const float* x = a.x + r * a.cols;
    float* y = a.y + r * a.cols;
    if (a.log) {
      log_softmax_row(x, y, a.cols);
    } else {
      softmax_row(x, y, a.cols);
    }
  }
}

void grad_row(const float* dy, const float* y, float* dx, int64_t n, bool accumulate) {
  const Df d;
  const Vf sums = sum_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR {
    return hn::Mul(load(dy + i, lanes), load(y + i, lanes));
  });
  const Vf dot = hn::Set(d, sum_lanes(sums));
  for_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf g = hn::Mul(load(y + i, lanes), hn::Sub(load(dy + i, lanes), dot));
    write(g, dx + i, lanes, accumulate);
  });
}

void log_grad_row(const float* dy, const float* y, float* dx, int64_t n, bool accumulate) {
  const Df d;
  const Vf sums =
      sum_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR { return load(dy + i, lanes); });
  const Vf total = hn::Set(d, sum_lanes(sums));
  for_vectors(n, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf p = Exp(d, load(y + i, lanes));
    write(hn::NegMulAdd(p, total, load(dy + i, lanes)), dx + i, lanes, accumulate);
  });
}

void softmax_grad_rows(const SoftmaxGradArgs& a, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const int64_t at = r * a.cols;
    if (a.log) {
      log_grad_row(a.dy + at, a.y + at, a.dx + at, a.cols, a.accumulate);
    } else {
      grad_row(a.dy + at, a.y + at, a.dx + at, a.cols, a.accumulate);
    }
  }
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(softmax_rows);
HWY_EXPORT(softmax_grad_rows);

void softmax(const SoftmaxArgs& args, Team& team) {
  row_tiles(team, args.rows, args.cols, kMathCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(softmax_rows)(args, begin, end);
  });
}

void softmax_grad(const SoftmaxGradArgs& args, Team& team) {
  row_tiles(team, args.rows, args.cols, kMathCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(softmax_grad_rows)(args, begin, end);
  });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
