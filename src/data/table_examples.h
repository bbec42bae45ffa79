// SPDX-License-Identifier: Apache-2.0
// From a table to examples: split the rows, fit the features on the training rows, encode every row
// once, in a stream. The fields of an example are the features' blocks and, when there is one,
// "target" (int32 class or float32 number). Also what predict and serve use, row by row.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/clean_table.h"
#include "data/examples.h"
#include "data/keep_rows.h"
#include "data/leak_check.h"
#include "data/table_split.h"
#include "data/transforms/feature_set.h"

namespace ingot::data {

inline constexpr std::string_view kTargetField = "target";

/// What a recipe says about a table that is learned from.
struct TableConfig {
  std::string path;
  TableFormat format;
  KeepConfig keep;
  SchemaOptions infer;
  std::string schema;
  TableCleanConfig clean;
  TargetConfig target;
  std::vector<FeatureConfig> features;
  TableSplitConfig split;
  /// What a sort of the rows may take, and the means of the target beside it; what stops their
  /// passes. Not of the recipe.
  SortSpace space;

  void visit(auto& field) {
    field("path", path,
          "a .csv, .tsv, .jsonl or .npy file, a folder of pictures by class, CIFAR (.bin), IDX or "
          ".npy pictures; plain, .gz or .xz; a pattern such as part_[1-4].csv takes several");
    field("format", format, "how its bytes are read");
    field("keep", keep,
          "which rows there are, also in table.split.validation_file and table.split.test_file");
    field("infer", infer, "how the kinds of columns are found");
    field("schema", schema,
          "file that fixes the columns' kinds: the data/schema.yaml of a run, edited or not");
    field("clean", clean, "rows that are left out before anything else");
    field("target", target, "what to predict");
    field("features", features, "columns that are not treated as their kind usually is");
    field("split", split, "which rows are held out");
  }
};

/// The table of a recipe: the rows that `keep` names, without those that `clean` leaves out. Throws
/// what require_table and open_table do; its passes kCancelled between rows once config.space.stop
/// is requested.
[[nodiscard]] std::unique_ptr<CleanTable> open_clean_table(const TableConfig& config);
/// A table.split.validation_file or test_file: the rows that `keep` names, none cleaned away. Not
/// every value needs a row.
[[nodiscard]] std::unique_ptr<TableReader> open_held_out(const std::string& path,
                                                         const TableConfig& config);

/// What can be known of a table before its rows are split: that it and the tables held out of it
/// are there, that its columns have a schema, a target and features. Throws what make_examples
/// would. One pass over the table.
void require_learnable(const TableConfig& config);

/// The schema of that table, with the kinds that a schema file fixes; `warnings` gets what
/// check_schema finds worth one.
[[nodiscard]] Schema schema_of(const TableConfig& config, TableReader& table,
                               std::vector<std::string>& warnings);

/// Throws kInvalidArgument for a feature of encode=target beside table.split.method=time.
void require_no_later_rows(const FeatureConfig& feature, const TableSplitConfig& split);

/// Notes about keys of encode=target that stand beside another encode and do nothing:
///   column "city": folds only counts under encode: target, here it is one_hot
[[nodiscard]] std::vector<std::string> idle_keys(std::span<const FeatureConfig> features);

/// The fields of an example; without the target when the set has none or `with_target` is false.
[[nodiscard]] ExampleLayout example_layout(const FeatureSet& features, bool with_target);

/// Cells → the bytes of a record. One per thread.
class ExampleEncoder {
 public:
  /// For the rows of a table, whose cells may be paths of pictures beside it: encode() takes the
  /// row that the table gave last. `features` and `table` must outlive it. Throws as
  /// FeatureSet::map_columns.
  /// `label_cure` ends the message about a label that training did not have.
  ExampleEncoder(const FeatureSet& features, const TableReader& table, bool with_target,
                 std::string label_cure = "Correct it or leave the row out");
  /// For rows from elsewhere, such as a request: pictures stand in the cells, no file is read.
  ExampleEncoder(const FeatureSet& features, const std::vector<std::string>& columns,
                 const std::string& table, bool with_target);

  [[nodiscard]] const ExampleLayout& layout() const { return layout_; }
  /// False: the row is to be left out, and reason() says why. record.size() ==
  /// layout().record_bytes(). training_row: as FeatureSet::encode takes it.
  bool encode(std::span<const std::string_view> cells, int64_t line, std::span<std::byte> record,
              int64_t training_row = kNotTrained);
  /// Of the row last left out: `column "photo": image: "dog/5.png": the file is empty`.
  [[nodiscard]] const std::string& reason() const { return row_.scratch.reason; }
  /// The categories of the row last given, where it was not left out, that the features do not
  /// know. Valid as long as its cells.
  [[nodiscard]] std::span<const UnseenCell> unseen() const { return row_.unseen; }
  /// Whether the row last given was left out because its target has no value.
  [[nodiscard]] bool lacks_target() const { return lacks_target_; }
  /// What the features were made from, of the row last encoded: its cells, and of pictures a digest
  /// of their pixels. What two rows must share to be duplicates. Valid until the next call.
  [[nodiscard]] std::vector<std::string_view> feature_values(
      std::span<const std::string_view> cells);

 private:
  const FeatureSet& features_;
  ExampleLayout layout_;
  ColumnMap map_;
  std::optional<RowFolder> folder_;  // of the rows of a table
  std::string table_, label_cure_;   // the same, for a label that is not known
  Record row_;
  bool with_target_;
  bool lacks_target_ = false;
  std::vector<std::string> digests_;  // per column of pictures
};

struct TableExamples {
  Schema schema;
  FitReport fit;
  std::array<int64_t, kSplits> rows{};            ///< examples written per split
  std::array<int64_t, kSplits> dropped{};         ///< rows left out by policy
  std::array<int64_t, kSplits> without_target{};  ///< of them, rows whose target has no value
  int64_t left_out = 0;  ///< rows that table.keep does not keep, of all tables
  LeakReport leaks;
  CleanCounts clean;
  std::vector<std::string> warnings;  ///< of the schema check; rows and columns left out;
                                      ///< what the examples take, from 1 GiB on
};

/// What became of the rows of a table that a fitted model is judged by.
struct HeldOutExamples {
  int64_t rows = 0;                ///< examples written
  int64_t dropped = 0;             ///< rows left out by policy
  std::vector<std::string> notes;  ///< of categories that the model does not know
};

/// The file of a split's examples below `directory`.
[[nodiscard]] std::string examples_path(const std::string& directory, Split split);

/// Reads the table (and those of table.split.validation_file and test_file) and writes train,
/// validation and test.examples (empty splits too), schema.yaml and features.json into `directory`,
/// each atomically. Memory: two bits per row, what config.space allows, and what the features keep
/// while they are fitted, such as the words of a text. Throws what the readers, the schema and the
/// features refuse, kIo for a temporary file and, before a row is written, when the rows are more
/// than the disk of `directory` has room for, kCancelled between rows.
TableExamples make_examples(FileSystem& files, const TableConfig& config,
                            const std::string& directory);

/// Writes the labelled rows of a table as examples into the file `path`, through features that were
/// fitted before. Streams. Throws what the table and the features refuse, such as a table without
/// the target's column and a class that training did not have.
HeldOutExamples encode_held_out(FileSystem& files, TableReader& table, const FeatureSet& features,
                                const std::string& path);

}  // namespace ingot::data
