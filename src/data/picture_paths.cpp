// SPDX-License-Identifier: Apache-2.0
#include "data/picture_paths.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/text.h"

namespace ingot::data {
namespace {

constexpr int64_t kProbedRows = 100;  // that tell whether there may be pictures at all

/// `or_unknown`: also the columns without a value so far.
PictureColumns image_columns(const TableConfig& config, TableReader& table, bool or_unknown) {
  std::optional<Schema> locked;
  if (!config.schema.empty()) {
    locked = schema_from_yaml(read_file(config.schema), config.schema);
  }
  const Schema schema = infer_schema(table, config.infer, locked ? &*locked : nullptr);
  PictureColumns found{{}, schema.missing};
  for (const ColumnSchema& column : schema.columns) {
    if (column.name == config.target.column) continue;
    const bool is_picture = feature_config(column, config.features).kind == FeatureKind::kImage;
    if (is_picture || (or_unknown && column.missing == schema.rows)) {
      found.names.push_back(column.name);
    }
  }
  return found;
}

}  // namespace

PictureColumns find_picture_columns(const TableConfig& config, TableReader& table) {
  std::vector<std::string_view> cells;
  table.rewind();
  if (!table.next(cells)) return {};
  TableConfig probe = config;
  int64_t& rows = probe.infer.max_rows;
  rows = rows == 0 ? kProbedRows : std::min(rows, kProbedRows);
  if (image_columns(probe, table, true).names.empty()) return {};
  return image_columns(config, table, false);
}

PicturePaths::PicturePaths(const TableReader& table, const PictureColumns& columns,
                           std::string folder)
    : row_folder_(table), folder_(std::move(folder)), missing_(columns.missing) {
  const std::vector<std::string>& names = table.columns();
  for (size_t i = 0; i < names.size(); ++i) {
    if (std::find(columns.names.begin(), columns.names.end(), names[i]) != columns.names.end()) {
      places_.push_back(i);
    }
  }
  moved_.resize(places_.size());
}

void PicturePaths::move(std::vector<std::string_view>& cells) {
  for (size_t i = 0; i < places_.size(); ++i) {
    std::string_view& cell = cells[places_[i]];
    const std::string path(trim(cell));
    if (path.empty() || path.starts_with('/') || is_missing(path, missing_)) continue;
    moved_[i] = from_new_folder(join_path(row_folder_.get(), path));
    cell = moved_[i];
  }
}

/// Links are followed in folders alone: the name of a picture says what it is.
std::string PicturePaths::from_new_folder(const std::string& path) {
  namespace fs = std::filesystem;
  if (std::string folder = parent_path(path); folder != old_) {
    std::error_code problem;
    const fs::path whole = fs::absolute(folder, problem);
    const fs::path start = problem ? fs::path() : fs::absolute(folder_, problem);
    if (problem) fail_system("data: the way from", folder_, problem.value());
    const fs::path way = fs::proximate(whole, start, problem);
    way_ = problem ? whole.string() : way.string();
    old_ = std::move(folder);
  }
  return (fs::path(way_) / base_name(path)).lexically_normal().string();
}

}  // namespace ingot::data
