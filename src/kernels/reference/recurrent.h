// SPDX-License-Identifier: Apache-2.0
// The truth for kernels/recurrent.h in double, from the input on: x and both weights are given, as
// the textbooks write the cells. Called by tests and by the op table's truths.
#pragma once

#include <cstdint>

namespace ingot::kernels::reference {

/// Weights [gates * hidden, in] and [gates * hidden, hidden]; biases, ids and dropout may be null.
/// Gates are i f g o (LSTM) or r z n (GRU).
struct Recurrent {
  const double *x, *input_weight, *recurrent_weight, *input_bias, *recurrent_bias, *dropout;
  const int32_t* ids;
  int64_t batch, seq, in, hidden;
  bool is_reverse;
};

/// y [batch, seq, hidden].
void lstm(const Recurrent& args, double* y);
void gru(const Recurrent& args, double* y);

}  // namespace ingot::kernels::reference
