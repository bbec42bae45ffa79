// SPDX-License-Identifier: Apache-2.0
// Whether a row of held-out data also stands in the training data: counts and examples of rows with
// equal features in two splits, over any number of tables, by 64-bit hashes of the cells; how much
// white space stands between words does not count. The hashes are sorted outside of memory where
// there are many (external_sort.h). Near duplicates are data/near_duplicates.h. Called by
// data/inspect_table and data/table_examples.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "data/external_sort.h"
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
/// features with another target leak too. Memory: 16 bytes per row, at most those of the space.
class LeakCheck {
 public:
  explicit LeakCheck(SortSpace space = {}) : rows_(std::move(space)) {}

  /// A picture is given by a digest, not its bytes. Examples name the first 16,383 tables; lines
  /// are below 2^48. Returns the hash of the cells. Both throw kIo for a temporary file, kCancelled
  /// once the space's stop is requested.
  uint64_t add(std::span<const std::string_view> cells, Split split, std::string_view table,
               int64_t line);
  [[nodiscard]] LeakReport report();

 private:
  [[nodiscard]] uint64_t number_of(std::string_view table);
  [[nodiscard]] std::string place(uint64_t packed) const;

  std::vector<std::string> tables_;
  std::string table_;  // of the row before
  size_t last_ = 0;    // its number
  /// {hash, split · 2^62 + table · 2^48 + line}
  ExternalSort<2> rows_;
  std::string squeezed_;  // a cell on its way into the hash
};

}  // namespace ingot::data
