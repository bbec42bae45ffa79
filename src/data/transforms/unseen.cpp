// SPDX-License-Identifier: Apache-2.0
#include "data/transforms/unseen.h"

#include <fmt/format.h>

#include "base/text.h"

namespace ingot::data {

void UnseenCategories::add(std::span<const UnseenCell> cells, const std::string& file,
                           int64_t line) {
  for (const UnseenCell& cell : cells) {
    Column& column = columns_[cell.column->name];
    if (column.count++ > 0) continue;
    const std::string place = line > 0 ? fmt::format("{}, line {}", file, line) : file;
    column.first = fmt::format("\"{}\" ({})", excerpt(trim(cell.text)), place);
    column.policy = cell.column->unknown;
  }
}

std::vector<std::string> UnseenCategories::notes() const {
  std::vector<std::string> notes;
  for (const auto& [name, column] : columns_) {
    notes.push_back(fmt::format(
        "column \"{}\": {} values are no category that the model knows, the first {}; taken by "
        "unknown={}",
        excerpt(name), with_thousands(column.count), column.first, enum_name(column.policy)));
  }
  return notes;
}

}  // namespace ingot::data
