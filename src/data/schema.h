// SPDX-License-Identifier: Apache-2.0
// What the columns of a table hold: kind, missing values, ranges, categories, lengths. Inferred in
// one pass with bounded memory, written as YAML that a user may edit (the kinds above all), and
// locked: a model keeps the schema it was trained on, and check_schema tells how another table
// differs. Not a transform: nothing is fitted here. Called by the transforms and the data verbs.
//
// How a kind is inferred; the first rule that holds decides, `note` says why where it may surprise:
//   1. no cell has a value                                              -> ignore
//   2. every value is a number (parse_number)                           -> number; but ignore when
//      whole, starting at 0 or 1 and growing by one over 100 rows or more: a row number
//   3. every value ends as is_image_name says, or is a picture          -> image
//   4. every value is a date, or a number with commas in it (CellForm)  -> ignore
//   5. at most max_categories different values of at most 256 bytes,
//      each occurring twice or more on average                          -> category
//   6. two or more words, or more than 32 characters, or 5 or more characters that are not ASCII,
//      on average, and half of the characters are letters               -> text
//   7. fewer than 20 values                                             -> category
//   8. the rest: identifiers, codes of more than max_categories
//      values                                                           -> ignore
// Whole numbers that stand for classes (0, 1) are numbers until the user or the task says category.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_fields.h"
#include "data/cell_form.h"
#include "data/formats/table.h"

namespace ingot::data {

enum class ColumnKind : uint8_t { kNumber, kCategory, kText, kImage, kIgnore };
inline constexpr EnumName kColumnKindNames[] = {{"number", ColumnKind::kNumber},
                                                {"category", ColumnKind::kCategory},
                                                {"text", ColumnKind::kText},
                                                {"image", ColumnKind::kImage},
                                                {"ignore", ColumnKind::kIgnore}};
constexpr std::span<const EnumName> enum_names(ColumnKind) { return kColumnKindNames; }

/// Of numbers or lengths. Quantiles interpolate linearly between ordered values (NumPy's default);
/// exact up to SchemaOptions::sample values, beyond that from a uniform sample of as many.
struct Distribution {
  double min = 0;
  double max = 0;
  double mean = 0;
  double sd = 0;  ///< divided by the count
  double p01 = 0, p05 = 0, p25 = 0, p50 = 0, p75 = 0, p95 = 0, p99 = 0;

  friend bool operator==(const Distribution&, const Distribution&) = default;
  void visit(auto& field) {
    field("min", min, "smallest");
    field("max", max, "largest");
    field("mean", mean, "sum over count");
    field("sd", sd, "standard deviation, divided by the count");
    field("p01", p01, "1 % quantile");
    field("p05", p05, "5 % quantile");
    field("p25", p25, "lower quartile");
    field("p50", p50, "median");
    field("p75", p75, "upper quartile");
    field("p95", p95, "95 % quantile");
    field("p99", p99, "99 % quantile");
  }
};

struct CategoryCount {
  std::string value;
  int64_t count = 0;

  friend bool operator==(const CategoryCount&, const CategoryCount&) = default;
  void visit(auto& field) {
    field("value", value, "text of the cell, without spaces at its ends");
    field("count", count, "rows that hold it");
  }
};

struct ColumnSchema {
  std::string name;
  ColumnKind kind = ColumnKind::kIgnore;
  int64_t missing = 0;
  int64_t distinct = 0;  ///< different values; exact below 4,096, an estimate within 5 % from there
  CellForm form = CellForm::kPlain;
  bool whole = false;                      ///< number: no value has a fraction
  int64_t infinite = 0;                    ///< number: infinities, in no figure of `numbers`
  std::string note;                        ///< why this kind, where it may surprise; "" otherwise
  std::vector<CategoryCount> values;       ///< category: sorted by the bytes of value
  std::optional<Distribution> numbers;     ///< number
  std::optional<Distribution> characters;  ///< text: code points, spaces at the ends not counted
  std::optional<Distribution> words;       ///< text: parts between white space

  void visit(auto& field) {
    field("name", name, "column of the table");
    field("kind", kind, "number, category, text, image or ignore; yours to edit");
    field("missing", missing, "rows without a value");
    field("distinct", distinct, "different values (exact below 4,096)");
    field(
        "form", form,
        "of its cells: time (ISO 8601), date (31.12.2024), decimal_comma (1,5), thousands (1,234), "
        "nearly_number, plain");
    field("whole", whole, "numbers without a fraction");
    field("infinite", infinite, "infinite numbers");
    field("note", note, "why this kind");
    field("numbers", numbers, "numbers");
    field("characters", characters, "characters per text");
    field("words", words, "words per text");
    field("values", values, "categories");
  }
};

/// The missing values of most files: an empty cell and what pandas, R and SQL write.
[[nodiscard]] inline std::vector<std::string> default_missing() {
  return {"", "NA", "N/A", "NaN", "nan", "null", "NULL"};
}

/// Whether a cell counts as no value: equal to one of `missing` but for spaces at its ends.
[[nodiscard]] bool is_missing(std::string_view cell, std::span<const std::string> missing);

struct Schema {
  int64_t format = 1;  ///< of this file
  int64_t rows = 0;
  std::vector<std::string> missing = default_missing();
  std::vector<ColumnSchema> columns;

  /// nullptr when there is no such column.
  [[nodiscard]] const ColumnSchema* find(std::string_view name) const;
  [[nodiscard]] ColumnSchema* find(std::string_view name);
  /// Error{kNotFound} `<what>: no column "<name>". Did you mean "…"?`
  [[nodiscard]] const ColumnSchema& at(std::string_view name, std::string_view what) const;

  void visit(auto& field) {
    field("format", format, "version of this layout");
    field("rows", rows, "records of the table");
    field("missing", missing, "texts that count as no value");
    field("columns", columns, "in the order of the table");
  }
};

struct ColumnChoice {
  std::string column;
  ColumnKind kind = ColumnKind::kIgnore;
  void visit(auto& field) {
    field("column", column, "name");
    field("kind", kind, "number, category, text, image or ignore");
  }
};

struct SchemaOptions {
  std::vector<std::string> missing = default_missing();
  int64_t max_categories = 256;
  int64_t sample = 65536;
  int64_t max_rows = 0;
  std::vector<ColumnChoice> kinds;
  /// What stands before the keys of the table's format in messages, as TableFormat::prefix; not
  /// itself a key.
  std::string format_prefix = "table.format.";

  void visit(auto& field) {
    field("missing", missing, "texts that count as no value");
    field("max_categories", max_categories, "with more values a column is no category, >= 2");
    field("sample", sample, "values kept per column for quantiles, in 100 .. 10000000");
    field("max_rows", max_rows, "stop after so many rows; 0: read all");
    field("kinds", kinds, "columns whose kind is given, not inferred");
  }
};

/// A number as a cell holds it: [+-] digits [. digits] [e exponent], or inf, without regard to
/// spaces at its ends; nothing for other texts (1,5 and 0x10 and "" and nan). The point is the
/// decimal sign whatever the locale.
[[nodiscard]] std::optional<double> parse_number(std::string_view cell);

/// Reads the table from its first record (rewinds it before and after). `locked`, when given, lends
/// its kinds and its missing texts; so do options.kinds, which go first. A column given as number
/// that holds another text is inferred instead, and `note` names the text and its line. Throws
/// kInvalidArgument for a column of options.kinds that is not there or when the format left out all
/// records, kCorruptFile for a table without records. Cost: one pass; memory per column 8·sample
/// bytes and its categories.
[[nodiscard]] Schema infer_schema(TableReader& table, const SchemaOptions& options = {},
                                  const Schema* locked = nullptr);

struct SchemaCheck {
  std::vector<std::string> optional;  ///< columns that may be absent (the target, at prediction)
  bool new_categories = false;        ///< values unseen in training are let through
  std::string file = {};              ///< where kinds can be changed, for messages; "": nowhere
};

/// Error{kInvalidArgument} when `found` (the schema of a table named `table`, inferred with
/// `locked`) cannot stand in for `locked`: a column is missing, its kind changed, or it holds new
/// categories; each error names the column and both facts. Columns of kind ignore are not looked
/// at. Returns what is worth a warning: added columns, numbers outside the known range, missing
/// values where there were none.
std::vector<std::string> check_schema(const Schema& locked, const Schema& found,
                                      const std::string& table, const SchemaCheck& options = {});

/// What tells the columns of `now` from those of `before`, each as a part of a sentence; empty
/// where they have the same names, kinds and order:
///   "town" is gone / "city" is new / "size" is category, was number
///   the order is another, from "size" on
[[nodiscard]] std::vector<std::string> column_changes(const Schema& before, const Schema& now);

[[nodiscard]] std::string schema_to_yaml(const Schema& schema);
/// Errors as base/config.h's; also for two columns of one name and for another format.
[[nodiscard]] Schema schema_from_yaml(std::string_view text, std::string_view name);
/// That of a file of at most 64 MiB.
[[nodiscard]] Schema read_schema(const std::string& file);

}  // namespace ingot::data
