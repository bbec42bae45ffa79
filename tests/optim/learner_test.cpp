// SPDX-License-Identifier: Apache-2.0
// A loop of one's own: gradients of a line by hand, accumulation, the closed form, dropout's step.
#include "optim/learner.h"

#include <cmath>

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "nn/linear.h"
#include "tensor/runtime.h"

namespace ingot::optim::learner_test {
namespace {

constexpr double kFloat = 1e-6;       // rounding of a few float operations near 1
constexpr double kClosedForm = 1e-4;  // after 5,000 steps of float32

struct Line : nn::Module {
  nn::Parameter w, b;
  Line() {
    w.shape = {1, 1};
    w.init = {nn::InitKind::kZeros, 1.0F};
    b.shape = {1};
  }
  void visit(nn::Visitor& visitor) override {
    visitor("w", w);
    visitor("b", b);
  }
  [[nodiscard]] Tensor forward(const Tensor& x) const { return ops::linear(x, w.value, b.value); }
  [[nodiscard]] double slope() const { return static_cast<double>(*w.value.data<float>()); }
  [[nodiscard]] double offset() const { return static_cast<double>(*b.value.data<float>()); }
};

class LearnerTest : public ::testing::Test {
 protected:
  Tensor column(std::initializer_list<float> values) {
    const std::vector<float> list(values);
    return Tensor::from<float>(runtime_.engine, list, {std::ssize(list), 1});
  }
  Runtime runtime_{{2, 1, 0}};
  Line line_;
};

TEST_F(LearnerTest, OneStepOfGradientDescentIsTheOneByHand) {
  Learner learner(runtime_.engine, line_, sgd(0.01));
  const Tensor loss = ops::mse(line_.forward(column({1, 2, 3})), column({2, 4, 6}));
  EXPECT_NEAR(loss.item(), 56.0 / 3.0, 56.0 * kFloat);
  learner.backward(loss);
  learner.step();
  EXPECT_NEAR(line_.slope(), 0.01 * 2.0 / 3.0 * 28.0, kFloat);   // Σ x·y = 28
  EXPECT_NEAR(line_.offset(), 0.01 * 2.0 / 3.0 * 12.0, kFloat);  // Σ y = 12
}

TEST_F(LearnerTest, SeveralBackwardsOfOneStepAddUp) {
  Learner learner(runtime_.engine, line_, sgd(0.01));
  learner.backward(ops::mse(line_.forward(column({1})), column({2})));
  learner.backward(ops::mse(line_.forward(column({3})), column({6})));
  learner.step();
  EXPECT_NEAR(line_.slope(), 0.01 * 2.0 * (1 * 2 + 3 * 6), kFloat);
  EXPECT_NEAR(line_.offset(), 0.01 * 2.0 * (2 + 6), kFloat);
}

TEST_F(LearnerTest, TheLineThroughThreePointsIsFound) {
  Learner learner(runtime_.engine, line_, sgd(0.1));
  for (int i = 0; i < 5000; ++i) {
    learner.backward(ops::mse(line_.forward(column({1, 2, 3})), column({2, 4, 6})));
    learner.step();
  }
  EXPECT_NEAR(line_.slope(), 2.0, kClosedForm);
  EXPECT_NEAR(line_.offset(), 0.0, kClosedForm);
}

TEST_F(LearnerTest, AdamsFirstStepIsTheLearningRate) {
  Learner learner(runtime_.engine, line_, adam(0.25));
  learner.backward(ops::mse(line_.forward(column({1, 2, 3})), column({2, 4, 6})));
  learner.step();
  EXPECT_NEAR(line_.slope(), 0.25, kFloat);  // m / √v of a first gradient is its sign
  learner.set_lr(0.0);
  learner.backward(ops::mse(line_.forward(column({1, 2, 3})), column({2, 4, 6})));
  learner.step();
  EXPECT_NEAR(line_.slope(), 0.25, kFloat);
}

TEST_F(LearnerTest, AStepIsAtMostAsLongAsItMayBe) {
  Learner learner(runtime_.engine, line_, sgd(1.0), 0.5F);
  learner.backward(ops::mse(line_.forward(column({1, 2, 3})), column({2, 4, 6})));
  learner.step();
  // The gradient (56, 24) / 3 shortened to a norm of 0.5.
  const double norm = std::sqrt(56.0 * 56.0 + 24.0 * 24.0);
  EXPECT_NEAR(line_.slope(), 0.5 * 56.0 / norm, kFloat);
  EXPECT_NEAR(line_.offset(), 0.5 * 24.0 / norm, kFloat);
  EXPECT_THROW(Learner(runtime_.engine, line_, sgd(1.0), -1.0F), Error);
}

TEST_F(LearnerTest, EveryRuleOfARecipeCanBeTaken) {
  const std::vector<Rule> rules = {sgd(0.1, 0.9F), adam(),  adamw(), rmsprop(), adagrad(),
                                   adadelta(),     nadam(), lion(),  muon()};
  ASSERT_EQ(rules.size(), std::size(kOptimizerNames));
  for (size_t i = 0; i < rules.size(); ++i) {
    EXPECT_EQ(rules[i].config.name, static_cast<OptimizerKind>(kOptimizerNames[i].value));
    Line line;
    Learner learner(runtime_.engine, line, rules[i]);
    learner.backward(ops::mse(line.forward(column({1, 2, 3})), column({2, 4, 6})));
    learner.step();
    EXPECT_GT(line.slope(), 0.0) << kOptimizerNames[i].name;
  }
}

TEST_F(LearnerTest, EveryStepDropsOtherElements) {
  Learner learner(runtime_.engine, line_, sgd(0.0));
  const Tensor ones = Tensor::full(runtime_.engine, {64}, 1.0F);
  const std::vector<float> first = ops::dropout(ones, 0.5F).to_vector<float>();
  learner.step();
  EXPECT_NE(ops::dropout(ones, 0.5F).to_vector<float>(), first);
}

}  // namespace
}  // namespace ingot::optim::learner_test
