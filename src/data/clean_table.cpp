// SPDX-License-Identifier: Apache-2.0
#include "data/clean_table.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/schema.h"

namespace ingot::data {
namespace {

constexpr size_t kExamples = 5;
constexpr uint64_t kNone = ~uint64_t{0};  // no row

/// Two rows with equal hashes are taken as equal: among 100 million rows, one in 4,000 tables has
/// such a pair by chance.
uint64_t row_hash(const std::vector<std::string_view>& cells) {
  uint64_t hash = cells.size();
  for (const std::string_view cell : cells) hash = hash64(cell, hash);
  return hash;
}

}  // namespace

void check(const TableCleanConfig& config) {
  require(config.max_missing >= 0 && config.max_missing <= 1, Code::kInvalidArgument,
          "clean: table.clean.max_missing is {}, it must be in [0, 1]; 1 keeps every row",
          config.max_missing);
  for (const ColumnRange& range : config.ranges) {
    require(range.low || range.high, Code::kInvalidArgument,
            "clean: the range of \"{}\" in table.clean.ranges has neither low nor high",
            range.column);
    require(!range.low || !range.high || *range.low <= *range.high, Code::kInvalidArgument,
            "clean: the range of \"{}\" in table.clean.ranges goes from {} down to {}",
            range.column, range.low.value_or(0), range.high.value_or(0));
  }
}

bool cleans(const TableCleanConfig& config) {
  return config.duplicates == Duplicates::kDrop || !config.required.empty() ||
         config.max_missing < 1 || !config.ranges.empty();
}

CleanTable::CleanTable(std::unique_ptr<TableReader> table, TableCleanConfig config,
                       std::vector<std::string> missing, SortSpace space)
    : table_(std::move(table)),
      config_(std::move(config)),
      missing_(std::move(missing)),
      space_(std::move(space)) {
  check(config_);
  for (const std::string& name : config_.required) required_.push_back(position(name, "required"));
  for (const ColumnRange& range : config_.ranges) {
    ranges_.push_back(position(range.column, "ranges"));
  }
  seen_.resize(ranges_.size());
}

size_t CleanTable::position(const std::string& column, const char* key) const {
  const std::vector<std::string>& names = table_->columns();
  const auto at = std::find(names.begin(), names.end(), column);
  require(at != names.end(), Code::kInvalidArgument,
          "clean: table.clean.{} names the column \"{}\", which \"{}\" does not have.{}", key,
          column, table_->name(), did_you_mean(column, names));
  return static_cast<size_t>(at - names.begin());
}

bool CleanTable::next(std::vector<std::string_view>& cells) {
  if (config_.duplicates == Duplicates::kDrop && !duplicates_) find_duplicates();
  while (table_->next(cells)) {
    const auto row = static_cast<uint64_t>(counts_.rows++);
    if (!keeps(cells)) continue;
    if (row != next_duplicate_[0]) return true;
    ++counts_.duplicates;
    note("equals an earlier row");
    next_duplicate();
  }
  require_numbers();
  require_any();
  return false;
}

/// A range of a column of texts would do nothing.
void CleanTable::require_numbers() const {
  for (size_t i = 0; i < ranges_.size(); ++i) {
    const Seen& seen = seen_[i];
    require(
        seen.has_number || seen.text.empty(), Code::kInvalidArgument,
        "clean: table.clean.ranges names the column \"{}\" of \"{}\", which holds no number (line "
        "{}: \"{}\"); take it out of table.clean.ranges, or name a column of numbers",
        config_.ranges[i].column, name(), seen.line, seen.text);
  }
}

/// Of equal rows one stays, so that these alone never leave out all.
void CleanTable::require_any() const {
  if (counts_.kept() > 0 || counts_.rows == 0) return;
  std::vector<std::string> keys;
  if (counts_.required > 0) keys.emplace_back("table.clean.required=[]");
  if (counts_.missing > 0) keys.emplace_back("table.clean.max_missing=1");
  if (counts_.range > 0) keys.emplace_back("table.clean.ranges=[]");
  fail(Code::kInvalidArgument, "clean: \"{}\": {}; {} {} them", name(), counts_.text(),
       join(keys, " and "), keys.size() == 1 ? "keeps" : "keep");
}

/// Sorted by their hashes and then by their numbers, the first of equal rows is the one that stays.
void CleanTable::find_duplicates() {
  ExternalSort<2> rows(space_);  // hash, number
  std::vector<std::string_view> cells;
  table_->rewind();
  for (uint64_t row = 0; table_->next(cells); ++row) {
    if (keeps(cells)) rows.add({row_hash(cells), row});
  }
  rows.sort();
  ExternalSort<1> found(space_);
  std::array<uint64_t, 2> row{};
  std::optional<uint64_t> before;
  while (rows.next(row)) {
    if (before == row[0]) found.add({row[1]});
    before = row[0];
  }
  found.sort();
  duplicates_ = std::move(found);
  rewind();
}

void CleanTable::next_duplicate() {
  if (!duplicates_ || !duplicates_->next(next_duplicate_)) next_duplicate_[0] = kNone;
}

void CleanTable::rewind() {
  table_->rewind();
  counts_ = {};
  seen_.assign(ranges_.size(), {});
  if (duplicates_) duplicates_->rewind();
  next_duplicate();
}

void CleanTable::note(const std::string& text) {
  if (counts_.examples.size() < kExamples) {
    counts_.examples.push_back(fmt::format("line {}: {}", table_->line(), text));
  }
}

bool CleanTable::keeps(const std::vector<std::string_view>& cells) {
  for (const size_t column : required_) {
    if (!is_missing(cells[column], missing_)) continue;
    ++counts_.required;
    note(fmt::format("no {}", columns()[column]));
    return false;
  }
  if (config_.max_missing < 1) {
    const auto none = std::count_if(cells.begin(), cells.end(), [&](std::string_view cell) {
      return is_missing(cell, missing_);
    });
    if (static_cast<double>(none) > config_.max_missing * static_cast<double>(cells.size())) {
      ++counts_.missing;
      note(fmt::format("{} of {} cells have no value", none, cells.size()));
      return false;
    }
  }
  if (!in_range(cells)) {
    ++counts_.range;
    return false;
  }
  return true;
}

bool CleanTable::in_range(const std::vector<std::string_view>& cells) {
  for (size_t i = 0; i < ranges_.size(); ++i) {
    const ColumnRange& range = config_.ranges[i];
    const std::string_view cell = cells[ranges_[i]];
    if (is_missing(cell, missing_)) continue;
    const std::optional<double> value = parse_number(cell);
    if (value) {
      seen_[i].has_number = true;
    } else if (!seen_[i].has_number && seen_[i].text.empty()) {
      seen_[i] = {false, table_->line(), excerpt(cell)};
    }
    if (!value) continue;
    const bool below = range.low && *value < *range.low;
    const bool above = range.high && *value > *range.high;
    if (!below && !above) continue;
    note(fmt::format("{} is {}, {} {}", range.column, *value, below ? "below" : "above",
                     below ? *range.low : *range.high));
    return false;
  }
  return true;
}

Json CleanCounts::to_json() const {
  return Json{{"rows", rows},        {"kept", kept()}, {"required", required},
              {"missing", missing},  {"range", range}, {"duplicates", duplicates},
              {"examples", examples}};
}

std::string CleanCounts::text() const {
  std::string out = fmt::format("{} of {} rows stay", with_thousands(kept()), with_thousands(rows));
  const auto part = [&out](int64_t count, std::string_view what) {
    if (count > 0) out += fmt::format("; {} {}", with_thousands(count), what);
  };
  part(required, "lack a value that is required");
  part(missing, "lack too many values");
  part(range, "hold a number out of range");
  part(duplicates, "equal an earlier row");
  if (!examples.empty()) out += " (" + examples.front() + ")";
  return out;
}

}  // namespace ingot::data
