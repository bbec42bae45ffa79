// SPDX-License-Identifier: Apache-2.0
// A model to be trained in a few lines, as in Keras: draw the layers, compile, fit, evaluate,
// predict, save. It owns a thread team and an engine of its own, prints nothing and touches no file
// but those of save and load. Runs that are resumed, planned or reported are recipes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fit/examples.h"
#include "fit/layers.h"
#include "fit/table.h"
#include "optim/learner.h"
#include "tensor/runtime.h"
#include "train/schedule.h"
#include "train/supervised_task.h"

namespace ingot {

using Loss = train::LossName;
using ClassWeights = train::ClassWeights;

struct CompileOptions {
  optim::Rule optimizer = optim::adam(1e-3);
  /// kAuto: cross entropy for labels (binary where the last layer has one output), mean squared
  /// error for numbers.
  Loss loss = Loss::kAuto;
  // The rest of a recipe's `objective`, under the same names (train/objective.h, docs/keys.md).
  float label_smoothing = 0.0F;
  /// kAuto: classes count alike, however many rows of the training examples they have.
  ClassWeights class_weights = ClassWeights::kNone;
  std::vector<float> weights = {};  ///< with kGiven: one per class
  float gamma = 2.0F;               ///< of Loss::kFocal
  float margin = 1.0F;              ///< of Loss::kHinge
  float delta = 1.0F;               ///< of Loss::kHuber
  double mixup = 0.0;               ///< 0: examples are not mixed; 0.2 is usual
  /// Figures to report beside the loss, such as "accuracy" or "r2"; empty: all there are.
  std::vector<std::string> metrics = {};
  train::ScheduleConfig schedule = {.name = train::ScheduleKind::kConstant, .warmup = 0.0};
  float clip_norm = 0.0F;  ///< 0: no clipping
};

/// One pass over the training examples.
struct Epoch {
  int64_t number = 0;                        ///< from 1
  double loss = 0.0;                         ///< mean over its steps, as the loop logs it
  std::map<std::string, double> validation;  ///< "loss" and metrics; empty without validation
};
using History = std::vector<Epoch>;

struct FitOptions {
  int64_t epochs = 1;
  int64_t batch = 32;
  std::optional<Arrays> validation = std::nullopt;
  const data::ExampleReader* validation_examples = nullptr;  ///< instead of arrays
  // Both need validation examples, as CompileOptions::schedule "plateau" does.
  int64_t patience = 0;    ///< epochs without a better validation loss before it ends; 0: never
  bool keep_best = false;  ///< leave the weights of the lowest validation loss, not the last
  std::function<void(const Epoch&)> on_epoch = [](const Epoch&) {};
};

struct EvaluateOptions {
  /// Of the bootstrap behind the bounds of every figure (MetricValue::low and high); 0: no bounds,
  /// they are NaN; 1000 is usual.
  int64_t replicates = 0;
  double confidence = 0.95;  ///< how often such an interval holds the true figure
};

class Model {
 public:
  /// The network from `inputs` to `output`. Throws what models::Network refuses.
  Model(const std::vector<Flow>& inputs, const Flow& output, const RuntimeOptions& options = {});
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();
  /// The folder of save, or the model folder of a run on a table.
  [[nodiscard]] static Model load(const std::string& folder, const RuntimeOptions& options = {});

  /// How it learns. A sigmoid or softmax at the end that the loss contains is computed with the
  /// loss, on the numbers before it, and applied to predictions. `table`: what the examples come
  /// from; numbers are then predicted in the target's own scale. What the model needs of it is
  /// copied; without one, that of an earlier compile is forgotten. Throws kInvalidArgument and
  /// kShapeMismatch when loss and last layer do not fit.
  void compile(const CompileOptions& options, const Table* table = nullptr);

  /// Learns from the weights as they are; the optimiser starts anew. An epoch is a pass over the
  /// rows; a step across its end counts for the epoch in which more of it lies (train::Passes), so
  /// that 100 rows in batches of 64 are 2, 1, 2, 1 steps. The order of examples is a function of
  /// seed and epoch. Throws kInvalidArgument before compile, for class weights kAuto when a class
  /// has no row, and what arrays, tasks and steps refuse.
  History fit(const Inputs& x, const Values& y, const FitOptions& options = {});
  History fit(const data::ExampleReader& examples, const FitOptions& options = {});

  /// The bootstrap draws by the model's seed. Throws kInvalidArgument for fewer than 0 replicates
  /// and a confidence outside (0, 1).
  [[nodiscard]] train::Scores evaluate(const Inputs& x, const Values& y,
                                       const EvaluateOptions& options = {});
  [[nodiscard]] train::Scores evaluate(const data::ExampleReader& examples,
                                       const EvaluateOptions& options = {});

  /// Row-major [rows, outputs]: numbers, the probability of class 1, or one per class.
  [[nodiscard]] std::vector<float> predict(const Inputs& x);
  [[nodiscard]] std::vector<float> predict(const data::ExampleReader& examples);

  /// The folder that `ingot predict` takes: with the features of `table`, or of columns x1, x2, …
  /// for a model of one input of numbers called "table" (docs/formats/network.md). Other models
  /// get no features: Model::load reads them, with the sigmoid or softmax of the loss as a layer.
  void save(const std::string& folder, const Table* table = nullptr);

  [[nodiscard]] models::Network& network();
  [[nodiscard]] Engine& engine();

 private:
  struct State;
  explicit Model(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Layers one after the other.
class Sequential : public Model {
 public:
  Sequential(const Flow& in, const std::vector<Layer>& layers, const RuntimeOptions& options = {});
};

}  // namespace ingot
