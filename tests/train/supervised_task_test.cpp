// SPDX-License-Identifier: Apache-2.0
// Learning from examples: a line and a dense regression reach the closed form, classes are learned,
// and a run that is stopped and continued has the weights of one that was not.
#include "train/supervised_task.h"

#include <array>
#include <cmath>
#include <cstring>
#include <random>

#include "base/hash.h"
#include "data/permutation.h"
#include "data/table_examples.h"
#include "train/least_squares.h"
#include "train/mixup.h"
#include "train/supervised_run.h"

namespace ingot::train::supervised_task_test {
namespace {

using testing::message_of;

/// Weights of a float32 fit against the exact solution, relative.
constexpr double kClosedForm = 1e-5;

models::LayerConfig dense(int64_t units) {
  models::LayerConfig c;
  c.units = units;
  return c;
}

class SupervisedTest : public ::testing::Test {
 protected:
  /// `x` [rows, width] and numbers or labels as a file of examples.
  template <class Target>
  std::string write(const std::string& name, const std::vector<float>& x,
                    const std::vector<Target>& y) {
    const size_t width = x.size() / y.size();
    const data::ExampleLayout layout({{"table", DType::kF32, {static_cast<int64_t>(width)}, 0},
                                      {"target", DTypeOf<Target>::kValue, {1}, 0}});
    const std::string path = join_path(folder_, name);
    write_atomically(*files_, path, [&](WritableFile& file) {
      data::ExampleWriter writer(file, layout);
      std::vector<std::byte> record(static_cast<size_t>(layout.record_bytes()));
      for (size_t i = 0; i < y.size(); ++i) {
        std::memcpy(record.data(), x.data() + i * width, width * sizeof(float));
        std::memcpy(record.data() + width * sizeof(float), &y[i], sizeof(Target));
        writer.add(record);
      }
      writer.finish();
    });
    return path;
  }

  static TrainConfig config(int64_t steps, int64_t batch, double lr) {
    TrainConfig c;
    c.steps = steps;
    c.seq = 1;
    c.micro_batch = batch;
    c.lr = lr;
    c.optimizer.weight_decay = 0.0F;
    c.clip_norm = 0.0F;
    c.schedule.warmup = 0.0;
    c.schedule.final = 0.0;
    c.eval_every = 0;
    c.checkpoint_every = 50;
    c.keep_best = false;
    return c;
  }

  /// Trains one dense layer [width → units]; weights are its weight, then its bias.
  testing::SupervisedResult fit(const TrainConfig& c, int64_t classes, int64_t width, int64_t units,
                                const std::string& file, const std::string& out, int threads = 2,
                                int64_t stop_at = -1) {
    testing::SupervisedRun run;
    run.layers = {dense(units)};
    run.inputs = {{"table", {width}, DType::kF32, 0, -1}};
    run.classes = classes;
    run.config = c;
    run.objective = objective_;
    run.train_file = run.validation_file = file;
    run.out = join_path(folder_, out);
    run.threads = threads;
    run.stop_at = stop_at;
    return train_supervised(run);
  }

  testing::TempDir dir_;
  std::string folder_ = dir_.path();
  std::unique_ptr<FileSystem> files_ = real_files();
  const data::RowFiller plain_;
  ObjectiveConfig objective_;
};

TEST_F(SupervisedTest, ALineThroughThreePointsIsFound) {
  const std::string file = write<float>("line", {1, 2, 3}, {2, 4, 6});
  TrainConfig c = config(3000, 3, 0.1);
  c.optimizer.name = optim::OptimizerKind::kSgd;
  const auto line = fit(c, 0, 1, 1, file, "line_run");
  EXPECT_NEAR(line.weights[0], 2.0, 2.0 * kClosedForm);
  EXPECT_NEAR(line.weights[1], 0.0, kClosedForm);
  EXPECT_NEAR(line.weights[0] * 4 + line.weights[1], 8.0, 8.0 * kClosedForm);
  EXPECT_NEAR(line.evaluation.metrics.at("r2"), 1.0, kClosedForm);
}

/// 100 x 10 random inputs, random targets, Adam: least squares by the normal equations in double.
TEST_F(SupervisedTest, ADenseRegressionIsLeastSquares) {
  constexpr int64_t kRows = 100, kWidth = 10;
  std::mt19937 random(3);
  const auto draw = [&] { return static_cast<float>(random()) / 4294967296.0F; };
  std::vector<float> x(kRows * kWidth), y(kRows);
  for (float& v : x) v = draw();
  for (float& v : y) v = draw();
  const std::string file = write<float>("regression", x, y);
  TrainConfig c = config(6000, kRows, 0.02);
  c.optimizer.name = optim::OptimizerKind::kAdam;
  const auto found = fit(c, 0, kWidth, 1, file, "regression_run");
  const std::vector<double> exact = testing::least_squares(x, y);
  ASSERT_EQ(found.weights.size(), exact.size());
  double largest = 0.0;
  for (const double w : exact) largest = std::max(largest, std::abs(w));
  for (size_t i = 0; i < exact.size(); ++i) {
    EXPECT_NEAR(double{found.weights[i]}, exact[i], largest * kClosedForm) << "weight " << i;
  }
}

TEST_F(SupervisedTest, ClassesAreLearned) {
  std::vector<float> x;
  std::vector<int32_t> y;
  std::mt19937 random(5);
  for (int i = 0; i < 300; ++i) {
    const int32_t label = i % 3;
    for (int32_t k = 0; k < 3; ++k) {
      x.push_back((k == label ? 1.0F : 0.0F) + static_cast<float>(random()) / 4e9F * 0.4F);
    }
    y.push_back(label);
  }
  const auto found = fit(config(200, 30, 0.1), 3, 3, 3, write<int32_t>("classes", x, y), "c");
  EXPECT_EQ(found.evaluation.metrics.at("accuracy"), 1.0);
  EXPECT_LT(found.evaluation.loss, 0.1);
}

TEST_F(SupervisedTest, StoppedAndContinuedEqualsNeverStoppedOnAnyThreads) {
  std::vector<float> x;
  std::vector<int32_t> y;
  std::mt19937 random(9);
  for (int i = 0; i < 90; ++i) {
    y.push_back(i % 2);
    for (int k = 0; k < 5; ++k) x.push_back(static_cast<float>(random()) / 4e9F);
  }
  const std::string file = write<int32_t>("two", x, y);
  TrainConfig c = config(40, 16, 0.05);  // 90 examples: epochs end inside batches
  c.accumulate = 2;
  const std::vector<float> whole = fit(c, 2, 5, 1, file, "whole", 1).weights;
  (void)fit(c, 2, 5, 1, file, "parts", 3, 17);
  EXPECT_EQ(fit(c, 2, 5, 1, file, "parts", 2).weights, whole);
  c.replay = false;
  EXPECT_EQ(fit(c, 2, 5, 1, file, "eager", 8).weights, whole);
}

/// The loss of a mixed batch, by plain loops in double: inputs are means of two examples, classes
/// are weighed by their shares.
TEST_F(SupervisedTest, MixupIsTheMeanOfTwoExamples) {
  constexpr int64_t kRows = 7, kBatch = 5;
  std::vector<float> x;
  std::vector<int32_t> y;
  for (int i = 0; i < kRows; ++i) {
    x.push_back(static_cast<float>(i));
    x.push_back(static_cast<float>(i * i));
    y.push_back(i % 3);
  }
  const data::ExampleReader rows(write<int32_t>("mixed", x, y));
  Team team(2);
  Engine engine(team);
  models::Network network({dense(3)}, {{"table", {2}, DType::kF32, 0, -1}});
  nn::ParameterStore store(engine, network);
  ObjectiveConfig objective;
  objective.mixup = 0.5;
  const TrainConfig c = config(1, kBatch, 0.1);
  SupervisedTask task(engine, c, make_objective(objective, 3, network.output()), network,
                      {rows, nullptr, plain_});
  const auto parameters = nn::parameters(network);
  const std::vector<float> w = parameters[0].parameter->value.to_vector<float>();
  const std::vector<float> bias = parameters[1].parameter->value.to_vector<float>();
  const std::vector<int64_t> order = [&] {  // of the first epoch, found by its rows
    std::vector<int64_t> found;
    const uint64_t key = mix64(engine.seed() ^ mix64(0x6f72646572ULL));
    for (int64_t i = 0; i < kBatch; ++i) found.push_back(data::Permutation(kRows, key)(i));
    return found;
  }();
  double expected = 0.0;
  for (const int64_t row : order) {
    const Mix mix = draw_mix(engine.seed(), 0, row, kRows, 0.5);
    const double s = double{mix.share};
    const auto at = [&](int64_t k) {
      return s * double{x[static_cast<size_t>(2 * row + k)]} +
             (1 - s) * double{x[static_cast<size_t>(2 * mix.partner + k)]};
    };
    std::array<double, 3> logits{};
    double total = 0.0;
    for (size_t u = 0; u < 3; ++u) {
      logits.at(u) = double{bias[u]} + double{w[2 * u]} * at(0) + double{w[2 * u + 1]} * at(1);
      total += std::exp(logits.at(u));
    }
    const auto loss_of = [&](int64_t example) {
      return std::log(total) - logits.at(static_cast<size_t>(y[static_cast<size_t>(example)]));
    };
    expected += (s * loss_of(row) + (1 - s) * loss_of(mix.partner)) / kBatch;
  }
  task.load(0, 0);
  Tensor count = Tensor::zeros(engine, {}, DType::kI64);
  count.data<int64_t>()[0] = kBatch;
  constexpr double kFloat32 = 1e-4;  // of logits up to 40
  EXPECT_NEAR(double{task.loss(0, count).to_vector<float>()[0]}, expected, kFloat32);
}

TEST_F(SupervisedTest, MixedTrainingIsTheSameHoweverItIsRun) {
  std::vector<float> x, numbers;
  std::vector<int32_t> y;
  std::mt19937 random(9);
  for (int i = 0; i < 90; ++i) {
    y.push_back(i % 2);
    numbers.push_back(static_cast<float>(i % 5));
    for (int k = 0; k < 5; ++k) x.push_back(static_cast<float>(random()) / 4e9F);
  }
  objective_.mixup = 0.3;
  TrainConfig c = config(20, 16, 0.05);
  c.accumulate = 2;
  const std::string two = write<int32_t>("two", x, y), some = write<float>("some", x, numbers);
  for (const int64_t units : {1, 2}) {  // binary cross entropy, cross entropy
    const std::string out = "classes" + std::to_string(units);
    const std::vector<float> whole = fit(c, 2, 5, units, two, out, 1).weights;
    (void)fit(c, 2, 5, units, two, out + "parts", 3, 7);
    EXPECT_EQ(fit(c, 2, 5, units, two, out + "parts", 2).weights, whole);
  }
  EXPECT_EQ(fit(c, 0, 5, 1, some, "n1", 1).weights, fit(c, 0, 5, 1, some, "n8", 8).weights);
}

/// Large pictures: filters that begin as the data says come from the first million pixels.
TEST_F(SupervisedTest, WhiteningTakesAMillionPixels) {
  constexpr int64_t kPixels = 1024 * 1024;
  std::vector<models::LayerConfig> layers(3, dense(1));
  layers[0] = {};
  layers[0].type = models::LayerType::kConv2d;
  layers[0].filters = 2;
  layers[0].kernel = std::vector<int64_t>{1};
  layers[0].init = nn::InitKind::kWhiten;
  layers[1] = {};
  layers[1].type = models::LayerType::kGlobalAveragePool;
  models::Network network(layers, {{"image", {1024, 1024, 1}, DType::kF32, 0, -1}});
  const data::ExampleLayout layout(
      {{"image", DType::kF32, {1024, 1024, 1}, 0}, {"target", DType::kF32, {1}, 0}});
  std::vector<std::byte> records(static_cast<size_t>(2 * layout.record_bytes()));
  std::vector<float> pixels(kPixels, 2.0F);
  std::memcpy(records.data(), pixels.data(), kPixels * sizeof(float));
  pixels.assign(kPixels, 100.0F);  // the second picture is not looked at
  std::memcpy(records.data() + layout.record_bytes(), pixels.data(), kPixels * sizeof(float));
  const data::ExampleReader rows("rows", layout, std::move(records));
  Team team(2);
  Engine engine(team);
  const SupervisedTask task(engine, config(1, 1, 0.1), make_objective({}, 0, network.output()),
                            network, {rows, nullptr, plain_});
  const std::vector<float>& filters = nn::parameters(network)[0].parameter->start;
  ASSERT_EQ(filters.size(), 2U);
  EXPECT_NEAR(std::abs(filters[0]), 1.0 / std::sqrt(4.0 + 5e-4), 1e-6);
}

TEST_F(SupervisedTest, WhatCannotBeMixedIsNamed) {
  models::LayerConfig embedding, pool;
  embedding.type = models::LayerType::kEmbedding;
  embedding.size = 2;
  pool.type = models::LayerType::kGlobalAveragePool;
  models::Network network({embedding, pool, dense(2)}, {{"note", {1}, DType::kI32, 5, -1}});
  const data::ExampleLayout layout(
      {{"note", DType::kI32, {1}, 0}, {"target", DType::kI32, {1}, 0}});
  const std::string path = join_path(folder_, "ids");
  write_atomically(*files_, path, [&](WritableFile& file) {
    data::ExampleWriter writer(file, layout);
    for (int i = 0; i < 4; ++i) writer.add(std::vector<std::byte>(8));
    writer.finish();
  });
  const data::ExampleReader rows(path);
  Team team(1);
  Engine engine(team);
  ObjectiveConfig mixed;
  mixed.mixup = 0.2;
  const Objective objective = make_objective(mixed, 2, network.output());
  EXPECT_EQ(message_of([&] {
              const SupervisedTask task(engine, config(1, 2, 0.1), objective, network,
                                        {rows, nullptr, plain_});
            }),
            "objective.mixup: \"note\" holds ids, which have no mean; set objective.mixup=0");
  mixed.mixup = 5;
  EXPECT_EQ(message_of([&] { (void)make_objective(mixed, 2, network.output()); }),
            "objective.mixup is 5, must be 0 (none) or 0.001 to 4");
}

TEST_F(SupervisedTest, WhatDoesNotFitIsNamed) {
  models::Network network({dense(3)}, {{"table", {2}, DType::kF32, 0, -1}});
  EXPECT_EQ(
      message_of([&] { (void)make_objective({}, 4, network.output()); }),
      "layers: the last layer \"dense\" gives [3], the target has 4 classes. Set its units to 4");
  EXPECT_EQ(
      message_of([&] { (void)make_objective({}, 0, network.output()); }),
      "layers: the last layer \"dense\" gives [3], a number needs [1]. Set its units to 1, or "
      "flatten before");
  // units that are right, at every pixel
  models::Network pixels({dense(2)}, {{"picture", {14, 14, 3}, DType::kF32, 0, -1}});
  EXPECT_EQ(
      message_of([&] { (void)make_objective({}, 2, pixels.output()); }),
      "layers: the last layer \"dense\" gives [14, 14, 2], an answer at every place, and a row "
      "needs one. End with {type: global_average_pool} or {type: flatten}, and behind it "
      "{type: dense, units: 2}");
  ObjectiveConfig wrong;
  wrong.loss = LossName::kMse;
  EXPECT_EQ(message_of([&] { (void)make_objective(wrong, 3, network.output()); }),
            "objective.loss: mse does not fit a target of classes and a last layer of [3]; "
            "cross_entropy does");
  const std::string file = write<int32_t>("few", {1, 2, 3, 4}, {0, 1});
  const data::ExampleReader few(file);
  Team team(1);
  Engine engine(team);
  EXPECT_EQ(
      message_of([&] {
        const SupervisedTask task(engine, config(1, 8, 0.1),
                                  make_objective({}, 3, network.output()), network,
                                  {few, nullptr, plain_});
      }),
      "train: " + file + " holds 2 examples, fewer than one batch of 8; set train.micro_batch=2");
}

}  // namespace
}  // namespace ingot::train::supervised_task_test
