// SPDX-License-Identifier: Apache-2.0
#include "data/sample_pictures.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/image_grid.h"
#include "data/inspect_pictures.h"
#include "data/transforms/image_feature.h"

namespace ingot::data {
namespace {

constexpr int64_t kMostNumbers = 100;  // values of a number that may be classes
constexpr int64_t kRowsWithoutClasses = 8;

using Picked = std::map<uint64_t, int64_t>;  // hash of a row: the row

/// The rows to show, and where their pictures and classes stand.
class Picker {
 public:
  Picker(TableReader& table, const SampleOptions& options)
      : table_(table), options_(options), picture_(place_of_column(table, options.column)) {
    if (!options.classes.empty()) class_ = place_of_column(table, options.classes);
  }

  void pick(const StopFlag* stop);
  /// The pictures of every class, in the order of names().
  std::vector<std::vector<io::Image>> decode(const std::vector<std::string>& names, int64_t cell,
                                             const StopFlag* stop);
  /// Sorted.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool has_more() const { return has_more_; }

 private:
  [[nodiscard]] bool lacks(std::string_view text) const {
    return trim(text).empty() || is_missing(text, options_.missing);
  }
  [[nodiscard]] size_t per_group() const {
    return static_cast<size_t>(options_.per_class * (class_ ? 1 : kRowsWithoutClasses));
  }

  TableReader& table_;
  const SampleOptions& options_;
  size_t picture_;
  std::optional<size_t> class_;
  std::map<std::string, Picked, std::less<>> groups_;
  bool has_more_ = false;
};

void Picker::pick(const StopFlag* stop) {
  std::vector<std::string_view> cells;
  table_.rewind();
  for (int64_t row = 0; table_.next(cells); ++row) {
    throw_if_stopped(stop);
    if (lacks(cells[picture_]) || (class_ && lacks(cells[*class_]))) continue;
    const std::string_view name = class_ ? trim(cells[*class_]) : std::string_view();
    auto group = groups_.find(name);
    if (group == groups_.end()) {
      has_more_ = has_more_ || std::ssize(groups_) == options_.most_classes;
      if (std::ssize(groups_) == options_.most_classes) continue;
      group = groups_.emplace(name, Picked()).first;
    }
    Picked& picked = group->second;
    picked.emplace(mix64(static_cast<uint64_t>(row) + 1), row);  // a bijection: no two are equal
    if (picked.size() > per_group()) picked.erase(std::prev(picked.end()));
  }
}

std::vector<std::string> Picker::names() const {
  std::vector<std::string> names;
  for (const auto& [name, picked] : groups_) names.push_back(name);
  const auto is_number = [](const std::string& name) { return parse_number(name).has_value(); };
  if (std::all_of(names.begin(), names.end(), is_number)) {
    std::stable_sort(names.begin(), names.end(), [](const auto& a, const auto& b) {
      return *parse_number(a) < *parse_number(b);
    });
  }
  return names;
}

std::vector<std::vector<io::Image>> Picker::decode(const std::vector<std::string>& names,
                                                   int64_t cell, const StopFlag* stop) {
  std::map<int64_t, size_t> wanted;  // row: the place of its class
  for (size_t i = 0; i < names.size(); ++i) {
    for (const auto& [key, row] : groups_.find(names[i])->second) wanted[row] = i;
  }
  std::vector<std::vector<io::Image>> pictures(names.size());
  RowFolder folder(table_);
  std::vector<std::string_view> cells;
  table_.rewind();
  for (int64_t row = 0; !wanted.empty() && table_.next(cells); ++row) {
    throw_if_stopped(stop);
    if (row != wanted.begin()->first) continue;
    const Cell from{cells[picture_], false, table_.line(), folder.get()};
    try {
      const std::string bytes = picture_bytes(from);
      const io::Image image = io::decode_image(std::as_bytes(std::span(bytes)), picture_name(from),
                                               {0, options_.max_pixels});
      pictures[wanted.begin()->second].push_back(in_cell(image, cell));
    } catch (const Error& error) {  // inspect_pictures names what is wrong with a picture
      if (error.code() == Code::kOutOfMemory || error.code() == Code::kCancelled) throw;
    }
    wanted.erase(wanted.begin());
  }
  table_.rewind();
  return pictures;
}

}  // namespace

std::string sampled_classes(const Schema& schema, const std::string& target, bool is_class) {
  const std::string name = target.empty() ? "class" : target;
  const ColumnSchema* column = schema.find(name);
  if (column == nullptr || column->kind == ColumnKind::kImage) return {};
  const bool is_measured = column->kind == ColumnKind::kNumber && column->distinct > kMostNumbers;
  return is_class || !is_measured ? name : std::string();
}

PictureSamples sample_pictures(TableReader& table, const SampleOptions& options,
                               const StopFlag* stop) {
  GridOptions grid;
  grid.columns = options.per_class;
  Picker picker(table, options);
  picker.pick(stop);
  const std::vector<std::string> names = picker.names();
  std::vector<io::Image> shown;
  PictureSamples samples;
  for (std::vector<io::Image>& row : picker.decode(names, grid.cell, stop)) {
    samples.pictures += std::ssize(row);
    const int64_t gap = (grid.columns - std::ssize(row) % grid.columns) % grid.columns;
    const bool is_empty = row.empty();
    std::move(row.begin(), row.end(), std::back_inserter(shown));
    shown.insert(shown.end(), static_cast<size_t>(is_empty ? grid.columns : gap),
                 io::Image{1, 1, 1, {255}});
  }
  require(samples.pictures > 0, Code::kInvalidArgument,
          "inspect: \"{}\" has no picture that can be read in the column \"{}\"", table.name(),
          options.column);
  samples.grid = image_grid(shown, grid);
  samples.has_more_classes = picker.has_more();
  if (!options.classes.empty()) samples.classes = names;
  return samples;
}

}  // namespace ingot::data
