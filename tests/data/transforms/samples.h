// SPDX-License-Identifier: Apache-2.0
// Tables and cells in memory, and the golden file of scikit-learn. Used by the tests of
// data/transforms and of the table splits.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/message_of.h"
#include "data/formats/table.h"
#include "data/schema.h"
#include "data/transforms/feature.h"
#include "io/byte_source.h"
#include "source_dir.h"

namespace ingot::data::samples {

/// A reader of CSV text with a header.
inline std::unique_ptr<TableReader> table_of(std::string text, const std::string& name = "t.csv") {
  TableFormat format;
  format.header = HeaderRow::kYes;
  format.delimiter = ",";
  return open_table(io::memory_source(std::move(text), name), "t.csv", format);
}

inline Schema schema_of(const std::vector<std::pair<std::string, ColumnKind>>& columns) {
  Schema schema;
  for (const auto& [name, kind] : columns) {
    ColumnSchema column;
    column.name = name;
    column.kind = kind;
    schema.columns.push_back(column);
  }
  return schema;
}

inline Json golden(const std::string& name) {
  return parse_json(read_file(INGOT_SOURCE_DIR "/tests/golden/data/" + name), name);
}

inline FeatureConfig config_of(FeatureKind kind) {
  FeatureConfig config;
  config.name = "x";
  config.kind = kind;
  return config;
}

/// Line i + 2 holds cells[i]: what a file with a header has. "" and "NA" are missing.
inline Cell cell_at(const std::vector<std::string>& cells, size_t i) {
  return {cells[i], cells[i].empty() || cells[i] == "NA", static_cast<int64_t>(i) + 2};
}

/// Fits in as many passes as the feature asks for; returns the warnings.
inline std::vector<std::string> fit(Feature& feature, const std::vector<std::string>& cells) {
  std::vector<std::string> warnings;
  bool again = true;
  while (again) {
    for (size_t i = 0; i < cells.size(); ++i) {
      if (!feature.drops(cell_at(cells, i))) feature.add(cell_at(cells, i));
    }
    again = feature.finish_pass(warnings);
  }
  return warnings;
}

inline std::unique_ptr<Feature> fitted(const FeatureConfig& config,
                                       const std::vector<std::string>& cells) {
  std::unique_ptr<Feature> feature = make_feature(config);
  fit(*feature, cells);
  return feature;
}

inline std::vector<float> floats(const Feature& feature, const std::string& text) {
  std::vector<float> out(feature.layout().columns.size(), -77.0F);
  FeatureScratch scratch;
  feature.encode(cell_at({text}, 0), {out, {}}, scratch);
  return out;
}

inline std::vector<int32_t> ids(const Feature& feature, const std::string& text) {
  std::vector<int32_t> out(static_cast<size_t>(feature.layout().ids), -77);
  FeatureScratch scratch;
  feature.encode(cell_at({text}, 0), {{}, out}, scratch);
  return out;
}

/// The feature through its stored state.
inline std::unique_ptr<Feature> stored(const Feature& feature) {
  const Json state = parse_json(dump_json(feature.state()), "state");
  return load_feature(feature.config(), state, "features.json");
}

}  // namespace ingot::data::samples
