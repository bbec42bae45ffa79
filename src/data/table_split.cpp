// SPDX-License-Identifier: Apache-2.0
// Rows are dealt by thresholds on a keyed hash that is a bijection of the row's number: no two rows
// tie, so counts are exact, and no permutation of the rows is stored.
#include "data/table_split.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/schema.h"
#include "text/word_index.h"

namespace ingot::data {
namespace {

struct HeldOut {
  int64_t test = 0;
  int64_t validation = 0;
};

/// The rule of the header. `units`: rows or, for the minimum, groups.
HeldOut held_out(int64_t rows, const TableSplitConfig& config) {
  const auto part = [rows](double share) {
    if (share == 0) return int64_t{0};
    return std::max<int64_t>(
        1, static_cast<int64_t>(std::floor(static_cast<double>(rows) * share + 0.5)));
  };
  HeldOut count{part(config.test), part(config.validation)};
  const int64_t needed = 1 + (config.test > 0 ? 1 : 0) + (config.validation > 0 ? 1 : 0);
  require(rows >= needed, Code::kInvalidArgument,
          "split: the table has {} rows, {} splits need at least as many", rows, needed);
  count.test = std::min(count.test, rows - 1 - (config.validation > 0 ? 1 : 0));
  count.validation = std::min(count.validation, rows - 1 - count.test);
  return count;
}

uint64_t row_key(uint64_t seed, int64_t row) {
  constexpr uint64_t kTag = 0x53504C4954ULL;  // apart from other uses of the same seed
  return mix64(mix64(seed + kTag) ^ static_cast<uint64_t>(row));
}

/// Keys below `test` are test rows, then below `validation` validation rows.
struct Thresholds {
  uint64_t test = 0;
  uint64_t validation = 0;

  [[nodiscard]] Split split(uint64_t key) const {
    if (key < test) return Split::kTest;
    return key < validation ? Split::kValidation : Split::kTrain;
  }
};

/// count.test + count.validation < keys.size(). Reorders the keys.
Thresholds thresholds(std::vector<uint64_t>& keys, const HeldOut& count) {
  const auto smallest_after = [&keys](int64_t n) {
    std::nth_element(keys.begin(), keys.begin() + n, keys.end());
    return keys[static_cast<size_t>(n)];
  };
  const uint64_t validation = smallest_after(count.test + count.validation);
  return {smallest_after(count.test), validation};
}

/// The column of classes, groups or times: a number for every different text.
struct Column {
  std::vector<int32_t> rows;       // [rows] index into texts
  std::vector<std::string> texts;  // in the order of first appearance
  std::vector<int64_t> counts;     // rows per text
  std::vector<int64_t> lines;      // where each text stands first

  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(rows.size()); }
};

Column read_column(TableReader& table, const std::string& name) {
  const std::vector<std::string>& columns = table.columns();
  const auto at = std::find(columns.begin(), columns.end(), name);
  require(at != columns.end(), Code::kInvalidArgument, "split: \"{}\" has no column \"{}\".{}",
          table.name(), name, did_you_mean(name, columns));
  const auto position = static_cast<size_t>(at - columns.begin());
  Column column;
  text::WordMap<int32_t> ids;
  std::vector<std::string_view> cells;
  table.rewind();
  while (table.next(cells)) {
    const std::string_view value = trim(cells[position]);
    auto found = ids.find(value);
    if (found == ids.end()) {
      found = ids.emplace(value, static_cast<int32_t>(column.texts.size())).first;
      column.texts.emplace_back(value);
      column.counts.push_back(0);
      column.lines.push_back(table.line());
    }
    column.rows.push_back(found->second);
    column.counts[static_cast<size_t>(found->second)] += 1;
  }
  table.rewind();
  return column;
}

int64_t count_rows(TableReader& table) {
  std::vector<std::string_view> cells;
  int64_t rows = 0;
  table.rewind();
  while (table.next(cells)) ++rows;
  table.rewind();
  return rows;
}

std::vector<Split> split_random(int64_t rows, const TableSplitConfig& config) {
  const HeldOut count = held_out(rows, config);
  std::vector<uint64_t> keys(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) {
    keys[static_cast<size_t>(row)] = row_key(config.seed, row);
  }
  const Thresholds limits = thresholds(keys, count);
  std::vector<Split> splits(keys.size());
  for (int64_t row = 0; row < rows; ++row) {
    splits[static_cast<size_t>(row)] = limits.split(row_key(config.seed, row));
  }
  return splits;
}

/// Shares `total` out in proportion to `sizes` by largest remainder (ties: earlier classes), at
/// most `caps` each.
std::vector<int64_t> share_out(int64_t total, std::span<const int64_t> sizes,
                               std::span<const int64_t> caps) {
  const int64_t all = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  std::vector<int64_t> shares(sizes.size());
  std::vector<std::pair<int64_t, size_t>> remainders;  // negative, so that sorting puts large first
  int64_t left = total;
  for (size_t c = 0; c < sizes.size(); ++c) {
    shares[c] = std::min(total * sizes[c] / all, caps[c]);
    remainders.emplace_back(-(total * sizes[c] % all), c);
    left -= shares[c];
  }
  std::sort(remainders.begin(), remainders.end());
  for (bool gave = true; gave && left > 0;) {
    gave = false;
    for (const auto& [remainder, c] : remainders) {
      if (left == 0 || shares[c] == caps[c]) continue;
      shares[c] += 1;
      left -= 1;
      gave = true;
    }
  }
  return shares;
}

std::vector<Split> split_stratified(const Column& column, const TableSplitConfig& config) {
  const HeldOut count = held_out(column.size(), config);
  // Classes in the order of their names, so that shares do not depend on the order of rows.
  std::vector<size_t> order(column.texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return column.texts[a] < column.texts[b]; });
  std::vector<int64_t> sizes;
  std::vector<int64_t> caps;
  for (const size_t c : order) {
    sizes.push_back(column.counts[c]);
    caps.push_back(column.counts[c] - 1);
  }
  const std::vector<int64_t> test = share_out(count.test, sizes, caps);
  for (size_t c = 0; c < caps.size(); ++c) caps[c] -= test[c];
  const std::vector<int64_t> validation = share_out(count.validation, sizes, caps);
  const auto sum = [](const auto& v) { return std::accumulate(v.begin(), v.end(), int64_t{0}); };
  require((config.test == 0 || sum(test) > 0) && (config.validation == 0 || sum(validation) > 0),
          Code::kInvalidArgument,
          "split: {} classes in {} rows of column \"{}\" leave no row to hold out when one of each "
          "class trains; use method=random",
          column.texts.size(), column.size(), config.column);

  std::vector<std::vector<uint64_t>> keys(column.texts.size());
  for (int64_t row = 0; row < column.size(); ++row) {
    keys[static_cast<size_t>(column.rows[static_cast<size_t>(row)])].push_back(
        row_key(config.seed, row));
  }
  std::vector<Thresholds> limits(column.texts.size());
  for (size_t i = 0; i < order.size(); ++i) {
    limits[order[i]] = thresholds(keys[order[i]], {test[i], validation[i]});
  }
  std::vector<Split> splits(column.rows.size());
  for (int64_t row = 0; row < column.size(); ++row) {
    const auto c = static_cast<size_t>(column.rows[static_cast<size_t>(row)]);
    splits[static_cast<size_t>(row)] = limits[c].split(row_key(config.seed, row));
  }
  return splits;
}

/// Deals whole groups; `group_split` says where each went.
void fill_groups(const Column& column, std::span<const size_t> order, Split split, int64_t target,
                 int64_t reserve, std::vector<Split>& group_split) {
  int64_t filled = 0;
  auto open = std::count(group_split.begin(), group_split.end(), Split::kTrain);
  std::optional<size_t> smallest;
  for (const size_t g : order) {
    if (group_split[g] != Split::kTrain || open <= reserve) continue;
    if (!smallest || column.counts[g] < column.counts[*smallest]) smallest = g;
    if (std::abs(filled + column.counts[g] - target) >= std::abs(filled - target)) continue;
    group_split[g] = split;
    filled += column.counts[g];
    --open;
  }
  // Every group is more than twice the share: the smallest one comes nearest.
  if (filled == 0 && smallest) group_split[*smallest] = split;
}

std::vector<Split> split_groups(const Column& column, const TableSplitConfig& config,
                                std::array<int64_t, kSplits>& groups) {
  const HeldOut count = held_out(column.size(), config);
  const int64_t needed = 1 + (count.test > 0 ? 1 : 0) + (count.validation > 0 ? 1 : 0);
  require(static_cast<int64_t>(column.texts.size()) >= needed, Code::kInvalidArgument,
          "split: column \"{}\" holds {} groups, {} splits need at least as many", config.column,
          column.texts.size(), needed);
  std::vector<size_t> order(column.texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const uint64_t key_a = hash64(column.texts[a], config.seed);
    const uint64_t key_b = hash64(column.texts[b], config.seed);
    return std::tie(key_a, column.texts[a]) < std::tie(key_b, column.texts[b]);
  });
  std::vector<Split> group_split(column.texts.size(), Split::kTrain);
  if (count.test > 0) {
    fill_groups(column, order, Split::kTest, count.test, needed - 1, group_split);
  }
  if (count.validation > 0) {
    fill_groups(column, order, Split::kValidation, count.validation, 1, group_split);
  }
  for (const Split split : group_split) groups[static_cast<size_t>(split)] += 1;
  std::vector<Split> splits(column.rows.size());
  for (size_t row = 0; row < splits.size(); ++row) {
    splits[row] = group_split[static_cast<size_t>(column.rows[row])];
  }
  return splits;
}

/// Indices of the different times, latest first.
std::vector<size_t> latest_first(const Column& column, const std::string& name) {
  std::vector<double> numbers;
  for (size_t i = 0; i < column.texts.size(); ++i) {
    const std::string& text = column.texts[i];
    const std::optional<double> number = parse_number(text);
    if (number && numbers.size() == i) numbers.push_back(*number);
    const bool fits = numbers.empty() ? is_iso_time(text) : number.has_value();
    require(fits, Code::kInvalidArgument,
            "split: column \"{}\"{}: \"{}\" is no time{}; times must be numbers, or ISO 8601 "
            "(2024-12-31, 2024-12-31 23:59:59)",
            name, fmt::format(" (line {})", column.lines[i]), excerpt(text),
            numbers.empty() ? "" : " like the number before it");
  }
  std::vector<size_t> order(column.texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return numbers.empty() ? column.texts[a] > column.texts[b] : numbers[a] > numbers[b];
  });
  return order;
}

std::vector<Split> split_time(const Column& column, const TableSplitConfig& config) {
  const HeldOut count = held_out(column.size(), config);
  std::vector<Split> time_split(column.texts.size(), Split::kTrain);
  int64_t later = 0;  // rows of the times walked so far and of the present one
  std::array<int64_t, kSplits> rows{};
  for (const size_t t : latest_first(column, config.column)) {
    later += column.counts[t];
    if (later <= count.test) {
      time_split[t] = Split::kTest;
    } else if (later <= count.test + count.validation) {
      time_split[t] = Split::kValidation;
    }
    rows[static_cast<size_t>(time_split[t])] += column.counts[t];
  }
  require((count.test == 0 || rows[2] > 0) && (count.validation == 0 || rows[1] > 0),
          Code::kInvalidArgument,
          "split: rows of one time of column \"{}\" stay together and leave {} test and {} "
          "validation rows of {} and {} wanted; raise the shares or use method=random",
          config.column, rows[2], rows[1], count.test, count.validation);
  std::vector<Split> splits(column.rows.size());
  for (size_t row = 0; row < splits.size(); ++row) {
    splits[row] = time_split[static_cast<size_t>(column.rows[row])];
  }
  return splits;
}

}  // namespace

bool is_iso_time(std::string_view text) {
  constexpr std::string_view kPattern = "dddd-dd-dd";
  if (text.size() < kPattern.size()) return false;
  for (size_t i = 0; i < kPattern.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kPattern[i] == 'd' ? !digit : text[i] != kPattern[i]) return false;
  }
  return text.size() == kPattern.size() || text[kPattern.size()] == ' ' ||
         text[kPattern.size()] == 'T';
}

void check(const TableSplitConfig& config) {
  for (const auto& [key, share] :
       {std::pair{"validation", config.validation}, std::pair{"test", config.test}}) {
    require(share >= 0 && share < 1, Code::kInvalidArgument,
            "split: {} is {}, it must be in [0, 1)", key, share);
  }
  require(config.validation + config.test < 1, Code::kInvalidArgument,
          "split: validation={} and test={} leave nothing to train on", config.validation,
          config.test);
  require(config.validation == 0 || config.validation_file.empty(), Code::kInvalidArgument,
          "split: validation={} and validation_file=\"{}\" exclude each other; set validation=0",
          config.validation, config.validation_file);
  require(config.test == 0 || config.test_file.empty(), Code::kInvalidArgument,
          "split: test={} and test_file=\"{}\" exclude each other; set test=0", config.test,
          config.test_file);
  const bool named = config.method == SplitMethod::kGroup || config.method == SplitMethod::kTime;
  require(!named || !config.column.empty(), Code::kInvalidArgument,
          "split: method={} needs the column of the {}", enum_name(config.method),
          config.method == SplitMethod::kGroup ? "groups" : "times");
}

TableSplit split_table(TableReader& table, const TableSplitConfig& given, std::string_view target) {
  check(given);
  TableSplitConfig config = given;
  TableSplit result;
  if (config.method == SplitMethod::kRandom || config.test + config.validation == 0) {
    result.rows = split_random(count_rows(table), config);
  } else {
    if (config.method == SplitMethod::kStratified && config.column.empty()) config.column = target;
    require(!config.column.empty(), Code::kInvalidArgument,
            "split: method=stratified needs the column of the classes, or a target");
    const Column column = read_column(table, config.column);
    if (config.method == SplitMethod::kStratified) {
      result.rows = split_stratified(column, config);
    } else if (config.method == SplitMethod::kGroup) {
      result.rows = split_groups(column, config, result.groups);
    } else {
      result.rows = split_time(column, config);
    }
  }
  for (const Split split : result.rows) result.counts[static_cast<size_t>(split)] += 1;
  return result;
}

}  // namespace ingot::data
