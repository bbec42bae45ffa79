// SPDX-License-Identifier: Apache-2.0
// What learning from examples makes small: the loss that a recipe names, settled from the target
// and the network's last layer. A class is an id, 0 or 1, −1 or 1, or a distribution, as the loss
// takes it. Class weights multiply the loss of a row; the mean stays over rows (as in Keras), so
// `auto` weights, whose mean over the training rows is 1, leave the step size as it was. Used by
// supervised_task.cpp; the metrics are elsewhere and do not depend on it.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/config_fields.h"
#include "models/network/runner.h"

namespace ingot::train {

enum class LossName : uint8_t {
  kAuto,
  kCrossEntropy,
  kBinaryCrossEntropy,
  kFocal,
  kHinge,
  kKl,
  kMse,
  kMae,
  kHuber
};
inline constexpr EnumName kLossNames[] = {{"auto", LossName::kAuto},
                                          {"cross_entropy", LossName::kCrossEntropy},
                                          {"binary_cross_entropy", LossName::kBinaryCrossEntropy},
                                          {"focal", LossName::kFocal},
                                          {"hinge", LossName::kHinge},
                                          {"kl", LossName::kKl},
                                          {"mse", LossName::kMse},
                                          {"mae", LossName::kMae},
                                          {"huber", LossName::kHuber}};
constexpr std::span<const EnumName> enum_names(LossName /*tag*/) { return kLossNames; }

enum class ClassWeights : uint8_t { kNone, kAuto, kGiven };
inline constexpr EnumName kClassWeightsNames[] = {
    {"none", ClassWeights::kNone}, {"auto", ClassWeights::kAuto}, {"given", ClassWeights::kGiven}};
constexpr std::span<const EnumName> enum_names(ClassWeights /*tag*/) { return kClassWeightsNames; }

struct ObjectiveConfig {
  LossName loss = LossName::kAuto;
  float label_smoothing = 0.0F;
  ClassWeights class_weights = ClassWeights::kNone;
  std::vector<float> weights;
  float gamma = 2.0F;
  float margin = 1.0F;
  float delta = 1.0F;
  double mixup = 0.0;

  void visit(auto& field) {
    field("loss", loss,
          "auto: cross_entropy for classes (binary_cross_entropy when the last layer has one "
          "output), mse for numbers; classes: also focal, hinge, kl; numbers: also mae, huber");
    field(
        "label_smoothing", label_smoothing,
        "cross_entropy, binary_cross_entropy, kl: share of the target spread over all classes, in "
        "[0, 1)");
    field(
        "class_weights", class_weights,
        "how much a row of each class counts: none: the same; auto: rows / (classes x rows of the "
        "class); given: weights");
    field("weights", weights,
          "one per class, in the order of the class names, for class_weights=given; the sum is "
          "divided by the rows, as Keras does, not by the sum of weights");
    field("gamma", gamma, "focal: how far rows that are right already are played down, >= 0");
    field("margin", margin, "hinge: distance at which a row costs nothing, > 0");
    field("delta", delta, "huber: errors beyond count linearly, > 0");
    field("mixup", mixup,
          "training examples of numbers and pictures are means of two, and so are their targets, "
          "in shares of Beta(mixup, mixup); 0: none, else 0.001 to 4; 0.2 is usual");
  }
};

/// How a class is handed to the loss.
enum class TargetForm : uint8_t {
  kNumber,        ///< float32 [batch, 1]
  kId,            ///< int32 [batch]
  kZeroOne,       ///< float32 [batch, 1]
  kSign,          ///< float32 [batch, 1]: −1 or 1
  kDistribution,  ///< float32 [batch, classes]
};

struct Objective {
  LossName loss = LossName::kMse;
  TargetForm form = TargetForm::kNumber;
  models::Link link = models::Link::kNone;
  int64_t classes = 0;  ///< 0: a number
  float label_smoothing = 0.0F;
  float gamma = 2.0F;
  float margin = 1.0F;
  float delta = 1.0F;
  double mixup = 0.0;
  std::vector<float> class_weights;  ///< [classes], or empty: all 1
  /// What a loss is multiplied with to be of predictions and targets as people read them; 1 where
  /// no factor does (a logarithm) or none is needed.
  double loss_scale = 1.0;
  /// Predictions and targets as people read them (the target's scale undone).
  std::function<double(double)> decode = [](double y) { return y; };
};

/// classes 0: the target is a number. `class_rows`: training rows per class, for auto weights.
/// Throws kInvalidArgument for a key out of range or that the loss does not take, and for weights
/// that do not fit; kShapeMismatch when
/// loss, target and the network's output do not fit, naming the layer, its shape and the units that
/// would.
[[nodiscard]] Objective make_objective(const ObjectiveConfig& config, int64_t classes,
                                       const models::Value& output,
                                       std::span<const int64_t> class_rows = {});

/// A batch as the loss takes it; fixed buffers, filled before each step.
struct ObjectiveBatch {
  Tensor target;         ///< as TargetForm says
  Tensor weights;        ///< float32 [batch] of rows; undefined: ones
  Tensor class_weights;  ///< float32 [classes]; undefined without, or by row
};
[[nodiscard]] ObjectiveBatch make_objective_batch(Engine& engine, const Objective& objective,
                                                  int64_t batch);
/// Row `row` of the batch gets class `label`.
void set_label(const Objective& objective, const ObjectiveBatch& batch, int64_t row, int32_t label);

/// The mean over the rows of a whole optimiser step, `count` of them, of this batch's losses.
[[nodiscard]] Tensor objective_loss(const Objective& objective, const Tensor& output,
                                    const ObjectiveBatch& batch, const Tensor& count);

}  // namespace ingot::train
