// SPDX-License-Identifier: Apache-2.0
// Plain loops in double for kernels/loss.h: cross entropy against the smoothed distribution
// q = (1 - s) onehot + s / classes, each class's term times its weight. Tests and gradient checks
// call it.
#include "kernels/reference/loss.h"

#include <algorithm>
#include <cmath>

namespace ingot::kernels::reference {
namespace {

double log_sum_exp(const double* x, int64_t n) {
  double top = x[0];
  for (int64_t c = 1; c < n; ++c) top = std::max(top, x[c]);
  double sum = 0.0;
  for (int64_t c = 0; c < n; ++c) sum += std::exp(x[c] - top);
  return top + std::log(sum);
}

double wanted(const CrossEntropyShape& s, int64_t c, int64_t target) {
  const double hot = c == target ? 1.0 - s.label_smoothing : 0.0;
  const double weight = s.class_weight == nullptr ? 1.0 : s.class_weight[c];
  return weight * (hot + s.label_smoothing / static_cast<double>(s.classes));
}

}  // namespace

void cross_entropy(const CrossEntropyShape& s, const double* logits, const int64_t* targets,
                   double* row_loss) {
  for (int64_t r = 0; r < s.rows; ++r) {
    row_loss[r] = 0.0;
    if (targets[r] == s.ignore_index) continue;
    const double* x = logits + r * s.classes;
    const double lse = log_sum_exp(x, s.classes);
    for (int64_t c = 0; c < s.classes; ++c) {
      const double q = wanted(s, c, targets[r]);
      if (q != 0.0) row_loss[r] -= q * (x[c] - lse);
    }
  }
}

void cross_entropy_grad(const CrossEntropyShape& s, const double* logits, const int64_t* targets,
                        const double* row_scale, double* dlogits) {
  for (int64_t r = 0; r < s.rows; ++r) {
    const double* x = logits + r * s.classes;
    const bool ignored = targets[r] == s.ignore_index;
    const double lse = ignored ? 0.0 : log_sum_exp(x, s.classes);
    double all = 0.0;
    for (int64_t c = 0; c < s.classes; ++c) all += ignored ? 0.0 : wanted(s, c, targets[r]);
    for (int64_t c = 0; c < s.classes; ++c) {
      const double g = ignored ? 0.0 : all * std::exp(x[c] - lse) - wanted(s, c, targets[r]);
      dlogits[r * s.classes + c] = g * row_scale[r];
    }
  }
}

}  // namespace ingot::kernels::reference
