// SPDX-License-Identifier: Apache-2.0
#include "fit/plain_features.h"

#include <algorithm>

#include <fmt/format.h>

namespace ingot {

/// Fitting needs rows: one per class, or two numbers. Nothing of them stays, since no column is
/// scaled and every class occurs.
data::FeatureSet plain_features(int64_t columns, int64_t classes) {
  data::Schema schema;
  std::string header, zeros;
  for (int64_t i = 1; i <= columns; ++i) {
    data::ColumnSchema column;
    column.name = fmt::format("x{}", i);
    column.kind = data::ColumnKind::kNumber;
    header += column.name + ",";
    zeros += "0,";
    schema.columns.push_back(std::move(column));
  }
  data::ColumnSchema y;
  y.name = "y";
  y.kind = classes > 0 ? data::ColumnKind::kCategory : data::ColumnKind::kNumber;
  schema.columns.push_back(y);
  std::string rows = header + "y\n";
  for (int64_t i = 0; i < std::max<int64_t>(classes, 2); ++i)
    rows += fmt::format("{}{}\n", zeros, i);

  data::FeatureConfig all;
  all.name = "*";
  all.scale = data::Scale::kNone;
  all.missing = data::Missing::kError;
  data::TargetConfig target;
  target.column = "y";
  target.kind = classes > 0 ? data::TargetKind::kClass : data::TargetKind::kNumber;
  const std::vector<data::FeatureConfig> configs = {all};
  data::FeatureSet features(schema, configs, target);
  const auto table = data::open_table(io::memory_source(rows, "columns.csv"), "columns.csv");
  (void)features.fit(*table);
  return features;
}

}  // namespace ingot
