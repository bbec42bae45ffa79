// SPDX-License-Identifier: Apache-2.0
// Pooling layers on channels-last images; no parameters. The formulas are in autograd/ops/pool.h.
#pragma once

#include "autograd/ops/pool.h"
#include "nn/module.h"

namespace ingot::nn {

enum class PoolKind : uint8_t { kMax, kAverage };

/// Windows of a fixed size.
class Pool2d : public Layer {
 public:
  Pool2d(PoolKind kind, const ops::Pool2dOptions& options) : kind_(kind), options_(options) {}

  [[nodiscard]] Tensor forward(const Tensor& x) override {
    return kind_ == PoolKind::kMax ? ops::max_pool2d(x, options_) : ops::avg_pool2d(x, options_);
  }
  void visit(Visitor& /*visitor*/) override {}

 private:
  PoolKind kind_;
  ops::Pool2dOptions options_;
};

/// A fixed number of windows, whatever the image's size. 1 × 1 is global pooling.
class AdaptivePool2d : public Layer {
 public:
  explicit AdaptivePool2d(PoolKind kind, int64_t out_h = 1, int64_t out_w = 1)
      : kind_(kind), out_h_(out_h), out_w_(out_w) {}

  [[nodiscard]] Tensor forward(const Tensor& x) override {
    return kind_ == PoolKind::kMax ? ops::adaptive_max_pool2d(x, out_h_, out_w_)
                                   : ops::adaptive_avg_pool2d(x, out_h_, out_w_);
  }
  void visit(Visitor& /*visitor*/) override {}

 private:
  PoolKind kind_;
  int64_t out_h_, out_w_;
};

}  // namespace ingot::nn
