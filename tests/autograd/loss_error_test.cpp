// SPDX-License-Identifier: Apache-2.0
// What the losses say to options, weights and counts that do not fit. Dtypes and shapes of their
// operands are with all ops' in op_error_test.cpp.
#include <gtest/gtest.h>

#include "autograd/ops/loss.h"
#include "autograd/tape.h"
#include "base/message_of.h"

namespace ingot::testing::loss_error_test {
namespace {

class LossErrors : public ::testing::Test {
 protected:
  Tensor f(const Shape& shape) { return Tensor::full(engine_, shape, 0.5F); }
  Tensor ids(int64_t n) { return Tensor::zeros(engine_, {n}, DType::kI32); }

  Team team_{1};
  Engine engine_{team_};
  Tensor x_ = f({2, 3});
};

TEST_F(LossErrors, OptionsOutsideTheirRange) {
  EXPECT_EQ(message_of([&] { (void)ops::huber(x_, x_, 0.0F); }),
            "huber: delta 0 must be positive; 1 is usual");
  EXPECT_EQ(
      message_of([&] { (void)ops::binary_focal(x_, x_, {.gamma = -1.0F}); }),
      "binary_focal: gamma -1 must not be negative and alpha 0.25 not above 1; 2 and 0.25 are "
      "usual");
  EXPECT_EQ(message_of([&] { (void)ops::hinge(x_, x_, {.power = 3}); }),
            "hinge: power 3 must be 1 or 2");
  EXPECT_EQ(message_of([&] { (void)ops::focal(x_, ids(2), {.gamma = -1.0F}); }),
            "focal: gamma -1 must not be negative; 2 is usual");
  EXPECT_EQ(message_of([&] { (void)ops::multi_margin(x_, ids(2), {.power = 0}); }),
            "multi_margin: power 0 must be 1 or 2");
}

TEST_F(LossErrors, WeightsOfAnotherShape) {
  EXPECT_EQ(message_of([&] { (void)ops::bce_with_logits(x_, x_, {.pos_weight = f({2})}); }),
            "bce_with_logits: pos_weight are [2], 3 dense elements are needed");
  EXPECT_EQ(message_of([&] { (void)ops::mse(x_, x_, {.weights = f({3})}); }),
            "mse: weights are [3], the first axes of x [2, 3] are needed");
  EXPECT_EQ(message_of([&] {
              (void)ops::mse(x_, x_, {.weights = f({2, 3, 1})});
            }),
            "mse: weights are [2, 3, 1], the first axes of x [2, 3] are needed");
  EXPECT_EQ(message_of([&] {
              (void)ops::kl_divergence(x_, x_, {.weights = f({2, 3})});
            }),
            "kl_divergence: weights are [2, 3], all but the last axes of x [2, 3] are needed");
  EXPECT_EQ(message_of([&] { (void)ops::kl_divergence(f({}), f({})); }),
            "kl_divergence: x is [], an axis of classes is needed");
  EXPECT_EQ(message_of([&] { (void)ops::focal(f({}), ids(1)); }),
            "focal: logits [] have no class axis");
  EXPECT_EQ(message_of([&] { (void)ops::multi_margin(x_, ids(2), {.class_weights = f({2})}); }),
            "multi_margin: class_weights are [2], 3 dense elements are needed");
  EXPECT_EQ(message_of([&] { (void)ops::cross_entropy(x_, ids(2), {.weights = f({3})}); }),
            "cross_entropy: weights are [3], 2 dense elements are needed");
  EXPECT_EQ(message_of([&] { (void)ops::cross_entropy(x_, ids(2), {.weights = ids(2)}); }),
            "cross_entropy: weights is int32, float32 is needed. Convert it with cast()");
}

TEST_F(LossErrors, TargetsOutsideTheClasses) {
  const Tensor three = Tensor::from<int32_t>(engine_, std::vector<int32_t>{0, 3}, {2});
  EXPECT_EQ(message_of([&] { (void)ops::focal(x_, three); }),
            "focal: target 3 at position 1 is outside [0, 3) and not ignore_index -100");
  EXPECT_EQ(message_of([&] { (void)ops::multi_margin(x_, ids(3)); }),
            "multi_margin: targets are [3], 2 dense elements are needed");
}

TEST_F(LossErrors, CountsOfAnotherKind) {
  EXPECT_EQ(message_of([&] { (void)ops::mae(x_, x_, {.count = ids(1)}); }),
            "mae: count is int32 [1], one int64 or float32 is needed");
  EXPECT_EQ(message_of([&] { (void)ops::focal(x_, ids(2), {.count = f({2})}); }),
            "focal: count is float32 [2], one int64 or float32 is needed");
}

TEST_F(LossErrors, WeightsWithAGradient) {
  Tape tape(engine_);
  tape.begin_step();
  Tensor w = f({2});
  tape.watch(w);
  const Recording on(engine_, &tape);
  EXPECT_EQ(message_of([&] { (void)ops::mae(x_, x_, {.weights = w}); }),
            "mae: weights carry a gradient. Detach them first");
}

}  // namespace
}  // namespace ingot::testing::loss_error_test
