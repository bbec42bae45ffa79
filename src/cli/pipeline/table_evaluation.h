// SPDX-License-Identifier: Apache-2.0
// A model of a table on one of its splits: the metrics, and what a report shows of them
// (evaluation.json, docs/formats/run_directory.md). One pass over the examples, the table's rows
// beside them, and one per feature over some of the rows.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "cli/recipe.h"
#include "cli/runtime.h"
#include "cli/verb.h"

namespace ingot::cli {

struct TableEvaluation {
  Json numbers;  ///< {split, examples, metric: {value, low, high}, …}
  Json details;  ///< evaluation.json
};

/// Of the model in `folder`, on the split that recipe.eval names; prints the metrics with their
/// intervals. Throws kInvalidArgument for an empty split.
[[nodiscard]] TableEvaluation evaluate_table(const Invocation& invocation, Runtime& runtime,
                                             const Recipe& recipe, const std::string& folder);

}  // namespace ingot::cli
