// SPDX-License-Identifier: Apache-2.0
// Categories that a model meets and does not know: a typing mistake, a new shop, a column whose
// codes were renamed since training. The policy `unknown` of the column gives them a meaning and
// the row its answer; here they are counted, so that nobody takes such answers for informed ones.
// Filled from FeatureSet::encode; told by predict, by eval and by the making of examples.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/transforms/feature_config.h"

namespace ingot::data {

/// A cell of a row that is being read: valid as long as its feature and its text.
struct UnseenCell {
  const FeatureConfig* column;
  std::string_view text;
};

/// Per column, how many there were and which came first. One per thread.
class UnseenCategories {
 public:
  /// `cells` of one row of the table `file`; line 0: none.
  void add(std::span<const UnseenCell> cells, const std::string& file, int64_t line);
  /// Per column, by name:
  ///   column "city": 3 values are no category that the model knows, the first "Olso" (new.csv,
  ///   line 7); taken by unknown=zero
  [[nodiscard]] std::vector<std::string> notes() const;

 private:
  struct Column {
    int64_t count = 0;
    std::string first;  // as it stands in messages
    Unknown policy = Unknown::kZero;
  };
  std::map<std::string, Column> columns_;
};

}  // namespace ingot::data
