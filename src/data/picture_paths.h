// SPDX-License-Identifier: Apache-2.0
// Paths of pictures in a table that is written into another folder. A cell names its picture
// relative to the folder of its table (formats/table.h), so the cell of the new table has to be
// another one. Columns that are no pictures to training are left alone, whatever their cells end
// in. Pictures that are cells themselves are no paths. Called by table_files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/table_examples.h"

namespace ingot::data {

struct PictureColumns {
  std::vector<std::string> names;
  std::vector<std::string> missing;  ///< texts that are no path
};

/// The columns that are of kind image, be it by table.features, by table.infer.kinds, by the schema
/// file or by what they hold; not the target. Cost: a pass over the table where its first rows
/// allow for such a column. Throws as infer_schema, but for a table without rows.
[[nodiscard]] PictureColumns find_picture_columns(const TableConfig& config, TableReader& table);

class PicturePaths {
 public:
  /// From the rows of `table`, which must outlive it, to a table in `folder`.
  PicturePaths(const TableReader& table, const PictureColumns& columns, std::string folder);
  /// Of the row that the table gave last: each relative path leads to the same file from the new
  /// folder. The cells stay valid until the next call.
  void move(std::vector<std::string_view>& cells);

 private:
  [[nodiscard]] std::string from_new_folder(const std::string& path);

  RowFolder row_folder_;
  std::string folder_;
  std::vector<std::string> missing_;
  std::vector<size_t> places_;      // of the columns in a row
  std::vector<std::string> moved_;  // [places_]
  std::string old_, way_;           // a folder, and the way to it from the new one
};

}  // namespace ingot::data
