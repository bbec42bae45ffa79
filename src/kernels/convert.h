// SPDX-License-Identifier: Apache-2.0
// Casts between storage types and float32. To bf16 and f16: round to nearest, ties to even; NaN
// becomes a quiet NaN, overflow becomes infinity. From bf16, f16 and uint8: exact; from int32 and
// int64: round to nearest even. float32 subnormals below f16's smallest are rounded to zero; bf16
// keeps subnormals. Bit-exact on every instruction set. Called by autograd/ops/cast and by io/.
#pragma once

#include <cstdint>

#include "base/team.h"

namespace ingot::kernels {

enum class Element : int32_t { kFloat32, kBFloat16, kFloat16, kUInt8, kInt32, kInt64 };

/// True when `convert` has this pair: kFloat32 to and from kBFloat16 and kFloat16, and kUInt8,
/// kInt32, kInt64 to kFloat32.
[[nodiscard]] constexpr bool convert_supported(Element from, Element to) {
  if (from == Element::kFloat32) return to == Element::kBFloat16 || to == Element::kFloat16;
  return to == Element::kFloat32;
}

/// dst[i] = src[i] in the other type; contiguous, no overlap. An unsupported pair is an internal
/// error (Code::kInternal): the op checks first.
struct ConvertArgs {
  static constexpr int kPointers = 2;
  const void* src = nullptr;
  void* dst = nullptr;
  int64_t n = 0;
  Element from = Element::kFloat32;
  Element to = Element::kBFloat16;
};
void convert(const ConvertArgs& args, Team& team);

}  // namespace ingot::kernels
