// SPDX-License-Identifier: Apache-2.0
// Muon (Jordan 2024): the running mean of a matrix's gradient is replaced by its nearest
// semi-orthogonal matrix, found by Newton-Schulz steps X <- a X + (b A + c A²) X, A = X·Xᵀ, in
// float32; decay decoupled. Matrices and convolution weights (as [out, rest]) whose name holds no
// word of muon.skip; everything else, row-sparse tables too, is AdamW's or SGD's. One slab of state
// for matrices: they share the first moment's with the others.
// Cost per step of a [rows, cols] matrix, s = min, l = max: steps·(4 s² l + 2 s³) FLOP.
#pragma once

#include <memory>

#include "optim/slab_optimizer.h"

namespace ingot::optim {

class Muon : public Optimizer {
 public:
  Muon(const OptimizerConfig& config, Engine& engine, nn::ParameterStore& store);
  void step(const Scalars& scalars, Tape& tape) override;
  [[nodiscard]] std::vector<NamedState> state() const override { return state_; }

  /// Names of the parameters that are orthogonalised.
  [[nodiscard]] std::vector<std::string> matrices() const;

 private:
  struct Matrix {
    const nn::StoredParameter* parameter;
    int64_t rows, cols;
    double scale;  // of its learning rate
  };
  void add(const nn::StoredParameter& p);
  void update(const Matrix& m, const Scalars& scalars);
  void orthogonalize(const Tensor& x, const Matrix& m);

  OptimizerConfig config_;
  Engine& engine_;
  nn::ParameterStore& store_;
  std::vector<Matrix> matrices_;
  std::unique_ptr<Optimizer> others_;
  std::vector<NamedState> state_;
  Tensor momentum_;
};

}  // namespace ingot::optim
