// SPDX-License-Identifier: Apache-2.0
// An optimiser updates the flat slabs of a ParameterStore in one pass per group. Learning rate, step
// number and gradient factor are one-element buffers, so that a recorded step replays with new values.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_fields.h"
#include "nn/parameter_store.h"

namespace ingot::optim {

/// Scalars a recorded update reads.
struct Scalars {
  explicit Scalars(Engine& engine)
      : lr(Tensor::zeros(engine, {})),
        step(Tensor::zeros(engine, {}, DType::kI64)),
        grad_scale(Tensor::full(engine, {}, 1.0F)) {}
  Tensor lr;          ///< float32 []
  Tensor step;        ///< int64 []: 1 for the first update
  Tensor grad_scale;  ///< float32 []: clipping factor
};

struct NamedState {
  std::string name;
  Tensor tensor;  ///< as long as the store's value slab
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// Launches the update of every parameter from the gradients on the tape.
  virtual void step(const Scalars& scalars, Tape& tape) = 0;
  /// What a checkpoint must hold beside the parameters.
  [[nodiscard]] virtual std::vector<NamedState> state() const = 0;
};

enum class OptimizerKind : uint8_t { kSgd, kAdam, kAdamW };
inline constexpr EnumName kOptimizerNames[] = {{"sgd", OptimizerKind::kSgd},
                                               {"adam", OptimizerKind::kAdam},
                                               {"adamw", OptimizerKind::kAdamW}};
constexpr std::span<const EnumName> enum_names(OptimizerKind /*tag*/) { return kOptimizerNames; }

struct OptimizerConfig {
  OptimizerKind name = OptimizerKind::kAdamW;
  float momentum = 0.0F;
  bool nesterov = false;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  float weight_decay = 0.01F;
  bool decay_all = false;
  bool bias_correction = true;

  void visit(auto& field) {
    field("name", name, "update rule");
    field("momentum", momentum, "sgd: weight of the running direction, in [0, 1)");
    field("nesterov", nesterov, "sgd: look-ahead momentum");
    field("beta1", beta1, "adam: decay of the mean of gradients, in [0, 1)");
    field("beta2", beta2, "adam: decay of the mean of squares, in [0, 1)");
    field("eps", eps, "adam: added outside the square root, > 0");
    field("weight_decay", weight_decay, "decoupled for adamw, added to the gradient otherwise");
    field("decay_all", decay_all, "also decay norms and biases");
    field("bias_correction", bias_correction, "adam: divide the means by 1 - beta^step");
  }
};

/// Throws kInvalidArgument for a value outside its range, naming train.optimizer.<key>.
[[nodiscard]] std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config,
                                                        Engine& engine, nn::ParameterStore& store);

}  // namespace ingot::optim
