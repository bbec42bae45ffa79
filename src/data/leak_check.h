// SPDX-License-Identifier: Apache-2.0
// Whether a row of held-out data also stands in the training data: counts and examples of rows with
// equal features in two splits, over any number of tables, by 64-bit hashes of the cells; how much
// white space stands between words does not count. Near duplicates are data/near_duplicates.h.
// Called by the data verbs and data/examples.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/split.h"

namespace ingot::data {

struct LeakReport {
  int64_t rows = 0;
  int64_t duplicates = 0;     ///< rows equal to an earlier one, in whatever split
  int64_t test_in_train = 0;  ///< test rows with an equal training row
  int64_t validation_in_train = 0;
  int64_t test_in_validation = 0;
  std::vector<std::string> examples;  ///< "test.csv line 7 equals train.csv line 3", at most 5

  [[nodiscard]] Json to_json() const;
  [[nodiscard]] std::string text() const;  ///< one line for people
};

/// Feed every row of every split (in any order), then report(). Give the feature cells only: equal
/// features with another target leak too. Memory: 16 bytes per row.
class LeakCheck {
 public:
  /// At most 2^14 tables, and 2^48 lines in each.
  void add(std::span<const std::string_view> cells, Split split, std::string_view table,
           int64_t line);
  [[nodiscard]] LeakReport report();

 private:
  struct Row {
    uint64_t hash = 0;
    uint64_t split : 2 = 0;
    uint64_t table : 14 = 0;
    uint64_t line : 48 = 0;
  };
  [[nodiscard]] std::string place(const Row& row) const;

  std::vector<std::string> tables_;
  std::vector<Row> rows_;
  std::string squeezed_;  // a cell on its way into the hash
};

}  // namespace ingot::data
