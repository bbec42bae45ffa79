// SPDX-License-Identifier: Apache-2.0
#include "data/formats/table.h"

#include <array>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data/formats/csv.h"
#include "data/formats/jsonl.h"

namespace ingot::data {

void check(const TableFormat& format) {
  const std::string& d = format.delimiter;
  const bool is_named = d == "auto" || d == "tab" || d == "\\t";
  const bool is_character = d.size() == 1 && static_cast<unsigned char>(d[0]) < 0x80 &&
                            d[0] != '"' && d[0] != '\n' && d[0] != '\r' && d[0] != '\0';
  require(is_named || is_character, Code::kInvalidArgument,
          "delimiter must be auto, tab or one ASCII character that is no quote and no line end, "
          "got \"{}\"",
          excerpt(d));
  constexpr int64_t kLeast = int64_t{1} << 10;
  constexpr int64_t kMost = int64_t{1} << 30;
  require(format.max_record.bytes >= kLeast && format.max_record.bytes <= kMost,
          Code::kInvalidArgument, "max_record must lie in 1KiB .. 1GiB, got {} bytes",
          format.max_record.bytes);
  for (size_t i = 0; i < format.columns.size(); ++i) {
    const std::string& name = format.columns[i];
    require(!name.empty(), Code::kInvalidArgument, "columns: name {} is empty", i + 1);
    for (size_t j = 0; j < i; ++j) {
      require(format.columns[j] != name, Code::kInvalidArgument,
              "columns: \"{}\" stands at {} and {}; names must differ", excerpt(name), j + 1,
              i + 1);
    }
  }
}

std::unique_ptr<TableReader> open_table(std::unique_ptr<io::ByteSource> source,
                                        const std::string& name, const TableFormat& format) {
  std::string kind = lower_ascii(base_name(name));
  for (const std::string_view packed : {".gz", ".xz"}) {
    if (kind.ends_with(packed)) kind.resize(kind.size() - packed.size());
  }
  if (kind.ends_with(".csv")) return open_csv(std::move(source), CsvKind::kCsv, format);
  if (kind.ends_with(".tsv")) return open_csv(std::move(source), CsvKind::kTsv, format);
  if (kind.ends_with(".jsonl") || kind.ends_with(".ndjson")) {
    return open_jsonl(std::move(source), format);
  }
  fail(
      Code::kInvalidArgument,
      "table: \"{}\" ends in none of .csv, .tsv, .jsonl, .ndjson (each also .gz or .xz): rename it "
      "to say what it is",
      name);
}

std::unique_ptr<TableReader> open_table(const std::string& path, const TableFormat& format) {
  return open_table(io::open_source(path), path, format);
}

}  // namespace ingot::data
