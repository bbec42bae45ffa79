// SPDX-License-Identifier: Apache-2.0
// Plain loops in double for kernels/class_loss.h.
#include "kernels/reference/class_loss.h"

#include <algorithm>
#include <cmath>

namespace ingot::kernels::reference {
namespace {

/// log softmax(x)[target].
double log_share(const double* x, int64_t classes, int64_t target) {
  const double top = *std::max_element(x, x + classes);
  double sum = 0.0;
  for (int64_t j = 0; j < classes; ++j) sum += std::exp(x[j] - top);
  return x[target] - top - std::log(sum);
}

}  // namespace

double focal_row(const double* x, int64_t classes, int64_t target, double gamma, double alpha) {
  const double log_p = log_share(x, classes, target);
  return -alpha * std::pow(-std::expm1(log_p), gamma) * log_p;
}

void focal_row_grad(const double* x, int64_t classes, int64_t target, double gamma, double alpha,
                    double* dx) {
  const double log_p = log_share(x, classes, target), p = std::exp(log_p);
  const double rest = -std::expm1(log_p);
  const double per_rest = rest == 0.0 ? -1.0 : log_p / rest;                          // its limit
  const double slope = alpha * std::pow(rest, gamma) * (gamma * p * per_rest - 1.0);  // by log p
  for (int64_t c = 0; c < classes; ++c) {
    const double hot = c == target ? 1.0 : 0.0;
    dx[c] = slope * (hot - std::exp(x[c] - x[target] + log_p));
  }
}

double margin_row(const MarginRule& rule, const double* x, int64_t classes, int64_t target) {
  double sum = 0.0;
  for (int64_t c = 0; c < classes; ++c) {
    if (c != target) sum += std::pow(std::max(0.0, rule.margin - x[target] + x[c]), rule.power);
  }
  return rule.weight * sum / static_cast<double>(classes);
}

void margin_row_grad(const MarginRule& rule, const double* x, int64_t classes, int64_t target,
                     double* dx) {
  dx[target] = 0.0;
  for (int64_t c = 0; c < classes; ++c) {
    if (c == target) continue;
    const double gap = rule.margin - x[target] + x[c];
    const double slope = gap > 0.0 ? rule.power * std::pow(gap, rule.power - 1.0) : 0.0;
    dx[c] = rule.weight * slope / static_cast<double>(classes);
    dx[target] -= dx[c];
  }
}

}  // namespace ingot::kernels::reference
