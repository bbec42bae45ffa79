// SPDX-License-Identifier: Apache-2.0
// Which cells are numbers with a decimal comma, and that the reader gives them with a point.
#include "data/formats/decimal_comma.h"

#include "base/config.h"
#include "data/temp_folder.h"

namespace ingot::data::decimal_comma_test {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows read(const std::string& text, const TableFormat& format, const std::string& name = "f.csv") {
  const auto table = open_table(io::memory_source(text, name), name, format);
  Rows rows;
  std::vector<std::string_view> cells;
  while (table->next(cells)) rows.emplace_back(cells.begin(), cells.end());
  table->rewind();
  EXPECT_EQ(table->next(cells), !rows.empty());
  return rows;
}

TableFormat commas() {
  TableFormat format;
  format.decimal = Decimal::kComma;
  return format;
}

TEST(DecimalComma, NumbersAreToldFromTexts) {
  for (const char* number : {"1,5", " -0,25 ", ",5", "+3,0", "1,5e3"}) {
    EXPECT_TRUE(is_comma_number(number)) << number;
  }
  for (const char* other :
       {"", ",", "1,", "1.5", "12", "1,2,3", "1.234,5", "a,5", "1,x", "1, 5", "1,5 EUR", "inf,5"}) {
    EXPECT_FALSE(is_comma_number(other)) << other;
  }
  EXPECT_FALSE(is_comma_number(std::string(1000, '1') + ",5")) << "no number is so long";
}

TEST(DecimalComma, TheReaderPutsThePoint) {
  EXPECT_EQ(read("a;b;c\n1,5; 2,25 ;x, y\n-3;4.5;\"1,5 m\"\n", commas()),
            (Rows{{"1.5", "2.25", "x, y"}, {"-3", "4.5", "1,5 m"}}));
  EXPECT_EQ(read("a;b\n1,5;2\n", {}), (Rows{{"1,5", "2"}}));
  EXPECT_EQ(read("{\"a\":\"1,5\",\"b\":2.5}\n", commas(), "f.jsonl"), (Rows{{"1.5", "2.5"}}));
}

TEST(DecimalComma, TheCommaIsTheLastDelimiterThatIsTried) {
  // Every record has three parts between commas, and two between semicolons.
  EXPECT_EQ(read("1,5;2,5\n3,5;4,5\n", commas()), (Rows{{"1.5", "2.5"}, {"3.5", "4.5"}}))
      << "and the first one is no header";
  EXPECT_EQ(read("a,b\n\"1,5\",2\n", commas()), (Rows{{"1.5", "2"}}));
}

TEST(DecimalComma, RaggedRecordsKeepTheirPlaces) {
  TableFormat format = commas();
  format.ragged = RaggedRows::kSkip;
  format.gives_ragged = true;
  EXPECT_EQ(read("a;b\n1,5\n2,5;3\n", format), (Rows{{}, {"2.5", "3"}}));
  format.gives_ragged = false;
  const auto table = open_table(io::memory_source("a;b\n1,5\n2,5;3\n", "f.csv"), "f.csv", format);
  std::vector<std::string_view> cells;
  ASSERT_TRUE(table->next(cells));
  EXPECT_EQ(table->line(), 3);
  EXPECT_EQ(table->skipped(), 1);
  EXPECT_EQ(table->name(), "f.csv");
  EXPECT_EQ(table->columns(), (std::vector<std::string>{"a", "b"}));
}

TEST(DecimalComma, TheKeyIsOfTheFormat) {
  TableFormat format;
  bind_text("decimal: comma\n", "recipe.yaml", format);
  EXPECT_EQ(format.decimal, Decimal::kComma);
}

}  // namespace
}  // namespace ingot::data::decimal_comma_test
