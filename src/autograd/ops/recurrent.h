// SPDX-License-Identifier: Apache-2.0
// Recurrent layers over whole sequences: one product for the input of all steps, one kernel that
// walks the steps, one product per weight gradient. One record on the tape however long the
// sequence. Formulas and order of additions: kernels/recurrent.h.
#pragma once

#include "tensor/tensor.h"

namespace ingot::ops {

/// PyTorch's layout. Gates along the first axis are i f g o (LSTM, G = 4) or r z n (GRU, G = 3).
/// Keras's kernels are the transposes; its GRU files hold z r n, and its two GRU biases are the
/// rows of one [2, 3·hidden].
struct RecurrentWeights {
  Tensor input;           ///< [G·hidden, in_features]
  Tensor recurrent;       ///< [G·hidden, hidden]
  Tensor bias;            ///< [G·hidden] or empty
  Tensor recurrent_bias;  ///< [G·hidden] or empty; an LSTM needs only the sum of both
};

struct RecurrentOptions {
  bool is_reverse = false;  ///< from the last step to the first; y keeps the order of x
  Tensor ids;      ///< int32 [batch, seq] or empty: at id 0 (padding) y repeats the step before
  Tensor dropout;  ///< [batch, hidden] or empty: factors of the state in the recurrent product
};

/// Long short-term memory (Hochreiter and Schmidhuber 1997) from a zero state.
/// x [batch, seq, in_features] → h of every step [batch, seq, hidden]; the last state is y's last
/// step (its first when is_reverse), whatever the padding. No gradient for ids and dropout.
/// Throws kShapeMismatch, kDtypeMismatch. Cost 2·batch·seq·G·hidden·(in_features + hidden) FLOP.
[[nodiscard]] Tensor lstm(const Tensor& x, const RecurrentWeights& weights,
                          const RecurrentOptions& options = {});
/// Gated recurrent unit (Cho 2014), reset gate behind the product (PyTorch; Keras's reset_after).
[[nodiscard]] Tensor gru(const Tensor& x, const RecurrentWeights& weights,
                         const RecurrentOptions& options = {});

}  // namespace ingot::ops
