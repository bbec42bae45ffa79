// SPDX-License-Identifier: Apache-2.0
// data/formats/table.h and data/schema.h. The first byte of the input chooses the format, the rest
// is the file. An accepted table reads the same twice, its cells are UTF-8, its lines go up; a CSV
// table written again in quotes gives the same cells; its schema survives YAML and accepts its
// table.
#include <string>
#include <vector>

#include "base/text.h"
#include "data/formats/csv.h"
#include "data/formats/table.h"
#include "data/schema.h"
#include "fuzz/fuzz.h"
#include "io/byte_source.h"

namespace {

using namespace ingot;
using Rows = std::vector<std::vector<std::string>>;

Rows rows_of(data::TableReader& table) {
  Rows rows;
  int64_t line = 0;
  std::vector<std::string_view> cells;
  while (table.next(cells)) {
    fuzz::demand(cells.size() == table.columns().size() && table.line() > line);
    line = table.line();
    auto& row = rows.emplace_back();
    for (const std::string_view cell : cells) {
      fuzz::demand(is_valid_utf8(cell));
      row.emplace_back(cell);
    }
  }
  return rows;
}

std::string in_quotes(const Rows& rows) {
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += i > 0 ? ",\"" : "\"";
      for (const char c : row[i]) text += c == '"' ? std::string("\"\"") : std::string(1, c);
      text += '"';
    }
    text += "\r\n";
  }
  return text;
}

void write_and_read(const Rows& rows, const std::vector<std::string>& columns) {
  const std::string text = in_quotes(rows);
  if (rows.empty() || text.find('\0') != std::string::npos) return;
  data::TableFormat format;
  format.header = data::HeaderRow::kNo;
  format.columns = columns;
  format.delimiter = ",";
  const auto table = data::open_csv(io::memory_source(text, "again"), data::CsvKind::kCsv, format);
  fuzz::demand(rows_of(*table) == rows);
}

void infer(data::TableReader& table) {
  data::SchemaOptions options;
  options.sample = 100;
  const data::Schema schema = data::infer_schema(table, options);
  const std::string yaml = data::schema_to_yaml(schema);
  const data::Schema again = data::schema_from_yaml(yaml, "again");
  fuzz::demand(data::schema_to_yaml(again) == yaml);
  (void)data::check_schema(again, data::infer_schema(table, options, &again), "table");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  constexpr const char* kNames[] = {"f.csv", "f.tsv", "f.jsonl", "f.csv"};
  data::TableFormat format;
  const std::string name = kNames[data[0] & 3];
  format.encoding = (data[0] & 4) != 0 ? data::Encoding::kLatin1 : data::Encoding::kUtf8;
  format.quote = (data[0] & 8) != 0 ? data::Quoting::kNone : data::Quoting::kAuto;
  format.ragged = (data[0] & 16) != 0 ? data::RaggedRows::kSkip : data::RaggedRows::kError;
  format.header = static_cast<data::HeaderRow>((data[0] >> 5) % 3);
  format.max_record.bytes = 1024;
  const std::string file(fuzz::as_text(data + 1, size - 1));
  fuzz::accepts([&] {
    const auto table = data::open_table(io::memory_source(file, "f"), name, format);
    const Rows rows = rows_of(*table);
    table->rewind();
    fuzz::demand(rows_of(*table) == rows);
    write_and_read(rows, table->columns());
    infer(*table);
  });
  return 0;
}
