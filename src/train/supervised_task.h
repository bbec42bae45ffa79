// SPDX-License-Identifier: Apache-2.0
// Learning from examples with a target: batches in a random order per epoch, the loss that suits
// the target, and metrics on held-out examples. The network is given; nothing here knows tables or
// texts.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "data/examples.h"
#include "models/network/runner.h"
#include "train/config.h"
#include "train/metrics/classification.h"
#include "train/metrics/regression.h"
#include "train/task.h"

namespace ingot::train {

enum class LossName : uint8_t { kAuto, kCrossEntropy, kBinaryCrossEntropy, kMse };
inline constexpr EnumName kLossNames[] = {{"auto", LossName::kAuto},
                                          {"cross_entropy", LossName::kCrossEntropy},
                                          {"binary_cross_entropy", LossName::kBinaryCrossEntropy},
                                          {"mse", LossName::kMse}};
constexpr std::span<const EnumName> enum_names(LossName /*tag*/) { return kLossNames; }

struct ObjectiveConfig {
  LossName loss = LossName::kAuto;
  float label_smoothing = 0.0F;

  void visit(auto& field) {
    field("loss", loss,
          "auto: cross_entropy for classes (binary_cross_entropy when the last layer has one "
          "output), mse for numbers");
    field("label_smoothing", label_smoothing,
          "cross_entropy: share of the target spread over all classes, in [0, 1)");
  }
};

/// What is predicted, settled from the target and the network's last layer.
struct Objective {
  LossName loss = LossName::kMse;
  models::Link link = models::Link::kNone;
  int64_t classes = 0;  ///< 0: a number
  float label_smoothing = 0.0F;
  /// Predictions and targets as people read them (the target's scale undone).
  std::function<double(double)> decode = [](double y) { return y; };
};

/// classes 0: the target is a number. Throws kInvalidArgument when loss, target and the network's
/// output do not fit, naming the layer, its shape and the units that would.
[[nodiscard]] Objective make_objective(const ObjectiveConfig& config, int64_t classes,
                                       const models::Value& output);

/// What there is to say about a model on a file of examples.
struct Scores {
  double loss = 0.0;  ///< log loss or mean squared error
  std::vector<MetricValue> values;
  std::vector<int64_t> confusion;  ///< [label, prediction]; classes only
};

/// Accumulates what there is to say about predictions; classification or regression by objective.
class Scorer {
 public:
  Scorer(const Objective& objective, const BootstrapOptions& bootstrap = {});
  /// Answers of a NetworkRunner for `targets.size()` examples: int32 classes or float32 numbers.
  void add(std::span<const float> answers, std::span<const int32_t> labels);
  void add(std::span<const float> answers, std::span<const float> numbers);
  [[nodiscard]] Scores result() const;

 private:
  const Objective objective_;
  std::optional<ClassificationMetrics> classes_;
  std::optional<RegressionMetrics> numbers_;
  std::vector<float> decoded_, truth_;
};

/// The fields of a record that are the network's inputs, in its order. Throws kInvalidArgument and
/// kShapeMismatch naming `what` and the input.
[[nodiscard]] std::vector<const data::ExampleField*> input_fields(const data::ExampleLayout& layout,
                                                                  const models::Network& network,
                                                                  const std::string& what);
/// Copies one field of a record into row `row` of a batch.
void copy_field(const data::ExampleField& field, std::span<const std::byte> record, int64_t row,
                const Tensor& to);

/// Answers for every example of a file, in order, batch after batch: `take` gets the first row's
/// number and the answers.
void run_examples(const data::ExampleReader& examples, models::NetworkRunner& runner,
                  const models::Network& network, int64_t batches,
                  const std::function<void(int64_t first, std::span<const float> answers)>& take);

/// batches 0: all of the file.
[[nodiscard]] Scores score(models::NetworkRunner& runner, const models::Network& network,
                           const Objective& objective, const data::ExampleReader& examples,
                           int64_t batches, const BootstrapOptions& bootstrap = {});
/// The same with a runner of its own.
[[nodiscard]] Scores score(Engine& engine, models::Network& network, const Objective& objective,
                           const data::ExampleReader& examples, int64_t batch,
                           const BootstrapOptions& bootstrap);

class SupervisedTask : public Task {
 public:
  /// Examples must outlive the task; validation may be null. Throws kInvalidArgument when the
  /// training examples are fewer than a batch, or lack an input of the network.
  SupervisedTask(Engine& engine, const TrainConfig& config, const Objective& objective,
                 models::Network& network, const data::ExampleReader& train,
                 const data::ExampleReader* validation);

  /// Changes the float32 input "table" of a training row before it is learned from; a pure function
  /// of epoch and row. Never called in evaluation.
  std::function<void(uint64_t epoch, int64_t row, std::span<float> table)> noise;

  [[nodiscard]] nn::Module& module() override { return network_; }
  int64_t load(int64_t index, int64_t slot) override;
  [[nodiscard]] Tensor loss(int64_t slot, const Tensor& count) override;
  [[nodiscard]] bool has_validation() const override {
    return validation_ != nullptr && validation_->rows() > 0;
  }
  [[nodiscard]] Evaluation evaluate() override;
  [[nodiscard]] int64_t items() const override { return config_.micro_batch; }
  [[nodiscard]] int64_t items_per_epoch() const override { return train_.rows(); }

 private:
  struct Buffers {
    std::vector<Tensor> inputs;
    Tensor target;  // [batch] int32, or [batch, outputs] float32
  };
  [[nodiscard]] Buffers make_buffers() const;

  Engine& engine_;
  TrainConfig config_;
  Objective objective_;
  models::Network& network_;
  const data::ExampleReader& train_;
  const data::ExampleReader* validation_;
  std::vector<const data::ExampleField*> fields_;  // of the training examples, per network input
  std::vector<Buffers> buffers_;
  std::optional<models::NetworkRunner> runner_;
};

}  // namespace ingot::train
