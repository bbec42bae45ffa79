// SPDX-License-Identifier: Apache-2.0
// Moving elements between strided layouts: transpose, slice, concat and their gradients.
// Adjacent axes are merged first; then rows that are contiguous on both sides go by memcpy or
// vector adds, a transpose by square blocks that fit the first-level cache, the rest element by
// element. Deterministic: every destination element is written by one worker, once. Called by
// autograd/ops/shape and by whoever needs a contiguous operand. Casts live in convert.h.
#pragma once

#include <cstdint>

#include "base/team.h"
#include "kernels/activation.h"

namespace ingot::kernels {

/// dst[sum i_k dst_stride_k] = src[sum i_k src_stride_k] for every index of shape[0..dims).
/// Strides in elements; source strides may be 0 (broadcast) or negative; destination strides must
/// address distinct elements. src and dst must not overlap. dims 0 means one element.
/// `accumulate` (element_bytes 4, float32 only): dst += src; with a strided destination this is the
/// gradient of a slice, with a strided source that of a concat.
struct CopyArgs {
  static constexpr int kPointers = 2;
  const void* src = nullptr;
  void* dst = nullptr;
  int64_t dims = 0;
  int64_t shape[kMaxDims] = {};
  int64_t src_stride[kMaxDims] = {};
  int64_t dst_stride[kMaxDims] = {};
  int64_t element_bytes = 4;  ///< 1, 2, 4 or 8
  bool accumulate = false;
};
void strided_copy(const CopyArgs& args, Team& team);

/// Fills the row-major strides of `shape` into `stride`.
constexpr void contiguous_strides(int64_t dims, const int64_t* shape, int64_t* stride) {
  int64_t next = 1;
  for (int64_t i = dims - 1; i >= 0; --i) {
    stride[i] = next;
    next *= shape[i];
  }
}

}  // namespace ingot::kernels
