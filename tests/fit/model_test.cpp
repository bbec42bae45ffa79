// SPDX-License-Identifier: Apache-2.0
// Models drawn in C++: closed forms, histories, exactness, folders, and what is refused.
#include "fit/model.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/message_of.h"

namespace ingot::model_test {
namespace {

using testing::message_of;

constexpr double kClosedForm = 1e-5;  // of the values, which are near 1
constexpr double kFloat = 1e-6;

const std::vector<float> kX = {1, 2, 3};
const std::vector<float> kY = {2, 4, 6};

Sequential line(const RuntimeOptions& options = {}) {
  return {input("table", {1}), {dense(1)}, options};
}

/// x, and whether it is above a half.
struct Halves {
  explicit Halves(int32_t count) {
    for (int32_t i = 0; i < count; ++i) {
      x.push_back(static_cast<float>(i * 7 % count) / static_cast<float>(count));
      y.push_back(x.back() > 0.5F ? 1 : 0);
    }
  }
  std::vector<float> x;
  std::vector<int32_t> y;
};

TEST(Model, ALineThroughThreePointsIsFound) {
  Sequential model = line();
  model.compile({.optimizer = optim::sgd(0.1), .loss = Loss::kMse});
  const History history = model.fit(kX, kY, {.epochs = 3000});
  ASSERT_EQ(history.size(), 3000U);
  EXPECT_EQ(history.back().number, 3000);
  EXPECT_GT(history.front().loss, history.back().loss);
  EXPECT_NEAR(model.predict(std::vector<float>{4})[0], 8.0, 8 * kClosedForm);
  EXPECT_NEAR(model.evaluate(kX, kY)["r2"], 1.0, kClosedForm);
}

TEST(Model, TheFirstLossIsThatOfTheFirstWeights) {
  Sequential model = line();
  model.compile({.optimizer = optim::sgd(0.0001), .loss = Loss::kMse});
  const std::vector<float> before = model.predict(kX);
  double expected = 0.0;
  for (size_t i = 0; i < 3; ++i) {
    const double error = static_cast<double>(before[i]) - static_cast<double>(kY[i]);
    expected += error * error / 3.0;
  }
  EXPECT_NEAR(model.fit(kX, kY)[0].loss, expected, expected * kFloat * 10);
}

TEST(Model, FitGoesOnFromTheWeightsAsTheyAre) {
  Sequential once = line(), twice = line();
  const CompileOptions options{.optimizer = optim::sgd(0.05), .loss = Loss::kMse};
  once.compile(options);
  twice.compile(options);
  (void)once.fit(kX, kY, {.epochs = 20});
  (void)twice.fit(kX, kY, {.epochs = 10});
  (void)twice.fit(kX, kY, {.epochs = 10});
  EXPECT_NEAR(once.predict(kX)[0], twice.predict(kX)[0], kFloat * 10);
}

TEST(Model, ASigmoidAtTheEndBelongsToTheLoss) {
  const Halves data(64);
  std::vector<std::vector<float>> answers;
  for (const Activation end : {Activation::kNone, Activation::kSigmoid}) {
    Sequential model(input("table", {1}), {dense(8, Activation::kTanh), dense(1, end)});
    model.compile({.optimizer = optim::adam(0.05), .loss = Loss::kBinaryCrossEntropy});
    (void)model.fit(data.x, data.y, {.epochs = 30, .batch = 16});
    answers.push_back(model.predict(data.x));
    EXPECT_GT(model.evaluate(data.x, data.y)["accuracy"], 0.9);
  }
  EXPECT_EQ(answers[0], answers[1]);
}

TEST(Model, ASoftmaxAtTheEndBelongsToTheLoss) {
  const Halves data(64);
  std::vector<std::vector<float>> answers;
  for (const Activation end : {Activation::kNone, Activation::kSoftmax}) {
    Sequential model(input("table", {1}), {dense(2, end)});
    model.compile({});
    (void)model.fit(data.x, data.y, {.epochs = 3});
    answers.push_back(model.predict(data.x));
  }
  EXPECT_EQ(answers[0], answers[1]);
  EXPECT_NEAR(answers[0][0] + answers[0][1], 1.0, kFloat);
}

TEST(Model, LabelsMayBeFloats) {
  const Halves data(64);
  const std::vector<float> labels(data.y.begin(), data.y.end());
  Sequential a(input("table", {1}), {dense(1)}), b(input("table", {1}), {dense(1)});
  for (Sequential* model : {&a, &b}) model->compile({.loss = Loss::kBinaryCrossEntropy});
  (void)a.fit(data.x, data.y);
  (void)b.fit(data.x, labels);
  EXPECT_EQ(a.predict(data.x), b.predict(data.x));
}

TEST(Model, BytesDoNotDependOnThreads) {
  const Halves data(200);
  std::vector<std::vector<float>> answers;
  for (const int threads : {1, 2, 3}) {
    Sequential model(input("table", {1}), {dense(32, Activation::kRelu), dropout(0.2F), dense(1)},
                     {threads, 9, 0});
    model.compile({.optimizer = optim::adam(0.01), .loss = Loss::kBinaryCrossEntropy});
    (void)model.fit(data.x, data.y, {.epochs = 5, .batch = 16});
    answers.push_back(model.predict(data.x));
  }
  EXPECT_EQ(answers[0], answers[1]);
  EXPECT_EQ(answers[0], answers[2]);
}

TEST(Model, AnEpochHasItsValidation) {
  const Halves data(64), held_out(40);
  Sequential model(input("table", {1}), {dense(1)});
  model.compile({.loss = Loss::kBinaryCrossEntropy, .metrics = {"accuracy"}});
  FitOptions options{.epochs = 4, .batch = 16};
  options.validation = Arrays{held_out.x, held_out.y};
  std::vector<int64_t> heard;
  options.on_epoch = [&](const Epoch& epoch) { heard.push_back(epoch.number); };
  const History history = model.fit(data.x, data.y, options);
  EXPECT_EQ(heard, (std::vector<int64_t>{1, 2, 3, 4}));
  ASSERT_EQ(history.size(), 4U);
  EXPECT_EQ(history[3].validation.size(), 2U);  // loss and accuracy
  const train::Scores scores = model.evaluate(held_out.x, held_out.y);
  EXPECT_EQ(scores.values.size(), 1U);
  EXPECT_EQ(history[3].validation.at("loss"), scores.loss);
  EXPECT_EQ(history[3].validation.at("accuracy"), scores["accuracy"]);
}

/// All rows are alike, so the error of a line is multiplied by 1 - 4 lr in every step, and 100 rows
/// in batches of 64 are epochs of 2, 1, 2 and 1 steps.
TEST(Model, AnEpochIsAPassAndItsLossTheMeanOfItsSteps) {
  const std::vector<float> x(100, 1.0F), y(100, 2.0F);
  Sequential model = line();
  model.compile({.optimizer = optim::sgd(0.05), .loss = Loss::kMse});
  const double error = static_cast<double>(model.predict(std::vector<float>{1})[0]) - 2.0;
  const double r = 0.8 * 0.8;
  FitOptions options{.epochs = 4, .batch = 64};
  const std::vector<float> one = {1}, two = {2};
  options.validation = Arrays{one, two};
  const History history = model.fit(x, y, options);
  ASSERT_EQ(history.size(), 4U);
  const double first = error * error;
  const double losses[] = {first * (1 + r) / 2, first * r * r, first * (r * r * r) * (1 + r) / 2,
                           first * std::pow(r, 5)};
  const int64_t steps[] = {2, 3, 5, 6};  // done when the epoch ends
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(history[i].number, static_cast<int64_t>(i) + 1);
    EXPECT_NEAR(history[i].loss, losses[i], first * kClosedForm) << i;
    const double held_out = first * std::pow(r, static_cast<double>(steps[i]));
    EXPECT_NEAR(history[i].validation.at("loss"), held_out, first * kClosedForm) << i;
  }
}

TEST(Model, TheBestWeightsAreLeftWhenAsked) {
  const Halves data(64);
  Sequential model(input("table", {1}), {dense(1)});
  model.compile({.optimizer = optim::sgd(0.5), .loss = Loss::kMse});
  const std::vector<float> wanted(data.x.begin(), data.x.end());
  std::vector<float> far(wanted);
  for (float& v : far) v = -v;  // what is learned makes the held-out loss worse and worse
  FitOptions options{.epochs = 30, .patience = 3, .keep_best = true};
  options.validation = Arrays{data.x, far};
  const History history = model.fit(data.x, wanted, options);
  EXPECT_LT(history.size(), 30U);
  double best = history[0].validation.at("loss");
  for (const Epoch& epoch : history) best = std::min(best, epoch.validation.at("loss"));
  EXPECT_EQ(model.evaluate(data.x, far).loss, best);
}

TEST(Model, AFolderGivesTheSameAnswers) {
  const testing::TempDir dir;
  const Halves data(64);
  Sequential model(input("table", {1}),
                   {dense(4, Activation::kRelu), dense(1, Activation::kSigmoid)});
  model.compile({});
  (void)model.fit(data.x, data.y);
  model.save(dir.file("model"));
  EXPECT_TRUE(file_exists(dir.file("model/features.json")));
  Model loaded = Model::load(dir.file("model"));
  EXPECT_EQ(loaded.predict(data.x), model.predict(data.x));
  EXPECT_EQ(loaded.evaluate(data.x, data.y).loss, model.evaluate(data.x, data.y).loss);
  loaded.compile({});
  (void)loaded.fit(data.x, data.y);
  loaded.save(dir.file("again"));
  EXPECT_EQ(Model::load(dir.file("again")).predict(data.x), loaded.predict(data.x));
}

/// A folder without features has the probabilities' layer: nothing else would apply it.
TEST(Model, AFolderWithoutFeaturesGivesProbabilitiesToo) {
  const testing::TempDir dir;
  const Halves data(64);
  const std::pair<std::vector<Layer>, Loss> kinds[] = {
      {{dense(1, Activation::kSigmoid)}, Loss::kAuto},
      {{dense(2, Activation::kSoftmax)}, Loss::kAuto},
      {{dense(2), activation(Activation::kSoftmax)}, Loss::kAuto},
      {{dense(1)}, Loss::kBinaryCrossEntropy},  // the loss alone has the sigmoid
  };
  for (const auto& [layers, loss] : kinds) {
    Sequential model(input("x", {1}), layers);
    model.compile({.loss = loss});
    (void)model.fit(data.x, data.y, {.epochs = 2});
    model.save(dir.file("model"));
    EXPECT_FALSE(file_exists(dir.file("model/features.json")));
    Model loaded = Model::load(dir.file("model"));
    EXPECT_EQ(loaded.predict(data.x), model.predict(data.x));
    loaded.compile({});  // and it goes on
    (void)loaded.fit(data.x, data.y);
    EXPECT_GT(loaded.predict(data.x)[0], 0.0F);
  }
}

/// Before compile the last layer has its sigmoid or softmax: nothing is applied a second time.
TEST(Model, WhatWasLoadedIsJudgedByItsOwnProbabilities) {
  const testing::TempDir dir;
  const Halves data(64);
  const std::vector<Layer> kinds[] = {{dense(1, Activation::kSigmoid)},
                                      {dense(2, Activation::kSoftmax)}};
  for (const std::vector<Layer>& layers : kinds) {
    Sequential model(input("x", {1}), layers);
    model.compile({.optimizer = optim::adam(0.05)});
    (void)model.fit(data.x, data.y, {.epochs = 30, .batch = 16});
    const train::Scores known = model.evaluate(data.x, data.y);
    model.save(dir.file("model"));
    Model loaded = Model::load(dir.file("model"));
    const train::Scores found = loaded.evaluate(data.x, data.y);
    EXPECT_NEAR(found.loss, known.loss, kFloat);
    EXPECT_EQ(found["accuracy"], known["accuracy"]);
    EXPECT_EQ(loaded.predict(data.x), model.predict(data.x)) << "as before it was judged";
  }
}

TEST(Model, JudgingBeforeCompileLeavesTheModelAsItWas) {
  const testing::TempDir dir;
  const Halves data(64);
  for (const int64_t units : {1, 2}) {  // logits of two classes
    Sequential model(input("table", {1}), {dense(units)});
    const std::vector<float> logits = model.predict(data.x);
    const train::Scores scores = model.evaluate(data.x, data.y);
    EXPECT_EQ(model.predict(data.x), logits) << units;
    EXPECT_EQ(model.evaluate(data.x, data.y).loss, scores.loss) << units;
    model.save(dir.file("model"));
    EXPECT_FALSE(file_exists(dir.file("model/features.json"))) << "no objective, no classes";
    EXPECT_EQ(Model::load(dir.file("model")).predict(data.x), logits) << units;
    // As labels it is judged by classes, as numbers by distance.
    if (units == 2) continue;
    const std::vector<float> numbers(data.y.begin(), data.y.end());
    double sum = 0.0;
    for (size_t i = 0; i < logits.size(); ++i) {
      const double error = static_cast<double>(logits[i]) - static_cast<double>(numbers[i]);
      sum += error * error;
    }
    EXPECT_NEAR(model.evaluate(data.x, numbers).loss, sum / static_cast<double>(logits.size()),
                kClosedForm);
  }
}

TEST(Model, AFolderDoesNotKeepTheFeaturesOfTheModelBefore) {
  const testing::TempDir dir;
  const Halves data(64);
  Sequential of_columns(input("table", {1}), {dense(2, Activation::kSoftmax)});
  of_columns.compile({});
  (void)of_columns.fit(data.x, data.y);
  of_columns.save(dir.file("model"));
  EXPECT_TRUE(file_exists(dir.file("model/features.json")));
  Sequential other(input("x", {1}), {dense(1)});
  other.compile({.loss = Loss::kMse});
  (void)other.fit(kX, kY);
  other.save(dir.file("model"));
  EXPECT_FALSE(file_exists(dir.file("model/features.json")));
  EXPECT_EQ(Model::load(dir.file("model")).predict(kX), other.predict(kX));
}

TEST(Model, SeveralInputsAreGivenByName) {
  const Flow numbers = input("numbers", {1}), words = input_ids("words", 2, 4);
  const Flow mean = global_average_pool(true)(embedding(3)(words));
  Model model({numbers, words}, dense(1)(concatenate()({numbers, mean})));
  model.compile({.optimizer = optim::adam(0.05), .loss = Loss::kMse});
  const std::vector<float> x = {0, 1, 0, 1}, y = {0, 1, 2, 3};
  const std::vector<int32_t> ids = {1, 0, 1, 0, 2, 3, 2, 3};
  const Inputs both = {{"words", ids}, {"numbers", x}};
  (void)model.fit(both, y, {.epochs = 2000});
  EXPECT_NEAR(model.predict(both)[3], 3.0, 1e-2);
  const testing::TempDir dir;
  model.save(dir.file("model"));  // a table cannot feed it
  EXPECT_FALSE(file_exists(dir.file("model/features.json")));
  EXPECT_EQ(Model::load(dir.file("model")).predict(both), model.predict(both));
}

/// The first step takes all rows, so its loss is that of the first weights: the mean over the rows
/// of what a line gives them before it learns.
template <class RowLoss>
void expect_first_loss(const CompileOptions& options, const RowLoss& row_loss) {
  Sequential model = line();
  const Halves data(12);
  const std::vector<float> z = model.predict(data.x);
  double expected = 0.0;
  for (size_t i = 0; i < z.size(); ++i) {
    expected += row_loss(static_cast<double>(z[i]), data.y[i]) / 12.0;
  }
  model.compile(options);
  EXPECT_NEAR(model.fit(data.x, data.y)[0].loss, expected, expected * kFloat * 10);
}

TEST(Model, WhatARecipeSaysOfTheLossReachesIt) {
  const auto sign = [](int32_t y) { return y == 1 ? 1.0 : -1.0; };
  const auto right = [&](double z, int32_t y) { return 1.0 / (1.0 + std::exp(-sign(y) * z)); };
  const optim::Rule slow = optim::sgd(1e-4);
  expect_first_loss(
      {.optimizer = slow,
       .loss = Loss::kBinaryCrossEntropy,
       .class_weights = ClassWeights::kGiven,
       .weights = {0.5F, 3.0F}},
      [&](double z, int32_t y) { return (y == 1 ? -3.0 : -0.5) * std::log(right(z, y)); });
  expect_first_loss({.optimizer = slow, .loss = Loss::kFocal, .gamma = 3.0F},
                    [&](double z, int32_t y) {
                      return -std::pow(1.0 - right(z, y), 3.0) * std::log(right(z, y));
                    });
  expect_first_loss({.optimizer = slow, .loss = Loss::kHinge, .margin = 2.0F},
                    [&](double z, int32_t y) { return std::max(0.0, 2.0 - sign(y) * z); });
  expect_first_loss({.optimizer = slow, .loss = Loss::kHuber, .delta = 0.25F},
                    [](double z, int32_t y) {
                      const double d = std::abs(z - y);
                      return d <= 0.25 ? d * d / 2 : 0.25 * (d - 0.125);
                    });
}

TEST(Model, BalancedWeightsAreThoseOfTheRows) {
  const Halves data(12);  // seven rows of class 0, five of class 1
  std::vector<std::vector<float>> answers;
  CompileOptions options{.optimizer = optim::sgd(0.5), .loss = Loss::kBinaryCrossEntropy};
  for (const ClassWeights kind : {ClassWeights::kNone, ClassWeights::kAuto, ClassWeights::kGiven}) {
    options.class_weights = kind;
    // rows / (classes x rows of the class)
    if (kind == ClassWeights::kGiven) {
      options.weights = {static_cast<float>(12.0 / 14.0), static_cast<float>(12.0 / 10.0)};
    }
    Sequential model = line();
    model.compile(options);
    (void)model.fit(data.x, data.y, {.epochs = 5});
    answers.push_back(model.predict(data.x));
  }
  EXPECT_NE(answers[0], answers[1]);
  EXPECT_EQ(answers[1], answers[2]);
  Sequential model = line();
  options.class_weights = ClassWeights::kAuto;
  options.weights = {};
  model.compile(options);
  const std::vector<int32_t> ones(12, 1);
  EXPECT_EQ(message_of([&] { (void)model.fit(data.x, ones); }),
            "model: no training example is of class 0, so class_weights kAuto has no weight for "
            "it. Give weights, with kGiven");
}

TEST(Model, ExamplesAreMixedWhenAsked) {
  const Halves data(64);
  std::vector<double> losses;
  for (const double mixup : {0.0, 0.5}) {
    Sequential model = line();
    model.compile({.loss = Loss::kBinaryCrossEntropy, .mixup = mixup});
    losses.push_back(model.fit(data.x, data.y, {.batch = 64})[0].loss);
  }
  EXPECT_NE(losses[0], losses[1]);
}

TEST(Model, FiguresHaveBoundsWhenAsked) {
  const Halves data(64);
  Sequential model = line();
  model.compile({.loss = Loss::kMse, .metrics = {"mse"}});
  const std::vector<float> y(data.y.begin(), data.y.end());
  const train::MetricValue plain = model.evaluate(data.x, y).values.at(0);
  EXPECT_TRUE(std::isnan(plain.low) && std::isnan(plain.high));
  const train::MetricValue wide = model.evaluate(data.x, y, {.replicates = 200}).values.at(0);
  EXPECT_EQ(wide.value, plain.value);
  EXPECT_LT(wide.low, wide.value);
  EXPECT_GT(wide.high, wide.value);
  const train::MetricValue half =
      model.evaluate(data.x, y, {.replicates = 200, .confidence = 0.5}).values.at(0);
  EXPECT_GT(half.low, wide.low);
  EXPECT_LT(half.high, wide.high);
  EXPECT_EQ(message_of([&] { (void)model.evaluate(data.x, y, {.replicates = -1}); }),
            "metrics: -1 bootstrap replicates; 1000 is usual, 0 turns intervals off");
}

TEST(Model, WhatDoesNotFitIsRefused) {
  const Halves data(8);
  Sequential model = line();
  EXPECT_EQ(message_of([&] { (void)model.fit(kX, kY); }),
            "model: compile says how to learn; call it first");
  EXPECT_EQ(message_of([&] {
              model.compile({.loss = Loss::kMse, .metrics = {"accuracy"}});
            }).substr(0, 8),
            "metrics:");
  model.compile({.loss = Loss::kMse});
  EXPECT_EQ(message_of([&] { (void)model.fit(kX, kY, {.epochs = 0}); }),
            "model: 0 epochs of batches of 32; both must be at least 1");
  const std::string cure =
      " compares validation losses; give FitOptions.validation or validation_examples";
  EXPECT_EQ(message_of([&] { (void)model.fit(kX, kY, {.patience = 3}); }),
            "model: patience" + cure);
  EXPECT_EQ(message_of([&] { (void)model.fit(kX, kY, {.keep_best = true}); }),
            "model: keep_best" + cure);
  model.compile({.loss = Loss::kMse, .schedule = {.name = train::ScheduleKind::kPlateau}});
  EXPECT_EQ(message_of([&] { (void)model.fit(kX, kY); }), "model: the schedule plateau" + cure);
  Sequential wide(input("table", {1}), {dense(3)});
  EXPECT_EQ(
      message_of([&] { wide.compile({.loss = Loss::kMse}); }),
      "layers: the last layer \"dense\" gives [3], a number needs [1]. Set its units to 1, or "
      "flatten before");
  Sequential bounded(input("table", {1}), {dense(1, Activation::kSigmoid)});
  EXPECT_EQ(
      message_of([&] { bounded.compile({.loss = Loss::kHinge}); }),
      "model: the last layer \"dense\" applies a sigmoid, and so does what is predicted by the "
      "loss hinge. Leave its activation out");
  EXPECT_NE(message_of([&] { Sequential(input("table", {1}), {dense(0)}); }).find("units is 0"),
            std::string::npos);
}

}  // namespace
}  // namespace ingot::model_test
