// SPDX-License-Identifier: Apache-2.0
// A table for a model drawn in C++: split, transforms fitted on the training rows, examples. The
// same stage as in `ingot run` (data/table_examples.h), with the same options as a recipe's
// `table:`.
#pragma once

#include <string>
#include <vector>

#include "data/table_examples.h"
#include "fit/layers.h"

namespace ingot {

struct Table {
  data::FeatureSet features;
  data::ExampleReader train, validation, test;
  data::TableExamples report;  ///< rows left out, equal rows, leaks between splits, warnings

  /// One input per block of features: "table" for numbers, then one per text. Each has its name.
  [[nodiscard]] std::vector<Flow> inputs() const;
  /// Rows of cells as examples without targets; `columns` names the cells. Throws kInvalidArgument
  /// for a column that is missing and for cells that the features refuse.
  /// Rows are new ones here: under encode=target every row gets the mean of all training rows, its
  /// own target among them when it is one of these. To train, or to judge what was learned from,
  /// take `train`, where a row's own part is left out.
  [[nodiscard]] data::ExampleReader encode(const std::vector<std::string>& columns,
                                           const std::vector<std::vector<std::string>>& rows) const;
};

/// Reads `config.path` and writes schema, features and examples into `folder`.
[[nodiscard]] Table read_table(const data::TableConfig& config, const std::string& folder);

}  // namespace ingot
