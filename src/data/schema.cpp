// SPDX-License-Identifier: Apache-2.0
#include "data/schema.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/core.h>

#include "base/config.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ingot::data {
namespace {

constexpr int64_t kSchemaFormat = 1;
constexpr int64_t kMaxSchema = int64_t{64} << 20;
constexpr size_t kNamedCategories = 5;  // in a message

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> names;
  for (const ColumnSchema& column : schema.columns) names.push_back(column.name);
  return names;
}

// What from_chars calls out of range is infinite, or 0 when it is too small.
double beyond_double(std::string_view text) {
  const bool negative = text.starts_with('-');
  const size_t exponent = text.find_first_of("eE");
  const bool small = exponent != text.npos ? text[exponent + 1] == '-'
                                           : text.substr(negative ? 1 : 0).starts_with('0');
  const double size = small ? 0.0 : std::numeric_limits<double>::infinity();
  return negative ? -size : size;
}

void check_categories(const ColumnSchema& locked, const ColumnSchema& found,
                      const std::string& table) {
  std::string unknown;
  size_t count = 0;
  for (const CategoryCount& category : found.values) {
    const auto at = std::lower_bound(
        locked.values.begin(), locked.values.end(), category.value,
        [](const CategoryCount& known, const std::string& value) { return known.value < value; });
    if (at != locked.values.end() && at->value == category.value) continue;
    if (++count > kNamedCategories) continue;
    unknown += fmt::format("{}\"{}\" ({} rows)", count == 1 ? "" : ", ", excerpt(category.value),
                           category.count);
  }
  require(count == 0, Code::kInvalidArgument,
          "schema: the column \"{}\" of \"{}\" holds categories that the training schema does not "
          "know ({} new beside {} known): {}{}",
          excerpt(locked.name), table, count, locked.values.size(), unknown,
          count > kNamedCategories ? ", ..." : "");
}

/// `file`: where the kind can be changed; "": nowhere.
void check_kind(const ColumnSchema& locked, const ColumnSchema& found, const std::string& table,
                const std::string& file) {
  const bool is_cured = !file.empty() && found.kind != ColumnKind::kIgnore;
  require(locked.kind == found.kind, Code::kInvalidArgument,
          "schema: the column \"{}\" is {} in the training schema but {} in \"{}\"{}{}{}",
          excerpt(locked.name), enum_name(locked.kind), enum_name(found.kind), table,
          found.note.empty() ? "" : ": ", found.note,
          is_cured ? fmt::format("; where its cells are right, set kind: {} in {}",
                                 enum_name(found.kind), file)
                   : "");
}

/// The columns of `schema` that `other` has too, in the order of `schema`.
std::vector<std::string> shared_names(const Schema& schema, const Schema& other) {
  std::vector<std::string> names = names_of(schema);
  std::erase_if(names, [&](const std::string& name) { return other.find(name) == nullptr; });
  return names;
}

void warn_of_range(const ColumnSchema& locked, const ColumnSchema& found,
                   std::vector<std::string>& warnings) {
  if (!locked.numbers || !found.numbers) return;
  const Distribution &known = *locked.numbers, &now = *found.numbers;
  if (now.min >= known.min && now.max <= known.max) return;
  warnings.push_back(fmt::format("column \"{}\": {} .. {} reaches beyond {} .. {} of training",
                                 excerpt(locked.name), now.min, now.max, known.min, known.max));
}

}  // namespace

const ColumnSchema* Schema::find(std::string_view name) const {
  const auto at = std::find_if(columns.begin(), columns.end(),
                               [&](const ColumnSchema& column) { return column.name == name; });
  return at == columns.end() ? nullptr : &*at;
}

ColumnSchema* Schema::find(std::string_view name) {
  return const_cast<ColumnSchema*>(static_cast<const Schema*>(this)->find(name));
}

const ColumnSchema& Schema::at(std::string_view name, std::string_view what) const {
  const ColumnSchema* column = find(name);
  if (column == nullptr) {
    fail(Code::kNotFound, "{}: no column \"{}\".{}", what, excerpt(name),
         did_you_mean(name, names_of(*this)));
  }
  return *column;
}

bool is_missing(std::string_view cell, std::span<const std::string> missing) {
  const std::string_view value = trim(cell);
  return std::find(missing.begin(), missing.end(), value) != missing.end();
}

std::optional<double> parse_number(std::string_view cell) {
  std::string_view text = trim(cell);
  if (text.empty()) return std::nullopt;
  if (text.front() == '+') {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end || (error != std::errc{} && error != std::errc::result_out_of_range)) {
    return std::nullopt;
  }
  if (error == std::errc::result_out_of_range) return beyond_double(text);
  return std::isnan(value) ? std::nullopt : std::optional(value);
}

std::vector<std::string> check_schema(const Schema& locked, const Schema& found,
                                      const std::string& table, const SchemaCheck& options) {
  std::vector<std::string> warnings;
  for (const ColumnSchema& column : locked.columns) {
    if (column.kind == ColumnKind::kIgnore) continue;
    const ColumnSchema* now = found.find(column.name);
    if (now == nullptr) {
      const bool may_be_absent = std::find(options.optional.begin(), options.optional.end(),
                                           column.name) != options.optional.end();
      require(may_be_absent, Code::kInvalidArgument,
              "schema: \"{}\" lacks the column \"{}\" ({} in the training schema).{}", table,
              excerpt(column.name), enum_name(column.kind),
              did_you_mean(column.name, names_of(found)));
      continue;
    }
    if (now->missing > 0 && column.missing == 0) {
      warnings.push_back(fmt::format("column \"{}\": {} of {} values are missing, none in training",
                                     excerpt(column.name), now->missing, found.rows));
    }
    if (now->distinct == 0) continue;  // nothing but missing values
    check_kind(column, *now, table, options.file);
    if (!options.new_categories) check_categories(column, *now, table);
    warn_of_range(column, *now, warnings);
  }
  for (const ColumnSchema& column : found.columns) {
    if (locked.find(column.name) != nullptr) continue;
    warnings.push_back(
        fmt::format("column \"{}\": not in the training schema, not used", excerpt(column.name)));
  }
  return warnings;
}

std::vector<std::string> column_changes(const Schema& before, const Schema& now) {
  std::vector<std::string> changes;
  for (const ColumnSchema& column : before.columns) {
    const ColumnSchema* const other = now.find(column.name);
    if (other == nullptr) {
      changes.push_back(fmt::format("\"{}\" is gone", excerpt(column.name)));
    } else if (other->kind != column.kind) {
      changes.push_back(fmt::format("\"{}\" is {}, was {}", excerpt(column.name),
                                    enum_name(other->kind), enum_name(column.kind)));
    }
  }
  for (const ColumnSchema& column : now.columns) {
    if (before.find(column.name) != nullptr) continue;
    changes.push_back(fmt::format("\"{}\" is new", excerpt(column.name)));
  }
  const std::vector<std::string> old_order = shared_names(before, now);
  const std::vector<std::string> new_order = shared_names(now, before);
  for (size_t i = 0; i < new_order.size(); ++i) {  // the same names in both
    if (old_order[i] == new_order[i]) continue;
    changes.push_back(fmt::format("the order is another, from \"{}\" on", excerpt(new_order[i])));
    break;
  }
  return changes;
}

std::string schema_to_yaml(const Schema& schema) {
  constexpr std::string_view kSilent[] = {"note: \"\"",  "form: plain",     "whole: false",
                                          "infinite: 0", "numbers: null",   "words: null",
                                          "values: []",  "characters: null"};
  std::string text =
      "# The columns of a table. The kinds are yours to edit: number, category, text, image or\n"
      "# ignore; so is the list of texts that count as missing.\n";
  const std::string all = to_yaml(schema);
  for (const std::string_view line : split(all, '\n')) {
    const std::string_view entry = trim(line);
    if (entry.empty() ||
        std::find(std::begin(kSilent), std::end(kSilent), entry) != std::end(kSilent)) {
      continue;
    }
    text += line;
    text += '\n';
  }
  return text;
}

Schema schema_from_yaml(std::string_view text, std::string_view name) {
  constexpr YamlLimits kLimits{.max_bytes = kMaxSchema, .max_values = 4'000'000};
  Schema schema;
  bind_node(parse_yaml(text, name, kLimits), name, schema);
  require(schema.format == kSchemaFormat, Code::kUnsupported,
          "schema: \"{}\" has format {}, this program reads {}; infer it again", name,
          schema.format, kSchemaFormat);
  require(!schema.columns.empty(), Code::kInvalidArgument, "schema: \"{}\" lists no columns", name);
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    auto& column = schema.columns[i];
    require(!column.name.empty(), Code::kInvalidArgument, "schema: \"{}\": column {} has no name",
            name, i + 1);
    require(schema.find(column.name) == &column, Code::kInvalidArgument,
            "schema: \"{}\" lists the column \"{}\" twice", name, excerpt(column.name));
    std::sort(column.values.begin(), column.values.end(),
              [](const CategoryCount& a, const CategoryCount& b) { return a.value < b.value; });
  }
  return schema;
}

Schema read_schema(const std::string& file) {
  return schema_from_yaml(read_file(file, kMaxSchema), file);
}

}  // namespace ingot::data
