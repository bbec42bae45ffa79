// SPDX-License-Identifier: Apache-2.0
// The passes over the table; what they found as text and JSON is inspect_table_text.cpp.
#include "data/inspect_table.h"

#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/external_sort.h"
#include "data/formats/picture_table.h"
#include "data/inspect_pictures.h"
#include "io/image.h"

namespace ingot::data {
namespace {

constexpr double kFence = 3;           // Tukey's outer fences
constexpr size_t kSamples = 5;         // rows shown
constexpr int64_t kMaxClasses = 1000;  // told apart

std::optional<Outliers> fences(const ColumnSchema& column) {
  if (!column.numbers) return std::nullopt;
  const Distribution& d = *column.numbers;
  const double reach = kFence * (d.p75 - d.p25);
  if (!(reach > 0)) return std::nullopt;
  return Outliers{d.p25 - reach, d.p75 + reach, 0, 0};
}

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
  Inspection(const TableConfig& config, TableReport& report)
      : report_(report),
        drops_target_(config.target.missing == MissingTarget::kDropRow),
        leaks_(config.space),
        targets_(config.space) {
    report.findings.resize(report.schema.columns.size());
    texts_.resize(report.schema.columns.size());
    for (size_t i = 0; i < texts_.size(); ++i) {
      const ColumnSchema& column = report.schema.columns[i];
      if (column.name == report.target) continue;
      const FeatureConfig feature = feature_config(column, config.features);
      report.findings[i].outliers = fences(column);
      if (feature.kind == FeatureKind::kText && feature.text.encode == TextEncode::kIds) {
        texts_[i].emplace(feature);
      }
      if (feature.kind == FeatureKind::kImage) check(feature);
      if (feature.kind != FeatureKind::kIgnore) features_.push_back(feature);
    }
  }

  /// Shows the training rows to texts whose lengths depend on what training knows: one pass, where
  /// there are any. Before read().
  void learn_words(TableReader& table, const std::function<Split(int64_t)>& split_of,
                   const StopFlag* stop) {
    const auto must_learn = [](const auto& text) { return text && text->must_learn(); };
    if (std::none_of(texts_.begin(), texts_.end(), must_learn)) return;
    const std::optional<size_t> target = position(table, report_.target);
    const auto lacks = [&](std::string_view cell) {
      return is_missing(cell, report_.schema.missing);
    };
    std::vector<std::string_view> cells;
    table.rewind();
    for (int64_t row = 0; table.next(cells); ++row) {
      throw_if_stopped(stop);
      if (split_of(row) != Split::kTrain || (target && lacks(cells[*target]))) continue;
      for (size_t i = 0; i < cells.size(); ++i) {
        if (must_learn(texts_[i]) && !lacks(cells[i])) texts_[i]->learn(cells[i]);
      }
    }
    for (auto& text : texts_) {
      if (must_learn(text)) text->finish_learning();
    }
  }

  /// Rows of the table itself count for everything, those of held-out files for leaks alone.
  void read(TableReader& table, const std::function<Split(int64_t)>& split_of, bool is_main,
            const StopFlag* stop) {
    std::vector<std::optional<size_t>> features;  // where they stand in this table
    for (const FeatureConfig& feature : features_) {
      features.push_back(position(table, feature.name));
    }
    const std::optional<size_t> target = position(table, report_.target);
    RowFolder folder(table);
    std::vector<std::string_view> cells, kept;
    table.rewind();
    for (int64_t row = 0; table.next(cells); ++row) {
      throw_if_stopped(stop);
      const bool has_target =
          !target || !drops_target_ || !is_missing(cells[*target], report_.schema.missing);
      if (has_target &&
          keep_features(cells, features, {{}, false, table.line(), folder.get()}, kept)) {
        const uint64_t hash = leaks_.add(kept, split_of(row), table.name(), table.line());
        if (target && !is_missing(cells[*target], report_.schema.missing)) {
          targets_.add({hash, hash64(trim(cells[*target]))});
        }
      }
      if (!is_main) continue;
      ++report_.rows;
      for (size_t i = 0; i < cells.size(); ++i) add_cell(i, cells[i]);
      if (target) add_target(cells[*target]);
      samples_.add(row, table.line(), cells);
    }
  }

  [[nodiscard]] bool has_features() const { return !features_.empty(); }

  void finish() {
    for (size_t i = 0; i < texts_.size(); ++i) {
      if (texts_[i]) report_.findings[i].truncation = texts_[i]->found();
    }
    report_.samples = samples_.in_order();
    report_.leaks = leaks_.report();
    report_.conflicts = count_conflicts();
    for (const auto& [value, count] : classes_) report_.classes.push_back({value, count});
    std::stable_sort(
        report_.classes.begin(), report_.classes.end(),
        [](const CategoryCount& a, const CategoryCount& b) { return a.count > b.count; });
  }

 private:
  static std::optional<size_t> position(const TableReader& table, const std::string& name) {
    const auto at = std::find(table.columns().begin(), table.columns().end(), name);
    if (at == table.columns().end()) return std::nullopt;
    return static_cast<size_t>(at - table.columns().begin());
  }
  /// What two rows must share to be duplicates, as in training: the cells of the features, and of
  /// pictures a digest of their pixels. `row`: a cell without text. False for a row that training
  /// leaves out or refuses.
  bool keep_features(const std::vector<std::string_view>& cells,
                     const std::vector<std::optional<size_t>>& features, const Cell& row,
                     std::vector<std::string_view>& kept) {
    kept.clear();
    digests_.resize(features_.size());
    for (size_t i = 0; i < features.size(); ++i) {
      if (!features[i]) continue;
      const std::string_view text = cells[*features[i]];
      const bool is_picture = features_[i].kind == FeatureKind::kImage;
      const bool is_needed = is_picture || features_[i].missing == Missing::kDropRow;
      if (is_needed && lacks_value(text, features_[i], report_.schema.missing)) return false;
      kept.push_back(text);
      if (!is_picture) continue;
      std::optional<std::string> digest =
          picture_digest({text, false, row.line, row.folder}, features_[i].image);
      if (!digest) return false;
      digests_[i] = std::move(*digest);
      kept.back() = digests_[i];
    }
    return !features_.empty();
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
    if (is_missing(cell, report_.schema.missing)) {
      ++report_.without_target;
      return;
    }
    if (!report_.is_class) return;
    const auto found = classes_.find(trim(cell));
    if (found != classes_.end()) {
      ++found->second;
    } else if (static_cast<int64_t>(classes_.size()) < kMaxClasses) {
      classes_.emplace(trim(cell), 1);
    } else {
      ++report_.other_classes;
    }
  }

  /// Rows of equal features stand side by side, by target: all are alike if the ends are.
  int64_t count_conflicts() {
    targets_.sort();
    int64_t conflicts = 0;
    ExternalSort<2>::Record row{};
    for (bool more = targets_.next(row); more;) {
      const auto [features, first] = row;
      uint64_t last = first;
      int64_t rows = 0;
      for (; more && row[0] == features; more = targets_.next(row), ++rows) last = row[1];
      if (first != last) conflicts += rows;
    }
    return conflicts;
  }

  TableReport& report_;
  bool drops_target_;
  std::vector<std::optional<TextLengths>> texts_;  // per column
  std::vector<FeatureConfig> features_;
  std::vector<std::string> digests_;  // per feature, of pictures
  LeakCheck leaks_;                   // equal features
  ExternalSort<2> targets_;           // hashes of the features and of the target
  Samples samples_;
  std::map<std::string, int64_t, std::less<>> classes_;
};

/// What a reader of the report should not overlook.
void add_warnings(const TableConfig& config, TableReport& report, bool has_features) {
  const auto warn = [&](std::string text) { report.warnings.push_back(std::move(text)); };
  const bool is_part = report.schema.rows < report.rows;
  const std::string row_of =
      is_part ? fmt::format("row of the first {}", with_thousands(report.schema.rows)) : "row";
  if (is_part) {
    warn(fmt::format("the columns are described by the first {} of {} rows (table.infer.max_rows)",
                     with_thousands(report.schema.rows), with_thousands(report.rows)));
  }
  for (const ColumnSchema& column : report.schema.columns) {
    const std::string name = excerpt(column.name);
    if (column.missing == report.schema.rows) {
      warn(fmt::format("column \"{}\": no {} has a value; it is not used", name, row_of));
    } else if (column.distinct == 1) {
      warn(fmt::format("column \"{}\": the same value in every {} that has one", name, row_of));
    }
    if (column.infinite > 0) {
      warn(fmt::format("column \"{}\": {} infinite numbers", name, column.infinite));
    }
  }
  if (report.without_target > 0 && report.without_target == report.rows) {
    warn(
        fmt::format("target \"{}\": no row has a value; name another column: "
                    "table.target.column=NAME",
                    report.target));
  } else if (report.without_target > 0) {
    const bool is_dropped = config.target.missing == MissingTarget::kDropRow;
    warn(fmt::format("target \"{}\": {} of {} rows have no value; training {}", report.target,
                     with_thousands(report.without_target), with_thousands(report.rows),
                     is_dropped ? "leaves them out (table.target.missing=drop_row)"
                                : "refuses them: set table.target.missing=drop_row"));
  }
  if (report.conflicts > 0) {
    warn(fmt::format("{} rows have the same features as a row with another \"{}\"",
                     with_thousands(report.conflicts), report.target));
  }
  if (report.is_class && report.classes.size() < 2) {
    warn(fmt::format("target \"{}\": {} class; there is nothing to tell apart", report.target,
                     report.classes.size()));
  }
  if (report.other_classes > 0) {
    warn(fmt::format(
        "target \"{}\": more than {} classes; {} rows of those that came later are not counted",
        report.target, with_thousands(kMaxClasses), with_thousands(report.other_classes)));
  }
  if (report.leaks.rows == 0) {
    warn(
        std::string(has_features ? "no row has what its features need" : "no column is a feature") +
        ": duplicates and leaks are not known, nothing can be learned");
  }
  if (report.target.empty()) {
    warn("no target is named (table.target.column=NAME): balance and conflicts are not known");
  }
}

/// What training says of the features before it reads a row.
void warn_of_features(const TableConfig& config, TableReport& report) {
  for (const ColumnSchema& column : report.schema.columns) {
    if (column.name == config.target.column) continue;
    try {
      require_no_later_rows(feature_config(column, config.features), config.split);
    } catch (const Error& error) {
      report.warnings.emplace_back(error.what());
    }
  }
  for (std::string& note : idle_keys(config.features)) report.warnings.push_back(std::move(note));
}

void name_target(const TableConfig& config, const TableReader& table, TableReport& report) {
  const bool is_found = config.target.column.empty() && has_own_classes(table);
  report.has_class_folders = is_found && directory_exists(table.name());
  report.target = is_found ? kClassColumn : config.target.column;
  if (report.target.empty()) return;
  const ColumnSchema& column = report.schema.at(report.target, "target");
  report.is_class = is_found || config.target.kind == TargetKind::kClass ||
                    (config.target.kind == TargetKind::kAuto && column.kind != ColumnKind::kNumber);
}

}  // namespace

TableReport inspect_table(const TableConfig& config, const StopFlag* stop) {
  const std::unique_ptr<CleanTable> table = open_clean_table(config);
  TableReport report;
  report.path = config.path;
  report.schema = schema_of(config, *table, report.warnings);
  name_target(config, *table, report);
  TableSplit split;
  try {
    split = split_table(*table, config.split, config.target.column, config.space);
    report.splits = split.counts;
  } catch (const Error& error) {
    if (error.code() != Code::kInvalidArgument) throw;
    report.warnings.emplace_back(error.what());
  }
  warn_of_features(config, report);
  report.split_method = enum_name(config.split.method);
  Inspection inspection(config, report);
  const auto split_of = [&](int64_t row) {
    return split.rows.size() == 0 ? Split::kTrain : split.at(row);
  };
  inspection.learn_words(*table, split_of, stop);
  inspection.read(*table, split_of, true, stop);
  report.clean = table->counts();
  for (std::string& note : passed_over(*table, config.format.prefix)) {
    report.warnings.push_back(std::move(note));
  }
  const auto held_out = [&](const std::string& path, Split to) {
    if (path.empty()) return;
    const std::unique_ptr<TableReader> rows = open_held_out(path, config);
    inspection.read(
        *rows, [to](int64_t /*row*/) { return to; }, false, stop);
    for (const std::string& note : passed_over(*rows, config.format.prefix)) {
      report.warnings.push_back(fmt::format("{}: {}", path, note));
    }
  };
  held_out(config.split.validation_file, Split::kValidation);
  held_out(config.split.test_file, Split::kTest);
  inspection.finish();
  add_warnings(config, report, inspection.has_features());
  return report;
}

}  // namespace ingot::data
