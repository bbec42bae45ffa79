// SPDX-License-Identifier: Apache-2.0
// The column a model predicts: a class (names sorted, found in training rows) or a number with an
// optional scale and its inverse. Fitted like a feature and stored with the features. A label
// never seen in training is an error that names its line, not a new class. Called by
// feature_set.cpp, the trainers and everything that prints predictions.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_fields.h"
#include "base/json.h"
#include "data/transforms/feature.h"
#include "data/transforms/number_scale.h"

namespace ingot::data {

enum class TargetKind : uint8_t { kAuto, kClass, kNumber };
inline constexpr EnumName kTargetKindNames[] = {
    {"auto", TargetKind::kAuto}, {"class", TargetKind::kClass}, {"number", TargetKind::kNumber}};
constexpr std::span<const EnumName> enum_names(TargetKind) { return kTargetKindNames; }

enum class MissingTarget : uint8_t { kError, kDropRow };
inline constexpr EnumName kMissingTargetNames[] = {{"error", MissingTarget::kError},
                                                   {"drop_row", MissingTarget::kDropRow}};
constexpr std::span<const EnumName> enum_names(MissingTarget) { return kMissingTargetNames; }

struct TargetConfig {
  std::string column;
  TargetKind kind = TargetKind::kAuto;
  MissingTarget missing = MissingTarget::kError;
  double unit = 1;
  Scale scale = Scale::kNone;
  int64_t max_classes = 10'000;

  void visit(auto& field) {
    field("column", column, "what to predict; empty: nothing");
    field("kind", kind, "class or number; auto takes it from the schema");
    field("missing", missing, "a row without target: error, or leave the row out");
    field("unit", unit, "numbers are divided by it: 100000 for prices in 100,000 dollars");
    field("scale", scale, "numbers: what the model is trained on; predictions are scaled back");
    field("max_classes", max_classes, "with more classes it is an error, >= 2");
  }
};

/// Throws kInvalidArgument naming the key, its value and what is allowed.
void check(const TargetConfig& config);

class Target {
 public:
  /// config.kind is class or number.
  explicit Target(TargetConfig config);
  [[nodiscard]] static Target from_json(const Json& json, std::string_view what);
  [[nodiscard]] Json to_json() const;

  /// Fitting: every training cell, then finish(). Throws kInvalidArgument: no row, one class only,
  /// too many classes, a missing or unparseable target (names the line).
  void add(const Cell& cell);
  void finish(std::vector<std::string>& warnings);
  [[nodiscard]] bool drops(const Cell& cell) const {
    return cell.missing && config_.missing == MissingTarget::kDropRow;
  }
  void set_missing(MissingTarget missing) { config_.missing = missing; }

  /// Class id. Throws kInvalidArgument for a label not seen in training, naming it, its line and
  /// the known ones.
  /// `table` and `cure`, where they are given, tell where it stands and what to do.
  [[nodiscard]] int32_t encode_class(const Cell& cell, std::string_view table = {},
                                     std::string_view cure = {}) const;
  /// What the model is trained on: scale(value / unit). Throws kInvalidArgument, naming the line,
  /// where value / unit or its scaled number is beyond float32 or the scale does not take it.
  [[nodiscard]] float encode_number(const Cell& cell) const;
  /// The inverse, in multiples of unit: what metrics and predictions are given in.
  [[nodiscard]] double decode_number(double predicted) const;
  /// What a difference of numbers as trained on is multiplied with to be one of decoded numbers;
  /// nullopt where no factor does (NumberScale::spread).
  [[nodiscard]] std::optional<double> spread() const { return scale_.spread(); }
  /// value / unit of a cell, not scaled: the truth beside decode_number. Throws kInvalidArgument,
  /// naming the line, for a cell that holds no finite number.
  [[nodiscard]] double number(const Cell& cell) const;

  [[nodiscard]] const TargetConfig& config() const { return config_; }
  [[nodiscard]] bool is_class() const { return config_.kind == TargetKind::kClass; }
  /// Sorted: by value when every name is a number, else by bytes.
  [[nodiscard]] std::span<const std::string> classes() const { return classes_; }
  /// Training rows per class, in the order of classes().
  [[nodiscard]] std::span<const int64_t> class_counts() const { return class_counts_; }

 private:
  /// What a message proposes: `correct it, or <keys>`; of a target that came from a file, which no
  /// key changes any more, to correct it or to leave the row out.
  [[nodiscard]] std::string cure(std::string_view keys) const;
  [[nodiscard]] double learnable(const Cell& cell) const;
  [[nodiscard]] bool is_measured(std::string_view label) const;
  void finish_classes();

  TargetConfig config_;
  std::map<std::string, int64_t, std::less<>> counts_;  // while fitting
  std::vector<std::string> classes_;
  std::vector<int64_t> class_counts_;
  std::map<std::string, int32_t, std::less<>> ids_;
  NumberScale scale_;
  Moments moments_;
  bool is_loaded_ = false;
};

}  // namespace ingot::data
