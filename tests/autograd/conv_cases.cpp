// SPDX-License-Identifier: Apache-2.0
// Samples of convolution, transposed convolution, pooling and batch norm.
#include <algorithm>
#include <cmath>

#include "autograd/op_cases.h"
#include "autograd/ops/batch_norm.h"
#include "autograd/ops/conv.h"
#include "autograd/ops/pool.h"
#include "kernels/reference/batch_norm.h"
#include "kernels/reference/conv.h"
#include "kernels/reference/elementwise.h"
#include "kernels/reference/pool.h"

namespace ingot::testing {
namespace {

namespace ref = kernels::reference;
using kernels::Activation;
using kernels::ConvGeometry;
using kernels::PoolAxis;
using kernels::PoolShape;
using ops::Padding2d;

// ---- Convolution --------------------------------------------------------------------------------

/// Sizes and options of a convolution (or of the one that a transposed convolution undoes).
struct ConvCase {
  const char* what;
  Shape x;  // [batch, height, width, in_channels]
  int64_t out_channels, kernel_h, kernel_w;
  ops::ConvTranspose2dOptions options;
  bool has_bias = true;
  Activation activation = Activation::kNone;
  View view_x = View::kDense, view_w = View::kDense;
};

ops::ConvTranspose2dOptions with(int64_t stride_h, int64_t stride_w, Padding2d padding,
                                 int64_t dilation_h = 1, int64_t dilation_w = 1, int64_t groups = 1,
                                 int64_t output_padding_h = 0, int64_t output_padding_w = 0) {
  ops::ConvTranspose2dOptions o;
  o.stride_h = stride_h, o.stride_w = stride_w, o.padding = padding;
  o.dilation_h = dilation_h, o.dilation_w = dilation_w, o.groups = groups;
  o.output_padding_h = output_padding_h, o.output_padding_w = output_padding_w;
  return o;
}

const ConvCase kConvs[] = {
    {"no images", {0, 3, 3, 2}, 3, 2, 2, {}},
    {"one element", {1, 1, 1, 1}, 1, 1, 1, {}},
    {"one pixel kernel", {2, 3, 2, 3}, 4, 1, 1, {}, true, Activation::kSilu},
    {"3x3", {1, 4, 5, 2}, 3, 3, 3, {}, false},
    {"padded, relu", {1, 4, 3, 2}, 3, 3, 3, with(1, 1, Padding2d::all(1)), true, Activation::kRelu},
    {"stride 2, gelu",
     {2, 5, 6, 2},
     3,
     3,
     3,
     with(2, 2, Padding2d::all(1)),
     true,
     Activation::kGelu},
    {"stride 3 by 2, asymmetric", {1, 7, 6, 2}, 2, 2, 3, with(3, 2, {0, 2, 1, 0})},
    {"dilation 2", {1, 6, 7, 2}, 2, 3, 2, with(1, 1, {2, 1, 0, 2}, 2, 2)},
    {"dilation 2 by 3, stride 2", {1, 7, 8, 1}, 2, 2, 3, with(2, 2, {1, 0, 2, 1}, 2, 3)},
    {"groups", {1, 4, 4, 6}, 4, 3, 2, with(1, 1, Padding2d::all(1), 1, 1, 2)},
    {"depthwise", {2, 4, 3, 5}, 5, 3, 3, with(1, 1, Padding2d::all(1), 1, 1, 5)},
    {"depthwise, stride 2",
     {1, 5, 6, 3},
     3,
     3,
     2,
     with(2, 2, {1, 0, 0, 1}, 1, 1, 3),
     true,
     Activation::kRelu},
    {"two outputs per channel", {1, 4, 4, 3}, 6, 2, 2, with(1, 1, {}, 1, 1, 3)},
    {"x transposed", {1, 3, 4, 2}, 2, 2, 2, {}, true, Activation::kNone, View::kTransposed},
    {"both sliced",
     {1, 3, 4, 2},
     2,
     2,
     2,
     {},
     true,
     Activation::kNone,
     View::kSliced,
     View::kSliced},
    {"large", {3, 19, 18, 21}, 35, 3, 3, with(1, 1, Padding2d::all(1)), true, Activation::kRelu},
    {"large, stride 2",
     {3, 25, 23, 16},
     40,
     3,
     5,
     with(2, 2, {1, 2, 2, 1}),
     true,
     Activation::kGeluTanh},
    {"large, groups", {2, 17, 16, 24}, 48, 3, 3, with(1, 1, Padding2d::all(1), 1, 1, 3)},
    {"large, depthwise", {2, 33, 31, 40}, 40, 3, 3, with(1, 1, Padding2d::all(1), 1, 1, 40)}};

Sample base_sample(const char* op, const ConvCase& c, const Shape& weight, int64_t out_channels,
                   uint32_t seed) {
  Sample s;
  s.op = op;
  s.what = c.what;
  s.inputs = {input(c.x, seed, c.view_x, 2, -1.0, 1.0),
              input(weight, seed + 1, c.view_w, 3, -1.0, 1.0)};
  if (c.has_bias) s.inputs.push_back(input({out_channels}, seed + 2));
  s.tolerance = 5e-6;  // up to a few hundred products in a row
  s.is_large = s.what.starts_with("large");
  return s;
}

ConvGeometry geometry(const Shape& in, const Shape& out, const ConvCase& c) {
  ConvGeometry g;
  g.batch = in[0], g.in_h = in[1], g.in_w = in[2], g.in_channels = in[3];
  g.out_h = out[1], g.out_w = out[2], g.out_channels = out[3];
  g.kernel_h = c.kernel_h, g.kernel_w = c.kernel_w;
  g.stride_h = c.options.stride_h, g.stride_w = c.options.stride_w;
  g.pad_top = c.options.padding.top, g.pad_left = c.options.padding.left;
  g.dilation_h = c.options.dilation_h, g.dilation_w = c.options.dilation_w;
  g.groups = c.options.groups;
  return g;
}

void activate(Activation activation, Doubles& y) {
  for (double& v : y) v = ref::activation_value(activation, v);
}

Sample conv_sample(const ConvCase& c, uint32_t seed) {
  const ops::ConvTranspose2dOptions& o = c.options;
  const auto out = [](int64_t in, int64_t padding, int64_t reach, int64_t stride) {
    return (in + padding - reach) / stride + 1;
  };
  const Shape y{c.x[0],
                out(c.x[1], o.padding.top + o.padding.bottom, o.dilation_h * (c.kernel_h - 1) + 1,
                    o.stride_h),
                out(c.x[2], o.padding.left + o.padding.right, o.dilation_w * (c.kernel_w - 1) + 1,
                    o.stride_w),
                c.out_channels};
  Sample s = base_sample("conv2d", c, {c.out_channels, c.kernel_h, c.kernel_w, c.x[3] / o.groups},
                         c.out_channels, seed);
  s.run = [c](const std::vector<Tensor>& t) {
    return ops::conv2d(t[0], t[1], c.has_bias ? t[2] : Tensor(), c.options, c.activation);
  };
  s.truth = [c, g = geometry(c.x, y, c), size = y.size()](const std::vector<Doubles>& in) {
    Doubles result(static_cast<size_t>(size));
    ref::conv(g, in[0].data(), in[1].data(), c.has_bias ? in[2].data() : nullptr, result.data());
    activate(c.activation, result);
    return result;
  };
  return s;
}

Sample conv_transpose_sample(const ConvCase& c, uint32_t seed) {
  const ops::ConvTranspose2dOptions& o = c.options;
  const Shape y{c.x[0],
                (c.x[1] - 1) * o.stride_h - o.padding.top - o.padding.bottom +
                    o.dilation_h * (c.kernel_h - 1) + o.output_padding_h + 1,
                (c.x[2] - 1) * o.stride_w - o.padding.left - o.padding.right +
                    o.dilation_w * (c.kernel_w - 1) + o.output_padding_w + 1,
                c.out_channels};
  Sample s = base_sample("conv_transpose2d", c,
                         {c.x[3], c.kernel_h, c.kernel_w, c.out_channels / o.groups},
                         c.out_channels, seed);
  s.run = [c](const std::vector<Tensor>& t) {
    return ops::conv_transpose2d(t[0], t[1], c.has_bias ? t[2] : Tensor(), c.options, c.activation);
  };
  s.truth = [c, g = geometry(y, c.x, c), size = y.size()](const std::vector<Doubles>& in) {
    Doubles result(static_cast<size_t>(size));
    ref::conv_transposed(g, in[0].data(), in[1].data(), c.has_bias ? in[2].data() : nullptr,
                         result.data());
    activate(c.activation, result);
    return result;
  };
  return s;
}

const ConvCase kTransposed[] = {
    {"no images", {0, 3, 3, 2}, 3, 2, 2, {}},
    {"one element", {1, 1, 1, 1}, 1, 1, 1, {}},
    {"2x2, stride 2", {1, 3, 2, 3}, 2, 2, 2, with(2, 2, {})},
    {"padded, output padding",
     {1, 3, 4, 2},
     3,
     3,
     3,
     with(2, 2, Padding2d::all(1), 1, 1, 1, 1, 1),
     true,
     Activation::kRelu},
    {"stride 3 by 1, asymmetric",
     {2, 2, 4, 2},
     2,
     2,
     3,
     with(3, 1, {1, 0, 0, 1}, 1, 1, 1, 2, 0),
     false},
    {"dilation 2, gelu",
     {1, 3, 3, 2},
     2,
     2,
     3,
     with(2, 1, {1, 1, 0, 2}, 2, 2, 1, 1, 1),
     true,
     Activation::kGelu},
    {"groups", {1, 3, 3, 4}, 6, 2, 2, with(2, 2, {}, 1, 1, 2)},
    {"depthwise", {1, 3, 3, 3}, 3, 3, 3, with(2, 2, Padding2d::all(1), 1, 1, 3, 1, 0)},
    {"views",
     {1, 3, 3, 2},
     2,
     2,
     2,
     with(2, 2, {}),
     true,
     Activation::kNone,
     View::kTransposed,
     View::kSliced},
    {"large", {2, 9, 10, 36}, 30, 4, 4, with(2, 2, Padding2d::all(1)), true, Activation::kSilu}};

// ---- Pooling ------------------------------------------------------------------------------------

struct PoolCase {
  const char* what;
  Shape x;
  ops::Pool2dOptions options;
  int64_t out_h, out_w;
  View view = View::kDense;
};

ops::Pool2dOptions window(int64_t kernel_h, int64_t kernel_w, int64_t stride_h, int64_t stride_w,
                          Padding2d padding = {}, bool is_ceil = false,
                          bool counts_padding = true) {
  return {kernel_h, kernel_w, stride_h, stride_w, padding, is_ceil, counts_padding};
}

// out_h and out_w are worked out by hand.
const PoolCase kPools[] = {
    {"no images", {0, 4, 4, 2}, window(2, 2, 0, 0), 2, 2},
    {"one element", {1, 1, 1, 1}, window(1, 1, 1, 1), 1, 1},
    {"2x2", {2, 4, 6, 3}, window(2, 2, 0, 0), 2, 3},
    {"a rest", {1, 5, 7, 2}, window(2, 3, 0, 0), 2, 2},
    {"a rest, ceil", {1, 5, 7, 2}, window(2, 3, 0, 0, {}, true), 3, 3},
    {"overlapping, padded", {1, 5, 6, 2}, window(3, 3, 2, 1, Padding2d::all(1)), 3, 6},
    {"padding not counted",
     {1, 5, 6, 2},
     window(3, 3, 2, 1, Padding2d::all(1), false, false),
     3,
     6},
    {"padded, ceil", {1, 6, 4, 1}, window(3, 2, 2, 2, {1, 1, 1, 0}, true), 4, 3},
    {"ceil without a window in the padding",
     {1, 4, 4, 2},
     window(2, 2, 3, 3, Padding2d::all(1), true),
     2,
     2},
    {"one side", {1, 4, 5, 3}, window(2, 4, 1, 3, {0, 1, 2, 0}), 4, 2},
    {"transposed", {2, 4, 3, 5}, window(2, 2, 2, 1), 2, 2, View::kTransposed},
    {"sliced", {2, 4, 3, 5}, window(2, 2, 2, 1), 2, 2, View::kSliced},
    {"large", {6, 33, 31, 70}, window(3, 3, 2, 2, Padding2d::all(1)), 17, 16}};

PoolShape pool_shape(const PoolCase& c) {
  const ops::Pool2dOptions& o = c.options;
  const auto stride = [](int64_t given, int64_t kernel) { return given == 0 ? kernel : given; };
  return {c.x[0], c.x[3],
          PoolAxis{c.x[1], c.out_h, o.kernel_h, stride(o.stride_h, o.kernel_h), o.padding.top,
                   o.padding.bottom, false},
          PoolAxis{c.x[2], c.out_w, o.kernel_w, stride(o.stride_w, o.kernel_w), o.padding.left,
                   o.padding.right, false}};
}

const PoolCase kAdaptive[] = {{"no images", {0, 4, 4, 2}, {}, 2, 2},
                              {"one element", {1, 1, 1, 1}, {}, 1, 1},
                              {"global", {2, 5, 3, 4}, {}, 1, 1},
                              {"even", {1, 6, 4, 2}, {}, 3, 2},
                              {"bins overlap", {1, 7, 5, 3}, {}, 3, 2},
                              {"more bins than pixels", {1, 2, 3, 2}, {}, 3, 4},
                              {"transposed", {2, 4, 3, 5}, {}, 2, 2, View::kTransposed},
                              {"sliced", {2, 4, 3, 5}, {}, 3, 3, View::kSliced},
                              {"large", {9, 28, 30, 33}, {}, 5, 7}};

PoolShape adaptive_shape(const PoolCase& c) {
  return {c.x[0], c.x[3], PoolAxis{c.x[1], c.out_h, 1, 1, 0, 0, true},
          PoolAxis{c.x[2], c.out_w, 1, 1, 0, 0, true}};
}

void add_pools(std::vector<Sample>& samples, const PoolCase& c, bool is_adaptive, uint32_t seed) {
  const PoolShape shape = is_adaptive ? adaptive_shape(c) : pool_shape(c);
  const auto size = static_cast<size_t>(c.x[0] * c.out_h * c.out_w * c.x[3]);
  Sample s;
  s.what = c.what;
  s.is_large = s.what == "large";
  s.inputs = {{c.x, distinct(c.x.size(), seed), DType::kF32, c.view, 2, true}};
  s.op = is_adaptive ? "adaptive_max_pool2d" : "max_pool2d";
  s.run = [c, is_adaptive](const std::vector<Tensor>& t) {
    return is_adaptive ? ops::adaptive_max_pool2d(t[0], c.out_h, c.out_w)
                       : ops::max_pool2d(t[0], c.options);
  };
  s.truth = [shape, size](const std::vector<Doubles>& in) {
    Doubles y(size);
    ref::max_pool(shape, in[0].data(), y.data(), nullptr);
    return y;
  };
  samples.push_back(s);
  s.op = is_adaptive ? "adaptive_avg_pool2d" : "avg_pool2d";
  s.run = [c, is_adaptive](const std::vector<Tensor>& t) {
    return is_adaptive ? ops::adaptive_avg_pool2d(t[0], c.out_h, c.out_w)
                       : ops::avg_pool2d(t[0], c.options);
  };
  s.truth = [shape, size,
             counts = !is_adaptive && c.options.counts_padding](const std::vector<Doubles>& in) {
    Doubles y(size);
    ref::avg_pool(shape, counts, in[0].data(), y.data());
    return y;
  };
  samples.push_back(s);
}

// ---- Batch norm ---------------------------------------------------------------------------------

struct NormCase {
  const char* what;
  Shape x;
  bool is_training, has_affine, is_relu = false;
  View view = View::kDense;
};

const NormCase kNorms[] = {{"one value, inference", {1, 1}, false, true},
                           {"no rows, inference", {0, 3}, false, true},
                           {"two rows", {2, 3}, true, true},
                           {"rows", {7, 5}, true, true},
                           {"images", {2, 3, 4, 5}, true, true},
                           {"images, relu", {2, 3, 4, 5}, true, true, true},
                           {"no weight", {2, 3, 2, 17}, true, false},
                           {"inference", {2, 3, 4, 5}, false, true},
                           {"inference, relu, no weight", {2, 2, 3, 3}, false, false, true},
                           {"transposed", {2, 4, 5}, true, true, false, View::kTransposed},
                           {"sliced", {2, 4, 5}, true, true, false, View::kSliced},
                           {"large", {5, 40, 41, 37}, true, true, true},
                           {"large, inference", {5, 40, 41, 37}, false, true}};

Sample norm_sample(const NormCase& c, uint32_t seed) {
  constexpr float kEps = 1e-2F;  // large enough to be seen
  const int64_t channels = c.x[c.x.rank() - 1];
  Sample s;
  s.op = "batch_norm";
  s.what = c.what;
  s.inputs = {input(c.x, seed, c.view, c.x.rank() - 1)};
  if (c.has_affine) {
    s.inputs.push_back(input({channels}, seed + 1));
    s.inputs.push_back(input({channels}, seed + 2));
  }
  const size_t at = s.inputs.size();  // running mean and variance: used, never a gradient
  if (!c.is_training) {
    s.inputs.push_back(
        {{channels}, uniform(channels, seed + 3), DType::kF32, View::kDense, 0, false});
    s.inputs.push_back(
        {{channels}, uniform(channels, seed + 4, 0.5, 2.0), DType::kF32, View::kDense, 0, false});
  }
  s.run = [c, at](const std::vector<Tensor>& t) {
    ops::BatchNormState state;
    if (c.has_affine) state.weight = t[1], state.bias = t[2];
    if (!c.is_training) state.running_mean = t[at], state.running_var = t[at + 1];
    ops::BatchNormOptions options;
    options.eps = kEps;
    options.is_training = c.is_training;
    options.activation = c.is_relu ? Activation::kRelu : Activation::kNone;
    return ops::batch_norm(t[0], state, options);
  };
  s.truth = [c, at, channels](const std::vector<Doubles>& in) {
    const ref::BatchNormShape shape{channels == 0 ? 0 : c.x.size() / channels, channels,
                                    static_cast<double>(kEps), c.is_relu};
    Doubles y(in[0].size()), mean(static_cast<size_t>(channels)), var = mean;
    if (c.is_training) {
      ref::batch_norm_stats(shape, in[0].data(), mean.data(), var.data());
    } else {
      mean = in[at], var = in[at + 1];
    }
    ref::batch_norm(shape, in[0].data(),
                    {mean.data(), var.data(), c.has_affine ? in[1].data() : nullptr,
                     c.has_affine ? in[2].data() : nullptr},
                    y.data());
    return y;
  };
  s.tolerance = 4e-6;  // a mean, a variance and a reciprocal root, each rounded
  s.is_large = s.what.starts_with("large");
  return s;
}

}  // namespace

void add_conv_cases(std::vector<Sample>& samples) {
  uint32_t seed = 7000;
  for (const ConvCase& c : kConvs) samples.push_back(conv_sample(c, seed += 3));
  for (const ConvCase& c : kTransposed) samples.push_back(conv_transpose_sample(c, seed += 3));
  for (const PoolCase& c : kPools) add_pools(samples, c, false, seed += 3);
  for (const PoolCase& c : kAdaptive) add_pools(samples, c, true, seed += 3);
  for (const NormCase& c : kNorms) samples.push_back(norm_sample(c, seed += 5));
}

}  // namespace ingot::testing
