// SPDX-License-Identifier: Apache-2.0
// conv_weight_grad of conv.h: dweight [out_channels, taps * depth] = doutᵀ · patches, k the output
// pixels. For every block of kGemmBlockK pixels a worker packs the gradient's channels, then takes
// the panels of dweight's columns one by one: gathers the panel's part of the patches, multiplies
// it with all row tiles, adds to dweight. Workers own units (panel and row tile) of dweight, so no
// sum is shared and no barrier is needed; packing twice what two workers read costs less than one.
#include <algorithm>

#include "kernels/conv.h"
#include "kernels/cpu/depthwise.h"
#include "kernels/cpu/patches.h"
#include "kernels/gemm.h"

#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv_weight.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/cpu/conv_gather-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {

/// Packed gradient of one row tile: kRows numbers per pixel and room for a vector's overhang.
constexpr int64_t kTileFloats = kGemmBlockK * kRows + kLanes;
constexpr int64_t kSerialVolume = 1 << 20;  // products below: about 10 us, not worth a team

using WeightTile = void (*)(const tile::Operands&, const tile::Target&);

template <int V, int64_t... kR>
WeightTile weight_tile_of(int64_t rows, std::integer_sequence<int64_t, kR...>) {
  static constexpr WeightTile kTable[] = {
      tile::block_tile<static_cast<int>(kR) + 1, V, false, 1, kRows, kPanel>...};
  return kTable[rows - 1];
}

WeightTile weight_tile(int64_t rows, int64_t columns) {
  const std::make_integer_sequence<int64_t, kRows> all;
  return columns > kLanes ? weight_tile_of<2>(rows, all) : weight_tile_of<1>(rows, all);
}

/// Sizes of the gradient's product and of a worker's scratch.
struct Sizes {
  int64_t rows, columns, pixels;     // of one group's product; k
  int64_t tiles, tile_rows, panels;  // tiles are of about equal height
  int64_t units;                     // of all groups

  explicit Sizes(const ConvGeometry& s) {
    rows = s.out_channels / s.groups;
    columns = s.kernel_h * s.kernel_w * (s.in_channels / s.groups);
    pixels = s.batch * s.out_h * s.out_w;
    tiles = (rows + kRows - 1) / kRows;
    tile_rows = tiles > 0 ? (rows + tiles - 1) / tiles : 0;
    tiles = tile_rows > 0 ? (rows + tile_rows - 1) / tile_rows : 0;
    panels = (columns + kPanel - 1) / kPanel;
    units = s.groups * panels * tiles;
  }
  [[nodiscard]] int64_t a_floats() const { return tiles * kTileFloats; }
  [[nodiscard]] int64_t worker_floats() const { return a_floats() + kGemmBlockK * kPanel; }
};

/// Row tiles [begin, end) of panels of one group: those a worker owns. A range of units that starts
/// or ends inside a panel takes a part of that panel's tiles.
struct GroupPart {
  int64_t group, begin, end;  // units of the group: panel * tiles + tile
};

/// Packs the gradient's channels of the group for pixels [p0, p0 + steps): tile after tile, kRows
/// numbers per pixel. Whole vectors are stored; what they write too much the next pixel overwrites.
void pack_gradient(const ConvWeightGradArgs& a, const Sizes& z, int64_t group, int64_t p0,
                   int64_t steps, float* to) {
  const int64_t channels = a.shape.out_channels;
  const float* from = a.dout + p0 * channels + group * z.rows;
  for (int64_t p = 0; p < steps; ++p, from += channels) {
    for (int64_t t = 0; t < z.tiles; ++t) {
      const int64_t row = t * z.tile_rows, count = std::min(z.tile_rows, z.rows - row);
      for (int64_t i = 0; i < count; i += kLanes) {
        const First lanes{static_cast<size_t>(std::min(kLanes, count - i))};
        hn::StoreU(load(from + row + i, lanes), tile::D(), to + t * kTileFloats + p * kRows + i);
      }
    }
  }
}

/// One block of pixels of a group's part.
void multiply_pixels(const ConvWeightGradArgs& a, const Sizes& z, const Patches& patches,
                     const GroupPart& part, int64_t p0, float* scratch) {
  const int64_t steps = std::min(kGemmBlockK, z.pixels - p0);
  float* a_block = scratch;
  float* panel = scratch + z.a_floats();
  pack_gradient(a, z, part.group, p0, steps, a_block);
  Run runs[kPanel];
  for (int64_t unit = part.begin; unit < part.end;) {
    const int64_t column = unit / z.tiles * kPanel;
    const int64_t columns = std::min(kPanel, z.columns - column);
    const int64_t end = std::min(part.end, (unit / z.tiles + 1) * z.tiles);
    const auto run_count = static_cast<size_t>(split_runs(patches, column, columns, runs));
    gather(patches, {runs, run_count}, p0, steps, panel, kPanel);
    for (; unit < end; ++unit) {
      const int64_t t = unit % z.tiles, row = t * z.tile_rows;
      const int64_t count = std::min(z.tile_rows, z.rows - row);
      const tile::Operands o{a_block + t * kTileFloats, panel, 1, kRows, kPanel, kPanel, steps};
      float* c = a.dweight + (part.group * z.rows + row) * z.columns + column;
      const int64_t lanes = columns > kLanes ? columns - kLanes : columns;
      weight_tile(count, columns)(o, tile::Target{c, z.columns, lanes, p0 > 0 || a.accumulate});
    }
  }
}

void weight_grad_part(const ConvWeightGradArgs& a, const Sizes& z, int64_t worker,
                      int64_t workers) {
  const ConvGeometry& s = a.shape;
  const int64_t per_group = z.panels * z.tiles;
  const int64_t end = z.units * (worker + 1) / workers;
  Patches patches{a.in, s.in_channels, s.in_channels / s.groups,
                  forward_axis(s.in_h, s.out_h, s.kernel_h, s.stride_h, s.pad_top, s.dilation_h),
                  forward_axis(s.in_w, s.out_w, s.kernel_w, s.stride_w, s.pad_left, s.dilation_w)};
  float* scratch = a.scratch + worker * z.worker_floats();
  std::fill_n(scratch + z.a_floats(), kGemmBlockK * kPanel, 0.0F);  // lanes past the last column
  for (int64_t unit = z.units * worker / workers; unit < end;) {
    const int64_t group = unit / per_group, next = std::min(end, (group + 1) * per_group);
    const GroupPart part{group, unit - group * per_group, next - group * per_group};
    patches.source = a.in + group * patches.depth;
    for (int64_t p0 = 0; p0 < z.pixels; p0 += kGemmBlockK) {
      multiply_pixels(a, z, patches, part, p0, scratch);
    }
    unit = next;
  }
}

void weight_grad_entry(const ConvWeightGradArgs& a, Team& team) {
  const Sizes z(a.shape);
  if (z.pixels * z.rows * z.columns * a.shape.groups < kSerialVolume || team.size() == 1) {
    weight_grad_part(a, z, 0, 1);
    return;
  }
  team.run([&](int worker) { weight_grad_part(a, z, worker, team.size()); });
}

int64_t weight_grad_scratch_entry(const ConvGeometry& shape, int workers) {
  return Sizes(shape).worker_floats() * workers * static_cast<int64_t>(sizeof(float));
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(weight_grad_entry);
HWY_EXPORT(weight_grad_scratch_entry);

namespace {

/// A kernel of one pixel: the plain product doutᵀ · in.
GemmArgs plain_weight_grad(const ConvWeightGradArgs& a) {
  const ConvGeometry& s = a.shape;
  GemmArgs g;
  g.a = a.dout;
  g.b = a.in;
  g.c = a.dweight;
  g.scratch = a.scratch;
  g.m = s.out_channels;
  g.n = s.in_channels;
  g.k = s.batch * s.out_h * s.out_w;
  g.lda = g.m;
  g.ldb = g.ldc = g.n;
  g.trans_a = true;
  g.accumulate = a.accumulate;
  return g;
}

}  // namespace

void conv_weight_grad(const ConvWeightGradArgs& args, Team& team) {
  const ConvGeometry& s = args.shape;
  const int64_t weights = s.out_channels * s.kernel_h * s.kernel_w * (s.in_channels / s.groups);
  if (s.batch * s.out_h * s.out_w == 0) {  // a sum over nothing
    if (!args.accumulate) std::fill_n(args.dweight, weights, 0.0F);
  } else if (is_plain_product(s)) {
    gemm(plain_weight_grad(args), team);
  } else if (is_depthwise(s)) {
    depthwise_weight_grad(args, team);
  } else {
    HWY_DYNAMIC_DISPATCH(weight_grad_entry)(args, team);
  }
}

int64_t conv_weight_grad_scratch_bytes(const ConvGeometry& shape, int workers) {
  ConvWeightGradArgs a;
  a.shape = shape;
  if (is_plain_product(shape)) return gemm_scratch_bytes(plain_weight_grad(a), workers);
  if (is_depthwise(shape)) return depthwise_weight_grad_scratch_bytes(shape);
  return HWY_DYNAMIC_DISPATCH(weight_grad_scratch_entry)(shape, workers);
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
