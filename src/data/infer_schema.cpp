// SPDX-License-Identifier: Apache-2.0
// The pass over the table: every cell goes to the profile of its column (column_profile.h).
#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "data/column_profile.h"
#include "data/schema.h"

namespace ingot::data {
namespace {

constexpr int64_t kGivenCategories = 65536;  // of a column that is given as category

void check_options(const SchemaOptions& options) {
  require(options.max_categories >= 2, Code::kInvalidArgument,
          "schema: table.infer.max_categories must be 2 or more, got {}", options.max_categories);
  require(options.sample >= 100 && options.sample <= 10'000'000, Code::kInvalidArgument,
          "schema: table.infer.sample must lie in 100 .. 10000000, got {}", options.sample);
  require(options.max_rows >= 0, Code::kInvalidArgument,
          "schema: table.infer.max_rows must be 0 (all) or more, got {}", options.max_rows);
}

std::optional<ColumnKind> given_kind(const std::string& name, const SchemaOptions& options,
                                     const Schema* locked) {
  for (const ColumnChoice& choice : options.kinds) {
    if (choice.column == name) return choice.kind;
  }
  const ColumnSchema* column = locked != nullptr ? locked->find(name) : nullptr;
  return column != nullptr ? std::optional(column->kind) : std::nullopt;
}

std::vector<ColumnProfile> start_profiles(const std::vector<std::string>& columns,
                                          const SchemaOptions& options, const Schema* locked) {
  for (const ColumnChoice& choice : options.kinds) {
    require(std::find(columns.begin(), columns.end(), choice.column) != columns.end(),
            Code::kInvalidArgument,
            "schema: table.infer.kinds names the column \"{}\", which is not there.{}",
            excerpt(choice.column), did_you_mean(choice.column, columns));
  }
  std::vector<ColumnProfile> profiles;
  for (const std::string& name : columns) {
    const auto given = given_kind(name, options, locked);
    const bool is_category = given == ColumnKind::kCategory;
    profiles.emplace_back(
        static_cast<int64_t>(profiles.size()), given,
        is_category ? std::max(kGivenCategories, options.max_categories) : options.max_categories,
        options.sample);
  }
  return profiles;
}

}  // namespace

Schema infer_schema(TableReader& table, const SchemaOptions& options, const Schema* locked) {
  check_options(options);
  Schema schema;
  schema.missing = locked != nullptr ? locked->missing : options.missing;
  std::vector<ColumnProfile> profiles = start_profiles(table.columns(), options, locked);
  table.rewind();
  std::vector<std::string_view> cells;
  while ((options.max_rows == 0 || schema.rows < options.max_rows) && table.next(cells)) {
    ++schema.rows;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string_view value = trim(cells[i]);
      if (is_missing(value, schema.missing)) {
        profiles[i].add_missing();
      } else {
        profiles[i].add(value, table.line());
      }
    }
  }
  const int64_t skipped = table.skipped();
  table.rewind();
  require(
      schema.rows > 0 || skipped == 0, Code::kInvalidArgument,
      "schema: all {0} records of \"{1}\" have another number of cells than its {2} names and were "
      "left out ({3}ragged=skip); {3}ragged=error says where the first stands",
      skipped, table.name(), table.columns().size(), options.format_prefix);
  require(schema.rows > 0, Code::kCorruptFile, "schema: \"{}\" holds no records below its names",
          table.name());
  for (size_t i = 0; i < profiles.size(); ++i) {
    schema.columns.push_back(profiles[i].finish(table.columns()[i]));
  }
  return schema;
}

}  // namespace ingot::data
