// SPDX-License-Identifier: Apache-2.0
// Layers that hold layers: block runs its list, residual adds the way around it (He 2016). The list
// is a network of its own whose input is called "input"; `repeat` puts several in a row. Weights
// are named BLOCK.LAYER.weight, with repeat BLOCK.0.LAYER.weight, and BLOCK.shortcut.LAYER.weight.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/image.h"
#include "autograd/ops/pool.h"
#include "autograd/ops/shape.h"
#include "models/network/activation.h"
#include "models/network/network.h"

namespace ingot::models {
namespace {

constexpr int64_t kMaxRepeat = 1024;
constexpr const char* kInput = "input";
constexpr const char* kShortcut = "shortcut";

/// Every stride-th pixel of x with zeros as new channels, half before and half behind the old ones
/// (option A of He 2016).
Tensor padded_shortcut(const Tensor& x, int64_t stride_h, int64_t stride_w, const Shape& out) {
  Tensor y = x;
  if (stride_h > 1 || stride_w > 1) {
    ops::Pool2dOptions every;
    every.kernel_h = every.kernel_w = 1;
    every.stride_h = stride_h, every.stride_w = stride_w;
    y = ops::max_pool2d(x, every);
  }
  const int64_t batch = y.dim(0), pixels = out[0] * out[1], old = y.dim(3), more = out[2] - old;
  if (more == 0) return y;
  // Channels padded as the columns of a picture of one channel.
  const Tensor rows = ops::reshape(y, {batch, pixels, old, 1});
  const Tensor wide = ops::pad2d(rows, {0, 0, more / 2, more - more / 2});
  return ops::reshape(wide, {batch, out[0], out[1], out[2]});
}

/// The list once, and what is added to its result.
class Unit {
 public:
  Unit(const LayerSite& site, const Value& in, const std::string& where)
      : main_(*site.config.layers, {named_input(in)}, where), output_(main_.output()) {
    if (site.config.type == LayerType::kResidual) add_shortcut(site, in, where);
  }

  Tensor forward(const Tensor& x, const NodeContext& context, ActivationName activation) {
    const Tensor y = main_.forward({&x, 1}, context);
    if (!has_shortcut_) return y;
    return activate(ops::add(y, around(x, context)), activation);
  }
  void visit(nn::Visitor& visitor) {
    main_.visit(visitor);
    if (projection_) visitor.child(kShortcut, *projection_);
  }
  [[nodiscard]] int64_t flops() const {
    return main_.flops() + (projection_ ? projection_->flops() : 0);
  }
  [[nodiscard]] int64_t layer_count() const {
    return main_.layer_count() + (projection_ ? projection_->layer_count() : 0);
  }
  void each_inner(const std::string& prefix, const InnerNetwork& take) {
    take(prefix, main_);
    if (projection_) take(prefix + kShortcut + ".", *projection_);
  }
  [[nodiscard]] const Value& output() const { return output_; }

 private:
  static Value named_input(Value in) {
    in.name = kInput;
    return in;
  }

  void add_shortcut(const LayerSite& site, const Value& in, const std::string& where) {
    has_shortcut_ = true;
    const Shape &from = in.shape, &to = main_.output().shape;
    ShortcutName kind = site.config.shortcut.value_or(ShortcutName::kAuto);
    if (kind == ShortcutName::kAuto) {
      kind = from == to ? ShortcutName::kIdentity : ShortcutName::kProject;
    }
    out_ = to;
    const std::string misfit =
        fmt::format("{}: its input \"{}\" {} and its last layer \"{}\" {}", where, in.name,
                    from.text(), main_.output().name, to.text());
    if (kind == ShortcutName::kIdentity) {
      require(from == to, Code::kShapeMismatch,
              "{} have different shapes. Leave shortcut out, and the input is brought to the other "
              "shape where that can be",
              misfit);
      if (in.flattened != output_.flattened) output_.is_unordered = true;
      return;
    }
    is_padded_ = kind == ShortcutName::kPad;
    if (from.rank() == 3 && to.rank() == 3) {
      set_strides(from, to, misfit);
    } else {
      Shape wide = from;
      if (from.rank() == to.rank() && from.rank() > 0) wide[from.rank() - 1] = to[to.rank() - 1];
      require(wide == to && !is_padded_, Code::kShapeMismatch, "{} cannot be joined by a {}. {}",
              misfit, is_padded_ ? "padded shortcut" : "projection",
              wide == to ? "Use shortcut: project" : "Only the last axis may differ");
    }
    if (!is_padded_) projection_.emplace(projection(to), std::vector{named_input(in)}, where);
  }

  void set_strides(const Shape& from, const Shape& to, const std::string& misfit) {
    const auto stride = [&](int64_t in, int64_t out) {
      const int64_t s = std::max<int64_t>(1, (in + out - 1) / out);
      require((in - 1) / s + 1 == out, Code::kShapeMismatch,
              "{} cannot be joined by a shortcut: {} pixels in steps of {} are not {}. Give the "
              "layers inside padding: same",
              misfit, in, s, out);
      return s;
    };
    stride_h_ = stride(from[0], to[0]);
    stride_w_ = stride(from[1], to[1]);
    require(!is_padded_ || from[2] <= to[2], Code::kShapeMismatch,
            "{}: a padded shortcut cannot lose channels; use shortcut: project", misfit);
  }

  /// A 1 x 1 convolution and batch norm for pictures, a dense layer for other shapes.
  [[nodiscard]] std::vector<LayerConfig> projection(const Shape& to) const {
    LayerConfig first;
    first.bias = false;
    if (to.rank() != 3) {
      first.units = to[to.rank() - 1];
      return {first};
    }
    first.type = LayerType::kConv2d;
    first.filters = to[2];
    first.kernel = std::vector<int64_t>{1};
    first.stride = std::vector<int64_t>{stride_h_, stride_w_};
    LayerConfig norm;
    norm.type = LayerType::kBatchNorm;
    return {first, norm};
  }

  Tensor around(const Tensor& x, const NodeContext& context) {
    if (projection_) return projection_->forward({&x, 1}, context);
    return is_padded_ ? padded_shortcut(x, stride_h_, stride_w_, out_) : x;
  }

  Network main_;
  Value output_;
  std::optional<Network> projection_;
  bool has_shortcut_ = false, is_padded_ = false;
  int64_t stride_h_ = 1, stride_w_ = 1;
  Shape out_;
};

class BlockNode : public Node {
 public:
  explicit BlockNode(const LayerSite& site)
      : activation_(site.config.activation.value_or(ActivationName::kNone)),
        is_numbered_(site.config.repeat.has_value()) {
    const int64_t count = site.config.repeat.value_or(1);
    require(count >= 1 && count <= kMaxRepeat, Code::kInvalidArgument,
            "{}: repeat is {}, must be 1 to {}", site.where, count, kMaxRepeat);
    int64_t layers = 0;
    for (int64_t i = 0; i < count; ++i) {
      const Value& in = units_.empty() ? site.inputs[0] : units_.back().output();
      units_.emplace_back(site, in, site.where);
      layers += units_.back().layer_count();
      site.require_layers(layers);
    }
    output = units_.back().output();
  }
  Tensor forward(std::span<const Tensor> in, const NodeContext& context) override {
    Tensor x = in[0];
    for (Unit& unit : units_) x = unit.forward(x, context, activation_);
    return x;
  }
  void visit(nn::Visitor& visitor) override {
    for (size_t i = 0; i < units_.size(); ++i) {
      if (is_numbered_) {
        visitor.child(std::to_string(i), units_[i]);
      } else {
        units_[i].visit(visitor);
      }
    }
  }
  int64_t flops() const override {
    int64_t sum = 0;
    for (const Unit& unit : units_) sum += unit.flops();
    return sum;
  }
  void each_inner(const InnerNetwork& take) override {
    for (size_t i = 0; i < units_.size(); ++i) {
      units_[i].each_inner(is_numbered_ ? fmt::format("{}.", i) : "", take);
    }
  }

 private:
  ActivationName activation_;
  bool is_numbered_;
  std::vector<Unit> units_;
};

}  // namespace

std::unique_ptr<Node> make_block(const LayerSite& site) {
  for (const LayerConfig& inner : *site.config.layers) {
    require(inner.name != kShortcut && inner.name != kInput, Code::kInvalidArgument,
            "{}: \"{}\" is no name for a layer inside: it has a meaning of its own", site.where,
            inner.name);
  }
  return std::make_unique<BlockNode>(site);
}

}  // namespace ingot::models
