// SPDX-License-Identifier: Apache-2.0
// A model of a table on one of its splits: the metrics, and what a report shows of them
// (evaluation.json, docs/formats/run_directory.md), or on the labelled rows of another file. One
// pass over the examples, the table's rows beside them, and one per feature over some of the rows.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "cli/recipe.h"
#include "cli/runtime.h"
#include "cli/verb.h"

namespace ingot::cli {

struct TableEvaluation {
  Json numbers;  ///< {split, examples, metric: {value, low, high}, …}
  Json details;  ///< evaluation.json; null when not wanted
};

/// Of the model in `folder`, on the split that recipe.eval names; prints the metrics with their
/// intervals. Details take the table's rows beside the examples and a pass per feature. Throws
/// kInvalidArgument for an empty split, and for a model of other features than the run's, and
/// kCancelled when asked to stop. Very many rows get fewer than 1,000 replicates (train/metrics).
[[nodiscard]] TableEvaluation evaluate_table(const Invocation& invocation, Runtime& runtime,
                                             const Recipe& recipe, const std::string& folder,
                                             bool wants_details);

/// The same numbers, {file, examples, metric: …}, on the rows of recipe.table.split.test_file,
/// which the model's own transforms encode, in a scratch folder; prints them. Rows without target
/// are as recipe.table.target.missing says. Throws what the file and the transforms refuse,
/// kInvalidArgument for a file without a row.
[[nodiscard]] Json evaluate_file(const Invocation& invocation, Runtime& runtime,
                                 const Recipe& recipe, const std::string& folder);

}  // namespace ingot::cli
