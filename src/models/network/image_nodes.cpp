// SPDX-License-Identifier: Apache-2.0
// Layers of pictures [height, width, channels]: convolutions, pools with windows, batch norm,
// padding, resampling. Sizes are settled when the layer is made, by the rules of autograd/ops.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "autograd/ops/image.h"
#include "models/network/activation.h"
#include "models/network/node.h"
#include "nn/batch_norm.h"
#include "nn/conv.h"
#include "nn/pool.h"
#include "nn/whiten.h"

namespace ingot::models {
namespace {

constexpr int64_t kMaxPixels = int64_t{1} << 16;  // along one axis: sizes stay far from overflow
constexpr float kBatchNormEps = 1e-5F;
constexpr float kBatchNormMomentum = 0.1F;

// ---- Keys of one or two numbers -----------------------------------------------------------------

struct Pair {
  int64_t h, w;
};

/// A key of one number for both axes, or of height and width.
Pair pair_of(const LayerSite& site, const char* key,
             const std::optional<std::vector<int64_t>>& list, Pair otherwise, int64_t least = 1) {
  if (!list) return otherwise;
  require(list->size() == 1 || list->size() == 2, Code::kInvalidArgument,
          "{}: {} takes one number or [height, width], {} were given", site.where, key,
          list->size());
  for (const int64_t n : *list) {
    require(n >= least && n <= kMaxPixels, Code::kInvalidArgument, "{}: {} is {}, must be {} to {}",
            site.where, key, n, least, kMaxPixels);
  }
  return {list->front(), list->back()};
}

int64_t pixels_of(const LayerSite& site, const std::string& text) {
  int64_t n = -1;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), n);
  require(code == std::errc() && end == text.data() + text.size() && n >= 0 && n <= kMaxPixels,
          Code::kInvalidArgument,
          "{}: padding is \"{}\"; valid, same or a number of pixels is expected", site.where, text);
  return n;
}

/// [pixels], [height, width] or [top, bottom, left, right].
ops::Padding2d explicit_padding(const LayerSite& site, const std::vector<std::string>& list) {
  std::vector<int64_t> p;
  for (const std::string& text : list) p.push_back(pixels_of(site, text));
  require(p.size() == 1 || p.size() == 2 || p.size() == 4, Code::kInvalidArgument,
          "{}: padding takes pixels, [height, width] or [top, bottom, left, right]; {} numbers "
          "were given",
          site.where, p.size());
  if (p.size() == 4) return {p[0], p[1], p[2], p[3]};
  return {p.front(), p.front(), p.back(), p.back()};
}

/// The window of a convolution or pool over the layer's input.
struct Window {
  Pair kernel, stride, dilation;
  ops::Padding2d padding;
  bool is_same = false;
};

/// `stride`: where none is given.
Window window_of(const LayerSite& site, Pair kernel, Pair stride) {
  const LayerConfig& c = site.config;
  Window w;
  w.kernel = kernel;
  w.stride = pair_of(site, "stride", c.stride, stride);
  w.dilation = pair_of(site, "dilation", c.dilation, {1, 1});
  if (!c.padding || c.padding->empty() || *c.padding == std::vector<std::string>{"valid"}) return w;
  w.is_same = *c.padding == std::vector<std::string>{"same"};
  if (w.is_same) {
    const Shape& in = site.inputs[0].shape;
    const int64_t rows = ops::same_padding(in[0], kernel.h, w.stride.h, w.dilation.h);
    const int64_t columns = ops::same_padding(in[1], kernel.w, w.stride.w, w.dilation.w);
    w.padding = {rows / 2, rows - rows / 2, columns / 2, columns - columns / 2};
  } else {
    w.padding = explicit_padding(site, *c.padding);
  }
  return w;
}

void require_fits(const LayerSite& site, const Window& w, int64_t out_h, int64_t out_w) {
  require(out_h > 0 && out_w > 0, Code::kShapeMismatch,
          "{}: a window of {} x {} does not fit into its input {}. Use padding: same or a smaller "
          "kernel",
          site.where, w.kernel.h, w.kernel.w, site.input_text());
}

void require_picture(const LayerSite& site) {
  site.require_numbers();
  site.require_rank(3, 3, "a picture [height, width, channels]");
  const Shape& in = site.inputs[0].shape;
  require(in[0] <= kMaxPixels && in[1] <= kMaxPixels, Code::kShapeMismatch,
          "{}: its input {} has more than {} pixels along an axis", site.where, site.input_text(),
          kMaxPixels);
}

// ---- Convolutions -------------------------------------------------------------------------------

template <class Layer>
class ConvNode : public Node {
 public:
  template <class Options>
  ConvNode(const LayerSite& site, const nn::ConvConfig& config, const Options& options, Shape shape)
      : activation_(site.config.activation.value_or(ActivationName::kNone)),
        conv_(config, options) {
    output.shape = shape;
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& /*context*/) override {
    return activate_rest(conv_.forward(in[0]), activation_);
  }
  void visit(nn::Visitor& visitor) override { conv_.visit(visitor); }
  int64_t flops() const override { return 2 * products; }
  void start_from(const Tensor& x) override {
    nn::Parameter& weight = conv_.weight;
    if (weight.init.kind != nn::InitKind::kWhiten) return;
    weight.start = nn::whitening_filters(x, weight.shape, weight.init.scale);
  }

  int64_t products = 0;  ///< multiply-adds of one example

 private:
  ActivationName activation_;
  Layer conv_;
};

nn::ConvConfig conv_config(const LayerSite& site, Pair kernel) {
  nn::ConvConfig c;
  c.in_channels = site.inputs[0].shape[2];
  c.out_channels = *site.config.filters;
  c.kernel_h = kernel.h, c.kernel_w = kernel.w;
  c.has_bias = site.config.bias.value_or(true);
  c.init = site.init(c.init);
  c.activation = fused(site.config.activation.value_or(ActivationName::kNone));
  return c;
}

int64_t groups_of(const LayerSite& site) {
  const int64_t groups = site.config.groups.value_or(1);
  const int64_t filters = site.size("filters", *site.config.filters);
  require(groups >= 1 && filters % groups == 0 && site.inputs[0].shape[2] % groups == 0,
          Code::kInvalidArgument,
          "{}: {} filters and the channels of {} do not divide into {} groups; {} is the most they "
          "divide into",
          site.where, filters, site.input_text(), groups,
          std::gcd(filters, site.inputs[0].shape[2]));
  return groups;
}

void set_window(ops::Conv2dOptions& o, const Window& w, int64_t groups) {
  o.stride_h = w.stride.h, o.stride_w = w.stride.w;
  o.dilation_h = w.dilation.h, o.dilation_w = w.dilation.w;
  o.padding = w.padding;
  o.groups = groups;
}

}  // namespace

std::unique_ptr<Node> make_conv(const LayerSite& site) {
  require_picture(site);
  const int64_t groups = groups_of(site);
  const Window w = window_of(site, pair_of(site, "kernel", site.config.kernel, {1, 1}), {1, 1});
  const nn::ConvConfig config = conv_config(site, w.kernel);
  const bool is_plain = groups == 1 && w.dilation.h == 1 && w.dilation.w == 1;
  require(config.init.kind != nn::InitKind::kWhiten || is_plain, Code::kInvalidArgument,
          "{}: init: whiten needs groups: 1 and dilation: 1", site.where);
  require(config.init.kind != nn::InitKind::kDirac || groups == 1, Code::kInvalidArgument,
          "{}: init: dirac needs groups: 1", site.where);
  ops::Conv2dOptions options;
  set_window(options, w, groups);
  const Shape& in = site.inputs[0].shape;
  const ops::Padding2d& p = w.padding;
  const Shape out{ops::conv_outputs(in[0], p.top + p.bottom, w.kernel.h, w.stride.h, w.dilation.h),
                  ops::conv_outputs(in[1], p.left + p.right, w.kernel.w, w.stride.w, w.dilation.w),
                  config.out_channels};
  require_fits(site, w, out[0], out[1]);
  site.require_size({out[0], out[1], out[2], w.kernel.h, w.kernel.w, in[2] / groups});
  auto node = std::make_unique<ConvNode<nn::Conv2d>>(site, config, options, out);
  node->products = out.size() * w.kernel.h * w.kernel.w * (in[2] / groups);
  return node;
}

std::unique_ptr<Node> make_conv_transpose(const LayerSite& site) {
  require_picture(site);
  const int64_t groups = groups_of(site);
  const Window w = window_of(site, pair_of(site, "kernel", site.config.kernel, {1, 1}), {1, 1});
  require(!w.is_same, Code::kInvalidArgument,
          "{}: padding: same is not defined for a transposed convolution; give pixels", site.where);
  const Pair more = pair_of(site, "output_padding", site.config.output_padding, {0, 0}, 0);
  require(ops::is_output_padding(more.h, w.stride.h, w.dilation.h) &&
              ops::is_output_padding(more.w, w.stride.w, w.dilation.w),
          Code::kInvalidArgument,
          "{}: output_padding is {} x {}, must be below the stride or the dilation", site.where,
          more.h, more.w);
  const nn::ConvConfig config = conv_config(site, w.kernel);
  ops::ConvTranspose2dOptions options;
  set_window(options, w, groups);
  options.output_padding_h = more.h, options.output_padding_w = more.w;
  const Shape& in = site.inputs[0].shape;
  const ops::Padding2d& p = w.padding;
  const int64_t out_h = ops::conv_transpose_outputs(in[0], p.top + p.bottom, w.kernel.h, w.stride.h,
                                                    w.dilation.h, more.h);
  const int64_t out_w = ops::conv_transpose_outputs(in[1], p.left + p.right, w.kernel.w, w.stride.w,
                                                    w.dilation.w, more.w);
  require(out_h > 0 && out_w > 0, Code::kShapeMismatch,
          "{}: its padding leaves no pixels of its input {}. Use less of it", site.where,
          site.input_text());
  site.require_size({in.size(), w.kernel.h, w.kernel.w, config.out_channels / groups});
  auto node = std::make_unique<ConvNode<nn::ConvTranspose2d>>(
      site, config, options, Shape{out_h, out_w, config.out_channels});
  node->products = in.size() * w.kernel.h * w.kernel.w * (config.out_channels / groups);
  return node;
}

// ---- Layers without weights ---------------------------------------------------------------------

namespace {

/// A function of one picture.
template <class Function>
class PictureNode : public Node {
 public:
  PictureNode(Shape shape, Function function) : function_(std::move(function)) {
    output.shape = shape;
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& /*context*/) override {
    return function_(in[0]);
  }

 private:
  Function function_;
};

template <class Function>
std::unique_ptr<Node> picture_node(Shape shape, Function function) {
  return std::make_unique<PictureNode<Function>>(shape, std::move(function));
}

}  // namespace

std::unique_ptr<Node> make_pool(const LayerSite& site) {
  require_picture(site);
  const Pair kernel = pair_of(site, "kernel", site.config.kernel, {2, 2});
  const Window w = window_of(site, kernel, kernel);
  const ops::Padding2d& p = w.padding;
  require(
      2 * std::max(p.top, p.bottom) <= kernel.h && 2 * std::max(p.left, p.right) <= kernel.w,
      Code::kInvalidArgument,
      "{}: padding may be at most half of the kernel ({} x {}). Put a pad2d layer before it for "
      "more",
      site.where, kernel.h, kernel.w);
  ops::Pool2dOptions o;
  o.kernel_h = kernel.h, o.kernel_w = kernel.w;
  o.stride_h = w.stride.h, o.stride_w = w.stride.w;
  o.padding = p;
  o.is_ceil = site.config.ceil.value_or(false);
  o.counts_padding = !w.is_same;
  const Shape& in = site.inputs[0].shape;
  const Shape out{ops::pool_outputs(in[0], kernel.h, w.stride.h, p.top, p.bottom, o.is_ceil),
                  ops::pool_outputs(in[1], kernel.w, w.stride.w, p.left, p.right, o.is_ceil),
                  in[2]};
  require_fits(site, w, out[0], out[1]);
  const bool is_max = site.config.type == LayerType::kMaxPool2d;
  const nn::PoolKind kind = is_max ? nn::PoolKind::kMax : nn::PoolKind::kAverage;
  return picture_node(
      out, [pool = nn::Pool2d(kind, o)](const Tensor& x) mutable { return pool.forward(x); });
}

std::unique_ptr<Node> make_adaptive_pool(const LayerSite& site) {
  require_picture(site);
  const Pair out = pair_of(site, "output", site.config.output, {1, 1});
  const bool is_max = site.config.type == LayerType::kAdaptiveMaxPool2d;
  const nn::PoolKind kind = is_max ? nn::PoolKind::kMax : nn::PoolKind::kAverage;
  return picture_node({out.h, out.w, site.inputs[0].shape[2]},
                      [pool = nn::AdaptivePool2d(kind, out.h, out.w)](const Tensor& x) mutable {
                        return pool.forward(x);
                      });
}

std::unique_ptr<Node> make_pad(const LayerSite& site) {
  require_picture(site);
  const PixelMode mode = site.config.mode.value_or(PixelMode::kZero);
  require(mode == PixelMode::kZero || mode == PixelMode::kReflect, Code::kInvalidArgument,
          "{}: mode is {}; zero and reflect are possible", site.where, enum_name(mode));
  const ops::Padding2d p = explicit_padding(site, *site.config.padding);
  const Shape& in = site.inputs[0].shape;
  const bool is_reflect = mode == PixelMode::kReflect;
  require(!is_reflect || (std::max(p.top, p.bottom) < in[0] && std::max(p.left, p.right) < in[1]),
          Code::kInvalidArgument,
          "{}: reflecting needs more pixels than its input {} has. Pad less, or with mode: zero",
          site.where, site.input_text());
  return picture_node({in[0] + p.top + p.bottom, in[1] + p.left + p.right, in[2]},
                      [p, is_reflect](const Tensor& x) {
                        return ops::pad2d(
                            x, p, is_reflect ? ops::PadMode::kReflect : ops::PadMode::kZero);
                      });
}

std::unique_ptr<Node> make_upsample(const LayerSite& site) {
  require_picture(site);
  const LayerConfig& c = site.config;
  const PixelMode mode = c.mode.value_or(PixelMode::kNearest);
  require(mode == PixelMode::kNearest || mode == PixelMode::kBilinear, Code::kInvalidArgument,
          "{}: mode is {}; nearest and bilinear are possible", site.where, enum_name(mode));
  require(c.output.has_value() != c.factor.has_value(), Code::kInvalidArgument,
          "{}: takes either factor or output", site.where);
  const Shape& in = site.inputs[0].shape;
  const double factor = c.factor.value_or(1.0);
  const auto times = [&](int64_t size) {
    return static_cast<int64_t>(std::floor(static_cast<double>(size) * factor));
  };
  require(factor > 0.0 && factor <= 64.0, Code::kInvalidArgument,
          "{}: factor is {}, must be above 0 and at most 64", site.where, factor);
  const Pair out = pair_of(site, "output", c.output, {times(in[0]), times(in[1])});
  require(out.h >= 1 && out.w >= 1, Code::kShapeMismatch,
          "{}: leaves no pixels of its input {}. Use a larger factor", site.where,
          site.input_text());
  const auto how =
      mode == PixelMode::kBilinear ? ops::UpsampleMode::kBilinear : ops::UpsampleMode::kNearest;
  return picture_node({out.h, out.w, in[2]}, [out, how](const Tensor& x) {
    return ops::upsample2d(x, out.h, out.w, how);
  });
}

// ---- Batch norm ---------------------------------------------------------------------------------

namespace {

class BatchNormNode : public Node {
 public:
  BatchNormNode(const LayerSite& site, const nn::BatchNormConfig& config)
      : activation_(site.config.activation.value_or(ActivationName::kNone)),
        is_fused_(config.activation != kernels::Activation::kNone),
        norm_(site.inputs[0].shape[site.inputs[0].shape.rank() - 1], config) {
    output = site.inputs[0];
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& context) override {
    const Tensor y = norm_.forward(in[0], context.is_training);
    return is_fused_ ? y : activate(y, activation_);
  }
  void visit(nn::Visitor& visitor) override { norm_.visit(visitor); }

 private:
  ActivationName activation_;
  bool is_fused_;
  nn::BatchNorm norm_;
};

}  // namespace

std::unique_ptr<Node> make_batch_norm(const LayerSite& site) {
  site.require_numbers();
  site.require_rank(1, kMaxRank - 1, "at least one axis");
  nn::BatchNormConfig c;
  c.eps = site.config.eps.value_or(kBatchNormEps);
  c.momentum = site.config.momentum.value_or(kBatchNormMomentum);
  require(c.eps > 0.0F, Code::kInvalidArgument, "{}: eps is {}, must be > 0", site.where, c.eps);
  require(c.momentum > 0.0F && c.momentum <= 1.0F, Code::kInvalidArgument,
          "{}: momentum is {}, must be in (0, 1]: the share of the new batch. Keras' 0.99 is 0.01",
          site.where, c.momentum);
  c.is_running_var_unbiased = !site.config.biased_variance.value_or(false);
  c.has_weight = site.config.scale.value_or(true);
  c.has_bias = site.config.bias.value_or(true);
  if (site.config.activation == ActivationName::kRelu) c.activation = kernels::Activation::kRelu;
  return std::make_unique<BatchNormNode>(site, c);
}

}  // namespace ingot::models
