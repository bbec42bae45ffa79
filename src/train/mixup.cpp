// SPDX-License-Identifier: Apache-2.0
// Beta numbers by Joehnk's rejection (1964): with U, V uniform and X = U^(1/a), Y = V^(1/a), X /
// (X + Y) is Beta(a, a) given X + Y <= 1. In logarithms, because U^(1/a) is 0 in double for small
// a.
#include "train/mixup.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/philox.h"

namespace ingot::train {
namespace {

constexpr uint64_t kMixKey = 0x6d69787570ULL;  // apart from other uses of the same seed

double beta(Philox& random, double alpha) {
  for (;;) {
    const double x = std::log(1.0 - random.uniform_double()) / alpha;
    const double y = std::log(1.0 - random.uniform_double()) / alpha;
    if (std::exp(x) + std::exp(y) > 1.0) continue;
    const double most = std::max(x, y);
    return std::exp(x - most) / (std::exp(x - most) + std::exp(y - most));
  }
}

}  // namespace

Mix draw_mix(uint64_t seed, uint64_t epoch, int64_t row, int64_t rows, double alpha) {
  Philox random(mix64(seed ^ mix64(epoch ^ kMixKey)), static_cast<uint64_t>(row));
  Mix mix;
  mix.partner = static_cast<int64_t>(random.bounded(static_cast<uint64_t>(rows)));
  mix.share = static_cast<float>(beta(random, alpha));
  return mix;
}

}  // namespace ingot::train
