// SPDX-License-Identifier: Apache-2.0
#include "train/supervised_task.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "autograd/ops/elementwise.h"
#include "base/hash.h"
#include "data/permutation.h"
#include "data/table_examples.h"
#include "train/mixup.h"

namespace ingot::train {
namespace {

constexpr int64_t kSerialElements = 1 << 16;  // some microseconds of work
constexpr int64_t kStartRows = 1000;
constexpr int64_t kStartPixels = 1 << 20;        // a million patches for some hundred numbers
constexpr uint64_t kOrderKey = 0x6f72646572ULL;  // keeps this stream apart from others of the seed

const data::ExampleField& target_field(const data::ExampleReader& examples,
                                       const Objective& objective) {
  const data::ExampleField* field = examples.layout().find(data::kTargetField);
  const DType dtype = objective.classes > 0 ? DType::kI32 : DType::kF32;
  require(field != nullptr, Code::kInvalidArgument, "{}: the examples hold no \"{}\"",
          examples.path(), data::kTargetField);
  require(field->dtype == dtype && field->shape.size() == 1, Code::kShapeMismatch,
          "{}: \"{}\" is {} {}, one {} is learned from", examples.path(), data::kTargetField,
          dtype_name(field->dtype), field->shape.text(), dtype_name(dtype));
  return *field;
}

}  // namespace

Scorer::Scorer(const Objective& objective, const BootstrapOptions& bootstrap, int64_t top_k)
    : objective_(objective) {
  if (objective.classes > 0) {
    ClassificationOptions options;
    options.classes = objective.classes;
    options.top_k = top_k;
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
    s.replicates = r.replicates;
    s.ranking_dropped = std::move(r.ranking_dropped);
    s.confusion = std::move(r.confusion);
    s.per_class = std::move(r.per_class);
    s.calibration = std::move(r.calibration);
    s.curve = std::move(r.curve);
  } else {
    RegressionResult r = numbers_->result();
    s.values = std::move(r.values);
    s.replicates = r.replicates;
  }
  s.loss = find_metric(s.values, classes_ ? "log_loss" : "mse").value;
  return s;
}

void run_examples(const data::ExampleReader& examples, ExampleRunner& runner, int64_t batches,
                  const std::function<void(int64_t first, std::span<const float> answers)>& take) {
  int64_t done = 0;
  for (int64_t first = 0; first < examples.rows(); first += runner.batch(), ++done) {
    if (batches > 0 && done == batches) break;
    const int64_t rows = std::min(runner.batch(), examples.rows() - first);
    take(first, runner.run(rows, [&](int64_t i) { return examples.row(first + i); }));
  }
}

SupervisedTask::SupervisedTask(Engine& engine, const TrainConfig& config,
                               const Objective& objective, models::Network& network,
                               const SupervisedData& data)
    : engine_(engine),
      config_(config),
      objective_(objective),
      network_(network),
      data_(data),
      filler_(engine.team(), input_fields(data.train.layout(), network, data.train.path()),
              data.filler),
      views_(static_cast<size_t>(config.micro_batch)) {
  const data::ExampleReader& train = data.train;
  require(train.rows() >= config.micro_batch, Code::kInvalidArgument,
          "train: {} holds {} examples, fewer than one batch of {}; set train.micro_batch={}{}",
          train.path(), train.rows(), config.micro_batch, std::max<int64_t>(train.rows(), 1),
          train.rows() == 0 ? " and give it some data" : "");
  (void)target_field(train, objective);
  if (network.starts_from_examples()) start_network();
  for (const models::Value& in : network.inputs()) {
    require(!is_mixed() || in.dtype == DType::kF32, Code::kInvalidArgument,
            "objective.mixup: \"{}\" holds ids, which have no mean; set objective.mixup=0",
            in.name);
  }
  for (int64_t slot = 0; slot < config.accumulate; ++slot) {
    Buffers& b = buffers_.emplace_back();
    b.own = make_examples();
    if (!is_mixed()) continue;
    b.partner = make_examples();
    b.share = Tensor::zeros(engine, {config.micro_batch}, DType::kF32);
    b.rest = Tensor::zeros(engine, {config.micro_batch}, DType::kF32);
    if (objective.form != TargetForm::kId) continue;
    b.own.target.weights = b.share;
    b.partner.target.weights = b.rest;
  }
}

/// Weights that begin as the data says: the first training rows, as they are, until their pictures
/// have enough pixels.
void SupervisedTask::start_network() {
  int64_t pixels = 1;  // of the largest picture
  for (const models::Value& in : network_.inputs()) {
    if (in.shape.rank() == 3) pixels = std::max(pixels, in.shape[0] * in.shape[1]);
  }
  const int64_t enough = std::clamp<int64_t>(kStartPixels / pixels, 1, kStartRows);
  const int64_t rows = std::min(enough, data_.train.rows());
  const std::vector<Tensor> inputs = models::make_inputs(engine_, network_, rows);
  filler_.fill(rows, inputs, [&](int64_t i) {
    data::RowView view;
    view.row = i;
    return data::BatchRow{data_.train.row(i), view};
  });
  network_.start_from(inputs);
}

SupervisedTask::Examples SupervisedTask::make_examples() const {
  return {models::make_inputs(engine_, network_, config_.micro_batch),
          make_objective_batch(engine_, objective_, config_.micro_batch)};
}

/// Example i of the run is place i mod n of epoch i div n, whose order is a permutation keyed by
/// seed and epoch: a pure function of i, so resuming needs no state.
data::RowView SupervisedTask::view_of(int64_t place) const {
  const int64_t n = data_.train.rows();
  data::RowView view;
  view.is_training = true;
  view.epoch = static_cast<uint64_t>(place / n);
  const uint64_t key = mix64(engine_.seed() ^ mix64(view.epoch ^ kOrderKey));
  view.row = data::Permutation(n, key)(place % n);
  return view;
}

int64_t SupervisedTask::load(int64_t index, int64_t slot) {
  const Buffers& b = buffers_[static_cast<size_t>(slot)];
  for (size_t i = 0; i < views_.size(); ++i) {
    views_[i] = view_of(index * config_.micro_batch + static_cast<int64_t>(i));
  }
  fill(b.own);
  if (is_mixed()) mix(b);
  return config_.micro_batch;
}

void SupervisedTask::fill(const Examples& to) {
  const data::ExampleReader& train = data_.train;
  filler_.fill(config_.micro_batch, to.inputs, [&](int64_t i) {
    const data::RowView& view = views_[static_cast<size_t>(i)];
    return data::BatchRow{train.row(view.row), view};
  });
  const int64_t offset = train.layout().find(data::kTargetField)->offset;
  for (size_t i = 0; i < views_.size(); ++i) {
    const std::byte* target = train.row(views_[i].row).data() + offset;
    if (objective_.classes > 0) {
      int32_t label = 0;
      std::memcpy(&label, target, sizeof(label));
      set_label(objective_, to.target, static_cast<int64_t>(i), label);
    } else {
      std::memcpy(to.target.target.data<float>() + i, target, sizeof(float));
    }
  }
}

/// Every row with its partner, who is varied as in a turn of its own in this epoch. Classes keep
/// two targets, which loss() weighs.
void SupervisedTask::mix(const Buffers& b) {
  for (size_t i = 0; i < views_.size(); ++i) {
    data::RowView& view = views_[i];
    const Mix drawn =
        draw_mix(engine_.seed(), view.epoch, view.row, data_.train.rows(), objective_.mixup);
    b.share.data<float>()[i] = drawn.share;
    b.rest.data<float>()[i] = 1.0F - drawn.share;
    view.row = drawn.partner;
  }
  fill(b.partner);
  for (size_t k = 0; k < b.own.inputs.size(); ++k) {
    blend(b.own.inputs[k], b.partner.inputs[k], b.share);
  }
  if (objective_.form == TargetForm::kId) return;  // two targets, each with its share
  blend(b.own.target.target, b.partner.target.target, b.share);
  if (b.own.target.weights.defined()) {
    blend(b.own.target.weights, b.partner.target.weights, b.share);
  }
}

/// own = share own + (1 - share) partner, row by row.
void SupervisedTask::blend(const Tensor& own, const Tensor& partner, const Tensor& share) {
  const int64_t rows = config_.micro_batch, width = own.shape().size() / rows;
  engine_.team().tiles(rows, own.shape().size() < kSerialElements, [&](int64_t row) {
    const float s = share.data<float>()[row];
    float* x = own.data<float>() + row * width;
    const float* y = partner.data<float>() + row * width;
    for (int64_t i = 0; i < width; ++i) x[i] = s * x[i] + (1.0F - s) * y[i];
  });
}

Tensor SupervisedTask::loss(int64_t slot, const Tensor& count) {
  const Buffers& b = buffers_[static_cast<size_t>(slot)];
  const Tensor y = network_.forward(b.own.inputs, true);
  const Tensor own = objective_loss(objective_, y, b.own.target, count);
  if (!is_mixed() || objective_.form != TargetForm::kId) return own;
  return ops::add(own, objective_loss(objective_, y, b.partner.target, count));
}

Evaluation SupervisedTask::evaluate() {
  if (!has_validation()) return {};
  const data::ExampleReader& held_out = *data_.validation;
  if (!runner_) {
    ExampleRunnerOptions options;
    options.link = objective_.link;
    options.batch = config_.micro_batch;
    options.replay = config_.replay;
    runner_.emplace(engine_, network_, held_out.layout(), data_.filler, options, held_out.path());
  }
  const Scores scores = score(*runner_, objective_, held_out, {config_.eval_batches, {}, {}});
  Evaluation e;
  e.loss = scores.loss;
  for (const MetricValue& v : scores.values) {
    if (!std::isnan(v.value)) e.metrics[v.name] = v.value;
  }
  return e;
}

Scores score(ExampleRunner& runner, const Objective& objective, const data::ExampleReader& examples,
             const ScoreOptions& options) {
  Scorer scorer(objective, options.bootstrap, options.top_k);
  const data::ExampleField& target = target_field(examples, objective);
  const auto width = static_cast<size_t>(runner.width());
  std::vector<int32_t> labels;
  std::vector<float> numbers;
  run_examples(
      examples, runner, options.batches, [&](int64_t first, std::span<const float> answers) {
        throw_if_stopped(options.stop);
        const size_t rows = answers.size() / width;
        labels.assign(rows, 0);
        numbers.assign(rows, 0.0F);
        for (size_t i = 0; i < rows; ++i) {
          const int64_t example = first + static_cast<int64_t>(i);
          const std::byte* value = examples.row(example).data() + target.offset;
          void* to = objective.classes > 0 ? static_cast<void*>(&labels[i]) : &numbers[i];
          std::memcpy(to, value, sizeof(float));
          if (!options.each) continue;
          options.each({example, answers.subspan(i * width, width), labels[i], numbers[i]});
        }
        objective.classes > 0 ? scorer.add(answers, labels) : scorer.add(answers, numbers);
      });
  return scorer.result();
}

}  // namespace ingot::train
