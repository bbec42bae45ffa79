// SPDX-License-Identifier: Apache-2.0
// One column of a table as a transform: fitted by streaming over training rows only, then immutable
// and shared by threads. A feature fills a fixed number of float32 slots (numbers, one-hot), int32
// slots (ids for embeddings) or bytes (pictures). What a cell that is missing, unseen or no number
// does is the policy of its FeatureConfig; errors name column, line and value. One file per family
// (number_feature, category_feature, text_feature, image_feature), listed in catalog.cpp;
// feature_set.cpp is the caller.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/transforms/feature_config.h"
#include "tensor/shape.h"
#include "text/word_index.h"

namespace ingot::data {

/// Of rows: not one that was fitted on.
inline constexpr int64_t kNotTrained = -1;

/// The target of a row that is fitted on, for features that learn from it.
struct TrainingRow {
  int64_t part_key = kNotTrained;  ///< as of Cell
  int32_t label = 0;               ///< of a target of classes: its id
  double number = 0.0;             ///< of a target of numbers: what the model is trained on
};

/// A cell on its way through a transform.
struct Cell {
  std::string_view text;
  bool missing = false;  ///< by the schema's list, or a bad number taken as missing
  int64_t line = 0;      ///< of the file, for messages; 0: none
  /// Where relative paths of pictures start; empty: no file is read for this cell.
  std::string_view folder{};
  /// The texts that count as no value, for messages.
  std::span<const std::string> none{};
  /// Of a row that is fitted on: what its part is drawn from (target_means.h), >= 0.
  int64_t part_key = kNotTrained;
};

/// Where a feature writes: exactly as many slots as its layout says.
struct Slots {
  std::span<float> floats;
  std::span<int32_t> ids;
  std::span<uint8_t> pixels{};
};

/// What a fitted feature fills: float columns, ids or pixels, one of them.
struct FeatureLayout {
  std::vector<std::string> columns;  ///< names of the float32 slots: "age", "city=Oslo"
  int64_t ids = 0;                   ///< int32 slots
  int64_t id_limit = 0;              ///< every id is below: rows of an embedding
  Shape pixels{};                    ///< [height, width, channels] of bytes; rank 0: none
};

/// Buffers of one thread; keep them for the next row.
struct FeatureScratch {
  text::WordScratch words;
  std::vector<int32_t> ids;
  std::string reason;      ///< why the row that was left out last was
  bool is_unseen = false;  ///< set by a category that is not known; who reads it clears it
};

class Target;

class Feature {
 public:
  virtual ~Feature() = default;
  Feature(const Feature&) = delete;
  Feature& operator=(const Feature&) = delete;

  /// Fitting: every training cell, then finish_pass(), and once more while that says true.
  virtual void add(const Cell& cell) = 0;
  /// true: give all cells again. Notes worth a warning are appended, as "column: text". Throws
  /// kInvalidArgument when the cells seen allow no transform (none at all, all missing).
  [[nodiscard]] virtual bool finish_pass(std::vector<std::string>& warnings) = 0;
  /// Whether it learns from the target: after its first pass it is given the fitted one, a seed and
  /// the bytes that are left for what it keeps of it, and every cell of the next pass through
  /// add_with_target().
  [[nodiscard]] bool learns_target() const {
    return config_.kind == FeatureKind::kCategory && config_.encode == CategoryEncode::kTarget;
  }
  /// The bytes that it takes. Throws kInvalidArgument when they are more than `space`.
  virtual int64_t begin_target(const Target& /*target*/, uint64_t /*seed*/, int64_t /*space*/) {
    return 0;
  }
  virtual void add_with_target(const Cell& cell, const TrainingRow& /*row*/) { add(cell); }

  [[nodiscard]] virtual FeatureLayout layout() const = 0;
  /// Throws by policy, naming column, line and value. False: the row is to be left out, and
  /// scratch.reason says why.
  virtual bool encode(const Cell& cell, Slots slots, FeatureScratch& scratch) const = 0;
  /// What fitting found; load_feature reads it back to the bit.
  [[nodiscard]] virtual Json state() const = 0;

  /// The kind is resolved, never auto or ignore.
  [[nodiscard]] const FeatureConfig& config() const { return config_; }
  [[nodiscard]] const std::string& name() const { return config_.name; }
  /// Under missing=drop_row the caller leaves out the row before any feature sees it.
  [[nodiscard]] bool drops(const Cell& cell) const {
    return cell.missing && config_.missing == Missing::kDropRow;
  }

 protected:
  explicit Feature(FeatureConfig config, bool is_loaded = false)
      : config_(std::move(config)), is_loaded_(is_loaded) {}
  /// What a message proposes, of keys that work: `set {name: "age", missing: median} in
  /// table.features`; of a feature that came from a file, which no key changes any more, `train
  /// again with {…} in table.features`.
  [[nodiscard]] std::string advice(std::string_view keys) const;
  /// Of a cell without a value: throws under missing=error, with that advice.
  void require_missing_allowed(const Cell& cell, std::string_view keys) const;
  FeatureConfig config_;

 private:
  bool is_loaded_;
};

/// Not fitted yet. config.kind is number, category, text or image. Checks the config.
[[nodiscard]] std::unique_ptr<Feature> make_feature(const FeatureConfig& config);
/// From state(). Throws kInvalidArgument "<what>: ..." naming the member.
[[nodiscard]] std::unique_ptr<Feature> load_feature(const FeatureConfig& config, const Json& state,
                                                    std::string_view what);

/// ` (line 7)`, or nothing for line 0: for messages.
[[nodiscard]] std::string at_line(int64_t line);

}  // namespace ingot::data
