// SPDX-License-Identifier: Apache-2.0
// The passes over the table; what they found as text and JSON is inspect_table_text.cpp.
#include "data/inspect_table.h"

#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/text.h"
#include "data/transforms/text_feature.h"
#include "io/image.h"

namespace ingot::data {
namespace {

constexpr double kFence = 3;          // Tukey's outer fences
constexpr size_t kSamples = 5;        // rows shown
constexpr size_t kMaxClasses = 1000;  // told apart

std::optional<Outliers> fences(const ColumnSchema& column) {
  if (!column.numbers) return std::nullopt;
  const Distribution& d = *column.numbers;
  const double reach = kFence * (d.p75 - d.p25);
  if (!(reach > 0)) return std::nullopt;
  return Outliers{d.p25 - reach, d.p75 + reach, 0, 0};
}

/// Lengths of the texts of a column, in the words that its feature would number.
class TextLengths {
 public:
  explicit TextLengths(const TextOptions& options) : splitter_(word_config(options)) {
    found_.length = options.length;
    found_.characters = options.char_level;
  }
  void add(std::string_view text) {
    const auto length = static_cast<int64_t>(splitter_(text, scratch_).size());
    found_.longest = std::max(found_.longest, length);
    found_.texts += length > found_.length ? 1 : 0;
  }
  [[nodiscard]] const Truncation& found() const { return found_; }

 private:
  text::WordSplitter splitter_;
  text::WordScratch scratch_;
  Truncation found_;
};

/// Some rows, the same for the same table: those of the smallest keyed hashes of their numbers.
class Samples {
 public:
  void add(int64_t row, int64_t line, const std::vector<std::string_view>& cells) {
    constexpr uint64_t kTag = 0x53414D504C45ULL;
    const uint64_t key = mix64(mix64(kTag) ^ static_cast<uint64_t>(row));
    if (rows_.size() == kSamples && key > rows_.rbegin()->first) return;
    SampleRow& sample = rows_[key] = {line, {}};
    for (const std::string_view cell : cells) {
      sample.cells.emplace_back(io::is_image(cell) ? "(picture)" : cell);
    }
    if (rows_.size() > kSamples) rows_.erase(std::prev(rows_.end()));
  }
  [[nodiscard]] std::vector<SampleRow> in_order() const {
    std::vector<SampleRow> rows;
    for (const auto& [key, row] : rows_) rows.push_back(row);
    std::sort(rows.begin(), rows.end(),
              [](const SampleRow& a, const SampleRow& b) { return a.line < b.line; });
    return rows;
  }

 private:
  std::map<uint64_t, SampleRow> rows_;
};

/// The last pass: what needs the schema and the split first.
class Inspection {
 public:
  Inspection(const TableConfig& config, TableReport& report) : report_(report) {
    report.findings.resize(report.schema.columns.size());
    texts_.resize(report.schema.columns.size());
    for (size_t i = 0; i < texts_.size(); ++i) {
      const ColumnSchema& column = report.schema.columns[i];
      if (column.name == report.target) continue;
      const FeatureConfig feature = feature_config(column, config.features);
      report.findings[i].outliers = fences(column);
      if (feature.kind == FeatureKind::kText && feature.text.encode == TextEncode::kIds) {
        texts_[i].emplace(feature.text);
      }
      if (feature.kind != FeatureKind::kIgnore) features_.push_back(column.name);
    }
  }

  /// Rows of the table itself count for everything, those of held-out files for leaks alone.
  void read(TableReader& table, const std::function<Split(int64_t)>& split_of, bool is_main,
            const StopFlag* stop) {
    const std::vector<size_t> features = positions(table, features_);
    const std::vector<size_t> target = positions(table, {report_.target});
    std::vector<std::string_view> cells, kept;
    table.rewind();
    for (int64_t row = 0; table.next(cells); ++row) {
      throw_if_stopped(stop);
      kept.clear();
      for (const size_t column : features) kept.push_back(cells[column]);
      leaks_.add(kept, split_of(row), table.name(), table.line());
      for (const size_t column : target) kept.push_back(cells[column]);
      rows_.add(kept, split_of(row), table.name(), table.line());
      if (!is_main) continue;
      for (size_t i = 0; i < cells.size(); ++i) add_cell(i, cells[i]);
      if (!target.empty()) add_target(cells[target[0]]);
      samples_.add(row, table.line(), cells);
    }
  }

  void finish() {
    for (size_t i = 0; i < texts_.size(); ++i) {
      if (texts_[i]) report_.findings[i].truncation = texts_[i]->found();
    }
    report_.samples = samples_.in_order();
    for (SampleRow& row : report_.samples) {
      for (std::string& cell : row.cells) {
        if (io::is_image(cell)) cell = "(pixels)";
      }
    }
    report_.leaks = leaks_.report();
    report_.conflicts = report_.leaks.duplicates - rows_.report().duplicates;
    for (const auto& [value, count] : classes_) report_.classes.push_back({value, count});
    std::stable_sort(
        report_.classes.begin(), report_.classes.end(),
        [](const CategoryCount& a, const CategoryCount& b) { return a.count > b.count; });
  }

 private:
  /// Where the names stand in a table; those that do not are left out.
  static std::vector<size_t> positions(const TableReader& table,
                                       const std::vector<std::string>& names) {
    std::vector<size_t> found;
    for (const std::string& name : names) {
      const auto at = std::find(table.columns().begin(), table.columns().end(), name);
      if (at == table.columns().end()) continue;
      found.push_back(static_cast<size_t>(at - table.columns().begin()));
    }
    return found;
  }
  void add_cell(size_t i, std::string_view cell) {
    if (is_missing(cell, report_.schema.missing)) return;
    if (texts_[i]) texts_[i]->add(cell);
    if (!report_.findings[i].outliers) return;
    const std::optional<double> value = parse_number(cell);
    if (!value) return;
    Outliers& o = *report_.findings[i].outliers;
    o.below += *value < o.low ? 1 : 0;
    o.above += *value > o.high ? 1 : 0;
  }
  void add_target(std::string_view cell) {
    if (!report_.is_class || is_missing(cell, report_.schema.missing)) return;
    const auto found = classes_.find(trim(cell));
    if (found != classes_.end()) {
      ++found->second;
    } else if (classes_.size() < kMaxClasses) {
      classes_.emplace(trim(cell), 1);
    }
  }

  TableReport& report_;
  std::vector<std::optional<TextLengths>> texts_;  // per column
  std::vector<std::string> features_;
  LeakCheck leaks_;  // equal features
  LeakCheck rows_;   // equal features and target
  Samples samples_;
  std::map<std::string, int64_t, std::less<>> classes_;
};

/// What a reader of the report should not overlook.
void add_warnings(TableReport& report) {
  const auto warn = [&](std::string text) { report.warnings.push_back(std::move(text)); };
  for (const ColumnSchema& column : report.schema.columns) {
    const std::string name = excerpt(column.name);
    if (column.missing == report.schema.rows) {
      warn(fmt::format("column \"{}\": no row has a value; it is not used", name));
    } else if (column.distinct == 1) {
      warn(fmt::format("column \"{}\": the same value in every row that has one", name));
    }
    if (column.infinite > 0) {
      warn(fmt::format("column \"{}\": {} infinite numbers", name, column.infinite));
    }
  }
  if (report.conflicts > 0) {
    warn(fmt::format("{} rows equal another in every feature but not in \"{}\"",
                     with_thousands(report.conflicts), report.target));
  }
  if (report.is_class && report.classes.size() < 2) {
    warn(fmt::format("target \"{}\": {} class; there is nothing to tell apart", report.target,
                     report.classes.size()));
  }
  if (report.target.empty()) {
    warn("no target is named (table.target.column=NAME): balance and conflicts are not known");
  }
}

void name_target(const TableConfig& config, TableReport& report) {
  report.target = config.target.column;
  if (report.target.empty()) return;
  const ColumnSchema& column = report.schema.at(report.target, "target");
  report.is_class = config.target.kind == TargetKind::kClass ||
                    (config.target.kind == TargetKind::kAuto && column.kind != ColumnKind::kNumber);
}

}  // namespace

TableReport inspect_table(const TableConfig& config, const StopFlag* stop) {
  const std::unique_ptr<CleanTable> table = open_clean_table(config);
  TableReport report;
  report.path = config.path;
  report.schema = schema_of(config, *table, report.warnings);
  name_target(config, report);
  TableSplit split;
  try {
    split = split_table(*table, config.split, config.target.column);
    report.splits = split.counts;
  } catch (const Error& error) {
    if (error.code() != Code::kInvalidArgument) throw;
    report.warnings.emplace_back(error.what());
  }
  report.split_method = enum_name(config.split.method);
  Inspection inspection(config, report);
  inspection.read(
      *table, [&](int64_t row) { return split.rows.empty() ? Split::kTrain : split.at(row); }, true,
      stop);
  report.clean = table->counts();
  const auto held_out = [&](const std::string& path, Split to) {
    if (path.empty()) return;
    inspection.read(
        *open_held_out(path, config), [to](int64_t /*row*/) { return to; }, false, stop);
  };
  held_out(config.split.validation_file, Split::kValidation);
  held_out(config.split.test_file, Split::kTest);
  inspection.finish();
  add_warnings(report);
  return report;
}

}  // namespace ingot::data
