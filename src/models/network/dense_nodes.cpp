// SPDX-License-Identifier: Apache-2.0
// Layers that do not care where their numbers come from: dense, activation, scale, dropout, shapes,
// norms, and those that join several inputs.
#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/norm.h"
#include "autograd/ops/shape.h"
#include "models/network/activation.h"
#include "models/network/node.h"
#include "nn/dropout.h"
#include "nn/linear.h"
#include "nn/norm.h"

namespace ingot::models {
namespace {

constexpr float kDefaultEps = 1e-5F;

Tensor with_batch(const Tensor& x, const Shape& example) {
  std::vector<int64_t> dims{x.dim(0)};
  for (int i = 0; i < example.rank(); ++i) dims.push_back(example[i]);
  return ops::reshape(x, dims);
}

/// A picture whose numbers stand in another order with channels before pixels.
bool has_order(const Shape& shape) {
  return shape.rank() == 3 && shape[2] > 1 && shape[0] * shape[1] > 1;
}

class DenseNode : public Node {
 public:
  DenseNode(const LayerSite& site, int64_t in, int64_t out)
      : activation_(site.config.activation.value_or(ActivationName::kNone)),
        linear_(in, out, site.config.bias.value_or(true),
                site.init({nn::InitKind::kGlorotUniform, 1.0F}), fused(activation_)) {
    output.shape = site.inputs[0].shape;
    output.shape[output.shape.rank() - 1] = out;
    output.ids = site.inputs[0].ids;
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& /*context*/) override {
    return activate_rest(linear_.forward(in[0]), activation_);
  }
  void visit(nn::Visitor& visitor) override { linear_.visit(visitor); }
  int64_t flops() const override { return 2 * output.shape.size() * linear_.weight.shape[1]; }

 private:
  ActivationName activation_;
  nn::Linear linear_;
};

class ActivationNode : public Node {
 public:
  explicit ActivationNode(const LayerSite& site) : activation_(*site.config.activation) {
    output = site.inputs[0];
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& /*context*/) override {
    return activate(in[0], activation_);
  }

 private:
  ActivationName activation_;
};

class ScaleNode : public Node {
 public:
  explicit ScaleNode(const LayerSite& site) : factor_(static_cast<float>(*site.config.factor)) {
    output = site.inputs[0];
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& /*context*/) override {
    return ops::scale(in[0], factor_);
  }

 private:
  float factor_;
};

class DropoutNode : public Node {
 public:
  explicit DropoutNode(const LayerSite& site)
      : rate_(site.rate("rate", site.config.rate)),
        is_variational_(site.config.variational.value_or(false)) {
    output = site.inputs[0];
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& context) override {
    if (!context.is_training) return in[0];
    return is_variational_ ? nn::sequence_dropout(in[0], rate_) : ops::dropout(in[0], rate_);
  }

 private:
  float rate_;
  bool is_variational_;
};

class ReshapeNode : public Node {
 public:
  ReshapeNode(const LayerSite& site, const Shape& shape) {
    const Value& in = site.inputs[0];
    const Shape picture = has_order(in.shape) ? in.shape : in.flattened;
    output.shape = shape;
    if (shape.rank() == 1) {
      output.flattened = picture;
    } else if (picture.rank() == 3) {
      output.is_unordered = shape[shape.rank() - 1] != picture[2];
    } else {
      output.is_unordered = has_order(shape);
    }
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& /*context*/) override {
    return with_batch(in[0], output.shape);
  }
};

class NormNode : public Node {
 public:
  NormNode(const LayerSite& site, std::unique_ptr<nn::Layer> norm) : norm_(std::move(norm)) {
    output = site.inputs[0];
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& /*context*/) override {
    return norm_->forward(in[0]);
  }
  void visit(nn::Visitor& visitor) override { norm_->visit(visitor); }

 private:
  std::unique_ptr<nn::Layer> norm_;
};

class MergeNode : public Node {
 public:
  MergeNode(const LayerSite& site, const Shape& shape)
      : type_(site.config.type),
        activation_(site.config.activation.value_or(ActivationName::kNone)) {
    output.shape = shape;
    output.ids = site.inputs[0].ids;
    output.flattened = site.inputs[0].flattened;
    for (const Value& in : site.inputs) {
      if (in.ids != output.ids) output.ids = -1;  // padding of one is no padding of the other
      if (in.flattened != output.flattened) output.is_unordered = true;
    }
    if (type_ != LayerType::kConcatenate) return;
    output.is_unordered = output.is_unordered || output.flattened.rank() > 0;
    output.flattened = {};
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& /*context*/) override {
    if (type_ == LayerType::kConcatenate) {
      return ops::concat(std::vector<Tensor>(in.begin(), in.end()), -1);
    }
    Tensor sum = in[0];
    for (const Tensor& x : in.subspan(1)) {
      sum = type_ == LayerType::kAdd ? ops::add(sum, x) : ops::mul(sum, x);
    }
    return activate(sum, activation_);
  }

 private:
  LayerType type_;
  ActivationName activation_;
};

Shape reshaped(const LayerSite& site) {
  const int64_t size = site.inputs[0].shape.size();
  if (site.config.type == LayerType::kFlatten) return {size};
  require(!site.config.shape->empty() && site.config.shape->size() < kMaxRank,
          Code::kInvalidArgument, "{}: shape has {} axes, 1 to {} can be", site.where,
          site.config.shape->size(), kMaxRank - 1);
  Shape shape;
  int64_t known = 1;
  int free_axis = -1;
  for (const int64_t dim : *site.config.shape) {
    require(dim >= 1 || (dim == -1 && free_axis < 0), Code::kInvalidArgument,
            "{}: shape holds {}; axes are positive and at most one is -1", site.where, dim);
    if (dim == -1) {
      free_axis = shape.rank();
    } else {
      known = dim <= size / std::max<int64_t>(known, 1) ? known * dim : 0;  // 0: too many
    }
    shape.push(dim == -1 ? 1 : dim);
  }
  if (free_axis >= 0 && known > 0 && size % known == 0) {
    shape[free_axis] = size / known;
    known = size;
  }
  require(known == size, Code::kShapeMismatch,
          "{}: cannot give {} elements of its input {} the shape {}. One axis may be -1, which "
          "takes what is left",
          site.where, size, site.input_text(), shape.text());
  return shape;
}

/// The shape of a concatenation: all axes but the last agree.
Shape joined(const LayerSite& site) {
  Shape shape = site.inputs[0].shape;
  const int last = shape.rank() - 1;
  for (size_t i = 1; i < site.inputs.size(); ++i) {
    Shape other = site.inputs[i].shape;
    const bool ranks_agree = other.rank() == shape.rank();
    const int64_t width = ranks_agree ? other[last] : 0;
    if (ranks_agree) other[last] = shape[last];
    require(ranks_agree && other == shape, Code::kShapeMismatch,
            "{}: inputs {} and {} differ in more than the last axis, along which they are joined. "
            "Flatten or pool what has more axes, or reshape it",
            site.where, site.input_text(), site.input_text(i));
    shape[last] += width;
  }
  return shape;
}

}  // namespace

std::unique_ptr<Node> make_dense(const LayerSite& site) {
  site.require_numbers();
  site.require_rank(1, kMaxRank - 1, "at least one axis");
  const int64_t units = site.size("units", *site.config.units);
  const Shape& in = site.inputs[0].shape;
  site.require_size({in.size(), units});
  return std::make_unique<DenseNode>(site, in[in.rank() - 1], units);
}

std::unique_ptr<Node> make_activation(const LayerSite& site) {
  site.require_numbers();
  return std::make_unique<ActivationNode>(site);
}

std::unique_ptr<Node> make_scale(const LayerSite& site) {
  site.require_numbers();
  const double factor = *site.config.factor;
  constexpr auto kMost = static_cast<double>(std::numeric_limits<float>::max());
  require(std::abs(factor) <= kMost, Code::kInvalidArgument,
          "{}: factor is {}, must be a number of at most {:.1e}", site.where, factor, kMost);
  return std::make_unique<ScaleNode>(site);
}

std::unique_ptr<Node> make_dropout(const LayerSite& site) {
  site.require_numbers();
  if (site.config.variational.value_or(false)) site.require_sequence();
  return std::make_unique<DropoutNode>(site);
}

std::unique_ptr<Node> make_reshape(const LayerSite& site) {
  site.require_numbers();
  return std::make_unique<ReshapeNode>(site, reshaped(site));
}

std::unique_ptr<Node> make_norm(const LayerSite& site) {
  site.require_numbers();
  site.require_rank(1, kMaxRank - 1, "at least one axis");
  const float eps = site.config.eps.value_or(kDefaultEps);
  require(eps > 0.0F, Code::kInvalidArgument, "{}: eps is {}, must be > 0", site.where, eps);
  const Shape& in = site.inputs[0].shape;
  const int64_t dim = in[in.rank() - 1];
  if (site.config.type == LayerType::kRmsNorm) {
    return std::make_unique<NormNode>(site, std::make_unique<nn::RmsNorm>(dim, eps));
  }
  return std::make_unique<NormNode>(
      site, std::make_unique<nn::LayerNorm>(dim, eps, site.config.bias.value_or(true)));
}

std::unique_ptr<Node> make_merge(const LayerSite& site) {
  site.require_numbers();
  site.require_rank(1, kMaxRank - 1, "at least one axis");
  if (site.config.type == LayerType::kConcatenate) {
    return std::make_unique<MergeNode>(site, joined(site));
  }
  for (size_t i = 1; i < site.inputs.size(); ++i) {
    require(site.inputs[i].shape == site.inputs[0].shape, Code::kShapeMismatch,
            "{}: inputs {} and {} have different shapes. A dense layer gives them one width; "
            "concatenate takes different ones",
            site.where, site.input_text(), site.input_text(i));
  }
  return std::make_unique<MergeNode>(site, site.inputs[0].shape);
}

}  // namespace ingot::models
