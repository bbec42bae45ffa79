// SPDX-License-Identifier: Apache-2.0
// Documents in three splits: what decides, what stays together, what leaks.
#include "data/split.h"

#include <algorithm>
#include <array>
#include <map>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "data/clean.h"
#include "data/made_corpus.h"

namespace ingot::data::split_test {
namespace {

using made_corpus::config_of;
using made_corpus::put_families;
using made_corpus::words;

TEST(Split, DependsOnSeedAndTextsButNotOnNames) {
  const TempFolder folder;
  put_families(folder);
  DataConfig config = config_of(folder);
  const CleanResult clean = clean_corpus(config);
  const SplitResult first = split_documents(clean.documents, config);
  EXPECT_EQ(split_documents(clean.documents, config).split, first.split);
  std::vector<CleanDocument> reversed(clean.documents.rbegin(), clean.documents.rend());
  std::vector<Split> mirrored = split_documents(reversed, config).split;
  std::reverse(mirrored.begin(), mirrored.end());
  EXPECT_EQ(mirrored, first.split);
  config.seed = 2;
  EXPECT_NE(split_documents(clean.documents, config).split, first.split);
}

TEST(Split, KeepsThePiecesOfAFileTogether) {
  const TempFolder folder;
  for (int i = 0; i < 20; ++i) folder.put(std::to_string(i), words(static_cast<uint64_t>(i), 1000));
  DataConfig config = config_of(folder);
  config.max_file.bytes = 1024;
  config.test = config.validation = 0.2;
  const CleanResult clean = clean_corpus(config);
  const SplitResult result = split_documents(clean.documents, config);
  std::map<int64_t, Split> by_file;
  for (size_t i = 0; i < clean.documents.size(); ++i) {
    const auto at = by_file.try_emplace(clean.documents[i].source, result.split[i]).first;
    EXPECT_EQ(at->second, result.split[i]);
  }
}

TEST(Split, GivesEverySplitSomethingWhenGroupsAreFew) {
  const TempFolder folder;
  for (int i = 0; i < 3; ++i) folder.put(std::to_string(i), words(static_cast<uint64_t>(i), 100));
  const DataConfig config = config_of(folder);
  const CleanResult clean = clean_corpus(config);
  const SplitReport report = split_documents(clean.documents, config).report;
  EXPECT_EQ(report.documents, (std::array<int64_t, 3>{1, 1, 1}));
  const std::span<const CleanDocument> two = std::span(clean.documents).first(2);
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { (void)split_documents(two, config); }),
            "split: 2 documents in 2 groups of near duplicates cannot fill 3 splits; add files, or "
            "set data.validation=0 or data.test=0");
}

TEST(Leakage, FindsWhatWasPutThere) {
  std::vector<CleanDocument> documents(4);
  const std::array<std::string, 4> texts{words(1, 300), words(1, 300), words(1, 300) + "end",
                                         words(2, 300)};
  for (size_t i = 0; i < 4; ++i) {
    documents[i].sha256 = sha256_hex(texts[i]);
    documents[i].signature = minhash(texts[i]);
  }
  const std::vector<Split> leaky{Split::kTrain, Split::kTest, Split::kValidation, Split::kTest};
  const Leakage found = find_leakage(documents, leaky, 0.7);
  EXPECT_EQ(found.exact, 1);
  EXPECT_EQ(found.near_pairs, 3);  // train-test, train-validation, test-validation
  const std::vector<Split> clean{Split::kTest, Split::kTest, Split::kTest, Split::kTrain};
  EXPECT_EQ(find_leakage(documents, clean, 0.7).exact, 0);
  EXPECT_EQ(find_leakage(documents, clean, 0.7).near_pairs, 0);
}

}  // namespace
}  // namespace ingot::data::split_test
