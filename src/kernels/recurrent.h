// SPDX-License-Identifier: Apache-2.0
// LSTM and GRU over whole sequences, after the input projection of all steps (one product, made by
// the caller) and before the weight gradients of all steps (one product each, likewise).
// LSTM (Hochreiter and Schmidhuber 1997; Gers 2000), gates i f g o in this order, as PyTorch, cuDNN
// and Keras have them:
//   [i f g o] = [sigmoid sigmoid tanh sigmoid](gates + a W^T + bias)
//   c = f c' + i g,   h = o tanh(c)
// GRU (Cho 2014) with the reset gate applied behind the product, as PyTorch and cuDNN do (Keras:
// reset_after), gates r z n in this order (Keras's file order is z r n):
//   [r z] = sigmoid(gates + a W^T + bias),   q = a W_n^T + bias_n,   n = tanh(gate_n + r q)
//   h = n + z (h' - n)
// h', c': state of the step before, zeros at first. a: h', times `dropout` when given: the same
// factors at every step of a sequence (Gal and Ghahramani 2016). At padding (id 0) the state stays.
// Order of additions: a W^T is added to gates as gemm.h accumulates, so a row's bytes depend on
// that row only. Rows of the batch are shared among the team; a block of rows that all stand at
// padding does no product. Called by autograd/ops/recurrent.
#pragma once

#include <cstdint>

#include "base/team.h"

namespace ingot::kernels {

enum class RecurrentKind : uint8_t { kLstm, kGru };

/// Gates per unit.
[[nodiscard]] constexpr int64_t gate_count(RecurrentKind kind) {
  return kind == RecurrentKind::kLstm ? 4 : 3;
}

/// All steps, from the first (the last when `is_reverse`). Below, G = gate_count.
struct RecurrentArgs {
  static constexpr int kPointers = 9;
  float* gates = nullptr;          // [batch, seq, G hidden]: projection in, activations out
  const float* weight = nullptr;   // [G hidden, hidden]
  const float* bias = nullptr;     // [G hidden] of the product, may be null
  const int32_t* ids = nullptr;    // [batch, seq], 0 is padding; may be null
  const float* dropout = nullptr;  // [batch, hidden], may be null
  float* y = nullptr;              // [batch, seq, hidden]: h of every step
  float* inner = nullptr;          // [batch, seq, hidden]: c of an LSTM, q of a GRU
  float* prev = nullptr;           // [batch, seq, hidden]: a; null: not kept (without dropout only)
  float* scratch = nullptr;        // recurrent_scratch_bytes, 64-byte aligned
  int64_t batch = 0, seq = 0, hidden = 0;
  RecurrentKind kind = RecurrentKind::kLstm;
  bool is_reverse = false;
};

/// y may overlap nothing. Activations and inner of padded steps have no meaning (c is kept).
/// Accuracy: each step as gemm.h, functions within 4e-7. Cost 2 batch seq G hidden^2 FLOP.
void recurrent(const RecurrentArgs& args, Team& team);
[[nodiscard]] int64_t recurrent_scratch_bytes(RecurrentKind kind, int64_t hidden);

/// Back through time. With dz the gradient of a step's gates before their functions:
///   LSTM  dz = d gates;  GRU  dz = (d gates_r, d gates_z, dq)
///   d weight = sum over steps of dz^T prev,   d bias = sum of dz
/// gates: activations in, d gates out. inner: as the forward pass left it; a GRU's becomes dq.
struct RecurrentGradArgs {
  static constexpr int kPointers = 8;
  const float* dy = nullptr;       // [batch, seq, hidden]
  float* gates = nullptr;          // [batch, seq, G hidden]
  const float* weight = nullptr;   // [G hidden, hidden]
  const int32_t* ids = nullptr;    // as in the forward pass
  const float* dropout = nullptr;  // as in the forward pass
  const float* y = nullptr;        // GRU only: [batch, seq, hidden]
  float* inner = nullptr;          // [batch, seq, hidden]
  float* scratch = nullptr;        // recurrent_grad_scratch_bytes, 64-byte aligned
  int64_t batch = 0, seq = 0, hidden = 0;
  RecurrentKind kind = RecurrentKind::kLstm;
  bool is_reverse = false;
};

/// Cost 2 batch seq G hidden^2 FLOP.
void recurrent_grad(const RecurrentGradArgs& args, Team& team);
[[nodiscard]] int64_t recurrent_grad_scratch_bytes(RecurrentKind kind, int64_t batch,
                                                   int64_t hidden);

}  // namespace ingot::kernels
