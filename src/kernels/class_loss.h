// SPDX-License-Identifier: Apache-2.0
// Losses over rows of class scores beside cross entropy (loss.h):
//   focal   a[t] (1 - p_t)^g (-log p_t)                         (Lin 2017), p = softmax(logits)
//   margin  w[t] / classes sum_{j != t} max(0, margin - x_t + x_j)^power   (Crammer 2001; PyTorch's
//           MultiMarginLoss)
// The focal loss is made from cross entropy's row losses, and its gradient is cross entropy's with
// another factor per row. Row-invariant. Called by autograd/ops/class_loss.
#pragma once

#include <cstdint>

#include "kernels/loss.h"

namespace ingot::kernels {

/// From row_nll = -log p_t of every row (cross_entropy without weights and smoothing):
///   row_loss = a[t] u^g nll,  row_factor = row_weight a[t] (u^g + g p u^(g-1) nll),  u = 1 -
///   e^-nll.
/// row_factor is the row_scale that makes cross_entropy_grad the gradient. Both 0 for ignored rows.
/// Worked out in double. row_loss may be row_nll.
struct FocalRowsArgs {
  static constexpr int kPointers = 6;
  const float* row_nll = nullptr;     ///< [rows]
  const void* targets = nullptr;      ///< [rows]
  const float* alpha = nullptr;       ///< [classes]; null: ones
  const float* row_weight = nullptr;  ///< [rows]; null: ones
  float* row_loss = nullptr;          ///< [rows]; may be null
  float* row_factor = nullptr;        ///< [rows]; may be null
  int64_t rows = 0;
  int64_t ignore_index = -100;
  double gamma = 2.0;
  IdType target_type = IdType::kInt32;
};
void focal_rows(const FocalRowsArgs& args, Team& team);

/// row_loss [rows], 0 for ignored rows.
struct MarginArgs {
  static constexpr int kPointers = 4;
  const float* logits = nullptr;  ///< [rows, classes]
  const void* targets = nullptr;
  const float* class_weight = nullptr;  ///< [classes]; null: ones
  float* row_loss = nullptr;
  int64_t rows = 0;
  int64_t classes = 0;
  int64_t ignore_index = -100;
  float margin = 1.0F;
  int32_t power = 1;  ///< 1 or 2
  IdType target_type = IdType::kInt32;
};
void margin_rows(const MarginArgs& args, Team& team);

/// dlogits (+)= *scale * row_scale[r] * d row_loss / d logits; 0 for ignored rows and those whose
/// row_scale is 0, whatever their logits. dlogits must not be logits.
struct MarginGradArgs {
  static constexpr int kPointers = 6;
  const float* logits = nullptr;
  const void* targets = nullptr;
  const float* class_weight = nullptr;
  const float* scale = nullptr;      ///< one element; or null
  const float* row_scale = nullptr;  ///< [rows]; or null
  float* dlogits = nullptr;
  int64_t rows = 0;
  int64_t classes = 0;
  int64_t ignore_index = -100;
  float margin = 1.0F;
  int32_t power = 1;
  IdType target_type = IdType::kInt32;
  bool accumulate = false;
};
void margin_rows_grad(const MarginGradArgs& args, Team& team);

}  // namespace ingot::kernels
