// SPDX-License-Identifier: Apache-2.0
// What lstm and gru say to shapes and dtypes that do not fit.
#include <gtest/gtest.h>

#include "autograd/ops/recurrent.h"
#include "base/message_of.h"

namespace ingot::testing::recurrent_error_test {
namespace {

class RecurrentErrors : public ::testing::Test {
 protected:
  Tensor f(const Shape& shape) { return Tensor::full(engine_, shape, 0.5F); }

  void expect(const Tensor& x, const ops::RecurrentWeights& weights,
              const ops::RecurrentOptions& options, Code code, const std::string& message) {
    const auto call = [&] { (void)ops::gru(x, weights, options); };
    EXPECT_EQ(code_of(call), code_name(code));
    EXPECT_EQ(message_of(call), message);
  }

  Team team_{1};
  Engine engine_{team_};
};

constexpr Code kShape = Code::kShapeMismatch, kDtype = Code::kDtypeMismatch;

TEST_F(RecurrentErrors, NameBothShapes) {
  const Tensor x = f({2, 5, 3}), in = f({12, 3}), state = f({12, 4});
  expect(f({5, 3}), {in, state, {}, {}}, {}, kShape,
         "gru: x is [5, 3], [batch, seq, in_features] is needed");
  expect(x, {in, f({16, 4}), {}, {}}, {}, kShape,
         "gru: recurrent weight is [16, 4], [3 hidden, hidden] is needed");
  expect(x, {f({12, 2}), state, {}, {}}, {}, kShape,
         "gru: input weight is [12, 2] but x is [2, 5, 3] and hidden is 4");
  expect(x, {in, state, f({4}), {}}, {}, kShape,
         "gru: bias is [4], [12] is needed (gates times hidden)");
  expect(x, {in, state, {}, f({12, 1})}, {}, kShape,
         "gru: recurrent bias is [12, 1], [12] is needed (gates times hidden)");
  expect(x, {in, {}, {}, {}}, {}, Code::kInvalidArgument,
         "gru: recurrent weight is empty (not initialised)");
  EXPECT_EQ(message_of([&] {
              (void)ops::lstm(x, {in, state, {}, {}});
            }),
            "lstm: recurrent weight is [12, 4], [4 hidden, hidden] is needed");
}

TEST_F(RecurrentErrors, NamePaddingAndDropout) {
  const Tensor x = f({2, 5, 3});
  const ops::RecurrentWeights w{f({12, 3}), f({12, 4}), {}, {}};
  expect(x, w, {false, f({2, 5}), {}}, kDtype, "gru: ids are float32, int32 is needed");
  expect(x, w, {false, Tensor::zeros(engine_, {2, 4}, DType::kI32), {}}, kShape,
         "gru: ids are [2, 4] but x is [2, 5, 3]");
  expect(x, w, {false, {}, f({2, 3})}, kShape,
         "gru: dropout is [2, 3], [2, 4] is needed (batch, hidden)");
}

}  // namespace
}  // namespace ingot::testing::recurrent_error_test
