// SPDX-License-Identifier: Apache-2.0
#include "optim/slab_optimizer.h"

#include <cstring>

#include "kernels/elementwise.h"

namespace ingot::optim {

void Optimizer::reset() {
  for (const NamedState& s : state()) {
    std::memset(s.tensor.raw(), 0, static_cast<size_t>(s.tensor.size_bytes()));
  }
}

Tensor scaled(const Tensor& lr, float factor) {
  if (factor == 1.0F) return lr;
  Engine& engine = lr.engine();
  const Tensor product = Tensor::empty(engine, {});
  kernels::ScaleAddArgs args;
  args.x = lr.data<float>();
  args.dst = product.data<float>();
  args.n = 1;
  args.alpha = factor;
  engine.launch("scaled_lr", &kernels::scale_add, args);
  return product;
}

void require_unit(const char* key, double value, double usual) {
  require(value >= 0.0 && value < 1.0, Code::kInvalidArgument,
          "train.optimizer.{}: {} is not in [0, 1); {} is usual", key, value, usual);
}

void require_positive(const char* key, double value, double usual) {
  require(value > 0.0, Code::kInvalidArgument,
          "train.optimizer.{}: {} must be positive; {} is usual", key, value, usual);
}

void require_not_negative(const char* key, double value, double usual) {
  require(value >= 0.0, Code::kInvalidArgument, "train.optimizer.{}: {} is negative; {} is usual",
          key, value, usual);
}

}  // namespace ingot::optim
