// SPDX-License-Identifier: Apache-2.0
#include "nn/orthogonal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace ingot::nn {
namespace {

constexpr int64_t kPanel = 16;               // rows that are made orthonormal at once
constexpr int64_t kSerialNumbers = 1 << 12;  // some 50 microseconds of work

/// Modified Gram-Schmidt inside a panel, twice for accuracy.
void orthonormalise_panel(double* panel, int64_t count, int64_t length) {
  for (int64_t i = 0; i < count; ++i) {
    double* row = panel + i * length;
    for (int pass = 0; pass < 2; ++pass) {
      for (int64_t k = 0; k < i; ++k) {
        const double* other = panel + k * length;
        double dot = 0.0;
        for (int64_t j = 0; j < length; ++j) dot += row[j] * other[j];
        for (int64_t j = 0; j < length; ++j) row[j] -= dot * other[j];
      }
    }
    double square = 0.0;
    for (int64_t j = 0; j < length; ++j) square += row[j] * row[j];
    const double norm = std::sqrt(square);
    for (int64_t j = 0; j < length; ++j) row[j] /= norm;
  }
}

/// row -= its part along the rows of a panel; `columns` [length, kPanel] is the panel transposed,
/// so that its products with the row are summed side by side.
void remove_panel(double* row, const double* panel, const double* columns, int64_t length) {
  std::array<double, kPanel> dots{};
  for (int64_t j = 0; j < length; ++j) {
    const double* column = columns + j * kPanel;
    for (size_t k = 0; k < kPanel; ++k) dots[k] += row[j] * column[k];
  }
  for (size_t k = 0; k < kPanel; ++k) {
    const double* other = panel + static_cast<int64_t>(k) * length;
    for (int64_t j = 0; j < length; ++j) row[j] -= dots[k] * other[j];
  }
}

}  // namespace

void orthonormalise(std::span<double> rows, int64_t count, int64_t length, Team& team) {
  std::vector<double> columns(static_cast<size_t>(kPanel * length));
  for (int64_t first = 0; first < count; first += kPanel) {
    double* panel = rows.data() + first * length;
    orthonormalise_panel(panel, std::min(kPanel, count - first), length);
    const int64_t left = count - first - kPanel;  // rows behind a whole panel
    if (left <= 0) return;
    for (int64_t k = 0; k < kPanel; ++k) {
      for (int64_t j = 0; j < length; ++j) {
        columns[static_cast<size_t>(j * kPanel + k)] = panel[k * length + j];
      }
    }
    team.tiles(left, left * length < kSerialNumbers, [&](int64_t i) {
      remove_panel(panel + (kPanel + i) * length, panel, columns.data(), length);
    });
  }
}

}  // namespace ingot::nn
