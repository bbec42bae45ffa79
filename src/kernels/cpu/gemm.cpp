// SPDX-License-Identifier: Apache-2.0
// The product of gemm.h in two ways that add in the same order. Panels: few rows or little work;
// A is read in place, B in place, packed by the caller, or copied panel by panel onto the stack
// when its columns are not contiguous. Blocks: the classic five loops; the team packs a block of B
// into shared scratch, one barrier, then each worker packs its rows of A and runs register tiles.
// Two B buffers alternate, so one barrier per block is enough. Called through gemm.h only.
#include "kernels/gemm.h"

#include <algorithm>

#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemm.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/cpu/epilogue-inl.h"
#include "kernels/cpu/gemm_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using tile::kDynamic;
using tile::kLanes;
using tile::kPanel;
using tile::kRows;
using tile::Operands;
using tile::Target;
using TileFunction = void (*)(const Operands&, const Target&);

constexpr int64_t kBlockRows = kRows * (HWY_TARGET == HWY_AVX3 ? 12 : 16);  // A block fits L2
constexpr int64_t kBlockColumns = 2048;  // two B blocks of 384 x 2048 floats: 6 MiB of L3
constexpr int kDirectRows = HWY_TARGET == HWY_AVX3 ? 8 : kRows;
constexpr int64_t kPanelRowsLimit = 8;          // up to here packing B does not pay
constexpr int64_t kPanelVolumeLimit = 1 << 18;  // m * n * k, alike
constexpr int64_t kSerialVolume = 1 << 20;      // below: about 10 us, not worth a team
constexpr int64_t kSerialWeights = 1 << 18;     // n * k: 1 MiB of B

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

bool use_panels(const GemmArgs& g) {
  return g.m <= kPanelRowsLimit || g.m * g.n * g.k <= kPanelVolumeLimit;
}

bool is_serial(const GemmArgs& g) {
  return g.m * g.n * g.k * g.batch < kSerialVolume && g.n * g.k * g.batch < kSerialWeights;
}

// ---- Epilogue ------------------------------------------------------------------------------

/// Bias and activation on a finished tile of c, still in the first cache level.
HWY_NOINLINE void finish_tile(const GemmArgs& g, int64_t row, int64_t rows, int64_t column,
                              int64_t columns) {
  for (int64_t i = row; i < row + rows; ++i) {
    const int64_t at = i * g.ldc + column;
    finish_row(g.c + at, g.pre == nullptr ? nullptr : g.pre + at,
               g.bias == nullptr ? nullptr : g.bias + column, columns, g.activation);
  }
}

bool has_epilogue(const GemmArgs& g) {
  return g.bias != nullptr || g.pre != nullptr || g.activation != Activation::kNone;
}

// ---- Panels --------------------------------------------------------------------------------

/// A read in place. V: vectors of columns; wide ones hide the FMA latency of few rows.
template <int V>
TileFunction direct_tile(int64_t rows) {
  constexpr int64_t kAny = kDynamic;
  static constexpr TileFunction kTable[8] = {
      tile::block_tile<1, V, true, kAny, kAny, kAny>,
      tile::block_tile<2, V, true, kAny, kAny, kAny>,
      tile::block_tile<3, V, true, kAny, kAny, kAny>,
      tile::block_tile<4, V, true, kAny, kAny, kAny>,
      tile::block_tile<(V > 2 ? 4 : 5), V, true, kAny, kAny, kAny>,
      tile::block_tile<(V > 2 ? 4 : 6), V, true, kAny, kAny, kAny>,
      tile::block_tile<(V > 2 || kDirectRows < 7 ? 4 : 7), V, true, kAny, kAny, kAny>,
      tile::block_tile<(V > 2 || kDirectRows < 8 ? 4 : 8), V, true, kAny, kAny, kAny>};
  return kTable[rows - 1];
}

TileFunction direct_tile_for(int64_t rows, int64_t vectors) {
  if (vectors == 8) return tile::block_tile<1, 8, true, kDynamic, kDynamic, kDynamic>;
  if (vectors == 4) return direct_tile<4>(rows);
  return vectors == 2 ? direct_tile<2>(rows) : direct_tile<1>(rows);
}

/// The part of B that a run of panels reads in one block of k.
struct PanelSource {
  const float* b;
  int64_t step, panel;
};

/// All rows of A in one block of k: element (i, p) at a[i * row + p * step].
struct RowSource {
  const float* a;
  int64_t row, step;
  int64_t p0, steps;
};

/// Few rows that many panels will read are copied side by side: rows a power of two apart would
/// fall on each other in the first cache level.
RowSource row_source(const GemmArgs& g, int64_t p0, int64_t panels, float* copy) {
  const int64_t steps = std::min(kGemmBlockK, g.k - p0);
  if (g.trans_a) return {g.a + p0 * g.lda, 1, g.lda, p0, steps};
  if (g.m == 1 || g.m > kPanelRowsLimit || panels < 4) return {g.a + p0, g.lda, 1, p0, steps};
  tile::pack_transposed(g.a + p0, g.lda, g.m, steps, copy, g.m, 0);
  return {copy, 1, g.m, p0, steps};
}

/// Columns [column, column + columns) of all rows; at most 8 vectors wide (2 when B is copied).
void panel_columns(const GemmArgs& g, const RowSource& rows, int64_t column, int64_t columns) {
  HWY_ALIGN float copy[kGemmBlockK * kPanel];  // touched only when B's columns are not contiguous
  const int64_t vectors = ceil_div(columns, kLanes);
  const int64_t lanes = columns - (vectors - 1) * kLanes;
  const int64_t row_limit = vectors == 8 ? 1 : (vectors == 4 ? 4 : kDirectRows);
  PanelSource from{g.b + rows.p0 * g.ldb + column, g.ldb, kPanel};
  if (g.b_packed) {
    from = {g.b + column * g.k + rows.p0 * kPanel, kPanel, g.k * kPanel};
  } else if (g.trans_b) {
    tile::pack_transposed(g.b + column * g.ldb + rows.p0, g.ldb, columns, rows.steps, copy, kPanel,
                          0);
    from = {copy, kPanel, kPanel};
  }
  for (int64_t i = 0; i < g.m; i += row_limit) {
    const Operands o{
        rows.a + i * rows.row, from.b, rows.row, rows.step, from.step, from.panel, rows.steps};
    direct_tile_for(std::min(row_limit, g.m - i), vectors)(
        o, Target{g.c + i * g.ldc + column, g.ldc, lanes, rows.p0 > 0 || g.accumulate});
  }
  if (rows.p0 + rows.steps == g.k && has_epilogue(g)) finish_tile(g, 0, g.m, column, columns);
}

/// Panels [begin, end) of the result, cut into runs of 8, 4, 2 or 1 vectors.
void panel_range(const GemmArgs& g, int64_t begin, int64_t end) {
  HWY_ALIGN float copy[kGemmBlockK * kPanelRowsLimit];
  const bool copied = g.trans_b && !g.b_packed;
  const int64_t widest = copied || g.m > 4 ? 2 : (g.m == 1 ? 8 : 4);
  const int64_t last = std::min(g.n, end * kPanel);
  int64_t p0 = 0;
  do {
    const RowSource rows = row_source(g, p0, end - begin, copy);
    for (int64_t column = begin * kPanel; column < last;) {
      int64_t vectors = widest;
      while (vectors > 1 && (vectors - 1) * kLanes >= last - column) vectors /= 2;
      const int64_t columns = std::min(vectors * kLanes, last - column);
      panel_columns(g, rows, column, columns);
      column += columns;
    }
    p0 += rows.steps;
  } while (p0 < g.k);
}

// ---- Blocks --------------------------------------------------------------------------------

template <int V, int64_t... kR>
TileFunction packed_tile_of(int64_t rows, std::integer_sequence<int64_t, kR...>) {
  static constexpr TileFunction kTable[] = {
      tile::block_tile<static_cast<int>(kR) + 1, V, false, 1, kRows, kPanel>...};
  return kTable[rows - 1];
}

TileFunction packed_tile(int64_t rows, int64_t columns) {
  const std::make_integer_sequence<int64_t, kRows> all;
  return columns > kLanes ? packed_tile_of<2>(rows, all) : packed_tile_of<1>(rows, all);
}

/// Scratch of one block product: two B blocks, then one A block per worker.
struct BlockScratch {
  int64_t b_floats;  // one B block; 0 when B comes packed
  int64_t a_floats;  // one worker's A block
  int64_t total(int64_t workers) const { return 2 * b_floats + workers * a_floats; }
};

BlockScratch block_scratch(const GemmArgs& g) {
  const int64_t k = std::min(g.k, kGemmBlockK);
  const int64_t columns = ceil_div(std::min(g.n, kBlockColumns), kPanel) * kPanel;
  return {g.b_packed ? 0 : k * columns, k * std::min(kBlockRows, ceil_div(g.m, kRows) * kRows)};
}

/// A worker's place in a block product: rows and panels it computes, A block it owns.
struct Share {
  int64_t worker, workers;
  int64_t row_begin, row_end;
  bool by_columns;
  float* a_block;
};

/// Whole row tiles per worker; when there are too few of them, every worker takes all rows and its
/// part of the columns. Only who computes an element changes, never how.
Share make_share(const GemmArgs& g, int64_t worker, int64_t workers, float* a_blocks) {
  const int64_t tiles = ceil_div(g.m, kRows);
  Share s{worker, workers, 0, g.m, workers > 1 && tiles < 8 * workers && g.n >= 2 * g.m, nullptr};
  s.a_block = a_blocks + worker * block_scratch(g).a_floats;
  if (!s.by_columns) {
    s.row_begin = std::min(g.m, tiles * worker / workers * kRows);
    s.row_end = std::min(g.m, tiles * (worker + 1) / workers * kRows);
  }
  return s;
}

/// One block of B: columns [column, column + columns), k in [p0, p0 + steps).
struct Block {
  int64_t column, columns, p0, steps;
  const float* b;   // its first panel
  int64_t b_panel;  // floats from panel to panel
};

void pack_panels(const GemmArgs& g, const Block& block, float* to, const Share& s) {
  const int64_t panels = ceil_div(block.columns, kPanel);
  const int64_t end = panels * (s.worker + 1) / s.workers;
  for (int64_t j = panels * s.worker / s.workers; j < end; ++j) {
    const int64_t column = block.column + j * kPanel;
    const int64_t count = std::min(kPanel, block.column + block.columns - column);
    float* panel = to + j * block.steps * kPanel;
    if (g.trans_b) {
      tile::pack_transposed(g.b + column * g.ldb + block.p0, g.ldb, count, block.steps, panel,
                            kPanel, kPanel);
    } else {
      tile::pack_straight(g.b + block.p0 * g.ldb + column, g.ldb, count, block.steps, panel, kPanel,
                          kPanel);
    }
  }
}

void pack_rows(const GemmArgs& g, int64_t row, int64_t rows, const Block& block, float* to) {
  for (int64_t i = row; i < row + rows; i += kRows, to += block.steps * kRows) {
    const int64_t count = std::min<int64_t>(kRows, row + rows - i);
    if (g.trans_a) {
      tile::pack_straight(g.a + block.p0 * g.lda + i, g.lda, count, block.steps, to, kRows, 0);
    } else {
      tile::pack_transposed(g.a + i * g.lda + block.p0, g.lda, count, block.steps, to, kRows, 0);
    }
  }
}

/// Rows [row, row + rows) of panel j of the block.
void multiply_panel(const GemmArgs& g, const Block& block, int64_t j, int64_t row, int64_t rows,
                    const float* a_block) {
  const int64_t column = block.column + j * kPanel;
  const int64_t columns = std::min(kPanel, block.column + block.columns - column);
  const int64_t lanes = columns > kLanes ? columns - kLanes : columns;
  const bool finish = block.p0 + block.steps == g.k && has_epilogue(g);
  for (int64_t i = 0; i < rows; i += kRows) {
    const int64_t count = std::min<int64_t>(kRows, rows - i);
    const Operands o{a_block + i * block.steps,
                     block.b + j * block.b_panel,
                     1,
                     kRows,
                     kPanel,
                     kPanel,
                     block.steps};
    packed_tile(count, columns)(
        o, Target{g.c + (row + i) * g.ldc + column, g.ldc, lanes, block.p0 > 0 || g.accumulate});
    if (finish) finish_tile(g, row + i, count, column, columns);
  }
}

void multiply_block(const GemmArgs& g, const Block& block, const Share& s) {
  const int64_t panels = ceil_div(block.columns, kPanel);
  const int64_t begin = s.by_columns ? panels * s.worker / s.workers : 0;
  const int64_t end = s.by_columns ? panels * (s.worker + 1) / s.workers : panels;
  if (begin == end) return;
  for (int64_t row = s.row_begin; row < s.row_end; row += kBlockRows) {
    const int64_t rows = std::min(kBlockRows, s.row_end - row);
    pack_rows(g, row, rows, block, s.a_block);
    for (int64_t j = begin; j < end; ++j) multiply_panel(g, block, j, row, rows, s.a_block);
  }
}

/// One worker's part of a product; `team` is null when it works alone.
void block_product(const GemmArgs& g, int64_t worker, int64_t workers, Team* team) {
  const BlockScratch sizes = block_scratch(g);
  const Share share = make_share(g, worker, workers, g.scratch + 2 * sizes.b_floats);
  int64_t turn = 0;
  for (int64_t column = 0; column < g.n; column += kBlockColumns) {
    for (int64_t p0 = 0; p0 < g.k; p0 += kGemmBlockK, turn ^= 1) {
      Block block{column,
                  std::min(kBlockColumns, g.n - column),
                  p0,
                  std::min(kGemmBlockK, g.k - p0),
                  g.b + column * g.k + p0 * kPanel,
                  g.k * kPanel};
      if (!g.b_packed) {
        float* to = g.scratch + turn * sizes.b_floats;
        pack_panels(g, block, to, share);
        block.b = to;
        block.b_panel = block.steps * kPanel;
        if (team != nullptr) team->barrier();
      }
      multiply_block(g, block, share);
    }
  }
}

// ---- Entry points --------------------------------------------------------------------------

GemmArgs product_of(const GemmArgs& g, int64_t index) {
  GemmArgs one = g;
  one.batch = 1;
  one.a += index * g.stride_a;
  one.b += index * g.stride_b;
  one.c += index * g.stride_c;
  if (g.pre != nullptr) one.pre += index * g.stride_c;
  return one;
}

/// Batches that keep every worker busy run one product per worker, others one after the other.
bool split_batch(const GemmArgs& g, int workers) { return g.batch > 1 && g.batch >= workers; }

void gemm_batch(const GemmArgs& g, Team& team) {
  const int64_t own = use_panels(g) ? 0 : block_scratch(g).total(1);
  const bool serial = is_serial(g) || team.size() == 1;
  const int64_t workers = serial ? 1 : team.size();
  const auto body = [&](int worker) {
    const int64_t end = g.batch * (worker + 1) / workers;
    for (int64_t i = g.batch * worker / workers; i < end; ++i) {
      GemmArgs one = product_of(g, i);
      if (own == 0) {
        panel_range(one, 0, ceil_div(g.n, kPanel));
      } else {
        one.scratch += worker * own;
        block_product(one, 0, 1, nullptr);
      }
    }
  };
  if (serial) {
    body(0);
  } else {
    team.run(body);
  }
}

void gemm_one(const GemmArgs& g, Team& team) {
  const int64_t panels = ceil_div(g.n, kPanel);
  const bool direct = use_panels(g);
  if (is_serial(g) || team.size() == 1) {
    direct ? panel_range(g, 0, panels) : block_product(g, 0, 1, nullptr);
    return;
  }
  const int64_t workers = team.size();
  team.run([&](int worker) {
    if (direct) {
      panel_range(g, panels * worker / workers, panels * (worker + 1) / workers);
    } else {
      block_product(g, worker, workers, &team);
    }
  });
}

void gemm_entry(const GemmArgs& g, Team& team) {
  if (g.m <= 0 || g.n <= 0 || g.batch <= 0) return;
  if (g.batch == 1) {
    gemm_one(g, team);
  } else if (split_batch(g, team.size()) || is_serial(g)) {
    gemm_batch(g, team);
  } else {
    for (int64_t i = 0; i < g.batch; ++i) gemm_one(product_of(g, i), team);
  }
}

int64_t scratch_entry(const GemmArgs& g, int workers) {
  if (g.m <= 0 || g.n <= 0 || use_panels(g)) return 0;
  const BlockScratch sizes = block_scratch(g);
  const int64_t floats = split_batch(g, workers) ? workers * sizes.total(1) : sizes.total(workers);
  return floats * static_cast<int64_t>(sizeof(float));
}

void pack_entry(const GemmPackArgs& p, Team& team) {
  GemmArgs g;
  g.b = p.b;
  g.n = p.n;
  g.k = p.k;
  g.ldb = p.ldb;
  g.trans_b = p.trans_b;
  const int64_t panels = ceil_div(p.n, kPanel);
  team.tiles(panels, p.n * p.k < kSerialWeights, [&](int64_t j) {
    const int64_t column = j * kPanel;
    const Block block{column, std::min(kPanel, p.n - column), 0, p.k, nullptr, 0};
    pack_panels(g, block, p.packed + column * p.k, Share{0, 1, 0, 0, false, nullptr});
  });
}

int64_t packed_entry(int64_t n, int64_t k) {
  return ceil_div(n, kPanel) * kPanel * k * static_cast<int64_t>(sizeof(float));
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(gemm_entry);
HWY_EXPORT(scratch_entry);
HWY_EXPORT(pack_entry);
HWY_EXPORT(packed_entry);

void gemm(const GemmArgs& args, Team& team) { HWY_DYNAMIC_DISPATCH(gemm_entry)(args, team); }

int64_t gemm_scratch_bytes(const GemmArgs& args, int workers) {
  return HWY_DYNAMIC_DISPATCH(scratch_entry)(args, workers);
}

void gemm_pack_b(const GemmPackArgs& args, Team& team) {
  HWY_DYNAMIC_DISPATCH(pack_entry)(args, team);
}

int64_t gemm_packed_bytes(int64_t n, int64_t k) { return HWY_DYNAMIC_DISPATCH(packed_entry)(n, k); }

}  // namespace ingot::kernels
#endif  // HWY_ONCE
