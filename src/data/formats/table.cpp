// SPDX-License-Identifier: Apache-2.0
#include "data/formats/table.h"

#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data/formats/array_pictures.h"
#include "data/formats/cifar.h"
#include "data/formats/csv.h"
#include "data/formats/decimal_comma.h"
#include "data/formats/image_folder.h"
#include "data/formats/jsonl.h"
#include "data/formats/npy.h"
#include "data/formats/npy_table.h"
#include "data/formats/picture_table.h"
#include "data/formats/table_parts.h"

namespace ingot::data {
void check(const TableFormat& format) {
  const std::string& d = format.delimiter;
  const bool is_named = d == "auto" || d == "tab" || d == "\\t";
  const bool is_character = d.size() == 1 && static_cast<unsigned char>(d[0]) < 0x80 &&
                            d[0] != '"' && d[0] != '\n' && d[0] != '\r' && d[0] != '\0';
  require(is_named || is_character, Code::kInvalidArgument,
          "{}delimiter must be auto, tab or one ASCII character that is no quote and no line end, "
          "got \"{}\"",
          format.prefix, excerpt(d));
  constexpr int64_t kLeast = int64_t{1} << 10;
  constexpr int64_t kMost = int64_t{1} << 30;
  require(format.max_record.bytes >= kLeast && format.max_record.bytes <= kMost,
          Code::kInvalidArgument, "{}max_record must lie in 1KiB .. 1GiB, got {} bytes",
          format.prefix, format.max_record.bytes);
  for (size_t i = 0; i < format.columns.size(); ++i) {
    const std::string& name = format.columns[i];
    require(!name.empty(), Code::kInvalidArgument, "{}columns: name {} is empty", format.prefix,
            i + 1);
    for (size_t j = 0; j < i; ++j) {
      require(format.columns[j] != name, Code::kInvalidArgument,
              "{}columns: \"{}\" stands at {} and {}; names must differ", format.prefix,
              excerpt(name), j + 1, i + 1);
    }
  }
}

namespace {

constexpr int64_t kShownPath = 200;  // bytes

using Source = std::unique_ptr<io::ByteSource>;
using Reader = std::unique_ptr<TableReader>;

/// Pictures, or, with fewer axes than pictures have or other numbers than theirs, a table.
Reader open_npy(Source source, const TableFormat& format) {
  check(format);
  const NpyHead head = read_npy_head(*source);
  source->rewind();
  const bool is_pictures = head.dtype == DType::kU8 && head.shape.rank() > 2;
  return is_pictures ? open_npy_pictures(std::move(source))
                     : open_npy_table(std::move(source), format);
}

struct FormatRow {
  std::string_view ending;
  Reader (*open)(Source source, const TableFormat& format);
  bool may_be_pictures;  // whose classes the reader finds
};
constexpr FormatRow kFormats[] = {
    {".csv",
     [](Source s, const TableFormat& f) { return open_csv(std::move(s), CsvKind::kCsv, f); },
     false},
    {".tsv",
     [](Source s, const TableFormat& f) { return open_csv(std::move(s), CsvKind::kTsv, f); },
     false},
    {".jsonl", [](Source s, const TableFormat& f) { return open_jsonl(std::move(s), f); }, false},
    {".ndjson", [](Source s, const TableFormat& f) { return open_jsonl(std::move(s), f); }, false},
    {".bin", [](Source s, const TableFormat&) { return open_cifar(std::move(s)); }, true},
    {"idx3-ubyte", [](Source s, const TableFormat&) { return open_idx_pictures(std::move(s)); },
     true},
    {".npy", &open_npy, true},
};

/// The row of a name, whatever folder and compression it has; nullptr for another ending.
const FormatRow* format_row(std::string_view name) {
  std::string kind = lower_ascii(base_name(name));
  for (const std::string_view packed : {".gz", ".xz"}) {
    if (kind.ends_with(packed)) kind.resize(kind.size() - packed.size());
  }
  for (const FormatRow& row : kFormats) {
    if (kind.ends_with(row.ending)) return &row;
  }
  return nullptr;
}

/// What to do with a file that is no table, by its name in lower case.
std::string_view cure_of_kind(std::string_view name) {
  if (name.ends_with(".npz")) return "save each array of it with numpy.save, as .npy";
  if (is_image_name(name))
    return "`ingot predict` takes one picture, to learn name a folder of them";
  if (is_unread_picture_name(name))
    return "convert it to .png or .jpg, which `ingot predict` takes";
  return "convert it to one of them, or give it the name of its kind";
}

/// `: lines 3, 17`, of the first of the records that were left out.
std::string places_of_skipped(const TableReader& table) {
  std::string text;
  const std::vector<SkippedRecord> first = table.first_skipped();
  for (const SkippedRecord& record : first) {
    text += text.empty() ? (table.skipped() == 1 ? ": line " : ": lines ") : ", ";
    if (!record.file.empty()) text += excerpt(record.file, kShownPath) + ":";
    text += std::to_string(record.line);
  }
  const int64_t more = table.skipped() - std::ssize(first);
  return text.empty() || more == 0 ? text : text + fmt::format(" and {} more", more);
}

}  // namespace

bool is_array_name(std::string_view path) {
  const FormatRow* const row = format_row(path);
  return row != nullptr && row->may_be_pictures;
}

bool is_table_name(std::string_view path) { return format_row(path) != nullptr; }

bool has_own_classes(const TableReader& table) {
  const std::vector<std::string>& columns = table.columns();
  if (columns.size() != 2 || columns[0] != kImageColumn || columns[1] != kClassColumn) return false;
  const FormatRow* const row = format_row(table.name());
  return directory_exists(table.name()) || (row != nullptr && row->may_be_pictures);
}

Reader open_table(Source source, const std::string& name, const TableFormat& format) {
  if (const FormatRow* row = format_row(name)) {
    Reader table = row->open(std::move(source), format);
    return format.decimal == Decimal::kComma ? with_decimal_commas(std::move(table))
                                             : std::move(table);
  }
  fail(Code::kInvalidArgument,
       "table: \"{}\" ends in none of .csv, .tsv, .jsonl, .ndjson, .npy; of pictures .bin, "
       "idx3-ubyte, .npy (each also .gz or .xz), and is no folder: {}",
       name, cure_of_kind(lower_ascii(name)));
}

Reader open_table(const std::string& path, const TableFormat& format) {
  if (directory_exists(path)) return open_image_folder(path);
  if (!is_pattern(path)) return open_table(io::open_source(path), path, format);
  return chain_tables(table_parts(path), format);
}

std::vector<std::string> passed_over(const TableReader& table, std::string_view prefix) {
  std::vector<std::string> notes;
  if (table.skipped() > 0) {
    notes.push_back(
        fmt::format("{} records have another number of cells and were left out ({}ragged=skip){}",
                    table.skipped(), prefix, places_of_skipped(table)));
  }
  if (has_own_classes(table) && directory_exists(table.name())) {
    std::string parts = note_of_parts(table.name());
    if (!parts.empty()) notes.push_back(std::move(parts));
  }
  const UnreadPictures unread = table.unread();
  if (unread.count > 0) {
    notes.push_back(fmt::format(
        "{} files are pictures of a kind that is not read, the first \"{}\"; convert them to PNG "
        "or JPEG",
        unread.count, excerpt(unread.first, kShownPath)));
  }
  return notes;
}

void require_table(const std::string& path, std::string_view key) {
  if (!is_table_missing(path)) return;
  const bool is_file = is_table_name(path);
  const auto is_table = [&](const std::string& other) {
    return is_table_name(other) || (!is_file && directory_exists(other));
  };
  fail(Code::kNotFound, "table: {} is \"{}\", which {}.{}", key, path,
       is_pattern(path) ? "no file matches" : "is not there", names_beside(path, is_table));
}

std::string folder_of_table(const std::string& path) {
  return directory_exists(path) ? path : parent_path(path);
}

const std::string& RowFolder::get() {
  if (table_->name() != file_) {
    file_ = table_->name();
    folder_ = folder_of_table(file_);
  }
  return folder_;
}

}  // namespace ingot::data
