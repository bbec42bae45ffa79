// SPDX-License-Identifier: Apache-2.0
// From a table to examples: split the rows, fit the features on the training rows, encode every row
// once, in a stream. The fields of an example are the features' blocks and, when there is one,
// "target" (int32 class or float32 number). Also what predict and serve use, row by row.
#pragma once

#include <array>
#include <string>

#include "data/examples.h"
#include "data/leak_check.h"
#include "data/table_split.h"
#include "data/transforms/feature_set.h"

namespace ingot::data {

inline constexpr std::string_view kTargetField = "target";

/// What a recipe says about a table that is learned from.
struct TableConfig {
  std::string path;
  TableFormat format;
  SchemaOptions infer;
  std::string schema;
  TargetConfig target;
  std::vector<FeatureConfig> features;
  TableSplitConfig split;

  void visit(auto& field) {
    field("path", path, ".csv, .tsv or .jsonl, plain or compressed by gzip or xz");
    field("format", format, "how its bytes are read");
    field("infer", infer, "how the kinds of columns are found");
    field("schema", schema,
          "file that fixes the columns' kinds: the data/schema.yaml of a run, edited or not");
    field("target", target, "what to predict");
    field("features", features, "columns that are not treated as their kind usually is");
    field("split", split, "which rows are held out");
  }
};

/// The fields of an example; without the target when the set has none or `with_target` is false.
[[nodiscard]] ExampleLayout example_layout(const FeatureSet& features, bool with_target);

/// Cells → the bytes of a record. One per thread.
class ExampleEncoder {
 public:
  /// `features` must outlive it. Throws as FeatureSet::map_columns.
  ExampleEncoder(const FeatureSet& features, const std::vector<std::string>& columns,
                 const std::string& table, bool with_target);

  [[nodiscard]] const ExampleLayout& layout() const { return layout_; }
  /// False: the row is to be left out. record.size() == layout().record_bytes().
  bool encode(std::span<const std::string_view> cells, int64_t line, std::span<std::byte> record);

 private:
  const FeatureSet& features_;
  ExampleLayout layout_;
  ColumnMap map_;
  Record row_;
  bool with_target_;
};

struct TableExamples {
  Schema schema;
  FitReport fit;
  std::array<int64_t, kSplits> rows{};     ///< examples written per split
  std::array<int64_t, kSplits> dropped{};  ///< rows left out by policy
  LeakReport leaks;
  std::vector<std::string> warnings;  ///< of the schema check
};

/// The file of a split's examples below `directory`.
[[nodiscard]] std::string examples_path(const std::string& directory, Split split);

/// Reads the table (and validation_file, test_file) and writes train, validation and
/// test.examples (empty splits too), schema.yaml and features.json into `directory`, each
/// atomically. Bounded memory. Throws what the readers, the schema and the features refuse.
TableExamples make_examples(FileSystem& files, const TableConfig& config,
                            const std::string& directory);

}  // namespace ingot::data
