// SPDX-License-Identifier: Apache-2.0
#include "train/objective.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/ops/loss.h"
#include "autograd/ops/norm.h"
#include "base/error.h"

namespace ingot::train {
namespace {

void check(const ObjectiveConfig& config) {
  require(config.label_smoothing >= 0.0F && config.label_smoothing < 1.0F, Code::kInvalidArgument,
          "objective.label_smoothing is {}, must be in [0, 1)", config.label_smoothing);
  require(config.gamma >= 0.0F, Code::kInvalidArgument,
          "objective.gamma is {}, must be >= 0; 2 is usual", config.gamma);
  require(config.margin > 0.0F && config.delta > 0.0F, Code::kInvalidArgument,
          "objective: margin {} and delta {} must be > 0; 1 is usual", config.margin, config.delta);
  constexpr double kLeastMixup = 1e-3, kMostMixup = 4.0;  // below, shares are 0 or 1
  require(config.mixup == 0.0 || (config.mixup >= kLeastMixup && config.mixup <= kMostMixup),
          Code::kInvalidArgument, "objective.mixup is {}, must be 0 (none) or {} to {}",
          config.mixup, kLeastMixup, kMostMixup);
}

/// A key that the loss does not take was meant to count.
void require_taken(const ObjectiveConfig& config, LossName loss) {
  const ObjectiveConfig usual;
  const struct {
    const char* key;
    bool is_given;
    std::vector<LossName> losses;
  } keys[] = {
      {"label_smoothing",
       config.label_smoothing != usual.label_smoothing,
       {LossName::kCrossEntropy, LossName::kBinaryCrossEntropy, LossName::kKl}},
      {"gamma", config.gamma != usual.gamma, {LossName::kFocal}},
      {"margin", config.margin != usual.margin, {LossName::kHinge}},
      {"delta", config.delta != usual.delta, {LossName::kHuber}},
  };
  for (const auto& [key, is_given, losses] : keys) {
    require(!is_given || std::find(losses.begin(), losses.end(), loss) != losses.end(),
            Code::kInvalidArgument,
            "objective.{}: the loss is {}, which does not take it; {} does. Leave it out, or set "
            "objective.loss",
            key, enum_name(loss), enum_name(losses.front()));
  }
}

/// Losses of a target with these outputs, the usual one first.
std::vector<LossName> fitting(int64_t classes, bool is_binary) {
  if (classes == 0) return {LossName::kMse, LossName::kMae, LossName::kHuber};
  if (is_binary) return {LossName::kBinaryCrossEntropy, LossName::kFocal, LossName::kHinge};
  return {LossName::kCrossEntropy, LossName::kFocal, LossName::kHinge, LossName::kKl};
}

TargetForm form_of(LossName loss, int64_t classes, bool is_binary) {
  if (classes == 0) return TargetForm::kNumber;
  if (is_binary) return loss == LossName::kHinge ? TargetForm::kSign : TargetForm::kZeroOne;
  return loss == LossName::kKl ? TargetForm::kDistribution : TargetForm::kId;
}

std::vector<float> given_weights(const std::vector<float>& weights, int64_t classes) {
  require(static_cast<int64_t>(weights.size()) == classes, Code::kInvalidArgument,
          "objective.weights: {} weights for {} classes; give one per class, in the order of the "
          "class names",
          weights.size(), classes);
  for (const float w : weights) {
    require(w >= 0.0F && std::isfinite(w), Code::kInvalidArgument,
            "objective.weights: {} is no weight, must be >= 0", w);
  }
  return weights;
}

/// rows / (classes · rows of the class): the mean over the rows is 1.
std::vector<float> balanced_weights(std::span<const int64_t> class_rows) {
  const auto rows =
      static_cast<double>(std::accumulate(class_rows.begin(), class_rows.end(), int64_t{0}));
  std::vector<float> weights;
  for (const int64_t count : class_rows) {
    weights.push_back(static_cast<float>(
        rows / (static_cast<double>(class_rows.size()) * static_cast<double>(count))));
  }
  return weights;
}

std::vector<float> weights_of(const ObjectiveConfig& config, int64_t classes,
                              std::span<const int64_t> class_rows) {
  if (config.class_weights == ClassWeights::kNone) {
    require(config.weights.empty(), Code::kInvalidArgument,
            "objective.weights are not used; set objective.class_weights=given");
    return {};
  }
  require(classes > 0, Code::kInvalidArgument,
          "objective.class_weights: {} needs classes, the target is a number",
          enum_name(config.class_weights));
  if (config.class_weights == ClassWeights::kGiven) return given_weights(config.weights, classes);
  return balanced_weights(class_rows);
}

/// Options of a loss over class numbers, with what rows and classes count.
template <class Options>
Options of_ids(const ObjectiveBatch& batch, const Tensor& count) {
  Options options;
  options.count = count;
  options.class_weights = batch.class_weights;
  options.weights = batch.weights;
  return options;
}

}  // namespace

Objective make_objective(const ObjectiveConfig& config, int64_t classes,
                         const models::Value& output, std::span<const int64_t> class_rows) {
  check(config);
  const int64_t width = output.shape.size();
  const bool fits = output.dtype == DType::kF32 && output.shape.rank() == 1;
  const bool is_binary = width == 1 && classes == 2;
  require(
      output.dtype != DType::kF32 || output.shape.rank() < 2, Code::kShapeMismatch,
      "layers: the last layer \"{}\" gives {}, an answer at every place, and a row needs one. End "
      "with {{type: global_average_pool}} or {{type: flatten}}, and behind it {{type: dense, "
      "units: {}}}",
      output.name, output.shape.text(), std::max<int64_t>(classes, 1));
  require(classes > 0 || (fits && width == 1), Code::kShapeMismatch,
          "layers: the last layer \"{}\" gives {}, a number needs [1]. Set its units to 1, or "
          "flatten before",
          output.name, output.shape.text());
  require(classes == 0 || (fits && (is_binary || width == classes)), Code::kShapeMismatch,
          "layers: the last layer \"{}\" gives {}, the target has {} classes. Set its units to {}",
          output.name, output.shape.text(), classes, classes);
  const std::vector<LossName> losses = fitting(classes, is_binary);
  require(config.loss == LossName::kAuto ||
              std::find(losses.begin(), losses.end(), config.loss) != losses.end(),
          Code::kInvalidArgument,
          "objective.loss: {} does not fit a target of {} and a last layer of {}; {} does",
          enum_name(config.loss), classes == 0 ? "numbers" : "classes", output.shape.text(),
          enum_name(losses.front()));
  Objective o;
  o.loss = config.loss == LossName::kAuto ? losses.front() : config.loss;
  require_taken(config, o.loss);
  o.form = form_of(o.loss, classes, is_binary);
  require(config.mixup == 0 || o.form != TargetForm::kSign, Code::kInvalidArgument,
          "objective.mixup: hinge of one output takes one class or the other; set "
          "objective.mixup=0, or give the last layer 2 units");
  if (classes > 0) o.link = is_binary ? models::Link::kSigmoid : models::Link::kSoftmax;
  o.classes = classes;
  o.label_smoothing = config.label_smoothing;
  o.gamma = config.gamma;
  o.margin = config.margin;
  o.delta = config.delta;
  o.mixup = config.mixup;
  o.class_weights = weights_of(config, classes, class_rows);
  return o;
}

ObjectiveBatch make_objective_batch(Engine& engine, const Objective& objective, int64_t batch) {
  ObjectiveBatch b;
  const bool is_id = objective.form == TargetForm::kId;
  const bool is_distribution = objective.form == TargetForm::kDistribution;
  const Shape shape = is_id ? Shape{batch} : Shape{batch, is_distribution ? objective.classes : 1};
  b.target = Tensor::zeros(engine, shape, is_id ? DType::kI32 : DType::kF32);
  if (objective.class_weights.empty()) return b;
  if (!is_id) {
    b.weights = Tensor::zeros(engine, {batch});
    return b;
  }
  b.class_weights = Tensor::zeros(engine, {objective.classes});
  std::copy(objective.class_weights.begin(), objective.class_weights.end(),
            b.class_weights.data<float>());
  return b;
}

void set_label(const Objective& objective, const ObjectiveBatch& batch, int64_t row,
               int32_t label) {
  if (batch.weights.defined() && objective.form != TargetForm::kId) {
    batch.weights.data<float>()[row] = objective.class_weights[static_cast<size_t>(label)];
  }
  switch (objective.form) {
    case TargetForm::kId:
      batch.target.data<int32_t>()[row] = label;
      break;
    case TargetForm::kDistribution: {
      float* const p = batch.target.data<float>() + row * objective.classes;
      const float s = objective.label_smoothing;
      std::fill(p, p + objective.classes, s / static_cast<float>(objective.classes));
      p[label] += 1.0F - s;
      break;
    }
    case TargetForm::kSign:
      batch.target.data<float>()[row] = label == 0 ? -1.0F : 1.0F;
      break;
    default: {
      const float s = objective.label_smoothing;
      batch.target.data<float>()[row] = static_cast<float>(label) * (1.0F - s) + s / 2.0F;
    }
  }
}

Tensor objective_loss(const Objective& o, const Tensor& y, const ObjectiveBatch& b,
                      const Tensor& count) {
  const bool by_id = o.form == TargetForm::kId;
  switch (o.loss) {
    case LossName::kCrossEntropy: {
      auto options = of_ids<ops::CrossEntropyOptions>(b, count);
      options.label_smoothing = o.label_smoothing;
      return ops::cross_entropy(y, b.target, options);
    }
    case LossName::kKl:
      return ops::kl_divergence(ops::log_softmax(y), b.target, {b.weights, count});
    case LossName::kFocal: {
      if (!by_id) return ops::binary_focal(y, b.target, {o.gamma, -1.0F, b.weights, count});
      auto options = of_ids<ops::FocalOptions>(b, count);
      options.gamma = o.gamma;
      return ops::focal(y, b.target, options);
    }
    case LossName::kHinge: {
      if (!by_id) return ops::hinge(y, b.target, {o.margin, 1, b.weights, count});
      auto options = of_ids<ops::MultiMarginOptions>(b, count);
      options.margin = o.margin;
      return ops::multi_margin(y, b.target, options);
    }
    case LossName::kBinaryCrossEntropy:
      return ops::bce_with_logits(y, b.target, {b.weights, count, {}});
    case LossName::kMae:
      return ops::mae(y, b.target, {{}, count});
    case LossName::kHuber:
      return ops::huber(y, b.target, o.delta, {{}, count});
    default:
      return ops::mse(y, b.target, {{}, count});
  }
}

}  // namespace ingot::train
