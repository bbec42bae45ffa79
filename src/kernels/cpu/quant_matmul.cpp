// SPDX-License-Identifier: Apache-2.0
// The driver of quant_matmul: quantises the activations, cuts the outputs into fixed units of 32
// and the rows into chunks of 192, calls the inner loop of this processor (quant_dot.h) and adds
// bias and activation. A unit's weights (two tiles) stay in the second-level cache while all rows
// of a chunk pass over them; a chunk's activations stay in the last level.
// Highway serves the parts that are elementwise; each is a fixed sequence of float operations.
#include "kernels/quant_matmul.h"

#include <algorithm>
#include <cstdint>

#include "kernels/cpu/quant_dot.h"
#include "kernels/cpu/targets.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/quant_matmul.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {

using Di = hn::ScalableTag<int32_t>;
using Vi = hn::Vec<Di>;

// One group of 32 activations -> codes, scale and negated code sum. The maximum is taken over bit
// patterns, whose order is that of magnitudes with NaN above infinity.
HWY_INLINE void quantize_group(const float* x, int8_t* codes, float* scale, int32_t* sum) {
  const Df d;
  const Di di;
  const hn::Rebind<int8_t, Di> d8;
  const auto width = static_cast<int64_t>(hn::Lanes(d));
  const Vi magnitude = hn::Set(di, 0x7FFFFFFF);
  Vi most = hn::Zero(di);
  for (int64_t i = 0; i < kQuantGroup; i += width) {
    most = hn::Max(most, hn::And(magnitude, hn::BitCast(di, hn::LoadU(d, x + i))));
  }
  constexpr int32_t kInfinityBits = 0x7F800000;
  constexpr int32_t kTinyBits = 27 << 23;  // 2^-100
  const int32_t bits = hn::GetLane(hn::MaxOfLanes(di, most));
  const bool plain = bits >= kTinyBits && bits < kInfinityBits;
  const float largest = hn::GetLane(hn::BitCast(d, hn::Set(di, bits)));
  *scale = plain ? largest / 127.0F : bits < kTinyBits ? 0.0F : HUGE_VALF - HUGE_VALF;
  const Vf inverse = hn::Set(d, plain ? 127.0F / largest : 0.0F);
  const Vf round = hn::Set(d, 12582912.0F);  // 1.5 * 2^23: adding it rounds half to even
  Vi total = hn::Zero(di);
  for (int64_t i = 0; i < kQuantGroup; i += width) {
    const Vf value = plain ? hn::LoadU(d, x + i) : hn::Zero(d);
    const Vf shifted = hn::Add(hn::Mul(value, inverse), round);
    const Vi code = hn::Sub(hn::BitCast(di, shifted), hn::BitCast(di, round));
    total = hn::Add(total, code);
    hn::StoreU(hn::DemoteTo(d8, code), d8, codes + i);
  }
  *sum = -hn::GetLane(hn::SumOfLanes(di, total));
}

void QuantizeRow(const float* x, int64_t n, int8_t* codes, float* scales, int32_t* sums) {
  int64_t g = 0;
  for (; (g + 1) * kQuantGroup <= n; ++g) {
    quantize_group(x + g * kQuantGroup, codes + g * kQuantGroup, scales + g, sums + g);
  }
  if (g * kQuantGroup == n) return;
  float padded[kQuantGroup] = {};
  std::copy(x + g * kQuantGroup, x + n, padded);
  quantize_group(padded, codes + g * kQuantGroup, scales + g, sums + g);
}

HWY_INLINE Vf activate(Vf v, Activation activation) {
  const Df d;
  switch (activation) {
    case Activation::kNone:
      return v;
    case Activation::kRelu:
      return max_nan(v, hn::Zero(d));
    case Activation::kGelu:
      return Gelu(d, v);
    case Activation::kGeluTanh:
      return GeluTanh(d, v);
    case Activation::kSilu:
      return Silu(d, v);
  }
  return v;
}

// y[r, 0 .. count) = activation(block[r, .] + bias).
void FinishRows(const float* block, int64_t rows, int64_t count, const float* bias,
                Activation activation, float* y, int64_t y_stride) {
  for (int64_t r = 0; r < rows; ++r) {
    for_vectors(count, [&](int64_t i, auto lanes) {
      Vf v = hn::LoadU(Df(), block + r * detail::kDotOutputs + i);
      if (bias != nullptr) v = hn::Add(v, load(bias + i, lanes));
      store(activate(v, activation), y + r * y_stride + i, lanes);
    });
  }
}

}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(QuantizeRow);
HWY_EXPORT(FinishRows);

namespace {

constexpr int64_t kChunkRows = 192;  // a multiple of every block_rows
constexpr double kQuantizeCost = 0.3;

int64_t round_up(int64_t bytes) { return ceil_div(bytes, kQuantAlignment) * kQuantAlignment; }

// The parts of a buffer of quantised activations.
struct Activations {
  int8_t* codes;
  float* scales;
  int32_t* sums;
};

Activations split(void* buffer, int64_t rows, int64_t groups) {
  auto* bytes = static_cast<uint8_t*>(buffer);
  const int64_t code_bytes = round_up(rows * groups * kQuantGroup);
  const int64_t scale_bytes = round_up(rows * groups * 4);
  return {reinterpret_cast<int8_t*>(bytes), reinterpret_cast<float*>(bytes + code_bytes),
          reinterpret_cast<int32_t*>(bytes + code_bytes + scale_bytes)};
}

// Rows [begin, begin + rows) of the product for output unit `unit`.
void multiply(const QuantMatmulArgs& args, const detail::QuantDot& dot, int64_t unit, int64_t begin,
              int64_t rows) {
  alignas(64) float block[detail::kDotRows * detail::kDotOutputs];
  const int64_t groups = quant_groups(args.in_features);
  const Activations x = split(args.activations, args.rows, groups);
  const int64_t first = unit * detail::kDotOutputs;
  const int64_t count = std::min(detail::kDotOutputs, args.out_features - first);
  detail::QuantDotCall call{};
  call.tile_bytes = quant_tile_bytes(args.format, args.in_features);
  call.weights =
      static_cast<const uint8_t*>(args.weights) + unit * detail::kDotTiles * call.tile_bytes;
  call.out = block;
  call.groups = groups;
  call.tiles = quant_tiles(count);
  const int64_t step = ceil_div(rows, ceil_div(rows, dot.block_rows));  // blocks of equal height
  const float* bias = args.bias == nullptr ? nullptr : args.bias + first;
  for (int64_t row = begin; row < begin + rows; row += step) {
    call.rows = std::min(step, begin + rows - row);
    call.codes = x.codes + row * groups * kQuantGroup;
    call.scales = x.scales + row * groups;
    call.sums = x.sums + row * groups;
    dot.function(call);
    HWY_DYNAMIC_DISPATCH(FinishRows)
    (block, call.rows, count, bias, args.activation, args.y + row * args.y_stride + first,
     args.y_stride);
  }
}

// Nanoseconds on one core: the stream of the weights plus the integer operations.
double estimate(const QuantMatmulArgs& args) {
  const auto weights =
      static_cast<double>(args.out_features) * static_cast<double>(args.in_features);
  return weights * 0.05 + weights * static_cast<double>(args.rows) / 150.0;
}

}  // namespace

int64_t quantize_activations_bytes(int64_t rows, int64_t in_features) {
  const int64_t groups = quant_groups(in_features);
  return round_up(rows * groups * kQuantGroup) + 2 * round_up(rows * groups * 4);
}

int64_t quant_matmul_scratch_bytes(int64_t rows, int64_t in_features) {
  return quantize_activations_bytes(rows, in_features);
}

void quantize_activations(const QuantizeActivationsArgs& args, Team& team) {
  const int64_t groups = quant_groups(args.in_features);
  const Activations out = split(args.quantized, args.rows, groups);
  row_tiles(team, args.rows, args.in_features, kQuantizeCost, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      HWY_DYNAMIC_DISPATCH(QuantizeRow)
      (args.x + row * args.x_stride, args.in_features, out.codes + row * groups * kQuantGroup,
       out.scales + row * groups, out.sums + row * groups);
    }
  });
}

void detail::quant_matmul_on(const QuantMatmulArgs& args, Team& team, QuantIsa isa) {
  if (args.rows == 0 || args.out_features == 0) return;
  if (args.x != nullptr) {
    quantize_activations({args.x, args.activations, args.rows, args.in_features, args.x_stride},
                         team);
  }
  const QuantDot dot = quant_dot(args.format, isa);
  const int64_t units = ceil_div(args.out_features, kDotOutputs);
  const int64_t chunks = ceil_div(args.rows, kChunkRows);
  team.tiles(chunks * units, estimate(args) < kSerialNanoseconds, [&](int64_t tile) {
    const int64_t begin = tile / units * kChunkRows;
    multiply(args, dot, tile % units, begin, std::min(kChunkRows, args.rows - begin));
  });
}

void quant_matmul(const QuantMatmulArgs& args, Team& team) {
  detail::quant_matmul_on(args, team, detail::best_quant_isa());
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
