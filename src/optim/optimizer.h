// SPDX-License-Identifier: Apache-2.0
// An optimiser updates the flat slabs of a ParameterStore in one pass per group. Learning rate,
// step number and gradient factor are one-element buffers, so that a recorded step replays with new
// values.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_fields.h"
#include "nn/parameter_store.h"
#include "optim/rules.h"

namespace ingot::optim {

/// Scalars a recorded update reads.
struct Scalars {
  explicit Scalars(Engine& engine)
      : lr(Tensor::zeros(engine, {})),
        step(Tensor::zeros(engine, {}, DType::kI64)),
        total(Tensor::zeros(engine, {}, DType::kI64)),
        grad_scale(Tensor::full(engine, {}, 1.0F)) {}
  Tensor lr;          ///< float32 []
  Tensor step;        ///< int64 []: 1 for the first update
  Tensor total;       ///< int64 []: updates of the whole run; 0: not known
  Tensor grad_scale;  ///< float32 []: clipping factor
};

struct NamedState {
  std::string name;
  Tensor tensor;  ///< laid out as the store's value slab: its trained part, or all of it
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// Launches the update of every parameter from the gradients on the tape.
  virtual void step(const Scalars& scalars, Tape& tape) = 0;
  /// What a checkpoint must hold beside the parameters.
  [[nodiscard]] virtual std::vector<NamedState> state() const = 0;
  /// Back to the state of a new optimiser: zeros, unless the rule says otherwise.
  virtual void reset();
  /// What to validate and export instead of the last values, as long as the trained part of the
  /// store, or as all of it where running statistics are averaged too; undefined: the last.
  [[nodiscard]] virtual Tensor average() const { return {}; }
};

enum class OptimizerKind : uint8_t {
  kSgd,
  kAdam,
  kAdamW,
  kRmsprop,
  kAdagrad,
  kAdadelta,
  kNadam,
  kLion,
  kMuon
};
inline constexpr EnumName kOptimizerNames[] = {
    {"sgd", OptimizerKind::kSgd},         {"adam", OptimizerKind::kAdam},
    {"adamw", OptimizerKind::kAdamW},     {"rmsprop", OptimizerKind::kRmsprop},
    {"adagrad", OptimizerKind::kAdagrad}, {"adadelta", OptimizerKind::kAdadelta},
    {"nadam", OptimizerKind::kNadam},     {"lion", OptimizerKind::kLion},
    {"muon", OptimizerKind::kMuon}};
constexpr std::span<const EnumName> enum_names(OptimizerKind /*tag*/) { return kOptimizerNames; }

struct OptimizerConfig {
  OptimizerKind name = OptimizerKind::kAdamW;
  float momentum = 0.0F;
  bool nesterov = false;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  bool eps_hat = false;
  float weight_decay = 0.01F;
  bool decay_all = false;
  bool bias_correction = true;
  RmspropConfig rmsprop;
  AdagradConfig adagrad;
  AdadeltaConfig adadelta;
  NadamConfig nadam;
  LionConfig lion;
  MuonConfig muon;
  LookaheadConfig lookahead;
  AverageConfig average;
  PenaltyConfig penalty;

  void visit(auto& field) {
    field("name", name, "update rule");
    field("momentum", momentum, "sgd: weight of the running direction, in [0, 1)");
    field("nesterov", nesterov, "sgd: look-ahead momentum");
    field("beta1", beta1, "adam, nadam: decay of the mean of gradients, in [0, 1)");
    field("beta2", beta2, "adam, nadam: decay of the mean of squares, in [0, 1)");
    field("eps", eps, "adam, nadam: added outside the square root, > 0");
    field("eps_hat", eps_hat,
          "adam: add eps before the bias is corrected, as Keras and TensorFlow do; PyTorch after");
    field("weight_decay", weight_decay,
          "decoupled for adamw, lion and muon, added to the gradient otherwise");
    field("decay_all", decay_all, "also decay norms and biases");
    field("bias_correction", bias_correction, "adam: divide the means by 1 - beta^step");
    field("rmsprop", rmsprop, "options of rmsprop");
    field("adagrad", adagrad, "options of adagrad");
    field("adadelta", adadelta, "options of adadelta");
    field("nadam", nadam, "options of nadam");
    field("lion", lion, "options of lion");
    field("muon", muon, "options of muon");
    field("lookahead", lookahead, "slow weights behind any rule");
    field("average", average, "average of the weights over steps");
    field("penalty", penalty, "loss of the decaying weights' size, added before clipping");
  }
};

/// Slabs of state that the optimiser will hold, wrappers included: its memory is this many times
/// the trained weights. Averaged running statistics come on top of it.
[[nodiscard]] int64_t state_slabs(const OptimizerConfig& config);

/// Throws kInvalidArgument for a value outside its range, naming train.optimizer.<key>, and
/// kUnsupported for what a row-sparse table cannot have.
[[nodiscard]] std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config,
                                                        Engine& engine, nn::ParameterStore& store);

/// Throws kInvalidArgument for a value outside its range, naming train.optimizer.<key>, before
/// there is a model: makes the optimiser of a single weight.
void check_rule(const OptimizerConfig& config);

}  // namespace ingot::optim
