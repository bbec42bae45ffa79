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
#include "optim/norm_clip.h"
#include "optim/optimizer.h"

namespace ingot::optim {

/// An update rule and its learning rate. Options that are not below, those of a recipe's
/// train.optimizer, are in config.
struct Rule {
  OptimizerConfig config;
  double lr = 1e-3;
};
// The rules of a recipe under the names of PyTorch and Keras; no weight decay unless it is given.
[[nodiscard]] Rule sgd(double lr, float momentum = 0.0F);
[[nodiscard]] Rule adam(double lr = 1e-3);
[[nodiscard]] Rule adamw(double lr = 1e-3, float weight_decay = 0.01F);
[[nodiscard]] Rule rmsprop(double lr = 1e-2, const RmspropConfig& options = {});
[[nodiscard]] Rule adagrad(double lr = 1e-2, const AdagradConfig& options = {});
[[nodiscard]] Rule adadelta(double lr = 1.0, const AdadeltaConfig& options = {});
[[nodiscard]] Rule nadam(double lr = 2e-3, const NadamConfig& options = {});
[[nodiscard]] Rule lion(double lr = 1e-4, float weight_decay = 0.0F,
                        const LionConfig& options = {});
[[nodiscard]] Rule muon(double lr = 0.02, float weight_decay = 0.0F,
                        const MuonConfig& options = {});

/// Owns the memory of a module's parameters and learns them. While it lives, ops on the engine are
/// recorded for gradients. engine and module must outlive it.
class Learner {
 public:
  /// Gives the parameters memory and their first values. clip_norm: largest norm of a step's
  /// gradient; 0: no clipping.
  Learner(Engine& engine, nn::Module& module, const Rule& rule, float clip_norm = 0.0F);

  /// Adds the gradient of `loss` (one element) to that of the step, and forgets how every tensor so
  /// far was computed. Further calls in a step need a forward pass of their own after it: losses of
  /// one pass are added (ops::add) and go through one call. Throws kInvalidArgument otherwise.
  void backward(const Tensor& loss) { tape_.backward(loss); }
  /// Updates the parameters and forgets the gradients. Tensors made before it keep their values but
  /// no gradient flows through them any more.
  void step();

  void set_lr(double lr) { *scalars_.lr.data<float>() = static_cast<float>(lr); }
  [[nodiscard]] nn::ParameterStore& store() { return store_; }

 private:
  Engine& engine_;
  OptimizerConfig config_;
  float clip_norm_;
  nn::ParameterStore store_;
  Tape tape_;
  Scalars scalars_;
  NormClip clip_;
  std::unique_ptr<Optimizer> optimizer_;
  Recording recording_;
};

}  // namespace ingot::optim
