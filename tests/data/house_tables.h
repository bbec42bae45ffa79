// SPDX-License-Identifier: Apache-2.0
// A table of houses and a recipe's words for it, for the tests of what becomes of its rows.
#pragma once

#include <memory>
#include <string>

#include "data/table_examples.h"
#include "data/temp_folder.h"

namespace ingot::data {

class HouseTables : public ::testing::Test {
 protected:
  static std::string table(int rows) {
    std::string csv = "area,city,price\n";
    for (int i = 0; i < rows; ++i) {
      csv += std::to_string(50 + i) + (i % 2 == 0 ? ",Oslo," : ",Rome,") +
             std::to_string(1000 * (50 + i)) + "\n";
    }
    return csv;
  }
  TableConfig config(const std::string& csv) {
    TableConfig c;
    c.path = folder_.put("houses.csv", csv);
    c.target.column = "price";
    c.target.unit = 1000;
    return c;
  }
  /// The plain mean of the target per street.
  static FeatureConfig street_means() {
    FeatureConfig street;
    street.name = "street";
    street.kind = FeatureKind::kCategory;
    street.encode = CategoryEncode::kTarget;
    street.smoothing = 0;
    return street;
  }
  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = real_files();
};

}  // namespace ingot::data
