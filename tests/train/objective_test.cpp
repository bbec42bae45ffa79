// SPDX-License-Identifier: Apache-2.0
// Every loss a recipe can name, against values worked out by plain formulas in double; class
// weights, forms of a target, and combinations that do not fit.
#include "train/objective.h"

#include <cmath>

#include "base/message_of.h"
#include "base/team.h"
#include "tensor/engine.h"

namespace ingot::train::objective_test {
namespace {

using testing::message_of;

constexpr double kFloat = 2e-6;  // one float32 loss of a few terms

models::Value output(int64_t width) { return {"answer", {width}, DType::kF32, 0, -1}; }

class ObjectiveTest : public ::testing::Test {
 protected:
  /// The loss of rows of scores with these labels, as a step of as many rows has it.
  double of_classes(const ObjectiveConfig& config, const std::vector<std::vector<float>>& scores,
                    const std::vector<int32_t>& labels, int64_t classes,
                    const std::vector<int64_t>& class_rows = {}) {
    const auto rows = static_cast<int64_t>(labels.size());
    const auto width = static_cast<int64_t>(scores[0].size());
    const Objective o = make_objective(config, classes, output(width), class_rows);
    const ObjectiveBatch batch = make_objective_batch(engine_, o, rows);
    const Tensor y = Tensor::zeros(engine_, {rows, width});
    for (int64_t i = 0; i < rows; ++i) {
      const auto at = static_cast<size_t>(i);
      set_label(o, batch, i, labels[at]);
      std::copy(scores[at].begin(), scores[at].end(), y.data<float>() + i * width);
    }
    return static_cast<double>(*objective_loss(o, y, batch, count(rows)).data<float>());
  }
  double of_numbers(const ObjectiveConfig& config, const std::vector<float>& answers,
                    const std::vector<float>& targets) {
    const auto rows = static_cast<int64_t>(answers.size());
    const Objective o = make_objective(config, 0, output(1));
    const ObjectiveBatch batch = make_objective_batch(engine_, o, rows);
    const Tensor y = Tensor::zeros(engine_, {rows, 1});
    std::copy(answers.begin(), answers.end(), y.data<float>());
    std::copy(targets.begin(), targets.end(), batch.target.data<float>());
    return static_cast<double>(*objective_loss(o, y, batch, count(rows)).data<float>());
  }
  Tensor count(int64_t rows) {
    Tensor n = Tensor::zeros(engine_, {}, DType::kI64);
    *n.data<int64_t>() = rows;
    return n;
  }
  static ObjectiveConfig named(LossName loss) {
    ObjectiveConfig c;
    c.loss = loss;
    return c;
  }
  Team team_{1};
  Engine engine_{team_};
};

// Scores ln 1, ln 2, ln 5: probabilities 1/8, 2/8, 5/8.
const std::vector<float> kScores = {0.0F, std::log(2.0F), std::log(5.0F)};

TEST_F(ObjectiveTest, CrossEntropyAndItsSmoothing) {
  ObjectiveConfig c;
  EXPECT_NEAR(of_classes(c, {kScores}, {2}, 3), -std::log(5.0 / 8), kFloat);
  c.label_smoothing = 0.3F;
  const double smooth =
      -0.8 * std::log(5.0 / 8) - 0.1 * std::log(1.0 / 8) - 0.1 * std::log(2.0 / 8);
  EXPECT_NEAR(of_classes(c, {kScores}, {2}, 3), smooth, kFloat);
}

/// As Keras does: the target moves towards a half.
TEST_F(ObjectiveTest, BinaryCrossEntropyIsSmoothedToo) {
  ObjectiveConfig c;
  const double p = 0.8, score = std::log(p / (1.0 - p));
  EXPECT_NEAR(of_classes(c, {{static_cast<float>(score)}}, {1}, 2), -std::log(p), kFloat);
  c.label_smoothing = 0.2F;
  const double smooth = -0.9 * std::log(p) - 0.1 * std::log(1.0 - p);
  EXPECT_NEAR(of_classes(c, {{static_cast<float>(score)}}, {1}, 2), smooth, kFloat);
  const double other = -0.1 * std::log(p) - 0.9 * std::log(1.0 - p);
  EXPECT_NEAR(of_classes(c, {{static_cast<float>(score)}}, {0}, 2), other, kFloat);
}

TEST_F(ObjectiveTest, KeysThatTheLossDoesNotTakeAreRefused) {
  const auto refused = [&](ObjectiveConfig c, int64_t classes) {
    return message_of(
        [&] { (void)make_objective(c, classes, output(classes == 0 ? 1 : classes)); });
  };
  ObjectiveConfig c = named(LossName::kFocal);
  c.label_smoothing = 0.1F;
  EXPECT_EQ(refused(c, 3),
            "objective.label_smoothing: the loss is focal, which does not take it; cross_entropy "
            "does. Leave it out, or set objective.loss");
  c = {};
  c.gamma = 3.0F;
  EXPECT_EQ(refused(c, 3).substr(0, 42), "objective.gamma: the loss is cross_entropy");
  c = {};
  c.delta = 2.0F;
  EXPECT_EQ(refused(c, 0).substr(0, 33), "objective.delta: the loss is mse,");
  c = named(LossName::kHinge);
  c.margin = 2.0F;
  EXPECT_EQ(refused(c, 3), "no error");
  c = {};
  c.mixup = 1e-5;
  EXPECT_EQ(refused(c, 3), "objective.mixup is 1e-05, must be 0 (none) or 0.001 to 4");
}

TEST_F(ObjectiveTest, KlIsCrossEntropyLessTheTargetsEntropy) {
  ObjectiveConfig c = named(LossName::kKl);
  EXPECT_NEAR(of_classes(c, {kScores}, {2}, 3), -std::log(5.0 / 8), kFloat);
  c.label_smoothing = 0.3F;
  const double smooth =
      -0.8 * std::log(5.0 / 8) - 0.1 * std::log(1.0 / 8) - 0.1 * std::log(2.0 / 8);
  const double entropy = -0.8 * std::log(0.8) - 0.2 * std::log(0.1);
  EXPECT_NEAR(of_classes(c, {kScores}, {2}, 3), smooth - entropy, kFloat);
}

TEST_F(ObjectiveTest, FocalPlaysDownWhatIsRight) {
  ObjectiveConfig c = named(LossName::kFocal);
  EXPECT_NEAR(of_classes(c, {kScores}, {2}, 3), -std::pow(3.0 / 8, 2) * std::log(5.0 / 8), kFloat);
  c.gamma = 0.0F;
  EXPECT_NEAR(of_classes(c, {kScores}, {2}, 3), -std::log(5.0 / 8), kFloat);
  c.gamma = 2.0F;  // one output: score ln 3 is p = 3/4 of class 1
  const std::vector<float> score = {std::log(3.0F)};
  EXPECT_NEAR(of_classes(c, {score}, {1}, 2), -std::pow(0.25, 2) * std::log(0.75), kFloat);
  EXPECT_NEAR(of_classes(c, {score}, {0}, 2), -std::pow(0.75, 2) * std::log(0.25), kFloat);
}

TEST_F(ObjectiveTest, HingeCostsNothingBeyondTheMargin) {
  ObjectiveConfig c = named(LossName::kHinge);
  // Classes 0 and 1 against 2: max(0, 1 - 3 + 0.5) + max(0, 1 - 3 + 2.5), over 3 classes.
  EXPECT_NEAR(of_classes(c, {{0.5F, 2.5F, 3.0F}}, {2}, 3), 0.5 / 3, kFloat);
  EXPECT_NEAR(of_classes(c, {{0.25F}}, {1}, 2), 0.75, kFloat);
  EXPECT_NEAR(of_classes(c, {{0.25F}}, {0}, 2), 1.25, kFloat);
  c.margin = 2.0F;
  EXPECT_NEAR(of_classes(c, {{0.25F}}, {1}, 2), 1.75, kFloat);
}

TEST_F(ObjectiveTest, BinaryCrossEntropyOfTheWorkedExample) {
  // Label 1 with probability 0.6.
  const auto score = static_cast<float>(std::log(0.6 / 0.4));
  EXPECT_NEAR(of_classes({}, {{score}}, {1}, 2), 0.510826, kFloat);
}

TEST_F(ObjectiveTest, LossesOfNumbers) {
  // The line y = 1 + x of the worked example: errors 0 1 1 -1 -1.
  const std::vector<float> answers = {2, 3, 4, 5, 6}, targets = {2, 4, 5, 4, 5};
  EXPECT_NEAR(of_numbers({}, answers, targets), 0.8, kFloat);
  EXPECT_NEAR(of_numbers(named(LossName::kMae), answers, targets), 0.8, kFloat);
  ObjectiveConfig huber = named(LossName::kHuber);
  EXPECT_NEAR(of_numbers(huber, {0.5F, 3.0F}, {0, 0}), (0.125 + 2.5) / 2, kFloat);
  huber.delta = 2.0F;
  EXPECT_NEAR(of_numbers(huber, {0.5F, 3.0F}, {0, 0}), (0.125 + 4.0) / 2, kFloat);
}

TEST_F(ObjectiveTest, AutoWeightsBalanceTheClasses) {
  ObjectiveConfig c;
  c.class_weights = ClassWeights::kAuto;
  // 8 rows: 6 of class 0 and 2 of class 1 weigh 8/12 and 8/4.
  const Objective o = make_objective(c, 2, output(2), std::vector<int64_t>{6, 2});
  ASSERT_EQ(o.class_weights.size(), 2U);
  EXPECT_FLOAT_EQ(o.class_weights[0], 8.0F / 12);
  EXPECT_FLOAT_EQ(o.class_weights[1], 2.0F);
}

TEST_F(ObjectiveTest, WeightsMultiplyRowsUnderEveryLoss) {
  const std::vector<std::vector<float>> three = {{0.5F, 1.0F, -0.5F}, {1.5F, 0.2F, 0.1F}};
  const std::vector<std::vector<float>> one = {{0.3F}, {0.8F}};
  const auto check = [&](LossName loss, const auto& scores, int64_t classes) {
    ObjectiveConfig plain = named(loss);
    const double first = of_classes(plain, {scores[0]}, {0}, classes);
    const double second = of_classes(plain, {scores[1]}, {1}, classes);
    ObjectiveConfig weighted = plain;
    weighted.class_weights = ClassWeights::kGiven;
    weighted.weights = {0.5F, 4.0F};
    if (classes == 3) weighted.weights.push_back(7.0F);
    const double both = of_classes(weighted, scores, {0, 1}, classes);
    EXPECT_NEAR(both, (0.5 * first + 4.0 * second) / 2, 10 * kFloat) << enum_name(loss);
  };
  for (const LossName loss :
       {LossName::kCrossEntropy, LossName::kFocal, LossName::kHinge, LossName::kKl}) {
    check(loss, three, 3);
  }
  for (const LossName loss : {LossName::kBinaryCrossEntropy, LossName::kFocal, LossName::kHinge}) {
    check(loss, one, 2);
  }
}

TEST_F(ObjectiveTest, WhatDoesNotFitIsNamed) {
  const auto refused = [](const ObjectiveConfig& c, int64_t classes, int64_t width) {
    return message_of([&] { (void)make_objective(c, classes, output(width)); });
  };
  EXPECT_EQ(refused(named(LossName::kHuber), 3, 3),
            "objective.loss: huber does not fit a target of classes and a last layer of [3]; "
            "cross_entropy does");
  EXPECT_EQ(refused(named(LossName::kFocal), 0, 1),
            "objective.loss: focal does not fit a target of numbers and a last layer of [1]; mse "
            "does");
  EXPECT_EQ(refused(named(LossName::kKl), 2, 1),
            "objective.loss: kl does not fit a target of classes and a last layer of [1]; "
            "binary_cross_entropy does");
  ObjectiveConfig c;
  c.class_weights = ClassWeights::kGiven;
  c.weights = {1.0F};
  EXPECT_EQ(refused(c, 3, 3),
            "objective.weights: 1 weights for 3 classes; give one per class, in the order of the "
            "class names");
  c.weights = {1.0F, -1.0F, 1.0F};
  EXPECT_EQ(refused(c, 3, 3), "objective.weights: -1 is no weight, must be >= 0");
  c.class_weights = ClassWeights::kNone;
  EXPECT_EQ(refused(c, 3, 3), "objective.weights are not used; set objective.class_weights=given");
  c = {};
  c.class_weights = ClassWeights::kAuto;
  EXPECT_EQ(refused(c, 0, 1),
            "objective.class_weights: auto needs classes, the target is a number");
  c = named(LossName::kFocal);
  c.gamma = -1.0F;
  EXPECT_EQ(refused(c, 3, 3), "objective.gamma is -1, must be >= 0; 2 is usual");
}

}  // namespace
}  // namespace ingot::train::objective_test
