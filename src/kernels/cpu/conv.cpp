// SPDX-License-Identifier: Apache-2.0
// conv and conv_transposed of conv.h. The team packs the weights once into panels; then every
// worker goes over its own row tiles alone: gathers the patch rows of a tile, multiplies them with
// the panels and finishes the tile in registers. The gradient runs the same loop once per phase of
// the stride. Convolutions of 1 x 1 are plain products; depthwise ones are in depthwise.cpp.
#include "kernels/conv.h"

#include <algorithm>
#include <span>

#include "kernels/cpu/depthwise.h"
#include "kernels/cpu/patches.h"

#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/cpu/conv_tile-inl.h"
#include "kernels/cpu/epilogue-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {

constexpr int64_t kBlockTiles = HWY_TARGET == HWY_AVX3 ? 12 : 16;  // packed rows: a quarter of L2
constexpr int64_t kChunkPanels = 8;    // of the weights that stay in L2 beside them
constexpr double kWorthAcross = 0.93;  // of the taps inside the image; above, memory costs more
constexpr int64_t kSerialVolume = 1 << 20;  // products below: about 10 us, not worth a team

constexpr int64_t panels_of(int64_t columns) { return (columns + kPanel - 1) / kPanel; }

/// A pass over a convolution: which way, and the sizes that follow.
struct Pass {
  const ConvArgs& a;
  bool is_transposed;
  int64_t depth, columns, panels;  // channels of a tap, result channels of a group, their panels
  int64_t phases;

  Pass(const ConvArgs& args, bool transposed) : a(args), is_transposed(transposed) {
    const ConvGeometry& s = a.shape;
    depth = (transposed ? s.out_channels : s.in_channels) / s.groups;
    columns = (transposed ? s.in_channels : s.out_channels) / s.groups;
    panels = panels_of(columns);
    phases = transposed ? s.stride_h * s.stride_w : 1;
  }
  [[nodiscard]] int64_t result_w() const { return is_transposed ? a.shape.in_w : a.shape.out_w; }
  [[nodiscard]] int64_t result_h() const { return is_transposed ? a.shape.in_h : a.shape.out_h; }
  /// Floats of all packed weights.
  [[nodiscard]] int64_t packed_floats() const {
    return a.shape.groups * panels * kPanel * a.shape.kernel_h * a.shape.kernel_w * depth;
  }
  [[nodiscard]] int64_t block_floats() const {
    const int64_t pixels = a.shape.batch * result_h() * result_w();
    return std::min(kBlockTiles, pixels) * kRows * kPatchRow;
  }
  /// The patches of one phase for group 0.
  [[nodiscard]] Patches patches(int64_t phase) const {
    const ConvGeometry& s = a.shape;
    if (!is_transposed) {
      return {a.source, s.in_channels, depth,
              forward_axis(s.in_h, s.out_h, s.kernel_h, s.stride_h, s.pad_top, s.dilation_h),
              forward_axis(s.in_w, s.out_w, s.kernel_w, s.stride_w, s.pad_left, s.dilation_w)};
    }
    return {a.source, s.out_channels, depth,
            backward_axis(s.in_h, s.out_h, s.kernel_h, s.stride_h, s.pad_top, s.dilation_h,
                          phase / s.stride_w),
            backward_axis(s.in_w, s.out_w, s.kernel_w, s.stride_w, s.pad_left, s.dilation_w,
                          phase % s.stride_w)};
  }
};

/// Packs panel `panel` of a group: row (u, v, c) of the panel is the weight of that tap and channel
/// for kPanel result channels, zeros past the last.
void pack_weights(const Pass& pass, const Patches& p, int64_t group, int64_t panel, float* to) {
  const ConvGeometry& s = pass.a.shape;
  const int64_t column = panel * kPanel, count = std::min(kPanel, pass.columns - column);
  const int64_t in_depth = s.in_channels / s.groups, taps = s.kernel_h * s.kernel_w;
  if (!pass.is_transposed) {
    const int64_t k = taps * in_depth;
    const float* from = pass.a.weight + (group * pass.columns + column) * k;
    tile::pack_transposed(from, k, count, k, to, kPanel, kPanel);
    return;
  }
  const float* from = pass.a.weight + group * pass.depth * taps * in_depth + column;
  for (int64_t u = 0; u < p.y.taps; ++u) {
    for (int64_t v = 0; v < p.x.taps; ++v, to += pass.depth * kPanel) {
      const int64_t tap =
          (p.y.tap_first + u * p.y.tap_stride) * s.kernel_w + p.x.tap_first + v * p.x.tap_stride;
      tile::pack_straight(from + tap * in_depth, taps * in_depth, count, pass.depth, to, kPanel,
                          kPanel);
    }
  }
}

/// Which pixels make a row tile. Across images: one grid position of up to kRows images, which all
/// read inside and outside the image alike, so taps in the padding are left out. Along pixels, when
/// there are too few images or little padding: kRows neighbours, nearer to each other in memory,
/// with zeros for what is outside. The bytes are the same.
struct Tiling {
  int64_t batch, pixels, width;  // images, grid positions per image and row
  int64_t groups;                // of images; 0: along pixels
  int64_t tiles;

  Tiling(int64_t images, const Patches& p) : batch(images), pixels(p.pixels()), width(p.x.grid) {
    const bool is_across =
        batch >= (kRows + 1) / 2 && inside_share(p.y) * inside_share(p.x) < kWorthAcross;
    groups = is_across ? (batch + kRows - 1) / kRows : 0;
    tiles = groups > 0 ? groups * pixels : (batch * pixels + kRows - 1) / kRows;
  }
};

/// The rows of one tile: images at one grid position, or pixels along the grid.
GridRows tile_rows(const Tiling& t, int64_t tile) {
  if (t.groups > 0) {
    const int64_t group = tile / t.pixels, at = tile % t.pixels;
    const int64_t begin = t.batch * group / t.groups, end = t.batch * (group + 1) / t.groups;
    return {begin, at / t.width, at % t.width, end - begin};
  }
  const int64_t row = tile * kRows, at = row % t.pixels;
  return {row / t.pixels, at / t.width, at % t.width,
          std::min<int64_t>(kRows, t.batch * t.pixels - row)};
}

/// Offsets of the tile's rows in the result, in floats.
void locate_rows(const Pass& pass, const Patches& p, const Tiling& t, const GridRows& rows,
                 int64_t* at) {
  const int64_t channels = pass.columns * pass.a.shape.groups;
  int64_t image = rows.image, i = rows.i, j = rows.j;
  for (int64_t r = 0; r < rows.count; ++r) {
    const int64_t y = p.y.out_first + i * p.y.out_step, x = p.x.out_first + j * p.x.out_step;
    at[r] = ((image * pass.result_h() + y) * pass.result_w() + x) * channels;
    if (t.groups > 0) {
      ++image;
    } else if (++j == p.x.grid) {
      j = 0;
      if (++i == p.y.grid) i = 0, ++image;
    }
  }
}

/// A smooth activation, or one whose input is kept, is done on the stored tile; the others in
/// registers.
bool has_late_epilogue(const ConvArgs& a) {
  return a.pre != nullptr ||
         (a.activation != Activation::kNone && a.activation != Activation::kRelu);
}

/// One packed tile in one block of k.
struct PackedTile {
  PatchOperands operands;  // panel: of the first unit
  const int64_t* at;       // of the result
  int64_t rows;
  bool is_first, is_last;  // block of k
};

/// The tile times the panel of `unit` (group * panels + panel).
void multiply_tile(const Pass& pass, const PackedTile& tile, int64_t unit) {
  const ConvArgs& a = pass.a;
  const int64_t column = unit % pass.panels * kPanel;
  const int64_t columns = std::min(kPanel, pass.columns - column);
  const int64_t first = unit / pass.panels * pass.columns + column;  // among all result channels
  const float* bias = a.bias == nullptr ? nullptr : a.bias + first;
  const bool is_late = tile.is_last && has_late_epilogue(a);
  const bool is_done = tile.is_last && !is_late;
  patch_tile_for(tile.rows, columns)(
      tile.operands,
      RowTarget{a.result + first, tile.at, is_done ? bias : nullptr,
                columns > kLanes ? columns - kLanes : columns, !tile.is_first || a.accumulate,
                is_done && a.activation == Activation::kRelu});
  for (int64_t r = 0; is_late && r < tile.rows; ++r) {
    const int64_t at = tile.at[r] + first;
    finish_row(a.result + at, a.pre == nullptr ? nullptr : a.pre + at, bias, columns, a.activation);
  }
}

/// Part of a phase that one worker multiplies: row tiles and units (group * panels + panel).
struct Part {
  int64_t tile_begin, tile_end, unit_begin, unit_end;
};

/// A share of the row tiles, or, when there are few, all of them and a share of the units.
Part make_part(const Pass& pass, int64_t tiles, int64_t worker, int64_t workers) {
  const int64_t units = pass.a.shape.groups * pass.panels;
  if (workers > 1 && tiles < 4 * workers && units >= workers) {
    return {0, tiles, units * worker / workers, units * (worker + 1) / workers};
  }
  return {tiles * worker / workers, tiles * (worker + 1) / workers, 0, units};
}

/// Neighbouring tiles in one block of k: packs their rows, then multiplies them with the panels, a
/// chunk of which stays in L2 while the tiles go by.
struct BlockOfK {
  const Patches& patches;  // of the group
  const Tiling& tiling;
  std::span<const Run> runs;
  int64_t p0, steps;
};

void multiply_block(const Pass& pass, const BlockOfK& k, const Part& part, const float* packed,
                    float* a_block) {
  const int64_t size = k.patches.size();
  const int64_t chunks = (part.unit_end - part.unit_begin + kChunkPanels - 1) / kChunkPanels;
  const bool is_across = k.tiling.groups > 0;
  Segment segments[kGemmBlockK];
  segments[0] = {0, k.steps};
  int64_t at[kRows], segment_count = 1;
  if (!is_across) {
    const int64_t first = part.tile_begin * kRows;
    const int64_t rows = std::min(part.tile_end * kRows, k.tiling.batch * k.tiling.pixels) - first;
    gather(k.patches, k.runs, first, rows, a_block, kPatchRow);
  }
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    const int64_t begin = part.unit_begin + chunk * kChunkPanels;
    const int64_t end = std::min(part.unit_end, begin + kChunkPanels);
    for (int64_t t = part.tile_begin; t < part.tile_end; ++t) {
      float* rows = a_block + (t - part.tile_begin) * kRows * kPatchRow;
      const GridRows place = tile_rows(k.tiling, t);
      if (is_across) {  // the segments anew, the numbers once
        GridRows from = place;
        if (chunk > 0) from.count = 0;
        segment_count = gather_images(k.patches, k.runs, from, rows, segments);
      }
      locate_rows(pass, k.patches, k.tiling, place, at);
      for (int64_t u = begin; u < end; ++u) {
        const PackedTile tile{{rows, packed + (u * size + k.p0) * kPanel, segments, segment_count},
                              at,
                              place.count,
                              k.p0 == 0,
                              k.p0 + k.steps == size};
        multiply_tile(pass, tile, u);
      }
    }
  }
}

/// One worker's part of a phase. `packed` holds the phase's weights, unit after unit.
void multiply_part(const Pass& pass, const Patches& phase, const Tiling& tiling, const Part& part,
                   const float* packed, float* a_block) {
  const int64_t k = phase.size();
  Run runs[kGemmBlockK];
  for (int64_t tile = part.tile_begin; tile < part.tile_end; tile += kBlockTiles) {
    const int64_t tile_end = std::min(part.tile_end, tile + kBlockTiles);
    for (int64_t unit = part.unit_begin; unit < part.unit_end;) {
      const int64_t group = unit / pass.panels;
      const int64_t end = std::min(part.unit_end, (group + 1) * pass.panels);
      Patches patches = phase;
      patches.source += group * pass.depth;
      int64_t p0 = 0;
      do {
        const int64_t steps = std::min(kGemmBlockK, k - p0);
        const auto count = static_cast<size_t>(split_runs(patches, p0, steps, runs));
        multiply_block(pass, {patches, tiling, {runs, count}, p0, steps},
                       {tile, tile_end, unit, end}, packed, a_block);
        p0 += steps;
      } while (p0 < k);
      unit = end;
    }
  }
}

/// What one worker does; `team` is null when it works alone.
void convolve(const Pass& pass, int64_t worker, int64_t workers, Team* team) {
  const int64_t units = pass.a.shape.groups * pass.panels;
  float* packed = pass.a.scratch;
  for (int64_t phase = 0; phase < pass.phases; ++phase) {
    const Patches p = pass.patches(phase);
    for (int64_t u = units * worker / workers; u < units * (worker + 1) / workers; ++u) {
      pack_weights(pass, p, u / pass.panels, u % pass.panels, packed + u * p.size() * kPanel);
    }
    packed += units * p.size() * kPanel;
  }
  if (team != nullptr) team->barrier();
  float* a_block = pass.a.scratch + pass.packed_floats() + worker * pass.block_floats();
  packed = pass.a.scratch;
  for (int64_t phase = 0; phase < pass.phases; ++phase) {
    const Patches p = pass.patches(phase);
    const Tiling tiling(pass.a.shape.batch, p);
    multiply_part(pass, p, tiling, make_part(pass, tiling.tiles, worker, workers), packed, a_block);
    packed += units * p.size() * kPanel;
  }
}

void conv_entry(const ConvArgs& a, bool is_transposed, Team& team) {
  const Pass pass(a, is_transposed);
  const ConvGeometry& s = a.shape;
  const int64_t volume = s.batch * s.out_h * s.out_w * s.out_channels * s.kernel_h * s.kernel_w *
                         (s.in_channels / s.groups);
  if (volume < kSerialVolume || team.size() == 1) {
    convolve(pass, 0, 1, nullptr);
    return;
  }
  team.run([&](int worker) { convolve(pass, worker, team.size(), &team); });
}

int64_t conv_scratch_entry(const ConvGeometry& shape, bool is_transposed, int workers) {
  ConvArgs a;
  a.shape = shape;
  const Pass pass(a, is_transposed);
  return (pass.packed_floats() + workers * pass.block_floats()) *
         static_cast<int64_t>(sizeof(float));
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(conv_entry);
HWY_EXPORT(conv_scratch_entry);

namespace {

/// Pixel by pixel the same product: a matrix product with nothing to gather.
GemmArgs plain_product(const ConvArgs& a, bool is_transposed) {
  const ConvGeometry& s = a.shape;
  GemmArgs g;
  g.a = a.source;
  g.b = a.weight;
  g.c = a.result;
  g.bias = a.bias;
  g.pre = a.pre;
  g.scratch = a.scratch;
  g.m = s.batch * s.out_h * s.out_w;
  g.n = is_transposed ? s.in_channels : s.out_channels;
  g.k = is_transposed ? s.out_channels : s.in_channels;
  g.lda = g.k;
  g.ldb = s.in_channels;
  g.ldc = g.n;
  g.trans_b = !is_transposed;
  g.accumulate = a.accumulate;
  g.activation = a.activation;
  return g;
}

bool is_empty(const ConvGeometry& s) { return s.batch * s.out_h * s.out_w * s.out_channels == 0; }

}  // namespace

void conv(const ConvArgs& args, Team& team) {
  if (is_empty(args.shape)) return;
  if (is_plain_product(args.shape)) {
    gemm(plain_product(args, false), team);
  } else if (is_depthwise(args.shape)) {
    depthwise(args, false, team);
  } else {
    HWY_DYNAMIC_DISPATCH(conv_entry)(args, false, team);
  }
}

void conv_transposed(const ConvArgs& args, Team& team) {
  if (args.shape.batch * args.shape.in_h * args.shape.in_w * args.shape.in_channels == 0) return;
  if (is_plain_product(args.shape)) {
    gemm(plain_product(args, true), team);
  } else if (is_depthwise(args.shape)) {
    depthwise(args, true, team);
  } else {
    HWY_DYNAMIC_DISPATCH(conv_entry)(args, true, team);
  }
}

int64_t conv_scratch_bytes(const ConvGeometry& shape, int workers) {
  ConvArgs a;
  a.shape = shape;
  if (is_empty(shape)) return 0;
  if (is_plain_product(shape)) return gemm_scratch_bytes(plain_product(a, false), workers);
  if (is_depthwise(shape)) return depthwise_scratch_bytes(shape);
  return HWY_DYNAMIC_DISPATCH(conv_scratch_entry)(shape, false, workers);
}

int64_t conv_transposed_scratch_bytes(const ConvGeometry& shape, int workers) {
  ConvArgs a;
  a.shape = shape;
  if (is_plain_product(shape)) return gemm_scratch_bytes(plain_product(a, true), workers);
  if (is_depthwise(shape)) return depthwise_scratch_bytes(shape);
  return HWY_DYNAMIC_DISPATCH(conv_scratch_entry)(shape, true, workers);
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
