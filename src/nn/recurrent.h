// SPDX-License-Identifier: Apache-2.0
// LSTM and GRU layers in one direction. Weights are named and laid out as PyTorch's cells
// (autograd/ops/recurrent.h); an LSTM keeps the sum of PyTorch's two biases. First values are
// Keras's: Glorot for the input, orthogonal for the state, forget gate open (Jozefowicz 2015).
#pragma once

#include "autograd/ops/recurrent.h"
#include "kernels/recurrent.h"
#include "nn/dropout.h"
#include "nn/module.h"

namespace ingot::nn {

struct RecurrentConfig {
  kernels::RecurrentKind kind = kernels::RecurrentKind::kLstm;
  int64_t in_features = 0, units = 0;
  bool has_bias = true;
  bool is_reverse = false;
  float forget_bias = 1.0F;        ///< LSTM: first bias of the forget gate
  float dropout = 0.0F;            ///< of the input, one mask per sequence
  float recurrent_dropout = 0.0F;  ///< of the state in the recurrent product, likewise
  Init init = {InitKind::kGlorotUniform, 1.0F};  ///< of the input weight
};

class Recurrent : public Module {
 public:
  explicit Recurrent(const RecurrentConfig& c) : config_(c) {
    const int64_t rows = kernels::gate_count(c.kind) * c.units;
    const bool is_lstm = c.kind == kernels::RecurrentKind::kLstm;
    weight_ih.shape = {rows, c.in_features};
    weight_ih.init = c.init;
    weight_hh.shape = {rows, c.units};
    weight_hh.init = {InitKind::kOrthogonal, 1.0F};
    if (!c.has_bias) return;
    bias_ih.shape = {rows};
    bias_ih.decay = false;
    if (is_lstm) {
      bias_ih.init = {InitKind::kForgetGate, c.forget_bias};
    } else {
      bias_hh.shape = {rows};
      bias_hh.decay = false;
    }
  }

  /// x [batch, seq, in_features] → [batch, seq, units]; ids int32 [batch, seq] or empty (0 is
  /// padding).
  [[nodiscard]] Tensor forward(const Tensor& x, const Tensor& ids, bool is_training) {
    const RecurrentConfig& c = config_;
    const bool drops = is_training && c.dropout > 0.0F;
    const Tensor in = drops ? sequence_dropout(x, c.dropout) : x;
    ops::RecurrentOptions options{c.is_reverse, ids, {}};
    if (is_training && c.recurrent_dropout > 0.0F) {
      options.dropout = dropout_factors(x.engine(), {x.dim(0), c.units}, c.recurrent_dropout);
    }
    const ops::RecurrentWeights weights{weight_ih.value, weight_hh.value, bias_ih.value,
                                        bias_hh.value};
    return c.kind == kernels::RecurrentKind::kLstm ? ops::lstm(in, weights, options)
                                                   : ops::gru(in, weights, options);
  }
  void visit(Visitor& visitor) override {
    visitor("weight_ih", weight_ih);
    visitor("weight_hh", weight_hh);
    visitor("bias_ih", bias_ih);
    visitor("bias_hh", bias_hh);
  }
  [[nodiscard]] const RecurrentConfig& config() const { return config_; }
  /// Multiply-adds of one sequence, forward, times two.
  [[nodiscard]] int64_t flops(int64_t seq) const {
    return 2 * seq * weight_hh.shape[0] * (config_.in_features + config_.units);
  }

  Parameter weight_ih, weight_hh, bias_ih, bias_hh;

 private:
  RecurrentConfig config_;
};

}  // namespace ingot::nn
