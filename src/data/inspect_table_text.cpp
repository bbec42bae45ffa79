// SPDX-License-Identifier: Apache-2.0
// A table's report for people and for programs.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/config.h"
#include "base/text.h"
#include "data/inspect_table.h"

namespace ingot::data {
namespace {

constexpr size_t kNamedValues = 4;  // categories named in a line
constexpr int64_t kCellWidth = 40;  // bytes of a cell in a sample row
constexpr size_t kShownClasses = 20;

double share(int64_t part, int64_t whole) {
  return whole > 0 ? 100 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string number(double x) { return fmt::format("{:.6g}", x); }

std::string distribution_text(const Distribution& d) {
  return fmt::format("{} .. {}, median {}, mean {}, sd {}", number(d.min), number(d.max),
                     number(d.p50), number(d.mean), number(d.sd));
}

std::string categories_text(const ColumnSchema& column, int64_t rows) {
  std::vector<CategoryCount> values = column.values;
  std::stable_sort(
      values.begin(), values.end(),
      [](const CategoryCount& a, const CategoryCount& b) { return a.count > b.count; });
  std::string text;
  for (size_t i = 0; i < std::min(values.size(), kNamedValues); ++i) {
    text += fmt::format("{}{} {:.1f} %", i == 0 ? "" : ", ", excerpt(values[i].value),
                        share(values[i].count, rows));
  }
  return text + (values.size() > kNamedValues ? ", ..." : "");
}

std::string column_text(const ColumnSchema& column, const ColumnFindings& found, int64_t rows) {
  std::string text;
  if (column.numbers) text = distribution_text(*column.numbers);
  if (column.kind == ColumnKind::kCategory) text = categories_text(column, rows);
  if (column.characters) {
    text = fmt::format("characters: {}; words: {}", distribution_text(*column.characters),
                       column.words ? distribution_text(*column.words) : "");
  }
  if (found.outliers && found.outliers->below + found.outliers->above > 0) {
    const Outliers& o = *found.outliers;
    text += fmt::format("; {} far out (below {} or above {})", with_thousands(o.below + o.above),
                        number(o.low), number(o.high));
  }
  if (found.truncation && found.truncation->texts > 0) {
    const Truncation& t = *found.truncation;
    text += fmt::format(
        "; {} longer than {} {}{} lose some (text.length in table.features), the longest has {}",
        with_thousands(t.texts), t.length, t.known ? "known " : "",
        t.characters ? "characters" : "words", with_thousands(t.longest));
  }
  if (!column.note.empty()) text += (text.empty() ? "" : "; ") + column.note;
  return text;
}

std::string columns_text(const TableReport& report) {
  size_t width = 6;
  for (const ColumnSchema& column : report.schema.columns) {
    width = std::max(width, excerpt(column.name).size());
  }
  std::string text = fmt::format("  {:<{}}  {:<8}  {:>9}  {:>9}  {}\n", "column", width, "kind",
                                 "missing", "distinct", "values");
  for (size_t i = 0; i < report.schema.columns.size(); ++i) {
    const ColumnSchema& column = report.schema.columns[i];
    text += fmt::format("  {:<{}}  {:<8}  {:>9}  {:>9}  {}\n", excerpt(column.name), width,
                        enum_name(column.kind), with_thousands(column.missing),
                        with_thousands(column.distinct),
                        column_text(column, report.findings[i], report.schema.rows));
  }
  return text;
}

std::string classes_text(const TableReport& report) {
  std::string text = report.has_class_folders ? std::string("classes (the folders):")
                                              : fmt::format("classes of {}:", report.target);
  for (size_t i = 0; i < std::min(report.classes.size(), kShownClasses); ++i) {
    const CategoryCount& c = report.classes[i];
    text += fmt::format("{} {} {} ({:.1f} %)", i == 0 ? "" : ",", excerpt(c.value),
                        with_thousands(c.count), share(c.count, report.rows));
  }
  if (report.classes.size() > kShownClasses) {
    text += fmt::format(" and {} more", report.classes.size() - kShownClasses);
  }
  if (report.other_classes > 0) {
    text += fmt::format(" and {} rows of other classes", with_thousands(report.other_classes));
  }
  return text + "\n";
}

std::string samples_text(const TableReport& report) {
  std::string text = "sample rows:\n";
  for (const SampleRow& row : report.samples) {
    text += fmt::format("  line {}:", row.line);
    for (size_t i = 0; i < row.cells.size(); ++i) {
      text += (i == 0 ? " " : " | ") + excerpt(row.cells[i], kCellWidth);
    }
    text += "\n";
  }
  return text;
}

}  // namespace

std::string TableReport::text() const {
  std::string out = fmt::format("table {}: {} rows, {} columns\n", path, with_thousands(rows),
                                schema.columns.size());
  out += columns_text(*this);
  if (clean.kept() < clean.rows) out += "clean: " + clean.text() + "\n";
  if (is_class) out += classes_text(*this);
  out +=
      fmt::format("split {}: {} to train, {} to validate, {} to test\n", split_method,
                  with_thousands(splits[0]), with_thousands(splits[1]), with_thousands(splits[2]));
  if (leaks.rows > 0) {
    out += fmt::format("duplicates: {} rows equal an earlier one in every feature\n",
                       with_thousands(leaks.duplicates));
    out += "leakage: " + leaks.text() + "\n";
  }
  for (const std::string& warning : warnings) out += "note: " + warning + "\n";
  return out + samples_text(*this);
}

Json TableReport::to_json() const {
  Json columns = Json::array();
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    Json column = parse_json(ingot::to_json(schema.columns[i]), "schema");
    if (const auto& o = findings[i].outliers) {
      column["outliers"] = {
          {"low", o->low}, {"high", o->high}, {"below", o->below}, {"above", o->above}};
    }
    if (const auto& t = findings[i].truncation) {
      column["truncation"] = {{"length", t->length}, {"texts", t->texts}, {"longest", t->longest}};
    }
    columns.push_back(std::move(column));
  }
  Json balance = Json::object();
  for (const CategoryCount& c : classes) balance[c.value] = c.count;
  Json shown = Json::array();
  for (const SampleRow& row : samples) shown.push_back({{"line", row.line}, {"cells", row.cells}});
  return {{"path", path},
          {"rows", rows},
          {"schema_rows", schema.rows},
          {"columns", columns},
          {"target", target},
          {"classes", balance},
          {"other_classes", other_classes},
          {"without_target", without_target},
          {"split",
           {{"method", split_method},
            {"train", splits[0]},
            {"validation", splits[1]},
            {"test", splits[2]}}},
          {"leakage", leaks.to_json()},
          {"conflicts", conflicts},
          {"clean", clean.to_json()},
          {"warnings", warnings},
          {"samples", shown}};
}

}  // namespace ingot::data
