// SPDX-License-Identifier: Apache-2.0
// Strided copies. After merging axes: contiguous segments by memcpy (or vector addition), a
// transpose of two axes by square blocks that stay in the first-level cache, anything else element
// by element along the destination's fastest axis. See copy.h for the contract.
#include "kernels/copy.h"

#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "kernels/cpu/nd.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/copy.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot::kernels::HWY_NAMESPACE {
namespace {

void add_segment(const float* src, float* dst, int64_t n) {
  for_vectors(n, [&](int64_t i, auto lanes)
                     HWY_ATTR { write(load(src + i, lanes), dst + i, lanes, true); });
}

#if HWY_TARGET != HWY_SCALAR
/// dst[c * dst_row + r] = src[r * src_row + c] for r, c < 4, in 128-bit vectors.
HWY_INLINE void transpose_4x4(const float* src, int64_t src_row, float* dst, int64_t dst_row) {
  const hn::FixedTag<float, 4> d;
  const hn::Repartition<double, decltype(d)> dd;
  const auto r0 = hn::LoadU(d, src);
  const auto r1 = hn::LoadU(d, src + src_row);
  const auto r2 = hn::LoadU(d, src + 2 * src_row);
  const auto r3 = hn::LoadU(d, src + 3 * src_row);
  const auto a = hn::BitCast(dd, hn::InterleaveLower(d, r0, r1));  // 00 10 01 11
  const auto b = hn::BitCast(dd, hn::InterleaveLower(d, r2, r3));
  const auto e = hn::BitCast(dd, hn::InterleaveUpper(d, r0, r1));
  const auto f = hn::BitCast(dd, hn::InterleaveUpper(d, r2, r3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(dd, a, b)), d, dst);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(dd, a, b)), d, dst + dst_row);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(dd, e, f)), d, dst + 2 * dst_row);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(dd, e, f)), d, dst + 3 * dst_row);
}
#endif

/// dst[c * dst_row + r] = src[r * src_row + c] for r < rows, c < cols; float32.
void transpose_block(const float* src, int64_t src_row, float* dst, int64_t dst_row, int64_t rows,
                     int64_t cols) {
  int64_t full_rows = 0;
  int64_t full_cols = 0;
#if HWY_TARGET != HWY_SCALAR
  full_rows = rows / 4 * 4;
  full_cols = cols / 4 * 4;
  for (int64_t c = 0; c < full_cols; c += 4) {
    for (int64_t r = 0; r < full_rows; r += 4) {
      transpose_4x4(src + r * src_row + c, src_row, dst + c * dst_row + r, dst_row);
    }
  }
#endif
  for (int64_t c = 0; c < cols; ++c) {
    const int64_t from = c < full_cols ? full_rows : 0;
    for (int64_t r = from; r < rows; ++r) dst[c * dst_row + r] = src[r * src_row + c];
  }
}

}  // namespace
}  // namespace ingot::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::kernels {

HWY_EXPORT(add_segment);
HWY_EXPORT(transpose_block);

namespace {

constexpr int64_t kBlock = 64;  // side of a transposed block: 16 KiB in, 16 KiB out

/// What one segment of the copy needs beside its offsets.
struct CopyPlan {
  const char* src;
  char* dst;
  int64_t src_step;
  int64_t dst_step;
  int64_t bytes;
  bool accumulate;
};

template <class T>
void copy_elements(const CopyPlan& plan, const Offsets<2>& at, int64_t n) {
  const T* src = reinterpret_cast<const T*>(plan.src) + at[0];
  T* dst = reinterpret_cast<T*>(plan.dst) + at[1];
  for (int64_t i = 0; i < n; ++i) dst[i * plan.dst_step] = src[i * plan.src_step];
}

void accumulate_elements(const CopyPlan& plan, const Offsets<2>& at, int64_t n) {
  const float* src = reinterpret_cast<const float*>(plan.src) + at[0];
  float* dst = reinterpret_cast<float*>(plan.dst) + at[1];
  for (int64_t i = 0; i < n; ++i) dst[i * plan.dst_step] += src[i * plan.src_step];
}

void copy_segment(const CopyPlan& plan, const Offsets<2>& at, int64_t n) {
  const bool contiguous = (plan.src_step == 1 && plan.dst_step == 1) || n == 1;
  if (plan.accumulate) {
    if (!contiguous) return accumulate_elements(plan, at, n);
    HWY_DYNAMIC_DISPATCH(add_segment)
    (reinterpret_cast<const float*>(plan.src) + at[0], reinterpret_cast<float*>(plan.dst) + at[1],
     n);
    return;
  }
  if (contiguous) {
    std::memcpy(plan.dst + at[1] * plan.bytes, plan.src + at[0] * plan.bytes,
                static_cast<size_t>(n * plan.bytes));
    return;
  }
  switch (plan.bytes) {
    case 1:
      return copy_elements<uint8_t>(plan, at, n);
    case 2:
      return copy_elements<uint16_t>(plan, at, n);
    case 4:
      return copy_elements<uint32_t>(plan, at, n);
    default:
      return copy_elements<uint64_t>(plan, at, n);
  }
}

/// Sorts the axes so that the destination's strides fall: the last axis is written in order.
void sort_axes(const CopyArgs& args, CopyArgs& sorted) {
  int64_t order[kMaxDims];
  for (int64_t i = 0; i < args.dims; ++i) {  // stable, and nothing from the heap inside a step
    int64_t at = i;
    for (; at > 0 && std::abs(args.dst_stride[order[at - 1]]) < std::abs(args.dst_stride[i]);
         --at) {
      order[at] = order[at - 1];
    }
    order[at] = i;
  }
  for (int64_t i = 0; i < args.dims; ++i) {
    sorted.shape[i] = args.shape[order[i]];
    sorted.src_stride[i] = args.src_stride[order[i]];
    sorted.dst_stride[i] = args.dst_stride[order[i]];
  }
}

/// The axis along which the source of a transpose is contiguous, or -1 when blocks do not apply.
int64_t transpose_axis(const Nd<2>& nd, const CopyArgs& args) {
  const int64_t last = nd.dims - 1;
  if (args.accumulate || args.element_bytes != 4 || nd.dims < 2) return -1;
  if (nd.stride[1][last] != 1 || nd.shape[last] < 4) return -1;
  for (int64_t axis = 0; axis < last; ++axis) {
    if (nd.stride[0][axis] == 1 && nd.shape[axis] >= 4) return axis;
  }
  return -1;
}

/// Blocks of kBlock x kBlock over (axis, last); every other axis is part of the tile number.
void transpose_blocks(const CopyArgs& args, const Nd<2>& nd, int64_t axis, Team& team) {
  const int64_t last = nd.dims - 1;
  const int64_t src_cols = nd.shape[axis];
  const int64_t src_rows = nd.shape[last];
  const int64_t col_blocks = ceil_div(src_cols, kBlock);
  const int64_t row_blocks = ceil_div(src_rows, kBlock);
  const int64_t matrices = nd.total / (src_cols * src_rows);
  const auto* src = static_cast<const float*>(args.src);
  auto* dst = static_cast<float*>(args.dst);
  team.tiles(matrices * col_blocks * row_blocks, is_serial(nd.total, 2 * kStreamCost),
             [&](int64_t tile) {
               const int64_t r = tile % row_blocks * kBlock;
               const int64_t c = tile / row_blocks % col_blocks * kBlock;
               int64_t matrix = tile / row_blocks / col_blocks;
               int64_t from = r * nd.stride[0][last] + c;
               int64_t to = r + c * nd.stride[1][axis];
               for (int64_t k = last - 1; k >= 0; --k) {
                 if (k == axis) continue;
                 from += matrix % nd.shape[k] * nd.stride[0][k];
                 to += matrix % nd.shape[k] * nd.stride[1][k];
                 matrix /= nd.shape[k];
               }
               HWY_DYNAMIC_DISPATCH(transpose_block)
               (src + from, nd.stride[0][last], dst + to, nd.stride[1][axis],
                std::min(kBlock, src_rows - r), std::min(kBlock, src_cols - c));
             });
}

}  // namespace

void strided_copy(const CopyArgs& args, Team& team) {
  const int64_t bytes = args.element_bytes;
  INGOT_ASSERT(bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8);
  INGOT_ASSERT(!args.accumulate || bytes == 4);
  CopyArgs sorted;
  sort_axes(args, sorted);
  const auto nd = merge_axes<2>(args.dims, sorted.shape, {sorted.src_stride, sorted.dst_stride});
  if (nd.total == 0) return;
  const int64_t axis = transpose_axis(nd, args);
  if (axis >= 0) return transpose_blocks(args, nd, axis, team);
  const int64_t last = nd.dims - 1;
  const CopyPlan plan{static_cast<const char*>(args.src),
                      static_cast<char*>(args.dst),
                      nd.stride[0][last],
                      nd.stride[1][last],
                      bytes,
                      args.accumulate};
  nd_tiles(team, nd, kStreamCost,
           [&](const Offsets<2>& at, int64_t n) { copy_segment(plan, at, n); });
}

}  // namespace ingot::kernels
#endif  // HWY_ONCE
