// SPDX-License-Identifier: Apache-2.0
#include "data/formats/csv.h"

#include <map>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "base/error.h"
#include "base/text.h"
#include "data/formats/csv_sniff.h"
#include "data/formats/records.h"

namespace ingot::data {
namespace {

/// The cells as names; empty ones become column_<position>, with underscores behind it while
/// another has that name.
std::vector<std::string> names_of(const std::vector<std::string_view>& cells) {
  std::vector<std::string> names;
  for (const std::string_view cell : cells) names.emplace_back(trim(cell));
  std::set<std::string> taken(names.begin(), names.end());
  for (size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty()) continue;
    names[i] = fmt::format("column_{}", i + 1);
    while (!taken.insert(names[i]).second) names[i] += '_';
  }
  return names;
}

/// `where`: of the names, with their line.
void check_distinct(const std::vector<std::string>& names, const std::string& where,
                    const std::string& prefix) {
  std::map<std::string, size_t> positions;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto [found, is_new] = positions.emplace(names[i], i + 1);
    require(is_new, Code::kCorruptFile,
            "{0}: the column name \"{1}\" stands at {2} and {3}; rename one, or name all with "
            "{4}columns=[...] and {4}header=yes; if the line is a row and no header, set "
            "{4}header=no",
            where, excerpt(names[i]), found->second, i + 1, prefix);
  }
}

class CsvReader final : public TableReader {
 public:
  CsvReader(std::unique_ptr<io::ByteSource> source, const char* verb, const CsvLayout& layout,
            const TableFormat& format)
      : verb_(verb),
        has_header_(layout.has_header),
        skip_ragged_(format.ragged == RaggedRows::kSkip),
        gives_ragged_(format.gives_ragged),
        prefix_(format.prefix),
        records_(std::move(source), verb, layout.records) {
    const std::string where = fmt::format("{}: \"{}\"", verb_, name());
    std::vector<std::string_view> cells;
    while (records_.next(cells) && records_.is_blank_line()) {
    }
    require(!cells.empty(), Code::kCorruptFile, "{}: the file holds nothing but empty lines",
            where);
    require(format.columns.empty() || format.columns.size() == cells.size(), Code::kInvalidArgument,
            "{}: {}columns=[...] gives {} names, line {} has {} cells", where, prefix_,
            format.columns.size(), records_.line(), cells.size());
    if (!has_header_) cells.assign(cells.size(), std::string_view());
    columns_ = format.columns.empty() ? names_of(cells) : format.columns;
    check_distinct(columns_, fmt::format("{}: line {}", where, records_.line()), prefix_);
    rewind();
  }

  [[nodiscard]] const std::vector<std::string>& columns() const override { return columns_; }
  [[nodiscard]] int64_t line() const override { return records_.line(); }
  [[nodiscard]] const std::string& name() const override { return records_.name(); }
  [[nodiscard]] int64_t skipped() const override { return skipped_; }
  [[nodiscard]] std::vector<SkippedRecord> first_skipped() const override { return first_skipped_; }

  void rewind() override {
    records_.rewind();
    header_left_ = has_header_;
    skipped_ = 0;
    first_skipped_.clear();
  }

  bool next(std::vector<std::string_view>& cells) override {
    while (records_.next(cells)) {
      if (cells.size() == columns_.size() && !header_left_) [[likely]] {
        return true;
      }
      if (records_.is_blank_line() && (header_left_ || columns_.size() > 1)) continue;
      if (header_left_) {
        header_left_ = false;
        continue;
      }
      require(skip_ragged_, Code::kCorruptFile,
              "{}: \"{}\": line {} has {} cells, the table {} columns; mend it, or leave such "
              "records out with {}ragged=skip",
              verb_, name(), records_.line(), cells.size(), columns_.size(), prefix_);
      if (gives_ragged_) {
        cells.clear();
        return true;
      }
      if (skipped_++ < static_cast<int64_t>(kNamedRecords)) {
        first_skipped_.push_back({"", records_.line()});
      }
    }
    return false;
  }

 private:
  const char* verb_;
  bool has_header_;
  bool skip_ragged_;
  bool gives_ragged_;
  std::string prefix_;  // of the keys that messages propose
  RecordReader records_;
  std::vector<std::string> columns_;
  bool header_left_ = false;
  int64_t skipped_ = 0;
  std::vector<SkippedRecord> first_skipped_;
};

}  // namespace

std::unique_ptr<TableReader> open_csv(std::unique_ptr<io::ByteSource> source, CsvKind kind,
                                      const TableFormat& format) {
  check(format);
  const bool is_tsv = kind == CsvKind::kTsv;
  const CsvLayout layout = sniff_csv(*source, is_tsv, format);
  return std::make_unique<CsvReader>(std::move(source), is_tsv ? "tsv" : "csv", layout, format);
}

}  // namespace ingot::data
