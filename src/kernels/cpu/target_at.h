// SPDX-License-Identifier: Apache-2.0
// Reads a class number of either integer type. Included by the kernels of losses over classes.
#pragma once

#include <cstdint>

#include "kernels/activation.h"

namespace ingot::kernels {

[[nodiscard]] inline int64_t target_at(const void* targets, IdType type, int64_t i) {
  if (type == IdType::kInt32) return static_cast<const int32_t*>(targets)[i];
  return static_cast<const int64_t*>(targets)[i];
}

}  // namespace ingot::kernels
