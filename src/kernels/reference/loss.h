// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/loss.h in double. Called by tests and by the op table's gradient checks.
#pragma once

#include <cstdint>

#include "kernels/loss.h"

namespace ingot::kernels::reference {

struct CrossEntropyShape {
  int64_t rows;
  int64_t classes;
  int64_t ignore_index;
  double label_smoothing;
  const double* class_weight = nullptr;  ///< [classes]; null: ones
};

/// row_loss [rows]; 0 where ignored.
void cross_entropy(const CrossEntropyShape& shape, const double* logits, const int64_t* targets,
                   double* row_loss);
/// dlogits = row_scale[r] * d row_loss[r] / d logits.
void cross_entropy_grad(const CrossEntropyShape& shape, const double* logits,
                        const int64_t* targets, const double* row_scale, double* dlogits);

}  // namespace ingot::kernels::reference
