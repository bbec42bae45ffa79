// SPDX-License-Identifier: Apache-2.0
// All transforms of a table: made from its schema and a recipe's FeatureConfigs, fitted on the
// training rows only, then immutable, and saved inside the model ("features.json"), so that train,
// predict and serve turn the same cells into the same numbers. A row becomes one float32 block
// "table" (numbers, one-hot, bags of words, in the order of the columns), one int32 block per text
// or indexed category and one block of bytes per column of pictures, named after their columns.
// Called by data/examples, predict and serve.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "data/formats/table.h"
#include "data/schema.h"
#include "data/transforms/feature.h"
#include "data/transforms/target.h"
#include "data/transforms/unseen.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace ingot::data {

class ImageFeature;

/// The block of all float32 numbers.
inline constexpr std::string_view kTableBlock = "table";

/// Which rows (from 0, records of the table) are fitted on.
using RowFilter = std::function<bool(int64_t row)>;

/// What encode=target takes besides the rows. Whoever splits by groups hands them on.
struct MeansOptions {
  uint64_t seed = 1;  ///< of the parts of the training rows
  /// Rows with one text in this column are in one part; empty: every row is dealt by its number.
  std::string group{};
  int64_t bytes = int64_t{64} << 20;  ///< what all columns together may keep
};

struct FitReport {
  int64_t rows = 0;     ///< training rows that were used
  int64_t dropped = 0;  ///< left out: missing under drop_row
  std::vector<std::string> warnings;
};

/// One input of a model.
struct Block {
  std::string name;           ///< "table", or the column
  DType dtype = DType::kF32;  ///< as stored: float32, int32 ids, or uint8 pixels
  Shape shape;                ///< of a row: [width], or [height, width, channels]
  int64_t id_limit = 0;       ///< int32: every id is below

  /// What the network takes: pixels have become numbers when a batch is filled.
  [[nodiscard]] DType input_dtype() const { return dtype == DType::kU8 ? DType::kF32 : dtype; }
};

/// Where each column of the features stands in one table; made once per table.
struct ColumnMap {
  static constexpr int32_t kAbsent = -1;
  std::vector<int32_t> features;
  int32_t target = kAbsent;
  int32_t group = kAbsent;  ///< of MeansOptions
  int64_t columns = 0;
  /// Where relative paths of pictures start, of the row that is encoded (RowFolder). Empty:
  /// pictures must stand in the cells themselves, so that nobody reads files of a server by naming
  /// them in a request.
  std::string folder;
};

/// One encoded row and the buffers to make it; keep it for the next row. One per thread.
struct Record {
  std::vector<float> table;                  ///< [table_width]
  std::vector<std::vector<int32_t>> ids;     ///< per int32 block, in the order of blocks()
  std::vector<std::vector<uint8_t>> pixels;  ///< per uint8 block, in the order of blocks()
  std::vector<UnseenCell> unseen;  ///< of the row encoded last; valid as long as its cells
  FeatureScratch scratch;
};

/// What a recipe says of a column: its own config, else that of "*" without what does not suit the
/// column's kind, which is that of the schema unless "*" says ignore. The kind is resolved.
[[nodiscard]] FeatureConfig feature_config(const ColumnSchema& column,
                                           std::span<const FeatureConfig> configs);

/// Whether a cell holds nothing for a column: one of the texts `missing`, or a bad number where the
/// config takes it for none.
[[nodiscard]] bool lacks_value(std::string_view text, const FeatureConfig& config,
                               std::span<const std::string> missing);

class FeatureSet {
 public:
  /// Columns of kind ignore and the target's are left out. A config named "*" is what all columns
  /// without a config of their own start from; its kind is auto or ignore. Throws
  /// kInvalidArgument: a config or target for a column that is not there (with the nearest name),
  /// two for one column, a config that does not suit its kind or lacks its value, no feature left.
  FeatureSet(const Schema& schema, std::span<const FeatureConfig> configs,
             const TargetConfig& target);
  [[nodiscard]] static FeatureSet load(const std::string& path);  ///< kNotFound, kCorruptFile
  void save(FileSystem& files, const std::string& path) const;    ///< atomically
  [[nodiscard]] static FeatureSet from_json(std::string_view json, std::string_view what);
  [[nodiscard]] std::string to_json() const;

  /// Fits everything on the rows the filter lets through (all when empty), in one or more passes.
  /// Throws kInvalidArgument: no training row, no column of the groups, and what the features and
  /// the target refuse.
  FitReport fit(TableReader& table, const RowFilter& is_training = {},
                const MeansOptions& means = {});
  [[nodiscard]] bool fitted() const { return fitted_; }

  /// Throws kInvalidArgument naming every column that is missing and those that are there; more
  /// columns are fine. `need_target`: the target's column must be there too.
  [[nodiscard]] ColumnMap map_columns(std::span<const std::string> columns, std::string_view table,
                                      bool need_target) const;

  [[nodiscard]] Record make_record() const;
  /// Fills `record`; false: the row is to be left out (missing=drop_row, a broken picture), and
  /// record.scratch.reason says why. cells: all columns of the table `map` was made for.
  /// training_row: the row's number in the table that this set, and not one it was stored as, was
  /// fitted on, when it was one of the rows; without it a row that trained gets what a new one
  /// gets, under encode=target the mean of all training rows. Throws kInvalidArgument by policy,
  /// naming column, line and value.
  bool encode(std::span<const std::string_view> cells, const ColumnMap& map, int64_t line,
              Record& record, int64_t training_row = kNotTrained) const;
  /// The target's cell of the row; target() encodes it. INGOT_ASSERTs that the map has it.
  [[nodiscard]] Cell target_cell(std::span<const std::string_view> cells, const ColumnMap& map,
                                 int64_t line) const;

  /// Adds the training noise of a row of the float32 block: a pure function of (seed, epoch, row).
  void add_noise(uint64_t seed, uint64_t epoch, int64_t row, std::span<float> table) const;
  [[nodiscard]] bool has_noise() const { return has_noise_; }

  /// The float32 block first (when it has a column), then the others in column order.
  [[nodiscard]] std::span<const Block> blocks() const { return blocks_; }
  [[nodiscard]] int64_t table_width() const { return static_cast<int64_t>(columns_.size()); }
  /// Names of the float32 slots: "age", "ocean_proximity=INLAND".
  [[nodiscard]] std::span<const std::string> column_names() const { return columns_; }
  [[nodiscard]] std::span<const std::unique_ptr<Feature>> features() const { return features_; }
  /// The column of pictures of that name; nullptr when there is none.
  [[nodiscard]] const ImageFeature* find_image(std::string_view name) const;
  /// Columns of the table that are neither a feature nor the target; empty for a set that was
  /// stored by a program that did not keep them.
  [[nodiscard]] std::span<const std::string> ignored() const { return ignored_; }
  /// nullptr when there is none.
  [[nodiscard]] const Target* target() const { return target_ ? &*target_ : nullptr; }
  /// What becomes of rows without target from now on, whatever it was in training; nothing where
  /// there is no target.
  void set_missing_target(MissingTarget missing) {
    if (target_) target_->set_missing(missing);
  }

 private:
  struct Place {
    int64_t first = 0;  // slot in the float32 block
    int64_t count = 0;
    int64_t ids = -1;     // index into Record::ids
    int64_t pixels = -1;  // index into Record::pixels
  };
  FeatureSet() = default;
  struct FitPass {
    bool first = true;
    std::vector<bool> wants;  // per feature
    int64_t rows = 0;
    int64_t dropped = 0;
  };
  void fit_pass(TableReader& table, const RowFilter& is_training, FitPass& pass);
  [[nodiscard]] TrainingRow row_with_target(int64_t part_key, const Cell& target) const;
  [[nodiscard]] int64_t part_key(int64_t training_row, std::span<const std::string_view> cells,
                                 const ColumnMap& map) const;
  void set_groups(const TableReader& table, const std::string& column);
  void lay_out();
  [[nodiscard]] Cell cell_of(const Feature& feature, std::string_view text, const ColumnMap& map,
                             int64_t line) const;

  std::vector<std::string> missing_;  // texts that count as missing
  std::vector<std::unique_ptr<Feature>> features_;
  std::vector<std::string> ignored_;
  std::optional<Target> target_;
  std::string group_;  // column of MeansOptions; a stored set has forgotten it
  bool fitted_ = false;
  std::vector<Place> places_;
  std::vector<Block> blocks_;
  std::vector<std::string> columns_;
  std::vector<float> noise_;  // per float32 slot
  bool has_noise_ = false;
};

}  // namespace ingot::data
