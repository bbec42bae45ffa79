// SPDX-License-Identifier: Apache-2.0
// Files of examples: what is written comes back, and a file that lies about itself is refused.
#include "data/examples.h"

#include <cstring>

#include "data/temp_folder.h"

namespace ingot::data::examples_test {
namespace {

ExampleLayout layout() {
  return ExampleLayout({{"picture", DType::kU8, {5}, 0}, {"target", DType::kI32, {1}, 0}});
}

class ExamplesTest : public ::testing::Test {
 protected:
  void write(int64_t rows) {
    write_atomically(*files_, path_, [&](WritableFile& file) {
      ExampleWriter writer(file, layout());
      std::vector<std::byte> record(12);
      for (int64_t i = 0; i < rows; ++i) {
        const auto label = static_cast<int32_t>(i * 7);
        for (size_t b = 0; b < 5; ++b)
          record[b] = static_cast<std::byte>(i + static_cast<int64_t>(b));
        std::memcpy(record.data() + 8, &label, sizeof(label));
        writer.add(record);
      }
      EXPECT_EQ(writer.finish(), rows);
    });
  }
  std::string refusal() {
    return message_of(Code::kCorruptFile, [&] { const ExampleReader reader(path_); });
  }
  void patch(int64_t from_end, char byte) const {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-from_end, std::ios::end);
    file.put(byte);
  }
  TempFolder folder_;
  std::string path_ = folder_.file("a.examples");
  std::unique_ptr<FileSystem> files_ = real_files();
};

TEST_F(ExamplesTest, FieldsStartAtMultiplesOfFour) {
  EXPECT_EQ(layout().fields()[1].offset, 8);
  EXPECT_EQ(layout().record_bytes(), 12);
  EXPECT_EQ(layout().find("nothing"), nullptr);
}

TEST_F(ExamplesTest, RecordsInMemoryAreReadLikeThoseOfAFile) {
  write(3);
  const ExampleReader file(path_);
  std::vector<std::byte> records;
  for (int64_t i = 0; i < 3; ++i) {
    records.insert(records.end(), file.row(i).begin(), file.row(i).end());
  }
  ExampleReader memory("numbers", layout(), std::move(records));
  const ExampleReader moved = std::move(memory);
  EXPECT_EQ(moved.path(), "numbers");
  ASSERT_EQ(moved.rows(), 3);
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(std::equal(moved.row(i).begin(), moved.row(i).end(), file.row(i).begin()));
  }
  EXPECT_EQ(ExampleReader("nothing", layout(), {}).rows(), 0);
}

TEST_F(ExamplesTest, WhatIsWrittenComesBack) {
  constexpr int64_t kRows = 100'000;  // more than a write block
  write(kRows);
  const ExampleReader reader(path_);
  EXPECT_EQ(reader.rows(), kRows);
  EXPECT_EQ(reader.layout().fields()[0].dtype, DType::kU8);
  for (const int64_t row : {int64_t{0}, int64_t{77'777}, kRows - 1}) {
    const std::span<const std::byte> record = reader.row(row);
    int32_t label = 0;
    std::memcpy(&label, record.data() + 8, sizeof(label));
    EXPECT_EQ(label, row * 7);
    EXPECT_EQ(record[4], static_cast<std::byte>(row + 4));
  }
}

TEST_F(ExamplesTest, AnEmptyFileHasNoRows) {
  write(0);
  EXPECT_EQ(ExampleReader(path_).rows(), 0);
}

TEST_F(ExamplesTest, LiesAreRefused) {
  write(3);
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  EXPECT_TRUE(contains(refusal(), "does not end like a file of examples. Is the copy complete?"));
  write(3);
  patch(30, '9');
  EXPECT_TRUE(contains(refusal(), "the checksum of the footer does not match"));
  write(3);
  patch(17, '\x7f');
  EXPECT_TRUE(contains(refusal(), "a footer of "));
  folder_.put("a.examples", "short");
  EXPECT_TRUE(contains(refusal(), "5 bytes are too few"));
}

TEST_F(ExamplesTest, LayoutsThatCannotBe) {
  EXPECT_TRUE(contains(message_of(Code::kInvalidArgument,
                                  [] { const ExampleLayout l(std::vector<ExampleField>{}); }),
                       "a record without fields"));
  EXPECT_TRUE(contains(
      message_of(Code::kInvalidArgument,
                 [] {
                   const ExampleLayout l({{"a", DType::kF32, {1}, 0}, {"a", DType::kF32, {1}, 0}});
                 }),
      "two fields are called \"a\""));
  EXPECT_TRUE(contains(message_of(Code::kInvalidArgument,
                                  [] {
                                    const ExampleLayout l({{"a", DType::kF64, {1}, 0}});
                                  }),
                       "\"a\" is float64"));
}

}  // namespace
}  // namespace ingot::data::examples_test
