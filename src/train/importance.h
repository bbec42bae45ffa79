// SPDX-License-Identifier: Apache-2.0
// How much a model leans on each part of its input: the loss when that part is exchanged between
// examples, against the loss as it is (Breiman 2001, permutation importance). Parts that say the
// same thing share what either loses. Used by the evaluation of tables.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "train/supervised_task.h"

namespace ingot::train {

/// Elements [first, first + count) of a field of the examples.
struct InputSlice {
  std::string name;
  std::string field;
  int64_t first = 0;
  int64_t count = 0;
};

struct ImportanceOptions {
  int64_t max_rows = 2000;  ///< evenly spread over the examples
  uint64_t seed = 0;
  int64_t max_bytes = int64_t{64} << 20;  ///< of their records, which are held twice; at least two
  const StopFlag* stop = nullptr;         ///< looked at between batches: throws kCancelled
};

struct Importance {
  int64_t rows = 0;
  double loss = 0.0;              ///< of these rows as they are
  std::vector<double> increases;  ///< per slice: by how much the loss grows
};

/// Cost: one pass over the rows per slice, and one.
[[nodiscard]] Importance permutation_importance(ExampleRunner& runner, const Objective& objective,
                                                const data::ExampleReader& examples,
                                                std::span<const InputSlice> slices,
                                                const ImportanceOptions& options);

}  // namespace ingot::train
