// SPDX-License-Identifier: Apache-2.0
#include "train/supervised_task.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/shape.h"
#include "base/hash.h"
#include "data/permutation.h"
#include "data/table_examples.h"

namespace ingot::train {
namespace {

constexpr uint64_t kOrderKey = 0x6f72646572ULL;  // keeps this stream apart from others of the seed

const data::ExampleField& field_of(const data::ExampleLayout& layout, const std::string& name,
                                   DType dtype, int64_t size, const std::string& what) {
  const data::ExampleField* field = layout.find(name);
  require(field != nullptr, Code::kInvalidArgument, "{}: the examples hold no \"{}\"", what, name);
  require(field->dtype == dtype && field->shape.size() == size, Code::kShapeMismatch,
          "{}: \"{}\" is {} {}, the network takes {} numbers of {}", what, name,
          dtype_name(field->dtype), field->shape.text(), size, dtype_name(dtype));
  return *field;
}

const data::ExampleField& target_field(const data::ExampleReader& examples,
                                       const Objective& objective) {
  return field_of(examples.layout(), std::string(data::kTargetField),
                  objective.classes > 0 ? DType::kI32 : DType::kF32, 1, examples.path());
}

}  // namespace

std::vector<const data::ExampleField*> input_fields(const data::ExampleLayout& layout,
                                                    const models::Network& network,
                                                    const std::string& what) {
  std::vector<const data::ExampleField*> fields;
  for (const models::Value& in : network.inputs()) {
    fields.push_back(&field_of(layout, in.name, in.dtype, in.shape.size(), what));
  }
  return fields;
}

void copy_field(const data::ExampleField& field, std::span<const std::byte> record, int64_t row,
                const Tensor& to) {
  std::memcpy(to.raw() + row * field.bytes(), record.data() + field.offset,
              static_cast<size_t>(field.bytes()));
}

Objective make_objective(const ObjectiveConfig& config, int64_t classes,
                         const models::Value& output) {
  require(config.label_smoothing >= 0.0F && config.label_smoothing < 1.0F, Code::kInvalidArgument,
          "objective.label_smoothing is {}, must be in [0, 1)", config.label_smoothing);
  Objective o;
  o.classes = classes;
  o.label_smoothing = config.label_smoothing;
  const int64_t width = output.shape.size();
  const bool fits = output.dtype == DType::kF32 && output.shape.rank() == 1;
  if (classes == 0) {
    require(fits && width == 1, Code::kShapeMismatch,
            "layers: the last layer \"{}\" gives {}, a number needs [1]. Set its units to 1, or "
            "flatten before",
            output.name, output.shape.text());
    o.loss = LossName::kMse;
  } else if (width == 1 && classes == 2 && fits) {
    o.loss = LossName::kBinaryCrossEntropy;
    o.link = models::Link::kSigmoid;
  } else {
    require(
        fits && width == classes, Code::kShapeMismatch,
        "layers: the last layer \"{}\" gives {}, the target has {} classes. Set its units to {}",
        output.name, output.shape.text(), classes, classes);
    o.loss = LossName::kCrossEntropy;
    o.link = models::Link::kSoftmax;
  }
  require(config.loss == LossName::kAuto || config.loss == o.loss, Code::kInvalidArgument,
          "objective.loss: {} does not fit a target of {} and a last layer of {}; {} does",
          enum_name(config.loss), classes == 0 ? "numbers" : "classes", output.shape.text(),
          enum_name(o.loss));
  return o;
}

Scorer::Scorer(const Objective& objective, const BootstrapOptions& bootstrap)
    : objective_(objective) {
  if (objective.classes > 0) {
    ClassificationOptions options;
    options.classes = objective.classes;
    options.bootstrap = bootstrap;
    classes_.emplace(options);
  } else {
    RegressionOptions options;
    options.bootstrap = bootstrap;
    numbers_.emplace(options);
  }
}

void Scorer::add(std::span<const float> answers, std::span<const int32_t> labels) {
  INGOT_ASSERT(classes_.has_value());
  classes_->add(answers, labels);
}

void Scorer::add(std::span<const float> answers, std::span<const float> numbers) {
  INGOT_ASSERT(numbers_.has_value() && answers.size() == numbers.size());
  decoded_.clear();
  truth_.clear();
  for (size_t i = 0; i < answers.size(); ++i) {
    decoded_.push_back(static_cast<float>(objective_.decode(static_cast<double>(answers[i]))));
    truth_.push_back(static_cast<float>(objective_.decode(static_cast<double>(numbers[i]))));
  }
  numbers_->add(decoded_, truth_);
}

Scores Scorer::result() const {
  Scores s;
  if (classes_) {
    ClassificationResult r = classes_->result();
    s.values = std::move(r.values);
    s.confusion = std::move(r.confusion);
  } else {
    s.values = numbers_->result().values;
  }
  s.loss = find_metric(s.values, classes_ ? "log_loss" : "mse").value;
  return s;
}

void run_examples(const data::ExampleReader& examples, models::NetworkRunner& runner,
                  const models::Network& network, int64_t batches,
                  const std::function<void(int64_t first, std::span<const float> answers)>& take) {
  const auto fields = input_fields(examples.layout(), network, examples.path());
  int64_t done = 0;
  for (int64_t first = 0; first < examples.rows(); first += runner.batch(), ++done) {
    if (batches > 0 && done == batches) break;
    const int64_t rows = std::min(runner.batch(), examples.rows() - first);
    for (int64_t i = 0; i < rows; ++i) {
      for (size_t k = 0; k < fields.size(); ++k) {
        copy_field(*fields[k], examples.row(first + i), i, runner.input(k));
      }
    }
    take(first, runner.run(rows));
  }
}

SupervisedTask::SupervisedTask(Engine& engine, const TrainConfig& config,
                               const Objective& objective, models::Network& network,
                               const data::ExampleReader& train,
                               const data::ExampleReader* validation)
    : engine_(engine),
      config_(config),
      objective_(objective),
      network_(network),
      train_(train),
      validation_(validation) {
  require(train.rows() >= config.micro_batch, Code::kInvalidArgument,
          "train: {} holds {} examples, fewer than one batch of {}; set train.micro_batch={}{}",
          train.path(), train.rows(), config.micro_batch, std::max<int64_t>(train.rows(), 1),
          train.rows() == 0 ? " and give it some data" : "");
  fields_ = input_fields(train.layout(), network, train.path());
  (void)target_field(train, objective);
  for (int64_t slot = 0; slot < config.accumulate; ++slot) buffers_.push_back(make_buffers());
}

SupervisedTask::Buffers SupervisedTask::make_buffers() const {
  // A class as a number (0 or 1) for binary cross entropy, as an id for cross entropy.
  const bool is_id = objective_.loss == LossName::kCrossEntropy;
  const Shape shape = is_id ? Shape{config_.micro_batch} : Shape{config_.micro_batch, 1};
  return {models::make_inputs(engine_, network_, config_.micro_batch),
          Tensor::zeros(engine_, shape, is_id ? DType::kI32 : DType::kF32)};
}

/// Example i of the run is place i mod n of epoch i div n, whose order is a permutation keyed by
/// seed and epoch: a pure function of i, so resuming needs no state.
int64_t SupervisedTask::load(int64_t index, int64_t slot) {
  const Buffers& b = buffers_[static_cast<size_t>(slot)];
  const data::ExampleField& target = *train_.layout().find(data::kTargetField);
  const int64_t n = train_.rows();
  for (int64_t i = 0; i < config_.micro_batch; ++i) {
    const int64_t place = index * config_.micro_batch + i;
    const uint64_t key =
        mix64(engine_.seed() ^ mix64(static_cast<uint64_t>(place / n) ^ kOrderKey));
    const int64_t row = data::Permutation(n, key)(place % n);
    const std::span<const std::byte> record = train_.row(row);
    for (size_t k = 0; k < fields_.size(); ++k) {
      copy_field(*fields_[k], record, i, b.inputs[k]);
      if (!noise || fields_[k]->dtype != DType::kF32) continue;
      const int64_t width = fields_[k]->shape.size();
      noise(static_cast<uint64_t>(place / n), row,
            {b.inputs[k].data<float>() + i * width, static_cast<size_t>(width)});
    }
    if (objective_.loss == LossName::kBinaryCrossEntropy) {
      int32_t label = 0;
      std::memcpy(&label, record.data() + target.offset, sizeof(label));
      b.target.data<float>()[i] = static_cast<float>(label);
    } else {
      copy_field(target, record, i, b.target);
    }
  }
  return config_.micro_batch;
}

Tensor SupervisedTask::loss(int64_t slot, const Tensor& count) {
  const Buffers& b = buffers_[static_cast<size_t>(slot)];
  const Tensor y = network_.forward(b.inputs, true);
  if (objective_.loss == LossName::kCrossEntropy) {
    ops::CrossEntropyOptions options;
    options.label_smoothing = objective_.label_smoothing;
    options.count = count;
    return ops::cross_entropy(y, b.target, options);
  }
  // Batches are always full, so the mean over the step is the mean of the micro-batches' means.
  const Tensor mean = objective_.loss == LossName::kBinaryCrossEntropy
                          ? ops::bce_with_logits(y, b.target)
                          : ops::mse(y, b.target);
  return config_.accumulate == 1 ? mean
                                 : ops::scale(mean, 1.0F / static_cast<float>(config_.accumulate));
}

Evaluation SupervisedTask::evaluate() {
  if (!has_validation()) return {};
  if (!runner_) {
    runner_.emplace(engine_, network_, config_.micro_batch, objective_.link, config_.replay);
  }
  const Scores scores = score(*runner_, network_, objective_, *validation_, config_.eval_batches);
  Evaluation e;
  e.loss = scores.loss;
  for (const MetricValue& v : scores.values) {
    if (!std::isnan(v.value)) e.metrics[v.name] = v.value;
  }
  return e;
}

Scores score(models::NetworkRunner& runner, const models::Network& network,
             const Objective& objective, const data::ExampleReader& examples, int64_t batches,
             const BootstrapOptions& bootstrap) {
  Scorer scorer(objective, bootstrap);
  const data::ExampleField& target = target_field(examples, objective);
  const int64_t width = runner.width();
  std::vector<int32_t> labels;
  std::vector<float> numbers;
  run_examples(examples, runner, network, batches,
               [&](int64_t first, std::span<const float> answers) {
                 labels.clear();
                 numbers.clear();
                 const int64_t rows = static_cast<int64_t>(answers.size()) / width;
                 for (int64_t i = first; i < first + rows; ++i) {
                   const std::byte* value = examples.row(i).data() + target.offset;
                   if (objective.classes > 0) {
                     std::memcpy(&labels.emplace_back(), value, sizeof(int32_t));
                   } else {
                     std::memcpy(&numbers.emplace_back(), value, sizeof(float));
                   }
                 }
                 objective.classes > 0 ? scorer.add(answers, labels) : scorer.add(answers, numbers);
               });
  return scorer.result();
}

Scores score(Engine& engine, models::Network& network, const Objective& objective,
             const data::ExampleReader& examples, int64_t batch,
             const BootstrapOptions& bootstrap) {
  models::NetworkRunner runner(engine, network, batch, objective.link);
  return score(runner, network, objective, examples, 0, bootstrap);
}

}  // namespace ingot::train
