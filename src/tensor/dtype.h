// SPDX-License-Identifier: Apache-2.0
// Element types. Compute is float32; bf16 and f16 are storage; q8 and q4 are block formats whose
// bytes are described in kernels/quant.h and whose tensors are opaque to every op but quant_matmul.
#pragma once

#include <cstdint>
#include <string_view>

namespace ingot {

enum class DType : uint8_t { kF32, kBF16, kF16, kF64, kI64, kI32, kU8, kQ8, kQ4 };

[[nodiscard]] constexpr std::string_view dtype_name(DType dtype) {
  constexpr std::string_view kNames[] = {"float32", "bfloat16", "float16", "float64", "int64",
                                         "int32",   "uint8",    "q8",      "q4"};
  return kNames[static_cast<int>(dtype)];
}

/// Bytes of one element; 0 for the block formats.
[[nodiscard]] constexpr int64_t dtype_size(DType dtype) {
  constexpr int64_t kSizes[] = {4, 2, 2, 8, 8, 4, 1, 0, 0};
  return kSizes[static_cast<int>(dtype)];
}

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType kValue = DType::kF32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType kValue = DType::kF64;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType kValue = DType::kI64;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType kValue = DType::kI32;
};
template <>
struct DTypeOf<uint8_t> {
  static constexpr DType kValue = DType::kU8;
};

}  // namespace ingot
