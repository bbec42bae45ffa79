// SPDX-License-Identifier: Apache-2.0
// Layer norm and RMS norm. Forward: two or three passes over a row that stays in the first-level
// cache. Backward: one pass for the two row sums and the parameter gradients of a fixed block of
// rows, one for dx; blocks are added in order afterwards. See norm.h for the contract.
#include "kernels/norm.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/norm.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

#ifndef INGOT_KERNELS_CPU_NORM_ROW_
#define INGOT_KERNELS_CPU_NORM_ROW_
namespace ingot::kernels {
namespace {

/// One row of the backward pass; mean is 0 for RMS norm. dweight and dbias are running sums or
/// null.
struct NormGradRow {
  const float* dy;
  const float* x;
  const float* weight;
  float* dx;
  float* dweight;
  float* dbias;
  int64_t cols;
  float mean;
  float rstd;
  bool accumulate_dx;
};

}  // namespace
}  // namespace ingot::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

HWY_INLINE float inverse_root(float mean_square, float eps) {
  return 1.0F / std::sqrt(mean_square + eps);
}

void layer_norm_rows(const LayerNormArgs& a, int64_t begin, int64_t end) {
  const auto count = static_cast<float>(a.cols);
  for (int64_t r = begin; r < end; ++r) {
    const float* x = a.x + r * a.cols;
    float* y = a.y + r * a.cols;
    const float mean = sum_lanes(sum_vectors(a.cols, [&](int64_t i, auto lanes)
                                                         HWY_ATTR { return load(x + i, lanes); })) /
                       count;
    const Vf m = hn::Set(Df(), mean);
    const Vf squares = sum_vectors(a.cols, [&](int64_t i, auto lanes) HWY_ATTR {
      const Vf centred = keep(hn::Sub(load(x + i, lanes), m), lanes);
      return hn::Mul(centred, centred);
    });
    const float rstd = inverse_root(sum_lanes(squares) / count, a.eps);
    if (a.mean != nullptr) a.mean[r] = mean;
    if (a.rstd != nullptr) a.rstd[r] = rstd;
    const Vf s = hn::Set(Df(), rstd);
    for_vectors(a.cols, [&](int64_t i, auto lanes) HWY_ATTR {
      Vf v = hn::Mul(hn::Sub(load(x + i, lanes), m), s);
      if (a.weight != nullptr) v = hn::Mul(v, load(a.weight + i, lanes));
      if (a.bias != nullptr) v = hn::Add(v, load(a.bias + i, lanes));
      store(v, y + i, lanes);
    });
  }
}

void rms_norm_rows(const RmsNormArgs& a, int64_t begin, int64_t end) {
  const auto count = static_cast<float>(a.cols);
  for (int64_t r = begin; r < end; ++r) {
    const float* x = a.x + r * a.cols;
    float* y = a.y + r * a.cols;
    const Vf squares = sum_vectors(a.cols, [&](int64_t i, auto lanes) HWY_ATTR {
      const Vf v = load(x + i, lanes);
      return hn::Mul(v, v);
    });
    const float rstd = inverse_root(sum_lanes(squares) / count, a.eps);
    if (a.rstd != nullptr) a.rstd[r] = rstd;
    const Vf s = hn::Set(Df(), rstd);
    for_vectors(a.cols, [&](int64_t i, auto lanes) HWY_ATTR {
      Vf v = hn::Mul(load(x + i, lanes), s);
      if (a.weight != nullptr) v = hn::Mul(v, load(a.weight + i, lanes));
      store(v, y + i, lanes);
    });
  }
}

/// Adds the row to the running parameter gradients and returns sum g and sum g xhat, g = dy weight.
HWY_INLINE void row_sums(const NormGradRow& row, float& sum_g, float& sum_gx) {
  const Vf m = hn::Set(Df(), row.mean);
  const Vf s = hn::Set(Df(), row.rstd);
  Vf total_g = hn::Zero(Df());
  Vf total_gx = hn::Zero(Df());
  for_vectors(row.cols, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf dy = load(row.dy + i, lanes);
    const Vf xhat = keep(hn::Mul(hn::Sub(load(row.x + i, lanes), m), s), lanes);
    const Vf g = row.weight == nullptr ? dy : hn::Mul(dy, load(row.weight + i, lanes));
    total_g = hn::Add(total_g, g);
    total_gx = hn::MulAdd(g, xhat, total_gx);
    if (row.dweight != nullptr) write(hn::Mul(dy, xhat), row.dweight + i, lanes, true);
    if (row.dbias != nullptr) write(dy, row.dbias + i, lanes, true);
  });
  sum_g = sum_lanes(total_g);
  sum_gx = sum_lanes(total_gx);
}

void norm_grad_row(const NormGradRow& row, bool centred) {
  float sum_g = 0.0F;
  float sum_gx = 0.0F;
  row_sums(row, sum_g, sum_gx);
  if (row.dx == nullptr) return;
  const auto count = static_cast<float>(row.cols);
  const Vf m = hn::Set(Df(), row.mean);
  const Vf s = hn::Set(Df(), row.rstd);
  const Vf mean_g = hn::Set(Df(), centred ? sum_g / count : 0.0F);
  const Vf mean_gx = hn::Set(Df(), sum_gx / count);
  for_vectors(row.cols, [&](int64_t i, auto lanes) HWY_ATTR {
    const Vf dy = load(row.dy + i, lanes);
    const Vf g = row.weight == nullptr ? dy : hn::Mul(dy, load(row.weight + i, lanes));
    const Vf xhat = hn::Mul(hn::Sub(load(row.x + i, lanes), m), s);
    const Vf v = hn::NegMulAdd(xhat, mean_gx, hn::Sub(g, mean_g));
    write(hn::Mul(s, v), row.dx + i, lanes, row.accumulate_dx);
  });
}

/// out[c] (+)= sum over blocks of parts[block * stride + c], in block order.
void join_parts(const float* parts, int64_t blocks, int64_t stride, float* out, int64_t cols,
                bool accumulate) {
  for_vectors(cols, [&](int64_t i, auto lanes) HWY_ATTR {
    Vf sum = load(parts + i, lanes);
    for (int64_t b = 1; b < blocks; ++b) sum = hn::Add(sum, load(parts + b * stride + i, lanes));
    write(sum, out + i, lanes, accumulate);
  });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(layer_norm_rows);
HWY_EXPORT(rms_norm_rows);
HWY_EXPORT(norm_grad_row);
HWY_EXPORT(join_parts);

namespace {

constexpr int64_t kBlockRows = 64;     // rows whose parameter gradients are one partial sum
constexpr int64_t kJoinColumns = 256;  // columns joined by one worker at a time

/// The backward pass of one block of rows; its partial sums are [dweight | dbias] in scratch.
void grad_block(const LayerNormGradArgs& a, int64_t block, bool centred) {
  const int64_t end = std::min(a.rows, (block + 1) * kBlockRows);
  float* parts = a.scratch == nullptr ? nullptr : a.scratch + block * 2 * a.cols;
  float* dweight = a.dweight == nullptr ? nullptr : parts;
  float* dbias = a.dbias == nullptr ? nullptr : parts + a.cols;
  if (dweight != nullptr) std::fill_n(dweight, a.cols, 0.0F);
  if (dbias != nullptr) std::fill_n(dbias, a.cols, 0.0F);
  for (int64_t r = block * kBlockRows; r < end; ++r) {
    const int64_t at = r * a.cols;
    const NormGradRow row{
        a.dy + at, a.x + at,       a.weight, a.dx == nullptr ? nullptr : a.dx + at,
        dweight,   dbias,          a.cols,   centred ? a.mean[r] : 0.0F,
        a.rstd[r], a.accumulate_dx};
    HWY_DYNAMIC_DISPATCH(norm_grad_row)(row, centred);
  }
}

void join(const LayerNormGradArgs& a, int64_t blocks, int64_t offset, float* out, Team& team) {
  if (out == nullptr) return;
  const float* parts = a.scratch + offset;
  if (blocks == 0) {
    if (!a.accumulate_params) std::fill_n(out, a.cols, 0.0F);
    return;
  }
  team.tiles(ceil_div(a.cols, kJoinColumns), is_serial(blocks * a.cols, kStreamCost),
             [&](int64_t tile) {
               const int64_t from = tile * kJoinColumns;
               HWY_DYNAMIC_DISPATCH(join_parts)
               (parts + from, blocks, 2 * a.cols, out + from, std::min(kJoinColumns, a.cols - from),
                a.accumulate_params);
             });
}

void norm_grad(const LayerNormGradArgs& a, bool centred, Team& team) {
  const int64_t blocks = ceil_div(a.rows, kBlockRows);
  team.tiles(blocks, is_serial(a.rows * a.cols, 2 * kStreamCost),
             [&](int64_t block) { grad_block(a, block, centred); });
  join(a, blocks, 0, a.dweight, team);
  join(a, blocks, a.cols, a.dbias, team);
}

}  // namespace

int64_t norm_grad_scratch_bytes(int64_t rows, int64_t cols, int) {
  return ceil_div(rows, kBlockRows) * 2 * cols * static_cast<int64_t>(sizeof(float));
}

void layer_norm(const LayerNormArgs& args, Team& team) {
  row_tiles(team, args.rows, args.cols, 2 * kStreamCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(layer_norm_rows)(args, begin, end);
  });
}

void layer_norm_grad(const LayerNormGradArgs& args, Team& team) { norm_grad(args, true, team); }

void rms_norm(const RmsNormArgs& args, Team& team) {
  row_tiles(team, args.rows, args.cols, 2 * kStreamCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(rms_norm_rows)(args, begin, end);
  });
}

void rms_norm_grad(const RmsNormGradArgs& args, Team& team) {
  LayerNormGradArgs a;
  a.dy = args.dy;
  a.x = args.x;
  a.weight = args.weight;
  a.rstd = args.rstd;
  a.dx = args.dx;
  a.dweight = args.dweight;
  a.scratch = args.scratch;
  a.rows = args.rows;
  a.cols = args.cols;
  a.accumulate_dx = args.accumulate_dx;
  a.accumulate_params = args.accumulate_params;
  norm_grad(a, false, team);
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
