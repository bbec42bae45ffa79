// SPDX-License-Identifier: Apache-2.0
// What a folder made up by hand holds, counted before anything is changed.
#include "data/inspect.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "data/made_corpus.h"
#include "data/temp_folder.h"

namespace ingot::data::inspect_test {
namespace {

using made_corpus::config_of;
using made_corpus::put_zoo;
using made_corpus::words;

TEST(Inspect, CountsAMadeUpFolder) {
  const TempFolder folder;
  put_zoo(folder);
  const CorpusReport report = inspect_corpus(config_of(folder));
  EXPECT_EQ(report.files, 10);
  EXPECT_EQ(report.binary.count, 1);
  EXPECT_EQ(report.binary.examples, std::vector<std::string>{"binary.bin"});
  EXPECT_EQ(report.empty.count, 1);
  EXPECT_EQ(report.invalid_utf8.count, 1);
  EXPECT_EQ(report.valid_utf8_files, 7);
  EXPECT_EQ(report.near_empty.count, 1);
  EXPECT_EQ(report.exact_duplicates.count, 1);
  EXPECT_EQ(report.exact_duplicates.examples, std::vector<std::string>{"good.txt"});
  EXPECT_EQ(report.extensions.at("h").files, 3);
  EXPECT_EQ(report.extensions.at("none").files, 1);
  EXPECT_EQ(report.near_duplicates.groups, 1);  // licensed.h and same_but_licence.h
  EXPECT_EQ(report.near_duplicates.documents, 2);
  EXPECT_EQ(report.near_duplicate_bytes, std::ssize(words(2, 100)));
  const Json json = report.to_json();
  EXPECT_EQ(json["files"], 10);
  EXPECT_EQ(json["extensions"]["bin"]["files"], 1);
  EXPECT_TRUE(contains(report.table(), "binary.bin"));
  EXPECT_TRUE(contains(report.table(), "near-duplicate groups       1 (before cleaning)"));
}

TEST(Inspect, CountsCharactersAndLines) {
  const TempFolder folder;
  folder.put("a.txt", "Ab1 ,\t\x01\n\nxyz\xc3\xa9\xe4\xb8\xad");
  DataConfig config = config_of(folder);
  config.min_bytes = 0;
  const CorpusReport report = inspect_corpus(config);
  EXPECT_EQ(report.lines, 3);
  EXPECT_EQ(report.longest_line_bytes, 8);
  EXPECT_EQ(report.characters.letters, 5);
  EXPECT_EQ(report.characters.digits, 1);
  EXPECT_EQ(report.characters.spaces, 4);
  EXPECT_EQ(report.characters.punctuation, 1);
  EXPECT_EQ(report.characters.control, 1);
  EXPECT_EQ(report.characters.non_ascii, 2);
  EXPECT_EQ(report.size_histogram[4], 1);  // 18 bytes
}

TEST(Inspect, HoldsOnePieceOfALongLine) {
  const TempFolder folder;
  folder.put("line.txt", std::string(100000, 'x') + "\xc3\xa9");
  DataConfig config = config_of(folder);
  config.max_file.bytes = 1024;
  const CorpusReport report = inspect_corpus(config);
  EXPECT_EQ(report.lines, 1);
  EXPECT_EQ(report.longest_line_bytes, 100002);
  EXPECT_EQ(report.larger.count, 1);
  EXPECT_EQ(report.valid_utf8_files, 1);
}

}  // namespace
}  // namespace ingot::data::inspect_test
