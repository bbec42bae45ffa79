// SPDX-License-Identifier: Apache-2.0
// Arrays of numbers as tables: one that NumPy wrote, and small ones by hand.
#include "data/formats/npy_table.h"

#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "data/formats/npy.h"
#include "data/temp_folder.h"
#include "source_dir.h"

namespace ingot::data::npy_table_test {
namespace {

using Row = std::vector<std::string>;

std::vector<Row> rows_of(TableReader& table) {
  std::vector<std::string_view> cells;
  std::vector<Row> rows;
  while (table.next(cells)) rows.emplace_back(cells.begin(), cells.end());
  return rows;
}

template <class T>
std::string file_of(const Shape& shape, const std::vector<T>& values) {
  Array array{{DTypeOf<T>::kValue, shape}, std::vector<std::byte>(values.size() * sizeof(T))};
  if (!values.empty()) std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return npy_bytes(array);
}

std::unique_ptr<TableReader> table_of(const std::string& bytes, const TableFormat& format = {}) {
  return open_table(io::memory_source(bytes, "a.npy"), "a.npy", format);
}

TEST(NpyTable, ReadsWhatNumPyWrote) {
  const auto table = open_table(INGOT_SOURCE_DIR "/tests/golden/data/f4.npy");
  EXPECT_EQ(table->columns(), (Row{"column_1", "column_2", "column_3", "column_4"}));
  const std::vector<Row> rows = rows_of(*table);
  ASSERT_EQ(rows.size(), 3U);
  // np.random.default_rng(1).normal(size=(3, 4)).astype('<f4')
  EXPECT_EQ(rows[0][0], "0.34558418");
  EXPECT_EQ(rows[2][3], "0.546713");
}

TEST(NpyTable, CellsReadBackAsTheSameNumbers) {
  const double third = 1.0 / 3.0;
  const auto table = table_of(file_of<double>({2, 2}, {third, -2.5, 1e300, 0.1}));
  const std::vector<Row> rows = rows_of(*table);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(std::stod(rows[0][0]), third);
  EXPECT_EQ(rows[0][1], "-2.5");
  EXPECT_EQ(std::stod(rows[1][0]), 1e300);
  EXPECT_EQ(rows[1][1], "0.1");
  EXPECT_EQ(table->line(), 2);
  table->rewind();
  EXPECT_EQ(rows_of(*table), rows);
}

// More rows than are read at once, by three numbers each, of which no block of 2^16 bytes is whole.
TEST(NpyTable, ReadsManyRows) {
  constexpr int32_t kRows = 20'000;
  std::vector<int32_t> values;
  std::vector<Row> want;
  for (int32_t i = 0; i < kRows; ++i) {
    values.insert(values.end(), {i, -i, 7});
    want.push_back({std::to_string(i), std::to_string(-i), "7"});
  }
  const std::string whole = file_of<int32_t>({kRows, 3}, values);
  const auto table = table_of(whole);
  EXPECT_EQ(rows_of(*table), want);
  table->rewind();
  std::vector<std::string_view> cells;
  ASSERT_TRUE(table->next(cells));
  table->rewind();  // in the middle of a block
  EXPECT_EQ(rows_of(*table), want);
  EXPECT_EQ(table->line(), kRows);
  const auto cut = table_of(whole.substr(0, whole.size() - 13));
  EXPECT_EQ(message_of(Code::kCorruptFile, [&] { (void)rows_of(*cut); }),
            "npy: \"a.npy\": ends in row 19999 of 20000; fetch the file again");
  EXPECT_EQ(cut->line(), kRows - 2) << "the whole rows come first";
}

TEST(NpyTable, WholeNumbersAndMissingOnes) {
  EXPECT_EQ(rows_of(*table_of(file_of<int64_t>({2, 1}, {-9'000'000'000'000'000'000, 7}))),
            (std::vector<Row>{{"-9000000000000000000"}, {"7"}}));
  EXPECT_EQ(rows_of(*table_of(file_of<uint8_t>({1, 3}, {0, 65, 255}))),
            (std::vector<Row>{{"0", "65", "255"}}));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(rows_of(*table_of(file_of<float>({1, 3}, {0.5F, nan, -0.25F}))),
            (std::vector<Row>{{"0.5", "", "-0.25"}}));
}

TEST(NpyTable, ColumnsTakeGivenNames) {
  TableFormat format;
  format.columns = {"width", "price"};
  EXPECT_EQ(table_of(file_of<int32_t>({1, 2}, {1, 2}), format)->columns(), (Row{"width", "price"}));
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [&] {
                         (void)table_of(file_of<int32_t>({1, 3}, {1, 2, 3}), format);
                       }),
            "npy: \"a.npy\": table.format.columns=[...] gives 2 names, the array has 3 columns");
  format.columns = {"width", "width"};
  EXPECT_NE(message_of(Code::kInvalidArgument,
                       [&] {
                         (void)table_of(file_of<int32_t>({1, 2}, {1, 2}), format);
                       })
                .find("names must differ"),
            std::string::npos);
}

TEST(NpyTable, RefusesWhatIsNoTable) {
  const auto refusal = [](const std::string& bytes) {
    return message_of(Code::kCorruptFile, [&] { (void)rows_of(*table_of(bytes)); });
  };
  EXPECT_EQ(refusal(file_of<float>({2}, {1, 2})),
            "npy: \"a.npy\" holds float32 [2]; a table is [rows, columns], pictures are uint8 "
            "[count, height, width] or [count, height, width, 3]");
  EXPECT_EQ(refusal(file_of<float>({2, 0}, {})),
            "npy: \"a.npy\" holds rows of 0 columns, must be 1 to 65536");
  const std::string whole = file_of<int32_t>({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(refusal(whole.substr(0, whole.size() - 1)),
            "npy: \"a.npy\": ends in row 2 of 2; fetch the file again");
  EXPECT_NE(refusal(whole + "x").find("more bytes follow"), std::string::npos);
}

}  // namespace
}  // namespace ingot::data::npy_table_test
