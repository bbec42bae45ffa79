// SPDX-License-Identifier: Apache-2.0
// Arrays of pictures with their labels beside them, by hand, and MNIST and Fashion-MNIST
// themselves.
#include "data/formats/array_pictures.h"

#include <numeric>

#include "base/machine.h"
#include "data/formats/npy.h"
#include "data/formats/real_files.h"
#include "data/temp_folder.h"
#include "io/image.h"

namespace ingot::data::array_pictures_test {
namespace {

std::string head(char type, const std::vector<uint32_t>& sizes) {
  std::string text{'\0', '\0', type, static_cast<char>(sizes.size())};
  for (const uint32_t size : sizes) {
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(size >> shift & 0xFF);
  }
  return text;
}

struct Row {
  std::string pixels;
  std::string label;
  bool operator==(const Row&) const = default;
};

std::vector<Row> rows_of(TableReader& table, size_t pixels) {
  std::vector<std::string_view> cells;
  std::vector<Row> rows;
  while (table.next(cells)) {
    Row& row = rows.emplace_back();
    row.pixels = cells[0].substr(cells[0].size() - pixels);
    if (cells.size() > 1) row.label = cells[1];
  }
  return rows;
}

TEST(ArrayPictures, IdxPicturesHaveTheirLabelsBesideThem) {
  const TempFolder folder;
  const std::string images = folder.put("train-images-idx3-ubyte", head(8, {2, 1, 3}) + "abcdef");
  const auto alone = open_table(images);
  EXPECT_EQ(alone->columns(), (std::vector<std::string>{"image"}));
  EXPECT_EQ(rows_of(*alone, 3), (std::vector<Row>{{"abc", ""}, {"def", ""}}));
  (void)folder.put("train-labels-idx1-ubyte", head(8, {2}) + std::string("\x07\x00", 2));
  const auto table = open_table(images);
  EXPECT_EQ(table->columns(), (std::vector<std::string>{"image", "class"}));
  EXPECT_EQ(rows_of(*table, 3), (std::vector<Row>{{"abc", "7"}, {"def", "0"}}));
  table->rewind();
  std::vector<std::string_view> cells;
  ASSERT_TRUE(table->next(cells));
  const io::ImageInfo info = io::probe_image(std::as_bytes(std::span(cells[0])), "f");
  EXPECT_EQ(info.height, 1);
  EXPECT_EQ(info.width, 3);
  EXPECT_EQ(info.channels, 1);
}

TEST(ArrayPictures, NpyPicturesHaveTheirLabelsBesideThem) {
  const TempFolder folder;
  Array pixels{{DType::kU8, {2, 1, 1, 3}}, {}};
  for (const char c : std::string("abcdef")) pixels.bytes.push_back(static_cast<std::byte>(c));
  Array labels{{DType::kI64, {2, 1}}, std::vector<std::byte>(16)};
  labels.bytes[8] = std::byte{5};
  const std::string images = folder.put("x_test.npy", npy_bytes(pixels));
  (void)folder.put("y_test.npy", npy_bytes(labels));
  EXPECT_EQ(rows_of(*open_table(images), 3), (std::vector<Row>{{"abc", "0"}, {"def", "5"}}));
}

TEST(ArrayPictures, NpyPicturesInFortranOrderAreRefused) {
  const std::string header = "{'descr': '|u1', 'fortran_order': True, 'shape': (1, 2, 2)}";
  std::string file = "\x93NUMPY";
  file += {'\x01', '\0', static_cast<char>(header.size()), '\0'};
  file += header + "abcd";
  EXPECT_EQ(message_of(Code::kUnsupported,
                       [&] { (void)open_table(io::memory_source(file, "a.npy"), "a.npy"); }),
            "npy: \"a.npy\": pictures in Fortran order; save numpy.ascontiguousarray(arr)");
}

TEST(ArrayPictures, ALabelThatFitsNoClassIsNamed) {
  const TempFolder folder;
  Array pixels{{DType::kU8, {2, 1, 1}}, std::vector<std::byte>(2)};
  Array labels{{DType::kI64, {2}}, std::vector<std::byte>(16)};
  labels.bytes[8] = std::byte{1};
  labels.bytes[12] = std::byte{1};  // 2^32 + 1
  const std::string images = folder.put("x_test.npy", npy_bytes(pixels));
  const std::string path = folder.put("y_test.npy", npy_bytes(labels));
  EXPECT_EQ(message_of(Code::kCorruptFile, [&] { (void)open_table(images); }),
            "npy: \"" + path +
                "\": label 4294967297 of picture 2 does not fit 32 bits; classes are numbered from "
                "0");
}

TEST(ArrayPictures, AHeadThatLiesCostsNoMemory) {
  const TempFolder folder;
  // Announces pictures of 1 GiB, and none or a few bytes of them.
  const std::string none = folder.put("none-idx3-ubyte", head(8, {0, 32768, 32768}));
  const std::string few = folder.put("few-idx3-ubyte", head(8, {2, 32768, 32768}) + "abc");
  const bool is_fresh = reset_peak_resident();
  const int64_t before = peak_resident_bytes();
  std::vector<std::string_view> cells;
  EXPECT_FALSE(open_table(none)->next(cells));
  EXPECT_EQ(message_of(Code::kCorruptFile, [&] { (void)open_table(few)->next(cells); }),
            "idx: \"" + few + "\": ends in picture 1 of 2; fetch the file again");
  constexpr int64_t kRoom = int64_t{64} << 20;
  if (is_fresh) {
    EXPECT_LT(peak_resident_bytes() - before, kRoom);
  }
}

TEST(ArrayPictures, LabelsAreFoundByTheUsualNames) {
  const TempFolder folder;
  for (const char* name :
       {"t10k-labels-idx1-ubyte.gz", "a-labels.idx1-ubyte", "test_labels.npy", "y_val.npy",
        "b_labels.npy.xz", "y_b.npy.gz", "c-labels-idx1-ubyte.xz"}) {
    (void)folder.put(name, "");
  }
  const auto found = [&](const std::string& images) {
    const std::string path = labels_beside(folder.file(images));
    return path.empty() ? path : path.substr(folder.path().size() + 1);
  };
  EXPECT_EQ(found("t10k-images-idx3-ubyte.gz"), "t10k-labels-idx1-ubyte.gz");
  EXPECT_EQ(found("t10k-images-idx3-ubyte"), "t10k-labels-idx1-ubyte.gz");
  EXPECT_EQ(found("a-images.idx3-ubyte.gz"), "a-labels.idx1-ubyte");
  EXPECT_EQ(labels_wanted(folder.file("d-images-idx3-ubyte.gz")),
            folder.file("d-labels-idx1-ubyte.gz"));
  EXPECT_EQ(labels_wanted(folder.file("x_d.npy")), folder.file("y_d.npy"));
  EXPECT_EQ(labels_wanted(folder.file("t10k-images-idx3-ubyte")), "") << "they are there";
  EXPECT_EQ(labels_wanted(folder.file("houses.csv")), "");
  EXPECT_EQ(found("test_images.npy"), "test_labels.npy");
  EXPECT_EQ(found("x_val.npy"), "y_val.npy");
  EXPECT_EQ(found("x_val.npy.gz"), "y_val.npy");
  EXPECT_EQ(found("x_b.npy.gz"), "y_b.npy.gz");
  EXPECT_EQ(found("x_b.npy"), "y_b.npy.gz");
  EXPECT_EQ(found("b_images.npy.gz"), "b_labels.npy.xz");
  EXPECT_EQ(found("c-images-idx3-ubyte.xz"), "c-labels-idx1-ubyte.xz");
  EXPECT_EQ(found("other.npy"), "");
  EXPECT_EQ(found("val-images-idx3-ubyte"), "");
}

TEST(ArrayPictures, RefusesWhatIsNoDataSet) {
  const TempFolder folder;
  const auto refusal = [&](const std::string& images, const std::string& labels) {
    const std::string path = folder.put("images-idx3-ubyte", images);
    (void)folder.put("labels-idx1-ubyte", labels);
    std::string message =
        message_of(Code::kCorruptFile, [&] { (void)rows_of(*open_table(path), 3); });
    for (size_t at; (at = message.find(folder.path() + "/")) != std::string::npos;) {
      message.erase(at, folder.path().size() + 1);
    }
    return message;
  };
  const std::string two = head(8, {2, 1, 3}) + "abcdef";
  const std::string labels = head(8, {2}) + "ab";
  EXPECT_EQ(refusal(two, head(8, {3}) + "abc"),
            "idx: \"images-idx3-ubyte\" holds 2 pictures but \"labels-idx1-ubyte\" 3 labels; are "
            "they of one split?");
  EXPECT_EQ(refusal(head(8, {2}) + "ab", labels),
            "idx: \"images-idx3-ubyte\" holds uint8 [2]; pictures are uint8 [count, height, width] "
            "or [count, height, width, 3]");
  EXPECT_EQ(refusal(two, two),
            "idx: \"labels-idx1-ubyte\" holds uint8 [2, 1, 3]; labels are whole numbers [count]");
  EXPECT_EQ(refusal(two.substr(0, two.size() - 1), labels),
            "idx: \"images-idx3-ubyte\": ends in picture 2 of 2; fetch the file again");
  EXPECT_EQ(refusal(two + "x", labels),
            "idx: \"images-idx3-ubyte\": more bytes follow than its head announces");
  EXPECT_EQ(refusal(head(8, {2, 0, 3}), labels),
            "idx: \"images-idx3-ubyte\" holds pictures of 3 x 0 pixels");
}

TEST(ArrayPictures, ReadsPublishedFiles) {
  INGOT_NEED_DATA(dir);
  const auto counts = [](const std::vector<Row>& rows) {
    std::vector<int> all(10);
    for (const Row& row : rows) ++all.at(static_cast<size_t>(std::stoi(row.label)));
    return all;
  };
  const auto digits = open_table(dir + "/mnist/t10k-images-idx3-ubyte.gz");
  EXPECT_EQ(counts(rows_of(*digits, 784)),
            (std::vector<int>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
  const auto clothes = open_table(dir + "/fashion_mnist/train-images-idx3-ubyte.gz");
  const std::vector<Row> rows = rows_of(*clothes, 784);
  EXPECT_EQ(counts(rows), std::vector<int>(10, 6000));
  double sum = 0;
  for (const Row& row : rows) {
    for (const char c : row.pixels) sum += static_cast<double>(static_cast<uint8_t>(c));
  }
  EXPECT_NEAR(sum / 60000 / 784 / 255, 0.2860, 0.00005);  // as published, to its digits
}

}  // namespace
}  // namespace ingot::data::array_pictures_test
