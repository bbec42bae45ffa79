// SPDX-License-Identifier: Apache-2.0
// What training will see of some pictures: a row per training example, its first picture as it is,
// the others as the first epochs vary it, byte for byte; under mixup mixed with another example,
// rounded to bytes. Called by `ingot data preview`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "data/examples.h"
#include "data/image_grid.h"
#include "data/transforms/feature_set.h"

namespace ingot::data {

/// What mixup makes of a training row: its share, and the row that has the rest.
struct PreviewMix {
  int64_t partner = 0;
  float share = 1.0F;
};

struct PreviewOptions {
  int64_t rows = 8;
  int64_t versions = 8;  ///< of each, beside the picture itself
  uint64_t seed = 42;    ///< of the run
  /// Asked once for every version, in the order in which they are shown; empty: none is mixed.
  std::function<PreviewMix(int64_t row, uint64_t epoch)> mix{};
};

/// Rows spread evenly over `train`; of the first column of pictures. Throws kInvalidArgument when
/// there is none, or no example.
[[nodiscard]] io::Image preview(const FeatureSet& features, const ExampleReader& train,
                                const PreviewOptions& options);

}  // namespace ingot::data
