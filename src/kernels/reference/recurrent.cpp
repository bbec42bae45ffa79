// SPDX-License-Identifier: Apache-2.0
// One unit of one step of one sequence after the other, in double, by the definition.
#include "kernels/reference/recurrent.h"

#include <cmath>
#include <vector>

namespace ingot::kernels::reference {
namespace {

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

/// Σ weight[row] · v, and the bias of that row.
double row_sum(const double* weight, const double* bias, int64_t row, const double* v, int64_t n) {
  double sum = bias == nullptr ? 0.0 : bias[row];
  for (int64_t k = 0; k < n; ++k) sum += weight[row * n + k] * v[k];
  return sum;
}

/// The two halves of gate `gate` of unit j: what comes from x and what comes from the state.
struct Halves {
  double from_x, from_state;
};
Halves halves(const Recurrent& r, int64_t gate, int64_t j, const double* x, const double* state) {
  const int64_t row = gate * r.hidden + j;
  return {row_sum(r.input_weight, r.input_bias, row, x, r.in),
          row_sum(r.recurrent_weight, r.recurrent_bias, row, state, r.hidden)};
}

/// Runs cell(x, dropped h, h, c) → new h, c of every unit through all steps.
template <class Cell>
void run(const Recurrent& r, double* y, const Cell& cell) {
  const auto units = static_cast<size_t>(r.hidden);
  for (int64_t b = 0; b < r.batch; ++b) {
    std::vector<double> h(units, 0.0), c(units, 0.0), dropped(units);
    for (int64_t step = 0; step < r.seq; ++step) {
      const int64_t t = r.is_reverse ? r.seq - 1 - step : step;
      const int64_t at = b * r.seq + t;
      for (size_t j = 0; j < units; ++j) {
        dropped[j] =
            r.dropout == nullptr ? h[j] : h[j] * r.dropout[static_cast<size_t>(b) * units + j];
      }
      if (r.ids == nullptr || r.ids[at] != 0) cell(r.x + at * r.in, dropped, h, c);
      for (size_t j = 0; j < units; ++j) y[static_cast<size_t>(at) * units + j] = h[j];
    }
  }
}

}  // namespace

void lstm(const Recurrent& r, double* y) {
  run(r, y,
      [&](const double* x, const std::vector<double>& a, std::vector<double>& h,
          std::vector<double>& c) {
        for (int64_t j = 0; j < r.hidden; ++j) {
          double z[4];
          for (int64_t gate = 0; gate < 4; ++gate) {
            const Halves both = halves(r, gate, j, x, a.data());
            z[gate] = both.from_x + both.from_state;
          }
          const auto u = static_cast<size_t>(j);
          c[u] = sigmoid(z[1]) * c[u] + sigmoid(z[0]) * std::tanh(z[2]);
          h[u] = sigmoid(z[3]) * std::tanh(c[u]);
        }
      });
}

void gru(const Recurrent& r, double* y) {
  run(r, y,
      [&](const double* x, const std::vector<double>& a, std::vector<double>& h,
          std::vector<double>& /*c*/) {
        for (int64_t j = 0; j < r.hidden; ++j) {
          const Halves reset = halves(r, 0, j, x, a.data());
          const Halves update = halves(r, 1, j, x, a.data());
          const Halves candidate = halves(r, 2, j, x, a.data());
          const double z = sigmoid(update.from_x + update.from_state);
          const double n = std::tanh(candidate.from_x + sigmoid(reset.from_x + reset.from_state) *
                                                            candidate.from_state);
          const auto u = static_cast<size_t>(j);
          h[u] = (1.0 - z) * n + z * h[u];
        }
      });
}

}  // namespace ingot::kernels::reference
