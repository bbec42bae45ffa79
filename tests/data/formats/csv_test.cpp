// SPDX-License-Identifier: Apache-2.0
// CSV and TSV as tables: names, delimiters, widths, errors; and the published files of
// INGOT_DATA_DIR with the counts of their SOURCE.md.
#include "data/formats/csv.h"

#include <algorithm>
#include <cstring>
#include <map>

#include <sys/resource.h>

#include "base/message_of.h"
#include "data/formats/real_files.h"
#include "data/temp_folder.h"

namespace ingot::data::csv_test {
namespace {

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  friend bool operator==(const Table&, const Table&) = default;
};

Table read(const std::string& text, const TableFormat& format = {}, CsvKind kind = CsvKind::kCsv) {
  const auto table = open_csv(io::memory_source(text, "f"), kind, format);
  Table result{table->columns(), {}};
  std::vector<std::string_view> cells;
  while (table->next(cells)) result.rows.emplace_back(cells.begin(), cells.end());
  EXPECT_TRUE(cells.empty());
  return result;
}

TEST(Csv, TakesNamesFromTheFirstRecord) {
  EXPECT_EQ(read("a,b\n1,2\n3,4\n"), (Table{{"a", "b"}, {{"1", "2"}, {"3", "4"}}}));
  EXPECT_EQ(read(" a , \"b\" \n1,2\n").columns, (std::vector<std::string>{"a", "\"b\""}));
  EXPECT_EQ(read("a,b"), (Table{{"a", "b"}, {}}));
  // pandas leaves the name of its index column empty
  EXPECT_EQ(read(",b,\n0,x,1\n").columns, (std::vector<std::string>{"column_1", "b", "column_3"}));
  EXPECT_EQ(read(",column_1\n0,x\n").columns, (std::vector<std::string>{"column_1_", "column_1"}));
}

TEST(Csv, NumbersAndRepeatedValuesAreNoNames) {
  const std::vector<std::string> made_up{"column_1", "column_2"};
  EXPECT_EQ(read("good,1\nbad,2\n"), (Table{made_up, {{"good", "1"}, {"bad", "2"}}}));
  EXPECT_EQ(read("good,yes\nbad,yes\n").columns, made_up);
  EXPECT_EQ(read("no,no,1\nbad,yes,2\n").rows.size(), 2U) << "a number is no name";
  EXPECT_EQ(read("no,no\nno,yes\n").columns, made_up) << "a value that comes again is no name";
  EXPECT_EQ(read(",\n1,2\n").columns, made_up);
}

TEST(Csv, NamesThatStandTwiceAreRefusedNotReadAsARow) {
  const std::string text = "\na,b,a\n1,2,3\n4,5,6\n";
  const std::string refused =
      "csv: \"f\": line 2: the column name \"a\" stands at 1 and 3; rename one, or name all with "
      "table.format.columns=[...] and table.format.header=yes; if the line is a row and no header, "
      "set table.format.header=no";
  EXPECT_EQ(message_of(Code::kCorruptFile, [&] { (void)read(text); }), refused);
  TableFormat format;
  format.header = HeaderRow::kYes;
  EXPECT_EQ(message_of(Code::kCorruptFile, [&] { (void)read(text, format); }), refused);
  // each of the ways out that the message names
  format.columns = {"x", "y", "z"};
  EXPECT_EQ(read(text, format), (Table{{"x", "y", "z"}, {{"1", "2", "3"}, {"4", "5", "6"}}}));
  format = {};
  format.header = HeaderRow::kNo;
  EXPECT_EQ(read(text, format).rows.size(), 3U);
  EXPECT_EQ(read("a,b,a2\n1,2,3\n").columns, (std::vector<std::string>{"a", "b", "a2"}));
}

TEST(Csv, MessagesNameTheKeysOfThePlace) {
  TableFormat format{.prefix = "predict.input."};
  const auto refusal = [&](const std::string& text) {
    return message_of(Code::kCorruptFile, [&] { (void)read(text, format); });
  };
  EXPECT_TRUE(
      contains(refusal("a,b\n1\n"), "leave such records out with predict.input.ragged=skip"));
  EXPECT_TRUE(contains(refusal("a,b\n1,\xe9\n"), "predict.input.encoding=latin-1 reads it"));
  EXPECT_TRUE(contains(refusal("a,b\n1,\"x\n"), "or set predict.input.quote=none"));
  EXPECT_TRUE(contains(refusal("a,b,a\n1,2,3\n"), "set predict.input.header=no"));
  format.max_record.bytes = 1024;
  EXPECT_TRUE(contains(refusal("a,b\n1," + std::string(5000, 'x') + "\n"),
                       "is longer than predict.input.max_record=1.0 KiB"));
  format.delimiter = "ab";
  EXPECT_TRUE(contains(message_of(Code::kInvalidArgument, [&] { (void)read("a\n", format); }),
                       "predict.input.delimiter must be auto"));
}

TEST(Csv, TheFormatDecidesAboutNames) {
  TableFormat format;
  format.header = HeaderRow::kYes;
  EXPECT_EQ(read("2019,2020\n1,2\n", format), (Table{{"2019", "2020"}, {{"1", "2"}}}));
  format.columns = {"x", "y"};
  EXPECT_EQ(read("a,a\n1,2\n", format), (Table{{"x", "y"}, {{"1", "2"}}}));
  format.header = HeaderRow::kNo;
  EXPECT_EQ(read("a,b\n1,2\n", format), (Table{{"x", "y"}, {{"a", "b"}, {"1", "2"}}}));
  format.header = HeaderRow::kAuto;
  EXPECT_EQ(read("a,b\n1,2\n", format).rows.size(), 2U);
  EXPECT_EQ(read("x,y\n1,2\n", format).rows.size(), 1U) << "the first record holds these names";
}

TEST(Csv, FindsTheDelimiter) {
  const Table expected{{"a", "b"}, {{"1", "2"}, {"3", "4"}}};
  EXPECT_EQ(read("a;b\n1;2\n3;4\n"), expected);
  EXPECT_EQ(read("a\tb\n1\t2\n3\t4\n"), expected);
  EXPECT_EQ(read("a|b\n1|2\n3|4\n"), expected);
  EXPECT_EQ(read("a;b\n1,5;2\n3;4\n").rows[0], (std::vector<std::string>{"1,5", "2"}));
  EXPECT_EQ(read("a,b\n\"1;2\",2\n3,4;5\n").columns.size(), 2U);
  EXPECT_EQ(read("text\nhello; you\nthere\n"), (Table{{"text"}, {{"hello; you"}, {"there"}}}));
  TableFormat format;
  format.delimiter = "tab";
  EXPECT_EQ(read("a\tb,c\n", format).columns, (std::vector<std::string>{"a", "b,c"}));
  format.delimiter = ":";
  EXPECT_EQ(read("a:b,c\n", format).columns, (std::vector<std::string>{"a", "b,c"}));
}

TEST(Csv, TsvHasTabsAndNoQuotes) {
  EXPECT_EQ(read("label\ttext\n1\t\"so, he said\n0\tno \"\"\n", {}, CsvKind::kTsv),
            (Table{{"label", "text"}, {{"1", "\"so, he said"}, {"0", "no \"\""}}}));
  TableFormat format;
  format.quote = Quoting::kDouble;
  EXPECT_EQ(read("a\tb\n1\t\"x\ty\"\n", format, CsvKind::kTsv).rows[0][1], "x\ty");
  format.quote = Quoting::kNone;
  EXPECT_EQ(read("a,b\n1,\"x\n", format).rows[0][1], "\"x");
}

TEST(Csv, EmptyLinesAreLeftOutUnlessTheTableHasOneColumn) {
  EXPECT_EQ(read("\n\na,b\n\n1,2\n\r\n\n"), (Table{{"a", "b"}, {{"1", "2"}}}));
  EXPECT_EQ(read("\na\n\n1\n"), (Table{{"a"}, {{""}, {"1"}}}));
}

TEST(Csv, RaggedRecordsAreRefusedOrCounted) {
  const std::string text = "a,b\n1,2\n3\n4,5,6\n7,8\n";
  EXPECT_EQ(message_of(Code::kCorruptFile, [&] { (void)read(text); }),
            "csv: \"f\": line 3 has 1 cells, the table 2 columns; mend it, or leave such records "
            "out with table.format.ragged=skip");
  TableFormat format;
  format.ragged = RaggedRows::kSkip;
  const auto table = open_csv(io::memory_source(text, "f"), CsvKind::kCsv, format);
  for (int round = 0; round < 2; ++round) {
    std::vector<std::string_view> cells;
    std::vector<int64_t> lines;
    while (table->next(cells)) lines.push_back(table->line());
    EXPECT_EQ(lines, (std::vector<int64_t>{2, 5}));
    EXPECT_EQ(table->skipped(), 2);
    std::vector<int64_t> skipped;
    for (const SkippedRecord& record : table->first_skipped()) skipped.push_back(record.line);
    EXPECT_EQ(skipped, (std::vector<int64_t>{3, 4}));
    table->rewind();
    EXPECT_EQ(table->skipped(), 0);
    EXPECT_TRUE(table->first_skipped().empty());
  }
  format.gives_ragged = true;
  EXPECT_EQ(read(text, format).rows,
            (std::vector<std::vector<std::string>>{{"1", "2"}, {}, {}, {"7", "8"}}));
}

TEST(Csv, RefusesWhatIsNoTable) {
  const auto refusal = [](const std::string& text) {
    return message_of(Code::kCorruptFile, [&] { (void)read(text); });
  };
  EXPECT_EQ(refusal(""), "csv: \"f\": the file is empty");
  EXPECT_EQ(refusal("\n\r\n"), "csv: \"f\": the file holds nothing but empty lines");
  EXPECT_EQ(refusal("\xff\xfe"
                    "a\0,\0"),
            "csv: \"f\": the file is UTF-16; convert it with iconv -f UTF-16 -t UTF-8");
  EXPECT_EQ(refusal(std::string("a,b\nc\0,\0d\n", 10)),
            "csv: \"f\": line 2 holds a NUL byte: not a text file, or UTF-16, which iconv -f "
            "UTF-16LE -t UTF-8 converts");
  EXPECT_EQ(refusal(std::string("\0a\0,\0b\0\n\0"
                                "1\0,\0"
                                "2\0\n",
                                16)),
            "csv: \"f\": line 1 holds a NUL byte: not a text file, or UTF-16, which iconv -f "
            "UTF-16BE -t UTF-8 converts");
  EXPECT_EQ(
      refusal(std::string("name,town\nAda,Lon\0don\nBo,Rome\n", 30)),
      "csv: \"f\": line 2 holds a NUL byte, which no text does; take it out, for example with "
      "tr -d '\\000'");
  EXPECT_EQ(refusal("{\"a\": 1, \"b\": 2}\n{\"a\": 3, \"b\": 4}\n"),
            "csv: \"f\": line 1 is an object of JSON; rename the file so that it ends in .jsonl");
  EXPECT_EQ(refusal(std::string("\xff\xfe\0\0a\0\0\0", 8)),
            "csv: \"f\": the file is UTF-32; convert it with iconv -f UTF-32 -t UTF-8");
  EXPECT_TRUE(contains(refusal("a,\"b\n1,2\n"), "line 1: the quote that opens cell 2"));
  EXPECT_TRUE(contains(refusal("a,b\xe9\n1,2\n"), "line 1: not UTF-8"));
  TableFormat names;
  names.columns = {"x", "y", "z"};
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { (void)read("1,2\n", names); }),
            "csv: \"f\": table.format.columns=[...] gives 3 names, line 1 has 2 cells");
}

TEST(Csv, ReadsPublishedFiles) {
  INGOT_NEED_DATA(dir);
  struct Expected {
    const char* path;
    size_t columns;
    int64_t rows;
    const char* first;
  };
  const Expected expected[] = {{"ag_news/test.csv.gz", 3, 7600, "column_1"},
                               {"ag_news/train_subset5000.csv.gz", 2, 5000, "column_1"},
                               {"california_housing/housing.csv.gz", 10, 20640, "longitude"},
                               {"ames_housing/house.csv.gz", 81, 1460, "Id"},
                               {"ai4i2020/ai4i2020.csv.gz", 14, 10000, "UDI"},
                               {"online_retail/france.csv.gz", 8, 8557, "InvoiceNo"},
                               {"online_retail/germany.csv.gz", 8, 9495, "InvoiceNo"},
                               {"credit_default/credit.csv.gz", 24, 24000, "LIMIT_BAL"},
                               {"etth1/ETTh1.csv.gz", 8, 17420, "date"},
                               {"chnsenticorp/train.tsv.gz", 2, 9600, "label"},
                               {"chnsenticorp/dev.tsv.gz", 2, 1200, "label"},
                               {"chnsenticorp/test.tsv.gz", 2, 1200, "label"}};
  for (const Expected& file : expected) {
    const auto table = open_table(dir + "/" + file.path);
    EXPECT_EQ(table->columns().size(), file.columns) << file.path;
    EXPECT_EQ(table->columns()[0], file.first) << file.path;
    int64_t rows = 0;
    for (std::vector<std::string_view> cells; table->next(cells);) ++rows;
    EXPECT_EQ(rows, file.rows) << file.path;
  }
}

TEST(Csv, CountsTheClassesOfPublishedFiles) {
  INGOT_NEED_DATA(dir);
  const auto counts = [&](const std::string& path, size_t column) {
    std::map<std::string, int> found;
    const auto table = open_table(dir + "/" + path);
    for (std::vector<std::string_view> cells; table->next(cells);) {
      ++found[std::string(cells[column])];
    }
    return found;
  };
  using Counts = std::map<std::string, int>;
  EXPECT_EQ(counts("ag_news/test.csv.gz", 0),
            (Counts{{"1", 1900}, {"2", 1900}, {"3", 1900}, {"4", 1900}}));
  EXPECT_EQ(counts("ag_news/train_subset5000.csv.gz", 1),
            (Counts{{"0", 1259}, {"1", 1257}, {"2", 1281}, {"3", 1203}}));
  EXPECT_EQ(counts("ai4i2020/ai4i2020.csv.gz", 2), (Counts{{"L", 6000}, {"M", 2997}, {"H", 1003}}));
  EXPECT_EQ(counts("chnsenticorp/train.tsv.gz", 0)["1"], 4799);
  EXPECT_EQ(counts("california_housing/housing.csv.gz", 9)["ISLAND"], 5);
}

/// A CSV file of any length that lies nowhere.
class EndlessCsv final : public io::ByteSource {
 public:
  explicit EndlessCsv(int64_t rows) : rows_(rows) {}
  int64_t read(std::span<std::byte> out) override {
    size_t done = 0;
    while (done < out.size()) {
      if (at_ == line_.size()) {
        if (row_ == rows_) break;
        line_ =
            row_ == 0 ? "id,text\n" : std::to_string(row_) + ",\"some, \"\"quoted\"\" words\"\r\n";
        ++row_;
        at_ = 0;
      }
      const size_t size = std::min(out.size() - done, line_.size() - at_);
      std::memcpy(out.data() + done, line_.data() + at_, size);
      done += size;
      at_ += size;
    }
    return static_cast<int64_t>(done);
  }
  void rewind() override {
    row_ = 0;
    at_ = line_.size();
  }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  int64_t rows_;
  int64_t row_ = 0;
  std::string line_;
  size_t at_ = 0;
  std::string name_ = "endless.csv";
};

int64_t peak_kib() {
  rusage usage{};
  EXPECT_EQ(getrusage(RUSAGE_SELF, &usage), 0);
  return usage.ru_maxrss;
}

TEST(SlowCsv, AGigabyteStreamsInTheMemoryOfABuffer) {
  constexpr int64_t kRows = 30'000'000;  // about 1.1 GB
  const auto table = open_csv(std::make_unique<EndlessCsv>(kRows), CsvKind::kCsv);
  const int64_t before = peak_kib();
  int64_t rows = 0, sum = 0;
  for (std::vector<std::string_view> cells; table->next(cells); ++rows) {
    sum += static_cast<int64_t>(cells[1].size());
  }
  EXPECT_EQ(rows, kRows - 1);
  EXPECT_EQ(sum, rows * 20);
  if (!testing::kIsSanitized) {
    EXPECT_LT(peak_kib() - before, 4096) << "KiB beyond the buffers";
  }
}

}  // namespace
}  // namespace ingot::data::csv_test
