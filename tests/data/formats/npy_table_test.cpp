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

/// As numpy.save writes it.
std::string numpy_file(const std::string& descr, bool is_fortran, const std::string& shape,
                       const std::string& numbers) {
  const std::string header = "{'descr': '" + descr +
                             "', 'fortran_order': " + (is_fortran ? "True" : "False") +
                             ", 'shape': " + shape + ", }\n";
  std::string file = "\x93NUMPY";
  file += {'\x01', '\0', static_cast<char>(header.size()), '\0'};
  return file + header + numbers;
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

TEST(NpyTable, FortranOrderGivesTheSameRows) {
  // np.array([[1, 2, 3], [4, 5, 6]], '<f4', order='F'), column by column
  const std::string whole = numpy_file("<f4", true, "(2, 3)", bytes_of<float>({1, 4, 2, 5, 3, 6}));
  const auto table = table_of(whole);
  const std::vector<Row> want{{"1", "2", "3"}, {"4", "5", "6"}};
  EXPECT_EQ(rows_of(*table), want);
  EXPECT_EQ(table->line(), 2);
  table->rewind();
  std::vector<std::string_view> cells;
  ASSERT_TRUE(table->next(cells));
  table->rewind();
  EXPECT_EQ(rows_of(*table), want);
  const auto refusal = [](const std::string& bytes) {
    return message_of(Code::kCorruptFile, [&] { (void)rows_of(*table_of(bytes)); });
  };
  EXPECT_EQ(refusal(whole.substr(0, whole.size() - 3)),
            "npy: \"a.npy\": ends after 21 of 24 bytes; fetch the file again");
  EXPECT_EQ(refusal(whole + "x"), "npy: \"a.npy\": more bytes follow than its head announces");
  EXPECT_EQ(refusal(numpy_file("<f4", true, "(0, 3)", "x")),
            "npy: \"a.npy\": more bytes follow than its head announces");
  EXPECT_EQ(refusal(numpy_file("<f4", true, "(1000000000000, 3)", "abc")),
            "npy: \"a.npy\": ends after 3 of 12000000000000 bytes; fetch the file again");
}

// 16.8 MB, more than is kept in memory: the last rows are gathered by themselves.
TEST(NpyTable, ALargeArrayInFortranOrderIsGatheredInParts) {
  constexpr int64_t kRows = 70'000, kColumns = 30;
  std::vector<double> values(static_cast<size_t>(kRows * kColumns));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  const std::string whole = numpy_file("<f8", true, "(70000, 30)", bytes_of(values));
  const auto table = table_of(whole);
  std::vector<std::string_view> cells;
  for (int pass = 0; pass < 2; ++pass) {
    int64_t row = 0;
    for (; table->next(cells); ++row) {
      ASSERT_EQ(cells.size(), static_cast<size_t>(kColumns));
      ASSERT_EQ(cells.front(), std::to_string(row));
      ASSERT_EQ(cells.back(), std::to_string((kColumns - 1) * kRows + row));
    }
    EXPECT_EQ(row, kRows);
    table->rewind();
  }
  EXPECT_EQ(message_of(Code::kCorruptFile,
                       [&] { (void)table_of(whole.substr(0, whole.size() - 8))->next(cells); }),
            "npy: \"a.npy\": ends after 16799992 of 16800000 bytes; fetch the file again");
}

TEST(NpyTable, NarrowNumbersAreNumbersToo) {
  const auto rows = [](const std::string& descr, const std::string& numbers) {
    return rows_of(*table_of(numpy_file(descr, false, "(1, 2)", numbers)));
  };
  EXPECT_EQ(rows("|b1", std::string("\x01\x00", 2)), (std::vector<Row>{{"1", "0"}}));
  EXPECT_EQ(rows("|i1", "\x80\x7f"), (std::vector<Row>{{"-128", "127"}}));
  EXPECT_EQ(rows("<i2", bytes_of<int16_t>({-32768, 5})), (std::vector<Row>{{"-32768", "5"}}));
  EXPECT_EQ(rows("<u2", bytes_of<uint16_t>({65535, 0})), (std::vector<Row>{{"65535", "0"}}));
  EXPECT_EQ(rows("<u4", bytes_of<uint32_t>({4294967295, 1})),
            (std::vector<Row>{{"4294967295", "1"}}));
  // -2.5 and NaN
  EXPECT_EQ(rows("<f2", bytes_of<uint16_t>({0xC100, 0x7E00})), (std::vector<Row>{{"-2.5", ""}}));
  // [[1, 2], [3, 4]], column by column
  EXPECT_EQ(rows_of(*table_of(numpy_file("<i2", true, "(2, 2)", bytes_of<int16_t>({1, 3, 2, 4})))),
            (std::vector<Row>{{"1", "2"}, {"3", "4"}}));
}

TEST(NpyTable, TheTargetLiesBesideTheNumbers) {
  const TempFolder folder;
  const std::string path = folder.put("x_train.npy", file_of<float>({2, 2}, {1, 2, 3, 4}));
  EXPECT_EQ(open_table(path)->columns(), (Row{"column_1", "column_2"}));
  const auto put = [&](const std::string& file) { return folder.put("y_train.npy", file); };
  for (const char* shape : {"(2,)", "(2, 1)"}) {
    (void)put(numpy_file("<f8", false, shape, bytes_of<double>({0.5, -7})));
    const auto table = open_table(path);
    EXPECT_EQ(table->columns(), (Row{"column_1", "column_2", "target"}));
    const std::vector<Row> want{{"1", "2", "0.5"}, {"3", "4", "-7"}};
    EXPECT_EQ(rows_of(*table), want);
    table->rewind();
    EXPECT_EQ(rows_of(*table), want);
  }
  TableFormat format;
  format.columns = {"width", "height"};
  EXPECT_EQ(open_table(path, format)->columns(), (Row{"width", "height", "target"}));
  const auto refusal = [&](Code code) {
    std::string message = message_of(code, [&] { (void)open_table(path, format); });
    for (size_t at; (at = message.find(folder.path() + "/")) != std::string::npos;) {
      message.erase(at, folder.path().size() + 1);
    }
    return message;
  };
  format.columns = {"width", "target"};
  EXPECT_EQ(refusal(Code::kInvalidArgument),
            "npy: table.format.columns=[...] calls a column of \"x_train.npy\" \"target\", as the "
            "numbers of \"y_train.npy\" are called; give it another name");
  format.columns.clear();
  (void)put(file_of<int32_t>({3}, {0, 1, 2}));
  EXPECT_EQ(refusal(Code::kCorruptFile),
            "npy: \"x_train.npy\" holds 2 rows but \"y_train.npy\" 3 targets; are they of one "
            "split?");
  (void)put(file_of<int32_t>({2, 2}, {0, 1, 1, 0}));
  EXPECT_EQ(refusal(Code::kCorruptFile),
            "npy: \"y_train.npy\" holds int32 [2, 2]; the target of the rows in \"x_train.npy\" is "
            "[rows] or [rows, 1]: of one column per class it is arr.argmax(axis=1)");
}

TEST(NpyTable, RefusesWhatIsNoTable) {
  const auto refusal = [](const std::string& bytes) {
    return message_of(Code::kCorruptFile, [&] { (void)rows_of(*table_of(bytes)); });
  };
  EXPECT_EQ(refusal(file_of<float>({2}, {1, 2})),
            "npy: \"a.npy\" holds float32 [2]; a table is [rows, columns], pictures are uint8 "
            "[count, height, width] or [count, height, width, 3]: arr[:, None] is one of one "
            "column");
  EXPECT_EQ(
      refusal(file_of<float>({1, 2, 2}, {0, 0.5F, 1, 0})),
      "npy: \"a.npy\" holds float32 [1, 2, 2]; a table is [rows, columns], pictures are uint8 "
      "[count, height, width] or [count, height, width, 3]: numpy.rint(255 * "
      "arr).astype('u1') of those in 0 to 1");
  EXPECT_EQ(refusal(file_of<float>({2, 0}, {})),
            "npy: \"a.npy\" holds rows of 0 columns, must be 1 to 65536");
  const std::string whole = file_of<int32_t>({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(refusal(whole.substr(0, whole.size() - 1)),
            "npy: \"a.npy\": ends in row 2 of 2; fetch the file again");
  EXPECT_NE(refusal(whole + "x").find("more bytes follow"), std::string::npos);
}

}  // namespace
}  // namespace ingot::data::npy_table_test
