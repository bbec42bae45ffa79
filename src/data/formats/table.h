// SPDX-License-Identifier: Apache-2.0
// A table as a stream of records: named columns, then one row of cells after the other, in bounded
// memory, so that a file larger than memory can be read, and read again after rewind(). Cells are
// text; what they mean (numbers, categories, texts) is data/schema.h's business. A cell of pictures
// is the path of one, relative to the folder of the file that the row stands in, or the picture
// itself: the bytes of a PNG, JPEG, PGM or PPM file (io/image.h). One reader per format, listed in
// table.cpp. Called by the schema, the transforms and the data verbs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_fields.h"
#include "io/byte_source.h"

namespace ingot::data {

enum class HeaderRow : uint8_t { kAuto, kYes, kNo };
inline constexpr EnumName kHeaderRowNames[] = {
    {"auto", HeaderRow::kAuto}, {"yes", HeaderRow::kYes}, {"no", HeaderRow::kNo}};
constexpr std::span<const EnumName> enum_names(HeaderRow) { return kHeaderRowNames; }

enum class Encoding : uint8_t { kUtf8, kLatin1 };
inline constexpr EnumName kEncodingNames[] = {{"utf-8", Encoding::kUtf8},
                                              {"latin-1", Encoding::kLatin1}};
constexpr std::span<const EnumName> enum_names(Encoding) { return kEncodingNames; }

enum class Quoting : uint8_t { kAuto, kDouble, kNone };
inline constexpr EnumName kQuotingNames[] = {
    {"auto", Quoting::kAuto}, {"double", Quoting::kDouble}, {"none", Quoting::kNone}};
constexpr std::span<const EnumName> enum_names(Quoting) { return kQuotingNames; }

enum class Decimal : uint8_t { kPoint, kComma };
inline constexpr EnumName kDecimalNames[] = {{"point", Decimal::kPoint},
                                             {"comma", Decimal::kComma}};
constexpr std::span<const EnumName> enum_names(Decimal) { return kDecimalNames; }

enum class RaggedRows : uint8_t { kError, kSkip };
inline constexpr EnumName kRaggedRowsNames[] = {{"error", RaggedRows::kError},
                                                {"skip", RaggedRows::kSkip}};
constexpr std::span<const EnumName> enum_names(RaggedRows) { return kRaggedRowsNames; }

/// How the bytes of a table file are read; the defaults suit most files. Every member has an
/// initialiser, so that a config names some of them ({.prefix = "format."}).
struct TableFormat {
  std::string delimiter = "auto";
  HeaderRow header = HeaderRow::kAuto;
  std::vector<std::string> columns = {};
  Encoding encoding = Encoding::kUtf8;
  Quoting quote = Quoting::kAuto;
  RaggedRows ragged = RaggedRows::kError;
  Decimal decimal = Decimal::kPoint;
  Size max_record{16 << 20};
  /// What stands before these keys where they are set, so that messages propose keys that work; of
  /// the place, so not itself a key.
  std::string prefix = "table.format.";
  /// For whoever answers row by row: under ragged=skip a ragged record is a row without cells,
  /// which keeps its place, and is not counted. Not itself a key.
  bool gives_ragged = false;
  /// Whether numbers beside an array (y_train.npy beside x_train.npy) are its column "target": not
  /// where the target is another column, nor for rows to answer for. Not itself a key.
  bool joins_target = true;

  void visit(auto& field) {
    field("delimiter", delimiter,
          "between cells: auto, tab, or one ASCII character; auto looks at the first records of a "
          ".csv (comma, semicolon, tab, bar) and is a tab for .tsv");
    field("header", header,
          "whether the first record holds the column names; auto decides by its look");
    field("columns", columns,
          "CSV, TSV: the column names of a file without header; .npy: of an array; JSONL: the keys "
          "to read");
    field("encoding", encoding, "of the file; other encodings must be converted first");
    field("quote", quote,
          "double: cells may be quoted as in RFC 4180; none: quotes are text; auto: double for "
          ".csv, none for .tsv");
    field("ragged", ragged, "a record with too few or too many cells: error, or skip and count");
    field("decimal", decimal,
          "sign before the fraction of a number; comma: a cell 1,5 is read as 1.5, in predict and "
          "serve of the run too, and auto looks for the comma last among delimiters");
    field("max_record", max_record, "a longer record is an error (a lost quote), in 1KiB .. 1GiB");
  }
};

/// Files in folders of pictures that are pictures by their names and of a kind that is not read.
struct UnreadPictures {
  int64_t count = 0;
  std::string first{};  ///< its path
};

/// Where a record stands that was left out.
struct SkippedRecord {
  std::string file{};  ///< of a table in several; "" otherwise
  int64_t line = 0;
};
inline constexpr size_t kNamedRecords = 5;  // of those left out

class TableReader {
 public:
  virtual ~TableReader() = default;
  /// The names, all different, none empty. Fixed from the opening on.
  [[nodiscard]] virtual const std::vector<std::string>& columns() const = 0;
  /// The next record, one cell per column (none for a ragged record that TableFormat::gives_ragged
  /// asks for), in UTF-8 or a picture; the cells stay valid until the
  /// next call of next() or rewind(). false at the end (cells are then empty). A broken record
  /// throws Error{kCorruptFile} with its line; after an error only rewind() may be called.
  virtual bool next(std::vector<std::string_view>& cells) = 0;
  /// The line, from 1, on which the record last given began; where there are no lines, its number.
  [[nodiscard]] virtual int64_t line() const = 0;
  /// Back to the first record.
  virtual void rewind() = 0;
  /// The path (or name), for messages.
  [[nodiscard]] virtual const std::string& name() const = 0;
  /// Records left out under ragged=skip since the opening or the last rewind.
  [[nodiscard]] virtual int64_t skipped() const = 0;
  /// The first kNamedRecords of them.
  [[nodiscard]] virtual std::vector<SkippedRecord> first_skipped() const { return {}; }
  /// Of the folders read since the opening or the last rewind.
  [[nodiscard]] virtual UnreadPictures unread() const { return {}; }
};

/// What a reader passed over, as it says itself, for people; empty: nothing. `prefix` stands before
/// the keys of its format. Also what note_of_parts says of a folder of pictures.
///   2 records have another number of cells and were left out (…ragged=skip): lines 3, 17
///   3 files are pictures of a kind that is not read, the first "pets/cat/a.webp"; convert them to
///   PNG or JPEG
[[nodiscard]] std::vector<std::string> passed_over(const TableReader& table,
                                                   std::string_view prefix);

/// True for the name of a file whose cells are numbers or pictures, never names of files: .npy,
/// IDX, CIFAR.
[[nodiscard]] bool is_array_name(std::string_view path);

/// True for the name of a file that open_table takes.
[[nodiscard]] bool is_table_name(std::string_view path);

/// Whether the table is pictures whose classes their reader finds: folders of them, CIFAR, IDX or
/// .npy with labels. Its columns are then "image" and "class".
[[nodiscard]] bool has_own_classes(const TableReader& table);

/// Opens a table by what its path is:
///   a folder            pictures in folders of their classes (image_folder.h)
///   .csv .tsv           csv.h
///   .jsonl .ndjson      jsonl.h
///   .bin                CIFAR's binary batches (cifar.h)
///   …-idx3-ubyte, .npy  arrays of pictures (array_pictures.h)
///   .npy                arrays of numbers [rows, columns] (npy_table.h)
///   a pattern           several files, or folders of pictures, as one table (table_parts.h)
/// Files may be packed as .gz or .xz (the compression itself is told by the first bytes). Throws
/// kNotFound, kIo; kInvalidArgument for another ending or a broken format; kCorruptFile for an
/// empty file, duplicate column names or a file that is not text.
[[nodiscard]] std::unique_ptr<TableReader> open_table(const std::string& path,
                                                      const TableFormat& format = {});
/// The same for bytes that need not be a file (standard input, a request); `name`
/// decides the format and stands in messages.
[[nodiscard]] std::unique_ptr<TableReader> open_table(std::unique_ptr<io::ByteSource> source,
                                                      const std::string& name,
                                                      const TableFormat& format = {});

/// Error{kNotFound} when nothing is at `path`, naming the key (or argument) that gave it and what
/// else could be meant:
///   table: table.path is "hoses.csv", which is not there. Did you mean "houses.csv"?
void require_table(const std::string& path, std::string_view key);

/// The folder that relative paths in the cells of the table `path` start from.
[[nodiscard]] std::string folder_of_table(const std::string& path);

/// The same for the row that a reader gave last: another one in every file of a pattern.
class RowFolder {
 public:
  /// `table` must outlive it.
  explicit RowFolder(const TableReader& table) : table_(&table) {}
  /// Valid until the next call.
  [[nodiscard]] const std::string& get();

 private:
  const TableReader* table_;
  std::string file_, folder_;
};

/// Throws kInvalidArgument naming the key, its value and what is allowed.
void check(const TableFormat& format);

}  // namespace ingot::data
