// SPDX-License-Identifier: Apache-2.0
// CIFAR records made by hand, and the published test images with the counts of their SOURCE.md.
#include "data/formats/cifar.h"

#include <array>
#include <map>

#include "data/formats/real_files.h"
#include "data/temp_folder.h"
#include "io/image.h"

namespace ingot::data::cifar_test {
namespace {

std::string record(const std::string& labels, char shift) {
  std::string text = labels;
  for (int i = 0; i < 3072; ++i) text += static_cast<char>(i % 251 + shift);
  return text;
}

std::unique_ptr<TableReader> open(const std::string& file) {
  return open_cifar(io::memory_source(file, "f"));
}

std::vector<std::string> classes_of(TableReader& table) {
  std::vector<std::string_view> cells;
  std::vector<std::string> classes;
  while (table.next(cells)) classes.emplace_back(cells[1]);
  return classes;
}

using Texts = std::vector<std::string>;

TEST(Cifar, PlanesBecomePixels) {
  const auto table = open(record("\x03", 0) + record("\x09", 5));
  EXPECT_EQ(table->columns(), (Texts{"image", "class"}));
  std::vector<std::string_view> cells;
  for (int n = 0; n < 2; ++n) {
    ASSERT_TRUE(table->next(cells));
    EXPECT_EQ(table->line(), n + 1);
    EXPECT_EQ(cells[1], n == 0 ? "3" : "9");
    const io::Image image = io::decode_image(std::as_bytes(std::span(cells[0])), "f");
    EXPECT_EQ(image.height, 32);
    EXPECT_EQ(image.width, 32);
    ASSERT_EQ(image.channels, 3);
    for (int i = 0; i < 1024; ++i) {
      for (int c = 0; c < 3; ++c) {
        ASSERT_EQ(image.pixels[static_cast<size_t>(3 * i + c)],
                  static_cast<uint8_t>((1024 * c + i) % 251 + 5 * n));
      }
    }
  }
  EXPECT_FALSE(table->next(cells));
  EXPECT_TRUE(cells.empty());
  table->rewind();
  EXPECT_EQ(classes_of(*table), (Texts{"3", "9"}));
}

TEST(Cifar, TellsTheHundredClassesByTheirRecords) {
  EXPECT_EQ(classes_of(*open(record("\x13\x63", 0))), (Texts{"99"}));
  std::string many;
  for (int i = 0; i < 80; ++i) many += record(std::string{static_cast<char>(i % 20), 'A'}, 1);
  EXPECT_EQ(classes_of(*open(many)), Texts(80, "65"));
}

TEST(Cifar, ClassesHaveTheNamesBesideTheFile) {
  const TempFolder folder;
  (void)folder.put("batches.meta.txt", "airplane\nautomobile\r\n\nbird\n\n");
  const std::string path = folder.put("a.bin", record("\x01", 0) + record("\x09", 0));
  EXPECT_EQ(classes_of(*open_table(path)), (Texts{"automobile", "9"}));
}

TEST(Cifar, RefusesWhatIsNoBatch) {
  const auto refusal = [](const std::string& file) {
    return message_of(Code::kCorruptFile, [&] { (void)classes_of(*open(file)); });
  };
  EXPECT_EQ(refusal(""), "cifar: \"f\": the file is empty");
  EXPECT_EQ(
      refusal(record("\x01", 0) + record("\x02", 0) + "x"),
      "cifar: \"f\": ends after 1 of the 3073 bytes of record 3; is it the binary version, and "
      "whole?");
  EXPECT_EQ(refusal(record("\x01", 0) + record("\x0a", 0)),
            "cifar: \"f\": record 2 has the label 10, of 10 classes; is it the binary version?");
}

TEST(Cifar, ReadsPublishedFiles) {
  INGOT_NEED_DATA(dir);
  const auto table = open_table(dir + "/cifar10/test_batch_first1000.bin.xz");
  std::map<std::string, int> counts;
  for (const std::string& name : classes_of(*table)) ++counts[name];
  EXPECT_EQ(counts, (std::map<std::string, int>{{"airplane", 103},
                                                {"automobile", 89},
                                                {"bird", 100},
                                                {"cat", 103},
                                                {"deer", 90},
                                                {"dog", 86},
                                                {"frog", 112},
                                                {"horse", 102},
                                                {"ship", 106},
                                                {"truck", 109}}));
}

TEST(SlowCifar, TrainingImagesHaveThePublishedMeans) {
  INGOT_NEED_DATA(dir);
  const auto table = open_table(dir + "/cifar10/data_batch_[1-5].bin.xz");
  std::vector<std::string_view> cells;
  std::array<int64_t, 3> sums{};
  int64_t count = 0;
  for (; table->next(cells); ++count) {
    const std::string_view pixels = cells[0].substr(cells[0].size() - 3072);
    for (size_t i = 0; i < pixels.size(); ++i) sums.at(i % 3) += static_cast<uint8_t>(pixels[i]);
  }
  EXPECT_EQ(count, 50000);
  const std::array<double, 3> published{0.4914, 0.4822, 0.4465};
  for (size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(static_cast<double>(sums.at(c)) / 255.0 / (50000.0 * 1024.0), published.at(c),
                5e-5);
  }
}

}  // namespace
}  // namespace ingot::data::cifar_test
