// SPDX-License-Identifier: Apache-2.0
// Batch normalisation: columns in vectors that stay in registers while the rows of a block go by.
// Blocks of rows are about 64 KiB, so the second pass over a block reads cache; their sums are
// joined in order and in double. See batch_norm.h for the contract.
#include "kernels/batch_norm.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/batch_norm.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

#ifndef INGOT_KERNELS_CPU_BATCH_NORM_SUMS_
#define INGOT_KERNELS_CPU_BATCH_NORM_SUMS_
namespace ingot::kernels {
namespace {

/// What the gradient's second pass needs per column: sums of g and of g xhat over all rows.
struct GradTotals {
  const float* g;
  const float* gx;
};

}  // namespace
}  // namespace ingot::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

constexpr int64_t kAbreast = 4;  // vectors of columns at once: as many chains hide the latency

/// f(first column, lanes, std::integral_constant<count of vectors>) over all columns.
template <class F>
HWY_INLINE void column_strips(int64_t cols, const F& f) {
  const auto width = static_cast<int64_t>(hn::Lanes(Df()));
  int64_t c = 0;
  for (; c + kAbreast * width <= cols; c += kAbreast * width) {
    f(c, All(), std::integral_constant<int64_t, kAbreast>());
  }
  for (; c + width <= cols; c += width) f(c, All(), std::integral_constant<int64_t, 1>());
  if (c < cols) {
    f(c, First{static_cast<size_t>(cols - c)}, std::integral_constant<int64_t, 1>());
  }
}

/// mean[c] and m2[c] = sum (x - mean)^2 of a block of rows.
void block_moments(const float* x, int64_t rows, int64_t cols, float* mean, float* m2) {
  const auto width = static_cast<int64_t>(hn::Lanes(Df()));
  const Vf count = hn::Set(Df(), static_cast<float>(rows));
  column_strips(cols, [&](int64_t c, auto lanes, auto vectors) HWY_ATTR {
    constexpr int64_t kN = decltype(vectors)::value;
    Vf sum[kN], square[kN];
    for (int64_t v = 0; v < kN; ++v) sum[v] = square[v] = hn::Zero(Df());
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t v = 0; v < kN; ++v) {
        sum[v] = hn::Add(sum[v], load(x + r * cols + c + v * width, lanes));
      }
    }
    for (int64_t v = 0; v < kN; ++v) sum[v] = hn::Div(sum[v], count);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t v = 0; v < kN; ++v) {
        const Vf d = hn::Sub(load(x + r * cols + c + v * width, lanes), sum[v]);
        square[v] = hn::MulAdd(d, d, square[v]);
      }
    }
    for (int64_t v = 0; v < kN; ++v) {
      store(sum[v], mean + c + v * width, lanes);
      store(square[v], m2 + c + v * width, lanes);
    }
  });
}

template <class Lanes>
HWY_INLINE Vf load_or(const float* p, int64_t c, float fallback, Lanes lanes) {
  return p == nullptr ? hn::Set(Df(), fallback) : load(p + c, lanes);
}

/// The columns' constants of the normalisation: y = (x - mean) scale + bias.
struct Affine {
  Vf mean, scale, bias;
};
template <class Args, class Lanes>
HWY_INLINE Affine affine_of(const Args& a, int64_t c, Lanes lanes) {
  return {load(a.mean + c, lanes),
          hn::Mul(load(a.rstd + c, lanes), load_or(a.weight, c, 1.0F, lanes)),
          load_or(a.bias, c, 0.0F, lanes)};
}
HWY_INLINE Vf normal(Vf x, const Affine& k) {
  return hn::MulAdd(hn::Sub(x, k.mean), k.scale, k.bias);
}

void normalise_rows(const BatchNormArgs& a, int64_t begin, int64_t end) {
  for_vectors(a.cols, [&](int64_t c, auto lanes) HWY_ATTR {
    const Affine k = affine_of(a, c, lanes);
    for (int64_t i = begin * a.cols + c; i < end * a.cols; i += a.cols) {
      Vf y = normal(load(a.x + i, lanes), k);
      if (a.is_relu) y = hn::IfThenElse(hn::Lt(y, hn::Zero(Df())), hn::Zero(Df()), y);
      store(y, a.y + i, lanes);
    }
  });
}

/// dy, or 0 where the forward pass cut: the same arithmetic gives the same sign.
HWY_INLINE Vf gated_dy(Vf dy, Vf x, const Affine& k, bool is_relu) {
  if (!is_relu) return dy;
  return hn::IfThenZeroElse(hn::Le(normal(x, k), hn::Zero(Df())), dy);
}

/// g[c] = sum of g, gx[c] = sum of g xhat over rows [begin, end).
void block_grad_sums(const BatchNormGradArgs& a, int64_t begin, int64_t end, float* g, float* gx) {
  const auto width = static_cast<int64_t>(hn::Lanes(Df()));
  column_strips(a.cols, [&](int64_t first, auto lanes, auto vectors) HWY_ATTR {
    constexpr int64_t kN = decltype(vectors)::value;
    Affine k[kN];
    Vf sum[kN], sum_x[kN];
    for (int64_t v = 0; v < kN; ++v) {
      k[v] = affine_of(a, first + v * width, lanes);
      sum[v] = sum_x[v] = hn::Zero(Df());
    }
    for (int64_t r = begin; r < end; ++r) {
      for (int64_t v = 0; v < kN; ++v) {
        const int64_t i = r * a.cols + first + v * width;
        const Vf x = load(a.x + i, lanes);
        const Vf dy = gated_dy(load(a.dy + i, lanes), x, k[v], a.is_relu);
        sum[v] = hn::Add(sum[v], dy);
        sum_x[v] = hn::MulAdd(dy, hn::Sub(x, k[v].mean), sum_x[v]);
      }
    }
    for (int64_t v = 0; v < kN; ++v) {
      const int64_t c = first + v * width;
      store(sum[v], g + c, lanes);
      store(hn::Mul(sum_x[v], load(a.rstd + c, lanes)), gx + c, lanes);
    }
  });
}

void grad_rows(const BatchNormGradArgs& a, const GradTotals& totals, int64_t begin, int64_t end) {
  const Vf share = hn::Set(Df(), a.is_training ? 1.0F / static_cast<float>(a.rows) : 0.0F);
  for_vectors(a.cols, [&](int64_t c, auto lanes) HWY_ATTR {
    const Affine k = affine_of(a, c, lanes);
    const Vf rstd = load(a.rstd + c, lanes);
    const Vf mean_g = hn::Mul(load(totals.g + c, lanes), share);
    const Vf slope = hn::Mul(hn::Mul(load(totals.gx + c, lanes), share), rstd);
    for (int64_t i = begin * a.cols + c; i < end * a.cols; i += a.cols) {
      const Vf x = load(a.x + i, lanes);
      const Vf dy = gated_dy(load(a.dy + i, lanes), x, k, a.is_relu);
      const Vf away = hn::MulAdd(hn::Sub(x, k.mean), slope, mean_g);
      write(hn::Mul(k.scale, a.is_training ? hn::Sub(dy, away) : dy), a.dx + i, lanes,
            a.accumulate_dx);
    }
  });
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(block_moments);
HWY_EXPORT(normalise_rows);
HWY_EXPORT(block_grad_sums);
HWY_EXPORT(grad_rows);

namespace {

constexpr int64_t kBlockElements = 16384;
constexpr int64_t kJoinColumns = 64;  // columns joined by one worker at a time

int64_t block_rows(int64_t cols) { return std::max<int64_t>(16, kBlockElements / cols); }
int64_t blocks_of(int64_t rows, int64_t cols) { return ceil_div(rows, block_rows(cols)); }

/// f(column) for the columns of a strip, strips shared among the team.
template <class F>
void each_column(Team& team, int64_t cols, int64_t blocks, const F& f) {
  team.tiles(ceil_div(cols, kJoinColumns), is_serial(cols * blocks, 4 * kStreamCost),
             [&](int64_t tile) {
               const int64_t end = std::min(cols, (tile + 1) * kJoinColumns);
               for (int64_t c = tile * kJoinColumns; c < end; ++c) f(c);
             });
}

/// Mean and m2 of all rows from those of the blocks, in order (Chan, Golub and LeVeque 1979).
struct Moments {
  double count = 0.0, mean = 0.0, m2 = 0.0;

  void join(double n, double other_mean, double other_m2) {
    const double total = count + n, delta = other_mean - mean;
    mean += delta * (n / total);
    m2 += other_m2 + delta * delta * (count * n / total);
    count = total;
  }
};

void mix(float* running, int64_t c, float momentum, double value) {
  if (running == nullptr) return;
  const auto share = static_cast<double>(momentum);
  running[c] = static_cast<float>((1.0 - share) * static_cast<double>(running[c]) + share * value);
}

float add_if(bool accumulate, float before, double value) {
  const auto rounded = static_cast<float>(value);
  return accumulate ? before + rounded : rounded;
}

}  // namespace

int64_t batch_norm_scratch_bytes(int64_t rows, int64_t cols) {
  return 2 * cols * (blocks_of(rows, cols) + 1) * static_cast<int64_t>(sizeof(float));
}

void batch_norm_stats(const BatchNormStatsArgs& a, Team& team) {
  const int64_t step = block_rows(a.cols), blocks = blocks_of(a.rows, a.cols);
  team.tiles(blocks, is_serial(a.rows * a.cols, kStreamCost), [&](int64_t block) {
    const int64_t rows = std::min(step, a.rows - block * step);
    float* part = a.scratch + block * 2 * a.cols;
    HWY_DYNAMIC_DISPATCH(block_moments)
    (a.x + block * step * a.cols, rows, a.cols, part, part + a.cols);
  });
  each_column(team, a.cols, blocks, [&](int64_t c) {
    Moments all;
    for (int64_t block = 0; block < blocks; ++block) {
      const float* part = a.scratch + block * 2 * a.cols + c;
      all.join(static_cast<double>(std::min(step, a.rows - block * step)),
               static_cast<double>(part[0]), static_cast<double>(part[a.cols]));
    }
    const double var = all.m2 / all.count;
    a.mean[c] = static_cast<float>(all.mean);
    a.rstd[c] = static_cast<float>(1.0 / std::sqrt(var + static_cast<double>(a.eps)));
    mix(a.running_mean, c, a.momentum, all.mean);
    mix(a.running_var, c, a.momentum,
        a.is_unbiased ? all.m2 / std::max(all.count - 1.0, 1.0) : var);
  });
}

void batch_norm_rstd(const BatchNormRstdArgs& a, Team&) {
  for (int64_t c = 0; c < a.cols; ++c) {
    const double var = static_cast<double>(a.var[c]) + static_cast<double>(a.eps);
    a.rstd[c] = static_cast<float>(1.0 / std::sqrt(var));
  }
}

void batch_norm(const BatchNormArgs& a, Team& team) {
  row_tiles(team, a.rows, a.cols, kStreamCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(normalise_rows)(a, begin, end);
  });
}

void batch_norm_grad(const BatchNormGradArgs& a, Team& team) {
  const int64_t step = block_rows(a.cols), blocks = blocks_of(a.rows, a.cols);
  float* totals = a.scratch + blocks * 2 * a.cols;
  const bool wants_sums = a.dweight != nullptr || a.dbias != nullptr || a.is_training;
  if (wants_sums) {
    team.tiles(blocks, is_serial(a.rows * a.cols, 2 * kStreamCost), [&](int64_t block) {
      float* part = a.scratch + block * 2 * a.cols;
      HWY_DYNAMIC_DISPATCH(block_grad_sums)
      (a, block * step, std::min(a.rows, (block + 1) * step), part, part + a.cols);
    });
  }
  each_column(team, a.cols, blocks, [&](int64_t c) {
    double g = 0.0, gx = 0.0;
    for (int64_t block = 0; wants_sums && block < blocks; ++block) {
      g += static_cast<double>(a.scratch[block * 2 * a.cols + c]);
      gx += static_cast<double>(a.scratch[block * 2 * a.cols + a.cols + c]);
    }
    totals[c] = static_cast<float>(g);
    totals[a.cols + c] = static_cast<float>(gx);
    if (a.dbias != nullptr) a.dbias[c] = add_if(a.accumulate_dbias, a.dbias[c], g);
    if (a.dweight != nullptr) a.dweight[c] = add_if(a.accumulate_dweight, a.dweight[c], gx);
  });
  if (a.dx == nullptr) return;
  row_tiles(team, a.rows, a.cols, 2 * kStreamCost, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(grad_rows)(a, {totals, totals + a.cols}, begin, end);
  });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
