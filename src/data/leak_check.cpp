// SPDX-License-Identifier: Apache-2.0
// Rows are kept as hashes and sorted: equal rows stand side by side, whatever their number.
#include "data/leak_check.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace ingot::data {
namespace {

constexpr size_t kLeakExamples = 5;
constexpr int kSplitShift = 62, kTableShift = 48;
constexpr uint64_t kLines = (uint64_t{1} << kTableShift) - 1;
constexpr uint64_t kOtherTable = 0x3FFF;  // tables from this number on are not told apart

/// One space for every run of white space, none at the ends.
void squeeze(std::string_view cell, std::string& out) {
  out.clear();
  bool gap = false;
  for (const char c : cell) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    if (!space && gap && !out.empty()) out += ' ';
    if (!space) out += c;
    gap = space;
  }
}

}  // namespace

uint64_t LeakCheck::number_of(std::string_view table) {
  if (!tables_.empty() && table == table_) return last_;
  table_ = table;
  last_ = static_cast<size_t>(std::find(tables_.begin(), tables_.end(), table) - tables_.begin());
  if (last_ == tables_.size() && last_ < kOtherTable) tables_.emplace_back(table);
  return last_;
}

uint64_t LeakCheck::add(std::span<const std::string_view> cells, Split split,
                        std::string_view table, int64_t line) {
  uint64_t hash = cells.size();
  for (const std::string_view cell : cells) {
    squeeze(cell, squeezed_);
    hash = hash64(squeezed_, hash);
  }
  rows_.add({hash, static_cast<uint64_t>(split) << kSplitShift | number_of(table) << kTableShift |
                       (static_cast<uint64_t>(line) & kLines)});
  return hash;
}

std::string LeakCheck::place(uint64_t packed) const {
  const size_t table = packed >> kTableShift & kOtherTable;
  return fmt::format("{} line {} ({})", table < tables_.size() ? tables_[table] : "another file",
                     static_cast<int64_t>(packed & kLines),
                     split_name(static_cast<Split>(packed >> kSplitShift)));
}

LeakReport LeakCheck::report() {
  rows_.sort();
  LeakReport report;
  report.rows = rows_.size();
  std::multimap<uint64_t, std::pair<uint64_t, uint64_t>> first;  // by table and line, the pairs
  ExternalSort<2>::Record row{};
  for (bool more = rows_.next(row); more;) {
    // Equal rows follow each other, by split: the first of them and the last are as far apart as
    // any two.
    const auto [hash, begin] = row;
    uint64_t last = begin;
    std::array<int64_t, kSplits> counts{};
    for (; more && row[0] == hash; more = rows_.next(row)) {
      last = row[1];
      counts[last >> kSplitShift] += 1;
    }
    report.duplicates += std::accumulate(counts.begin(), counts.end(), int64_t{-1});
    if (counts[0] > 0) {
      report.validation_in_train += counts[1];
      report.test_in_train += counts[2];
    }
    if (counts[1] > 0) report.test_in_validation += counts[2];
    if (begin >> kSplitShift == last >> kSplitShift) continue;
    first.emplace(last & ((uint64_t{1} << kSplitShift) - 1), std::pair(last, begin));
    if (first.size() > kLeakExamples) first.erase(std::prev(first.end()));
  }
  for (const auto& [at, pair] : first) {
    report.examples.push_back(place(pair.first) + " equals " + place(pair.second));
  }
  return report;
}

Json LeakReport::to_json() const {
  return Json{{"rows", rows},
              {"duplicates", duplicates},
              {"test_in_train", test_in_train},
              {"validation_in_train", validation_in_train},
              {"test_in_validation", test_in_validation},
              {"examples", examples}};
}

std::string LeakReport::text() const {
  if (test_in_train + validation_in_train + test_in_validation == 0) {
    return fmt::format("no row of {} stands in two splits ({} duplicates inside one)",
                       with_thousands(rows), with_thousands(duplicates));
  }
  return fmt::format(
      "{} test rows and {} validation rows also train, {} test rows also validate; first: {}",
      with_thousands(test_in_train), with_thousands(validation_in_train),
      with_thousands(test_in_validation), examples.empty() ? "" : examples.front());
}

}  // namespace ingot::data
