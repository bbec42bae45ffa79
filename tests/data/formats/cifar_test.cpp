// SPDX-License-Identifier: Apache-2.0
// CIFAR records made by hand, and the published test images with the counts of their SOURCE.md.
#include "data/formats/cifar.h"

#include <array>

#include "data/formats/real_files.h"
#include "data/temp_folder.h"

namespace ingot::data {
namespace {

std::string record(const std::string& labels, char shift) {
  std::string text = labels;
  for (int i = 0; i < 3072; ++i) text += static_cast<char>(i % 251 + shift);
  return text;
}

ImageSet read(const std::string& file, CifarKind kind = CifarKind::kCifar10) {
  ImageSet set;
  append_cifar(*io::memory_source(file, "f"), kind, set);
  return set;
}

TEST(Cifar, PlanesBecomePixels) {
  const ImageSet set = read(record("\x03", 0) + record("\x09", 5));
  EXPECT_EQ(set.count, 2);
  EXPECT_EQ(set.height, 32);
  EXPECT_EQ(set.width, 32);
  EXPECT_EQ(set.channels, 3);
  EXPECT_EQ(set.labels, (std::vector<int32_t>{3, 9}));
  ASSERT_EQ(set.pixels.size(), 2U * 3072);
  for (int i = 0; i < 1024; ++i) {
    for (int c = 0; c < 3; ++c) {
      const auto at = static_cast<size_t>(3 * i + c);
      ASSERT_EQ(set.pixels[at], (1024 * c + i) % 251);
      ASSERT_EQ(set.pixels[3072 + at], static_cast<uint8_t>((1024 * c + i) % 251 + 5));
    }
  }
  EXPECT_EQ(read(record("\x13\x63", 0), CifarKind::kCifar100).labels, (std::vector<int32_t>{99}));
}

TEST(Cifar, FilesFollowOneAnother) {
  const TempFolder folder;
  const std::vector<std::string> paths{folder.put("1.bin", record("\x01", 0)),
                                       folder.put("2.bin", record("\x02", 0))};
  EXPECT_EQ(read_cifar(paths).labels, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(message_of(Code::kInvalidArgument, [] { (void)read_cifar({}); }),
            "cifar: no files are named");
}

TEST(Cifar, RefusesWhatIsNoBatch) {
  const auto refusal = [](const std::string& file, CifarKind kind = CifarKind::kCifar10) {
    return message_of(Code::kCorruptFile, [&] { (void)read(file, kind); });
  };
  EXPECT_EQ(refusal(""), "cifar: \"f\": the file is empty");
  EXPECT_EQ(
      refusal(record("\x01", 0) + "x"),
      "cifar: \"f\": ends after 1 of the 3073 bytes of record 2; is it the binary version, and "
      "whole?");
  EXPECT_EQ(refusal(record("\x01", 0) + record("\x0a", 0)),
            "cifar: \"f\": record 2 has the label 10, of 10 classes; is it the binary version?");
  EXPECT_TRUE(
      contains(refusal(record("\x01\x64", 0), CifarKind::kCifar100), "the label 100, of 100"));
}

TEST(Cifar, ReadsPublishedFiles) {
  INGOT_NEED_DATA(dir);
  const std::vector<std::string> paths{dir + "/cifar10/test_batch_first1000.bin.xz"};
  const ImageSet set = read_cifar(paths);
  std::array<int, 10> counts{};
  for (const int32_t label : set.labels) ++counts.at(static_cast<size_t>(label));
  EXPECT_EQ(counts, (std::array<int, 10>{103, 89, 100, 103, 90, 86, 112, 102, 106, 109}));
}

TEST(SlowCifar, TrainingImagesHaveThePublishedMeans) {
  INGOT_NEED_DATA(dir);
  std::vector<std::string> paths;
  for (int i = 1; i <= 5; ++i) {
    paths.push_back(dir + "/cifar10/data_batch_" + std::to_string(i) + ".bin.xz");
  }
  const ImageSet set = read_cifar(paths);
  EXPECT_EQ(set.count, 50000);
  std::array<int64_t, 3> sums{};
  for (size_t i = 0; i < set.pixels.size(); ++i) sums.at(i % 3) += set.pixels[i];
  const std::array<double, 3> published{0.4914, 0.4822, 0.4465};
  for (size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(static_cast<double>(sums.at(c)) / 255.0 / (50000.0 * 1024.0), published.at(c),
                5e-5);
  }
}

}  // namespace
}  // namespace ingot::data
