// SPDX-License-Identifier: Apache-2.0
// What is decided from the first block of a file; the rules themselves are tested in csv_test.cpp.
#include "data/formats/csv_sniff.h"

#include "data/temp_folder.h"

namespace ingot::data::csv_sniff_test {
namespace {

CsvLayout sniff(const std::string& text, const TableFormat& format = {}, bool is_tsv = false) {
  const auto source = io::memory_source(text, "f");
  const CsvLayout layout = sniff_csv(*source, is_tsv, format);
  EXPECT_EQ(io::read_all(*source), text) << "the source is left at its start";
  return layout;
}

TEST(CsvSniff, FormatGoesIntoTheLayout) {
  TableFormat format;
  format.encoding = Encoding::kLatin1;
  format.max_record.bytes = 2000;
  const CsvLayout layout = sniff("a;b\n1;2\n", format);
  EXPECT_EQ(layout.records.delimiter, ';');
  EXPECT_TRUE(layout.records.quoting);
  EXPECT_EQ(layout.records.encoding, Encoding::kLatin1);
  EXPECT_EQ(layout.records.max_record, 2000);
  EXPECT_TRUE(layout.has_header);
  EXPECT_FALSE(sniff("a\tb\n", {}, true).records.quoting);
  EXPECT_EQ(sniff("a,b\n", {}, true).records.delimiter, '\t');
}

TEST(CsvSniff, ARecordCutByTheBlockDecidesNothing) {
  std::string text = "a;b\n";
  while (text.size() < 300'000) text += "1;" + std::string(5000, 'x') + "\n";
  EXPECT_EQ(sniff(text).records.delimiter, ';');
  // One record longer than the block: comma, and no names because nothing was seen to its end.
  EXPECT_EQ(sniff("a;" + std::string(400'000, 'x') + "\n").records.delimiter, ';');
}

TEST(CsvSniff, BrokenRecordsAreLeftToTheReader) {
  EXPECT_EQ(sniff("a;b\n1;\"2\n").records.delimiter, ';');
  EXPECT_EQ(sniff("\"a;b\n").records.delimiter, ',');
  EXPECT_FALSE(sniff("\"a;b\n").has_header);
}

}  // namespace
}  // namespace ingot::data::csv_sniff_test
