// SPDX-License-Identifier: Apache-2.0
#include "data/formats/csv_writer.h"

#include "base/error.h"

namespace ingot::data {
namespace {

constexpr size_t kCsvBlock = size_t{1} << 20;

}  // namespace

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

CsvWriter::CsvWriter(WritableFile& file, std::span<const std::string> columns)
    : file_(file), width_(columns.size()) {
  add(std::vector<std::string_view>(columns.begin(), columns.end()));
  rows_ = 0;
}

void CsvWriter::add(std::span<const std::string_view> cells) {
  INGOT_ASSERT(cells.size() == width_);
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) buffer_ += ',';
    buffer_ += csv_cell(cells[i]);
  }
  buffer_ += '\n';
  ++rows_;
  if (buffer_.size() >= kCsvBlock) flush();
}

int64_t CsvWriter::finish() {
  flush();
  return rows_;
}

void CsvWriter::flush() {
  file_.write_text(buffer_);
  buffer_.clear();
}

}  // namespace ingot::data
