// SPDX-License-Identifier: Apache-2.0
// What the ops on images say to shapes and options that do not fit: the code, and a message that
// starts with the op's name and gives the values.
#include <gtest/gtest.h>

#include "autograd/ops/batch_norm.h"
#include "autograd/ops/conv.h"
#include "autograd/ops/image.h"
#include "autograd/ops/pool.h"
#include "base/message_of.h"

namespace ingot::testing::image_error_test {
namespace {

class ImageErrors : public ::testing::Test {
 protected:
  Tensor f(const Shape& shape) { return Tensor::full(engine_, shape, 0.5F); }

  template <class Call>
  void expect(const Call& call, Code code, const std::string& message) {
    EXPECT_EQ(code_of(call), code_name(code));
    EXPECT_EQ(message_of(call), message);
  }

  Team team_{1};
  Engine engine_{team_};
};

constexpr Code kShape = Code::kShapeMismatch, kArgument = Code::kInvalidArgument;

TEST_F(ImageErrors, ConvolutionNamesBothShapes) {
  const Tensor x = f({2, 5, 6, 4}), w = f({8, 3, 3, 4});
  expect(
      [&] {
        (void)ops::conv2d(f({5, 6, 4}), w);
      },
      kShape, "conv2d: x is [5, 6, 4], [batch, height, width, channels] is needed");
  expect(
      [&] {
        (void)ops::conv2d(x, f({8, 9}));
      },
      kShape,
      "conv2d: weight is [8, 9], [out_channels, kernel_h, kernel_w, in_channels / groups] is "
      "needed");
  expect(
      [&] {
        (void)ops::conv2d(x, f({8, 3, 3, 3}));
      },
      kShape,
      "conv2d: x has 4 channels but weight takes 3 in each of 1 groups (x [2, 5, 6, 4], weight "
      "[8, 3, 3, 3])");
  ops::Conv2dOptions o;
  o.groups = 3;
  expect(
      [&] {
        (void)ops::conv2d(f({1, 5, 5, 12}), w, {}, o);
      },
      kShape, "conv2d: 8 output channels do not divide into 3 groups (weight [8, 3, 3, 4])");
  o.groups = 0;
  expect([&] { (void)ops::conv2d(x, w, {}, o); }, kArgument,
         "conv2d: groups is 0, it must be at least 1");
  o = {};
  o.stride_w = 0;
  expect([&] { (void)ops::conv2d(x, w, {}, o); }, kArgument,
         "conv2d: stride is 1 x 0, both must be at least 1");
  o = {};
  o.dilation_h = -1;
  expect([&] { (void)ops::conv2d(x, w, {}, o); }, kArgument,
         "conv2d: dilation is -1 x 1, both must be at least 1");
  o = {};
  o.padding.left = -2;
  expect([&] { (void)ops::conv2d(x, w, {}, o); }, kArgument,
         "conv2d: padding is 0, 0, -2, 0 (top, bottom, left, right), none may be negative");
  o = {};
  o.dilation_h = 3;
  expect([&] { (void)ops::conv2d(x, w, {}, o); }, kShape,
         "conv2d: a kernel of 3 x 3 with dilation 3 x 1 does not fit into 5 x 6 pixels and their "
         "padding (x [2, 5, 6, 4], weight [8, 3, 3, 4]). Use a smaller kernel or more padding");
  expect([&] { (void)ops::conv2d(x, w, f({4})); }, kShape,
         "conv2d: bias is [4] but there are 8 output channels");
}

TEST_F(ImageErrors, TransposedConvolutionNamesBothShapes) {
  const Tensor x = f({2, 3, 4, 6}), w = f({6, 3, 3, 4});
  ops::ConvTranspose2dOptions o;
  expect(
      [&] {
        (void)ops::conv_transpose2d(x, f({4, 3, 3, 6}));
      },
      kShape,
      "conv_transpose2d: x has 6 channels but weight takes 4 (x [2, 3, 4, 6], weight [4, 3, 3, "
      "6])");
  o.groups = 4;
  expect([&] { (void)ops::conv_transpose2d(x, w, {}, o); }, kShape,
         "conv_transpose2d: 6 input channels do not divide into 4 groups (x [2, 3, 4, 6])");
  o = {};
  o.stride_h = 2;
  o.output_padding_h = 2;
  expect([&] { (void)ops::conv_transpose2d(x, w, {}, o); }, kArgument,
         "conv_transpose2d: output_padding is 2 x 0, it must be at least 0 and below the stride (2 "
         "x 1) or the dilation (1 x 1)");
  o = {};
  o.padding = ops::Padding2d::all(3);
  expect([&] { (void)ops::conv_transpose2d(x, w, {}, o); }, kShape,
         "conv_transpose2d: the padding leaves -1 x 0 pixels (x [2, 3, 4, 6], weight [6, 3, 3, "
         "4]). Use less padding");
  expect([&] { (void)ops::conv_transpose2d(x, w, f({6})); }, kShape,
         "conv_transpose2d: bias is [6] but there are 4 output channels");
}

TEST_F(ImageErrors, SamePaddingGivesCeilOutputsAndWantsAnImage) {
  for (const int64_t size : {4, 5, 7, 8}) {
    for (const int64_t kernel : {1, 2, 3, 5}) {
      for (const int64_t stride : {1, 2, 3}) {
        const Tensor x = f({1, size, size + 1, 2});
        ops::Conv2dOptions o;
        o.stride_h = o.stride_w = stride;
        o.padding = ops::same_padding(x, kernel, kernel, stride, stride);
        const Tensor y = ops::conv2d(x, f({3, kernel, kernel, 2}), {}, o);
        EXPECT_EQ(y.dim(1), (size + stride - 1) / stride);
        EXPECT_EQ(y.dim(2), (size + stride) / stride);
        EXPECT_GE(o.padding.bottom, o.padding.top) << "the odd pixel goes below";
      }
    }
  }
  expect(
      [&] {
        (void)ops::same_padding(f({3, 4}), 3, 3, 1, 1);
      },
      kShape, "same_padding: x is [3, 4], [batch, height, width, channels] is needed");
}

TEST_F(ImageErrors, PoolingNamesWindowAndImage) {
  const Tensor x = f({1, 4, 5, 2});
  ops::Pool2dOptions o;
  expect(
      [&] {
        (void)ops::max_pool2d(f({4, 5}), o);
      },
      kShape, "max_pool2d: x is [4, 5], [batch, height, width, channels] with pixels is needed");
  o.kernel_w = 0;
  expect([&] { (void)ops::avg_pool2d(x, o); }, kArgument,
         "avg_pool2d: kernel 2 x 0 and stride 0 x 0: the kernel must be at least 1, the stride "
         "too, or 0 for the kernel's size");
  o = {};
  o.padding.top = 2;
  expect([&] { (void)ops::max_pool2d(x, o); }, kArgument,
         "max_pool2d: padding 2, 0, 0, 0 (top, bottom, left, right) must be between 0 and half of "
         "the kernel (2 x 2). Use pad2d() before for more");
  o = {};
  o.kernel_h = 5;
  expect([&] { (void)ops::avg_pool2d(x, o); }, kShape,
         "avg_pool2d: a window of 5 x 2 does not fit into 4 x 5 pixels and their padding (x [1, 4, "
         "5, 2]). Use a smaller window");
  expect([&] { (void)ops::adaptive_avg_pool2d(x, 0, 1); }, kArgument,
         "adaptive_avg_pool2d: output is 0 x 1, both must be at least 1");
  expect(
      [&] {
        (void)ops::adaptive_max_pool2d(f({1, 0, 3, 2}), 1, 1);
      },
      kShape,
      "adaptive_max_pool2d: x is [1, 0, 3, 2], [batch, height, width, channels] with pixels is "
      "needed");
}

TEST_F(ImageErrors, BatchNormSaysWhatIsMissing) {
  const Tensor x = f({4, 3});
  const Tensor c = f({3});
  ops::BatchNormOptions train;
  train.is_training = true;
  expect([&] { (void)ops::batch_norm(f({3}), {}, train); }, kShape,
         "batch_norm: x is [3], [batch, ..., channels] is needed");
  expect(
      [&] {
        (void)ops::batch_norm(x, {f({4}), {}, {}, {}}, train);
      },
      kShape, "batch_norm: weight is [4] but the last axis of x is 3");
  expect(
      [&] {
        (void)ops::batch_norm(x, {{}, {}, c, {}}, train);
      },
      kArgument,
      "batch_norm: running_mean is given but running_var is empty. Give both or neither");
  expect(
      [&] {
        (void)ops::batch_norm(x, {c, c, {}, {}});
      },
      kArgument, "batch_norm: inference needs running_mean and running_var, both are empty");
  expect(
      [&] {
        (void)ops::batch_norm(f({1, 3}), {}, train);
      },
      kShape,
      "batch_norm: training on [1, 3] has 1 value per channel, more than one is needed. Use a "
      "larger batch");
  train.eps = 0.0F;
  expect([&] { (void)ops::batch_norm(x, {}, train); }, kArgument,
         "batch_norm: eps is 0, it must be above 0");
  train.eps = 1.0F;
  train.momentum = 1.5F;
  expect([&] { (void)ops::batch_norm(x, {}, train); }, kArgument,
         "batch_norm: momentum is 1.5, it must be in [0, 1] (PyTorch 0.1; Keras's 0.99 is 0.01)");
  train.momentum = 0.5F;
  train.activation = kernels::Activation::kGelu;
  expect([&] { (void)ops::batch_norm(x, {}, train); }, Code::kUnsupported,
         "batch_norm: only relu can be fused. Apply the activation after it");
}

TEST_F(ImageErrors, PixelOpsNameTheirOptions) {
  const Tensor x = f({1, 2, 5, 1});
  expect(
      [&] {
        (void)ops::pad2d(x, {0, 0, -1, 0});
      },
      kArgument, "pad2d: padding is 0, 0, -1, 0 (top, bottom, left, right), none may be negative");
  expect(
      [&] {
        (void)ops::pad2d(x, {2, 0, 0, 0}, ops::PadMode::kReflect);
      },
      kArgument,
      "pad2d: reflecting 2, 0, 0, 0 (top, bottom, left, right) needs more than as many pixels, "
      "x is [1, 2, 5, 1]");
  expect([&] { (void)ops::upsample2d(x, 4, 0); }, kArgument,
         "upsample2d: output is 4 x 0, both must be at least 1");
  const Tensor ids = Tensor::zeros(engine_, {3}, DType::kI32);
  expect([&] { (void)ops::one_hot(ids, 0); }, kArgument,
         "one_hot: classes is 0, it must be at least 1");
  ids.data<int32_t>()[2] = 4;
  expect([&] { (void)ops::one_hot(ids, 4); }, kArgument,
         "one_hot: id 4 at position 2 is outside [0, 4)");
}

}  // namespace
}  // namespace ingot::testing::image_error_test
