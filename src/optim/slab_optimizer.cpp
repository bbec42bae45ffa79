// SPDX-License-Identifier: Apache-2.0
#include "optim/slab_optimizer.h"

#include <cstring>

namespace ingot::optim {

void Optimizer::reset() {
  for (const NamedState& s : state()) {
    std::memset(s.tensor.raw(), 0, static_cast<size_t>(s.tensor.size_bytes()));
  }
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
