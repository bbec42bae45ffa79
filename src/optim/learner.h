// SPDX-License-Identifier: Apache-2.0
// A training loop of one's own, op by op, as in PyTorch:
//   Learner learner(engine, model, optim::adam(1e-3));
//   for (…) {
//     const Tensor loss = ops::mse(model.forward(x), y);
//     learner.backward(loss);
//     learner.step();
//   }
// The recorded and replayed step of recipes is train/step.h. Used by programs that link the
// library.
#pragma once

#include <memory>

#include "autograd/tape.h"
#include "optim/optimizer.h"

namespace ingot::optim {

/// An update rule and its learning rate, under the names of PyTorch and Keras.
struct Rule {
  OptimizerConfig config;
  double lr = 1e-3;
};
[[nodiscard]] Rule sgd(double lr, float momentum = 0.0F);
[[nodiscard]] Rule adam(double lr = 1e-3);
[[nodiscard]] Rule adamw(double lr = 1e-3, float weight_decay = 0.01F);

/// Owns the memory of a module's parameters and learns them. While it lives, ops on the engine are
/// recorded for gradients. engine and module must outlive it.
class Learner {
 public:
  /// Gives the parameters memory and their first values.
  Learner(Engine& engine, nn::Module& module, const Rule& rule);

  /// Adds the gradient of `loss` (one element) to that of the step; may be called more than once.
  void backward(const Tensor& loss) { tape_.backward(loss); }
  /// Updates the parameters and forgets the gradients. Tensors made before it keep their values but
  /// no gradient flows through them any more.
  void step();

  void set_lr(double lr) { *scalars_.lr.data<float>() = static_cast<float>(lr); }
  [[nodiscard]] nn::ParameterStore& store() { return store_; }

 private:
  Engine& engine_;
  OptimizerConfig config_;
  nn::ParameterStore store_;
  Tape tape_;
  Scalars scalars_;
  std::unique_ptr<Optimizer> optimizer_;
  Recording recording_;
};

}  // namespace ingot::optim
