// SPDX-License-Identifier: Apache-2.0
// The list of published data says what is needed to accept and to verify it.
#include "data/public_data.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include "base/files.h"
#include "io/download.h"

namespace ingot::data::public_data_test {
namespace {

TEST(PublicData, EverySetHasALicenceAndAddresses) {
  std::string_view before;
  for (const PublicData& set : public_data()) {
    EXPECT_LT(before, set.name) << "in alphabetical order";
    before = set.name;
    EXPECT_FALSE(set.title.empty() || set.licence.empty() || set.files.empty()) << set.name;
    for (const PublicFile& file : set.files) {
      const io::Url url = io::parse_url(std::string(file.url));
      EXPECT_TRUE(url.is_secure) << file.url;
      EXPECT_TRUE(file.sha256.empty() || file.sha256.size() == 64) << file.name;
      EXPECT_EQ(file.name.find('/'), std::string_view::npos) << file.name;
    }
    EXPECT_EQ(find_public_data(set.name), &set);
  }
  EXPECT_EQ(find_public_data("nothing"), nullptr);
}

TEST(PublicData, TheNextCommandNamesTheFolder) {
  EXPECT_EQ(use_in(*find_public_data("ames_housing"), "my/data"),
            "ingot new ames --from my/data/house.csv");
  for (const PublicData& set : public_data()) {
    const std::string text = use_in(set, "{}");  // what is put in is not looked at again
    EXPECT_EQ(text, set.use);
    EXPECT_EQ(set.use.empty(), set.use.find("{}") == std::string_view::npos) << set.name;
    EXPECT_EQ(set.use.find(std::string(set.name) + "/"), std::string_view::npos) << set.use;
  }
}

/// Title of the form of `set` that a folder with these files holds; "none" when it holds none.
std::string held(std::string_view set, const std::set<std::string_view>& files) {
  const auto form = held_form(*find_public_data(set),
                              [&](std::string_view name) { return files.contains(name); });
  return form ? std::string(form->title) : "none";
}

TEST(PublicData, AFolderMayHoldAnotherFormOfASet) {
  const std::set<std::string_view> batches = {"data_batch_1.bin", "data_batch_2.bin",
                                              "data_batch_3.bin", "data_batch_4.bin",
                                              "data_batch_5.bin"};
  EXPECT_EQ(held("cifar10", {"cifar-10-binary.tar.gz"}), find_public_data("cifar10")->title);
  EXPECT_EQ(held("cifar10", batches), "none");
  std::set<std::string_view> tested = batches;
  tested.insert("test_batch_first1000.bin");
  EXPECT_EQ(held("cifar10", tested),
            "CIFAR-10, binary version: 50,000 + the first 1,000 test pictures");
  tested.insert("test_batch.bin");  // the whole is preferred
  EXPECT_EQ(held("cifar10", tested),
            "CIFAR-10, binary version: 60,000 colour pictures of ten classes");
  EXPECT_EQ(held("mnist", {"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"}),
            "MNIST: the 10,000 test pictures of digits");
  EXPECT_EQ(held("mnist", {"t10k-images-idx3-ubyte.gz"}), "none");
  EXPECT_EQ(held("ag_news", {"classes.txt", "test.csv", "train_subset5000.csv"}),
            "AG News: 5,000 + 7,600 news items of four topics");
  EXPECT_EQ(held("ag_news", {"classes.txt", "test.csv"}), "none");
  EXPECT_EQ(held("etth1", {"ETTh1.csv"}), find_public_data("etth1")->title);
}

TEST(PublicData, TheMostOfASetIsTaken) {
  EXPECT_EQ(held("ag_news", {"classes.txt", "test.csv", "train.csv", "train_subset5000.csv"}),
            "AG News: 120,000 + 7,600 news items of four topics");
}

TEST(PublicData, AFileOfTheWholeThatAPartLeavesOutIsFound) {
  const PublicData& mnist = *find_public_data("mnist");
  std::set<std::string_view> files = {"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};
  const auto left_out = [&] {
    const auto holds = [&](std::string_view name) { return files.contains(name); };
    return std::string(left_out_of(held_form(mnist, holds).value(), mnist, holds));
  };
  EXPECT_EQ(left_out(), "");
  files.insert("train-images-idx3-ubyte.gz");
  EXPECT_EQ(left_out(), "train-images-idx3-ubyte.gz");
  files.insert("train-labels-idx1-ubyte.gz");
  EXPECT_EQ(left_out(), "") << "the whole";
}

TEST(PublicData, CopiesSayWhatTheyAre) {
  for (const PublicData& set : public_data()) {
    for (const PublicCopy& copy : set.copies) {
      EXPECT_FALSE(copy.title.empty() || copy.files.empty()) << set.name;
      EXPECT_NE(copy.use.find("{}"), std::string_view::npos) << copy.title;
      for (const PublicFile& file : copy.files) {
        EXPECT_TRUE(file.sha256.empty() || file.sha256.size() == 64) << file.name;
      }
    }
  }
}

TEST(PublicData, DigestsAreThoseOfTheFiles) {
  const char* const root = std::getenv("INGOT_DATA_DIR");
  if (root == nullptr) GTEST_SKIP() << "INGOT_DATA_DIR is not set";
  int checked = 0;
  const auto check = [&](const PublicData& set, std::span<const PublicFile> files) {
    for (const PublicFile& file : files) {
      const std::string path = join_path(join_path(root, set.name), file.name);
      const std::string packed = file_exists(path) ? path : path + ".gz";
      if (file.sha256.empty() || !file_exists(packed)) continue;
      EXPECT_EQ(io::digest_of(packed, file.is_packed), file.sha256) << packed;
      ++checked;
    }
  };
  for (const PublicData& set : public_data()) {
    check(set, set.files);
    for (const PublicCopy& copy : set.copies) check(set, copy.files);
  }
  EXPECT_GE(checked, 20);
}

}  // namespace
}  // namespace ingot::data::public_data_test
