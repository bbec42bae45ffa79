// SPDX-License-Identifier: Apache-2.0
// Rows are kept as hashes and sorted: equal rows stand side by side, whatever their number.
#include "data/leak_check.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace ingot::data {
namespace {

constexpr size_t kExamples = 5;

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

void LeakCheck::add(std::span<const std::string_view> cells, Split split, std::string_view table,
                    int64_t line) {
  auto at = std::find(tables_.begin(), tables_.end(), table);
  if (at == tables_.end()) at = tables_.emplace(tables_.end(), table);
  Row row;
  row.hash = cells.size();
  for (const std::string_view cell : cells) {
    squeeze(cell, squeezed_);
    row.hash = hash64(squeezed_, row.hash);
  }
  row.split = static_cast<uint64_t>(split) & 3U;
  row.table = static_cast<uint64_t>(at - tables_.begin()) & 0x3FFFU;
  row.line = static_cast<uint64_t>(line) & 0xFFFFFFFFFFFFU;
  rows_.push_back(row);
}

std::string LeakCheck::place(const Row& row) const {
  return fmt::format("{} line {}", tables_[row.table], static_cast<int64_t>(row.line));
}

LeakReport LeakCheck::report() {
  const auto order = [](const Row& row) {
    return std::tuple(row.hash, uint64_t{row.split}, uint64_t{row.table}, uint64_t{row.line});
  };
  std::sort(rows_.begin(), rows_.end(),
            [&](const Row& a, const Row& b) { return order(a) < order(b); });
  LeakReport report;
  report.rows = static_cast<int64_t>(rows_.size());
  std::vector<std::pair<Row, Row>> pairs;  // a held-out row and the one it equals
  for (auto begin = rows_.begin(); begin != rows_.end();) {
    const auto end =
        std::find_if(begin, rows_.end(), [&](const Row& row) { return row.hash != begin->hash; });
    std::array<int64_t, kSplits> counts{};
    for (auto row = begin; row != end; ++row) counts[row->split] += 1;
    report.duplicates += end - begin - 1;
    if (counts[0] > 0) {
      report.validation_in_train += counts[1];
      report.test_in_train += counts[2];
    }
    if (counts[1] > 0) report.test_in_validation += counts[2];
    // Sorted by split: the first row and the last are as far apart as any.
    if (begin->split != (end - 1)->split) pairs.emplace_back(*(end - 1), *begin);
    begin = end;
  }
  const auto by_place = [](const auto& a, const auto& b) {
    return std::tuple(uint64_t{a.first.table}, uint64_t{a.first.line}) <
           std::tuple(uint64_t{b.first.table}, uint64_t{b.first.line});
  };
  std::sort(pairs.begin(), pairs.end(), by_place);
  for (size_t i = 0; i < std::min(pairs.size(), kExamples); ++i) {
    const auto& [held_out, other] = pairs[i];
    report.examples.push_back(fmt::format(
        "{} ({}) equals {} ({})", place(held_out), split_name(static_cast<Split>(held_out.split)),
        place(other), split_name(static_cast<Split>(other.split))));
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
