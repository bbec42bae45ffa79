// SPDX-License-Identifier: Apache-2.0
// Rows are dealt by thresholds on a keyed hash that is a bijection of the row's number: no two rows
// tie, so counts are exact, and no permutation of the rows is stored.
#include "data/table_split.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/cell_form.h"
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
          "split: the table has {} rows, {} splits need at least as many; add rows, or set "
          "table.split.validation=0 and table.split.test=0",
          rows, needed);
  count.test = std::min(count.test, rows - 1 - (config.validation > 0 ? 1 : 0));
  count.validation = std::min(count.validation, rows - 1 - count.test);
  return count;
}

uint64_t row_key(uint64_t seed, int64_t row) {
  constexpr uint64_t kTag = 0x53504C4954ULL;  // apart from other uses of the same seed
  return mix64(mix64(seed + kTag) ^ static_cast<uint64_t>(row));
}

/// The n-th smallest key (from 0) of all rows, its digits found by counting, 16 bits at a time, so
/// that no key is stored. n < rows.
uint64_t nth_key(int64_t rows, uint64_t seed, int64_t n) {
  constexpr int kDigit = 16;
  uint64_t known = 0;  // the digits above
  for (int shift = 64 - kDigit; shift >= 0; shift -= kDigit) {
    std::vector<int64_t> counts(size_t{1} << kDigit);
    for (int64_t row = 0; row < rows; ++row) {
      const uint64_t digits = row_key(seed, row) >> shift;
      if (digits >> kDigit == known) counts[digits & 0xFFFF] += 1;
    }
    uint64_t digit = 0;
    while (n >= counts[digit]) n -= counts[digit++];
    known = known << kDigit | digit;
  }
  return known;
}

/// Gives take(cell without spaces at its ends, row) of every row; returns their number.
template <class Take>
int64_t read_column(TableReader& table, const std::string& name, const Take& take) {
  const std::vector<std::string>& columns = table.columns();
  const auto at = std::find(columns.begin(), columns.end(), name);
  require(at != columns.end(), Code::kInvalidArgument, "split: \"{}\" has no column \"{}\".{}",
          table.name(), name, did_you_mean(name, columns));
  const auto position = static_cast<size_t>(at - columns.begin());
  std::vector<std::string_view> cells;
  uint64_t row = 0;
  table.rewind();
  for (; table.next(cells); ++row) take(trim(cells[position]), row);
  table.rewind();
  return static_cast<int64_t>(row);
}

int64_t count_rows(TableReader& table) {
  std::vector<std::string_view> cells;
  int64_t rows = 0;
  table.rewind();
  while (table.next(cells)) ++rows;
  table.rewind();
  return rows;
}

SplitList split_random(int64_t rows, const TableSplitConfig& config) {
  const HeldOut count = held_out(rows, config);
  const uint64_t test = nth_key(rows, config.seed, count.test);
  const uint64_t validation = nth_key(rows, config.seed, count.test + count.validation);
  SplitList splits(rows);
  for (int64_t row = 0; row < rows; ++row) {
    const uint64_t key = row_key(config.seed, row);
    if (key < validation) splits.set(row, key < test ? Split::kTest : Split::kValidation);
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

SplitList split_stratified(TableReader& table, const TableSplitConfig& config,
                           const SortSpace& space) {
  text::WordMap<size_t> ids;
  std::vector<std::string> names;
  std::vector<int64_t> rows_of;  // per class
  ExternalSort<3> keys(space);   // class, key, row
  const int64_t rows = read_column(table, config.column, [&](std::string_view name, uint64_t row) {
    auto found = ids.find(name);
    if (found == ids.end()) {
      found = ids.emplace(name, names.size()).first;
      names.emplace_back(name);
      rows_of.push_back(0);
    }
    rows_of[found->second] += 1;
    keys.add({found->second, row_key(config.seed, static_cast<int64_t>(row)), row});
  });
  const HeldOut count = held_out(rows, config);
  // Classes in the order of their names, so that shares do not depend on the order of rows.
  std::vector<size_t> order(names.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return names[a] < names[b]; });
  std::vector<int64_t> sizes;
  std::vector<int64_t> caps;
  for (const size_t c : order) {
    sizes.push_back(rows_of[c]);
    caps.push_back(rows_of[c] - 1);
  }
  const std::vector<int64_t> test = share_out(count.test, sizes, caps);
  for (size_t c = 0; c < caps.size(); ++c) caps[c] -= test[c];
  const std::vector<int64_t> validation = share_out(count.validation, sizes, caps);
  const auto sum = [](const auto& v) { return std::accumulate(v.begin(), v.end(), int64_t{0}); };
  require(
      (config.test == 0 || sum(test) > 0) && (config.validation == 0 || sum(validation) > 0),
      Code::kInvalidArgument,
      "split: {} classes in {} rows of column \"{}\" leave no row to hold out when one of each "
      "class trains; use table.split.method=random, or, where these are numbers and no classes, "
      "table.target.kind=number too",
      names.size(), rows, config.column);

  std::vector<HeldOut> left(names.size());  // per class, of its rows in the order of their keys
  for (size_t i = 0; i < order.size(); ++i) left[order[i]] = {test[i], validation[i]};
  SplitList splits(rows);
  keys.sort();
  for (ExternalSort<3>::Record key{}; keys.next(key);) {
    HeldOut& of_class = left[key[0]];
    const auto row = static_cast<int64_t>(key[2]);
    if (of_class.test > 0) {
      of_class.test -= 1;
      splits.set(row, Split::kTest);
    } else if (of_class.validation > 0) {
      of_class.validation -= 1;
      splits.set(row, Split::kValidation);
    }
  }
  return splits;
}

/// Rows by the hashes of their groups: {hash, row}. Calls use(group, its rows) for one group after
/// the other; their order is that of the hashes and their numbers count from 0.
template <class Use>
void for_groups(ExternalSort<2>& rows, const Use& use) {
  rows.rewind();
  ExternalSort<2>::Record row{};
  int64_t group = 0;
  for (bool more = rows.next(row); more; ++group) {
    const uint64_t hash = row[0];
    int64_t count = 0;
    for (; more && row[0] == hash; more = rows.next(row)) ++count;
    use(group, count);
  }
}

/// Deals whole groups; `groups` says where each went.
void fill_groups(ExternalSort<2>& rows, Split split, int64_t target, int64_t reserve,
                 SplitList& groups) {
  int64_t filled = 0;
  std::optional<std::pair<int64_t, int64_t>> smallest;  // rows, group
  for_groups(rows, [&](int64_t group, int64_t count) {
    if (groups.at(group) != Split::kTrain || groups.counts()[0] <= reserve) return;
    if (!smallest || count < smallest->first) smallest.emplace(count, group);
    if (std::abs(filled + count - target) >= std::abs(filled - target)) return;
    groups.set(group, split);
    filled += count;
  });
  // Every group is more than twice the share: the smallest one comes nearest.
  if (filled == 0 && smallest) groups.set(smallest->second, split);
}

SplitList split_groups(TableReader& table, const TableSplitConfig& config, const SortSpace& space,
                       std::array<int64_t, kSplits>& group_counts) {
  ExternalSort<2> hashes(space);
  const int64_t rows = read_column(table, config.column, [&](std::string_view name, uint64_t row) {
    hashes.add({hash64(name, config.seed), row});
  });
  hashes.sort();
  int64_t all = 0;
  for_groups(hashes, [&](int64_t /*group*/, int64_t /*count*/) { ++all; });
  const HeldOut count = held_out(rows, config);
  const int64_t needed = 1 + (count.test > 0 ? 1 : 0) + (count.validation > 0 ? 1 : 0);
  require(all >= needed, Code::kInvalidArgument,
          "split: column \"{}\" holds {} groups, {} splits need at least as many; set "
          "table.split.validation=0 and table.split.test=0, or table.split.method=random",
          config.column, all, needed);
  SplitList groups(all);
  if (count.test > 0) fill_groups(hashes, Split::kTest, count.test, needed - 1, groups);
  if (count.validation > 0) fill_groups(hashes, Split::kValidation, count.validation, 1, groups);
  group_counts = groups.counts();

  SplitList splits(rows);
  hashes.rewind();
  ExternalSort<2>::Record row{};
  uint64_t before = 0;
  int64_t group = -1;
  while (hashes.next(row)) {
    if (group < 0 || row[0] != before) ++group;
    before = row[0];
    splits.set(static_cast<int64_t>(row[1]), groups.at(group));
  }
  return splits;
}

/// Words that are ordered as the times are.
using TimeKey = std::array<uint64_t, 4>;

TimeKey key_of_number(double time) {
  const auto bits = std::bit_cast<uint64_t>(time + 0.0);  // -0 is 0
  constexpr uint64_t kSign = uint64_t{1} << 63;
  return {(bits & kSign) != 0 ? ~bits : bits | kSign, 0, 0, 0};
}

/// Its bytes without the separators of the date and the one behind it, which may be a space or T.
TimeKey key_of_iso(std::string_view text) {
  TimeKey key{};
  size_t at = 0;
  const auto put = [&](std::string_view part) {
    for (const char c : part) {
      key[at / 8] |= uint64_t{static_cast<unsigned char>(c)} << (56 - 8 * (at % 8));
      ++at;
    }
  };
  put(text.substr(0, 4));
  put(text.substr(5, 2));
  put(text.substr(8, 2));
  if (text.size() > kIsoDate.size()) put(text.substr(kIsoDate.size() + 1));
  return key;
}

SplitList split_time(TableReader& table, const TableSplitConfig& config, const SortSpace& space) {
  ExternalSort<5> times(space);  // time, row
  bool numbers = false;
  const int64_t rows = read_column(table, config.column, [&](std::string_view text, uint64_t row) {
    const std::optional<double> number = parse_number(text);
    if (row == 0) numbers = number.has_value();
    require(numbers ? number.has_value() : is_iso_time(text), Code::kInvalidArgument,
            "split: column \"{}\" (line {}): \"{}\" is no time{}; times must be numbers, or ISO "
            "8601 (2024-12-31, 2024-12-31 23:59:59)",
            config.column, table.line(), excerpt(text),
            numbers ? " like the number before it" : "");
    const TimeKey key = numbers ? key_of_number(*number) : key_of_iso(text);
    times.add({key[0], key[1], key[2], key[3], row});
  });
  const HeldOut count = held_out(rows, config);
  SplitList splits(rows);
  times.sort();
  TimeKey before{};
  Split split = Split::kTrain;
  ExternalSort<5>::Record time{};
  for (int64_t at = 0; times.next(time); ++at) {
    const TimeKey key{time[0], time[1], time[2], time[3]};
    if (at == 0 || key != before) {
      const int64_t later = rows - at;  // rows of this time and of those after it
      split = later <= count.test                      ? Split::kTest
              : later <= count.test + count.validation ? Split::kValidation
                                                       : Split::kTrain;
    }
    before = key;
    splits.set(static_cast<int64_t>(time[4]), split);
  }
  const auto& [train, validation, test] = splits.counts();
  require((count.test == 0 || test > 0) && (count.validation == 0 || validation > 0),
          Code::kInvalidArgument,
          "split: rows of one time of column \"{}\" stay together and leave {} test and {} "
          "validation rows of {} and {} wanted; raise the shares (table.split.validation, "
          "table.split.test) or use table.split.method=random",
          config.column, test, validation, count.test, count.validation);
  return splits;
}

}  // namespace

void check(const TableSplitConfig& config) {
  for (const auto& [key, share] :
       {std::pair{"validation", config.validation}, std::pair{"test", config.test}}) {
    require(share >= 0 && share < 1, Code::kInvalidArgument,
            "split: table.split.{} is {}, it must be in [0, 1)", key, share);
  }
  require(config.validation + config.test < 1, Code::kInvalidArgument,
          "split: table.split.validation={} and table.split.test={} leave nothing to train on",
          config.validation, config.test);
  require(config.validation == 0 || config.validation_file.empty(), Code::kInvalidArgument,
          "split: table.split.validation={} and table.split.validation_file=\"{}\" exclude each "
          "other; set table.split.validation=0",
          config.validation, config.validation_file);
  require(config.test == 0 || config.test_file.empty(), Code::kInvalidArgument,
          "split: table.split.test={} and table.split.test_file=\"{}\" exclude each other; set "
          "table.split.test=0",
          config.test, config.test_file);
  const bool named = config.method == SplitMethod::kGroup || config.method == SplitMethod::kTime;
  require(!named || !config.column.empty(), Code::kInvalidArgument,
          "split: table.split.method={} needs the column of the {}: set table.split.column=NAME",
          enum_name(config.method), config.method == SplitMethod::kGroup ? "groups" : "times");
}

TableSplit split_table(TableReader& table, const TableSplitConfig& given, std::string_view target,
                       const SortSpace& space) {
  check(given);
  TableSplitConfig config = given;
  TableSplit result;
  if (config.method == SplitMethod::kRandom || config.test + config.validation == 0) {
    result.rows = split_random(count_rows(table), config);
  } else {
    if (config.method == SplitMethod::kStratified && config.column.empty()) config.column = target;
    require(!config.column.empty(), Code::kInvalidArgument,
            "split: table.split.method=stratified needs the column of the classes: set "
            "table.split.column=NAME or table.target.column=NAME");
    if (config.method == SplitMethod::kStratified) {
      result.rows = split_stratified(table, config, space);
    } else if (config.method == SplitMethod::kGroup) {
      result.rows = split_groups(table, config, space, result.groups);
    } else {
      result.rows = split_time(table, config, space);
    }
  }
  result.counts = result.rows.counts();
  return result;
}

}  // namespace ingot::data
