// SPDX-License-Identifier: Apache-2.0
// The learning-rate range test on a quadratic whose stable rates are known, what it leaves behind
// (nothing), and its suggestions from made-up curves.
#include "train/lr_finder.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops/loss.h"
#include "base/message_of.h"
#include "optim/optim_testing.h"

namespace ingot::train::lr_finder_test {
namespace {

using testing::Bag;
using testing::message_of;

/// Loss = mean (w - goal)² of four numbers: a step of SGD multiplies the distance by 1 - lr / 2, so
/// the loss falls for lr < 4 and grows beyond.
class Quadratic : public Task {
 public:
  explicit Quadratic(Engine& engine)
      : w_(bag_.add("w", {4}, true)), goal_(Tensor::full(engine, {4}, 3.0F)) {}
  ~Quadratic() override { w_.value = Tensor(); }
  [[nodiscard]] nn::Module& module() override { return bag_; }
  int64_t load(int64_t, int64_t) override { return 4; }
  [[nodiscard]] Tensor loss(int64_t, const Tensor&) override { return ops::mse(w_.value, goal_); }
  [[nodiscard]] Evaluation evaluate() override { return {}; }
  [[nodiscard]] int64_t items() const override { return 1; }
  [[nodiscard]] int64_t items_per_epoch() const override { return 1; }

 private:
  Bag bag_;
  nn::Parameter& w_;
  Tensor goal_;
};

class LrFinderTest : public ::testing::Test {
 protected:
  static TrainConfig sgd() {
    TrainConfig c;
    c.steps = 1;
    c.optimizer.name = optim::OptimizerKind::kSgd;
    c.optimizer.momentum = 0.5F;
    c.optimizer.weight_decay = 0.0F;
    c.clip_norm = 0.0F;
    return c;
  }
  Team team_{1};
  Engine engine_{team_};
};

TEST_F(LrFinderTest, StopsBeyondTheStableRatesAndSuggestsOneBelow) {
  Quadratic task(engine_);
  Step step(engine_, sgd(), task);
  LrFinderConfig config;
  config.from = 1e-4;
  config.to = 1e4;
  config.smoothing = 0.5;
  const LrSuggestion found = find_lr(step, config);
  EXPECT_TRUE(found.has_diverged);
  ASSERT_GT(found.points.size(), 20U);
  EXPECT_LT(found.points.size(), 100U);
  EXPECT_DOUBLE_EQ(found.points[0].lr, 1e-4);
  EXPECT_NEAR(found.points[1].lr / found.points[0].lr, std::pow(1e8, 1.0 / 99.0), 1e-12);
  EXPECT_DOUBLE_EQ(found.points[0].smoothed, found.points[0].loss);
  EXPECT_GT(found.steepest, 1e-3);
  EXPECT_LT(found.steepest, 4.0);
  EXPECT_GT(found.minimum_tenth, 1e-3);
  EXPECT_LT(found.minimum_tenth, 1.0);
}

TEST_F(LrFinderTest, LeavesWeightsAndStateAsTheyWere) {
  Quadratic task(engine_);
  Step step(engine_, sgd(), task);
  for (int64_t i = 0; i < 3; ++i) (void)step.run(i, 0.1);
  const auto contents = [&] {
    std::vector<float> all = step.store().values().to_vector<float>();
    for (const optim::NamedState& s : step.optimizer().state()) {
      const std::vector<float> v = s.tensor.to_vector<float>();
      all.insert(all.end(), v.begin(), v.end());
    }
    return all;
  };
  const std::vector<float> before = contents();
  (void)find_lr(step);
  EXPECT_EQ(contents(), before);
  const float loss = step.run(3, 0.1).loss;
  EXPECT_GT(loss, 0.0F);
}

TEST_F(LrFinderTest, ALossThatIsNotFiniteEndsIt) {
  Quadratic task(engine_);
  Step step(engine_, sgd(), task);
  LrFinderConfig config;
  config.from = 1e18;
  config.to = 1e38;
  config.diverged = 1e300;
  const LrSuggestion found = find_lr(step, config);
  EXPECT_TRUE(found.has_diverged);
  EXPECT_LT(found.points.size(), 10U);
  for (const float w : step.store().values().to_vector<float>()) EXPECT_EQ(w, 0.0F);
}

LrSuggestion curve(const std::vector<double>& smoothed) {
  LrSuggestion s;
  for (size_t i = 0; i < smoothed.size(); ++i) {
    s.points.push_back({std::pow(10.0, static_cast<double>(i) - 4.0), smoothed[i], smoothed[i]});
  }
  suggest(s);
  return s;
}

TEST(LrSuggestion, ByHand) {
  const LrSuggestion s = curve({5.0, 5.0, 4.5, 3.0, 2.9, 2.8, 9.0});
  EXPECT_NEAR(s.steepest, 1e-2, 1e-14);      // from 5.0 to 3.0 around the third point
  EXPECT_NEAR(s.minimum_tenth, 1.0, 1e-14);  // lowest at 10
}

/// A loss that falls from 1e-3 to 1, and one batch before it that happens to be easy.
TEST(LrSuggestion, OneEasyBatchMakesNoDescent) {
  LrSuggestion s;
  for (int i = 0; i < 100; ++i) {
    const double at = i * 0.08 - 7.0;  // of ten: the rate
    const double fall = std::clamp((at + 3.0) / 3.0, 0.0, 1.0);
    const double smoothed = 2.0 - fall - (i == 12 ? 0.2 : 0.0);
    s.points.push_back({std::pow(10.0, at), smoothed, smoothed});
  }
  suggest(s);
  EXPECT_GT(s.steepest, 1e-3);
  EXPECT_LT(s.steepest, 1.0);
}

TEST(LrSuggestion, NothingFalls) {
  EXPECT_TRUE(std::isnan(curve({1.0, 2.0, 3.0, 4.0, 5.0}).steepest));
  EXPECT_TRUE(std::isnan(curve({}).minimum_tenth));
  EXPECT_TRUE(std::isnan(curve({1.0, 0.5}).steepest));
}

TEST(LrFinderConfig, RefusalsNameTheUsualValue) {
  const auto message = [](const LrFinderConfig& c) { return message_of([&] { c.check(); }); };
  EXPECT_EQ(message({}), "no error");
  EXPECT_EQ(message({.from = 0.0}),
            "tune.lr.from 0 must be positive and tune.lr.to 10 above it; 1e-7 and 10 are usual");
  EXPECT_EQ(message({.from = 1.0, .to = 1.0}),
            "tune.lr.from 1 must be positive and tune.lr.to 1 above it; 1e-7 and 10 are usual");
  EXPECT_EQ(message({.steps = 19}), "tune.lr.steps is 19, at least 20 are needed; 100 is usual");
  EXPECT_EQ(
      message({.smoothing = 1.0}),
      "tune.lr.smoothing 1 must be in [0, 1) and tune.lr.diverged 4 above 1; 0.98 and 4 are usual");
}

}  // namespace
}  // namespace ingot::train::lr_finder_test
