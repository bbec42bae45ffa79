// SPDX-License-Identifier: Apache-2.0
// Every reason to leave a file out or to cut it, on folders made up by hand.
#include "data/clean.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/text.h"
#include "data/corpus_file.h"
#include "data/inspect.h"
#include "data/made_corpus.h"
#include "data/temp_folder.h"

namespace ingot::data::clean_test {
namespace {

using made_corpus::config_of;
using made_corpus::put_zoo;
using made_corpus::words;

TEST(Clean, CountsEveryReason) {
  const TempFolder folder;
  put_zoo(folder);
  const CleanResult result = clean_corpus(config_of(folder));
  const CleanReport& r = result.report;
  EXPECT_EQ(r.files, 10);
  EXPECT_EQ(r.binary.count, 1);
  EXPECT_EQ(r.empty.count, 1);
  EXPECT_EQ(r.invalid_dropped.count, 1);
  EXPECT_EQ(r.near_empty.count, 2);  // short.md and the file that was only a licence
  EXPECT_EQ(r.duplicates.count, 2);  // the copy, and the text that equals another's without licence
  EXPECT_EQ(r.licence.count, 2);
  EXPECT_EQ(r.licence.bytes, 24 + 45);
  EXPECT_EQ(r.addresses, 2);
  EXPECT_EQ(r.emails.count, 1);
  EXPECT_EQ(r.kept_documents, 3);
  EXPECT_EQ(std::ssize(result.documents), 3);
  EXPECT_EQ(result.documents[0].path, "copy/good.txt");
  EXPECT_EQ(result.documents[0].sha256, sha256_hex(words(1, 100)));
  EXPECT_EQ(r.to_json()["near_empty"]["examples"][0], "only_licence.h");
  EXPECT_TRUE(contains(r.table(), "only_licence.h"));
}

TEST(Clean, FollowsTheUtf8Policy) {
  const TempFolder folder;
  folder.put("a.txt", words(5, 20) + "caf\xe9\n");
  DataConfig config = config_of(folder);
  config.invalid_utf8 = InvalidUtf8::kReplace;
  CleanResult result = clean_corpus(config);
  EXPECT_EQ(result.report.invalid_replaced.count, 1);
  EXPECT_EQ(result.documents[0].sha256, sha256_hex(words(5, 20) + "caf\xef\xbf\xbd\n"));
  config.invalid_utf8 = InvalidUtf8::kKeep;
  result = clean_corpus(config);
  EXPECT_EQ(result.report.invalid_kept.count, 1);
  EXPECT_EQ(result.documents[0].sha256, sha256_hex(words(5, 20) + "caf\xe9\n"));
}

TEST(Clean, SplitsOrSkipsLargeFiles) {
  const TempFolder folder;
  const std::string text = words(1, 1000);
  folder.put("big.txt", text);
  DataConfig config = config_of(folder);
  config.max_file.bytes = 1024;
  CleanResult result = clean_corpus(config);
  EXPECT_EQ(result.report.large_split.count, 1);
  EXPECT_GT(result.documents.size(), 4U);
  EXPECT_EQ(result.documents[1].path, "big.txt#2");
  EXPECT_EQ(result.report.kept_bytes, std::ssize(text));
  config.large_files = LargeFiles::kSkip;
  result = clean_corpus(config);
  EXPECT_EQ(result.report.large_skipped.count, 1);
  EXPECT_TRUE(result.documents.empty());
}

TEST(Clean, APieceAboveItsShareOfTheMemoryIsRefusedWithASizeThatFits) {
  const TempFolder folder;
  folder.put("big.txt", words(1, 1000));
  folder.put("small.txt", words(2, 100));
  DataConfig config = config_of(folder);
  const int64_t size = file_size(folder.file("big.txt"));
  ASSERT_GT(size, 4096);
  config.memory_bytes = kPieceCopies * size;
  EXPECT_EQ(clean_corpus(config).report.kept_documents, 2);
  config.memory_bytes = kPieceCopies * 2048;
  EXPECT_EQ(
      message_of(Code::kOutOfMemory, [&] { (void)clean_corpus(config); }),
      "data: 1 files (" + human_bytes(size) + "), such as \"big.txt\", give pieces of up to " +
          human_bytes(size) +
          " (data.max_file is 8.0 MiB); up to 16 copies of one are held, the cap is 32.0 KiB. "
          "Set data.max_file=2KiB (data.large_files=skip leaves such files out), or "
          "memory=1MiB");
  EXPECT_EQ(message_of(Code::kOutOfMemory, [&] { require_pieces_fit(config); }),
            message_of(Code::kOutOfMemory, [&] { (void)clean_corpus(config); }))
      << "a plan says the same";
  config.max_file.bytes = 2048;
  require_pieces_fit(config);
  EXPECT_EQ(clean_corpus(config).report.large_split.count, 1);
  config.large_files = LargeFiles::kSkip;
  EXPECT_EQ(clean_corpus(config).report.large_skipped.count, 1);
  config.max_file.bytes = DataConfig{}.max_file.bytes;
  config.memory_bytes = 1 << 20;
  EXPECT_EQ(clean_corpus(config).report.kept_documents, 2);
}

TEST(Clean, ANulInALaterPieceDropsTheWholeFile) {
  const TempFolder folder;
  folder.put("late.bin", words(1, 1000) + std::string(1, '\0'));
  DataConfig config = config_of(folder);
  config.max_file.bytes = 1024;
  const CleanResult result = clean_corpus(config);
  EXPECT_EQ(result.report.binary.count, 1);
  EXPECT_TRUE(result.documents.empty());
}

TEST(Clean, CountsUnreadableFiles) {
  const TempFolder folder;
  chmod(folder.path().c_str(), 0755);
  chmod(folder.put("a.txt", words(1, 100)).c_str(), 0);
  // Root reads everything, so become nobody for two calls.
  constexpr uid_t kNobody = 65534;
  const uid_t self = geteuid();
  ASSERT_TRUE(self != 0 || seteuid(kNobody) == 0);
  const int64_t cleaned = clean_corpus(config_of(folder)).report.unreadable.count;
  const int64_t inspected = inspect_corpus(config_of(folder)).unreadable.count;
  ASSERT_TRUE(self != 0 || seteuid(self) == 0);
  EXPECT_EQ(cleaned, 1);
  EXPECT_EQ(inspected, 1);
}

TEST(Clean, NamesFoldersThatMayNotBeRead) {
  const TempFolder folder;
  chmod(folder.path().c_str(), 0755);
  folder.put("a.txt", words(1, 100));
  folder.put("locked/b.txt", words(2, 100));
  chmod((folder.path() + "/locked").c_str(), 0);
  constexpr uid_t kNobody = 65534;  // root reads everything
  const uid_t self = geteuid();
  ASSERT_TRUE(self != 0 || seteuid(kNobody) == 0);
  const CleanReport cleaned = clean_corpus(config_of(folder)).report;
  const CorpusReport inspected = inspect_corpus(config_of(folder));
  ASSERT_TRUE(self != 0 || seteuid(self) == 0);
  chmod((folder.path() + "/locked").c_str(), 0755);
  for (const Tally& tally : {cleaned.unreadable_folders, inspected.unreadable_folders}) {
    EXPECT_EQ(tally.count, 1);
    EXPECT_EQ(tally.examples, std::vector<std::string>{"locked"});
  }
  for (const std::string& text : {cleaned.table(), inspected.table()}) {
    EXPECT_NE(text.find("unreadable folders          1, e.g. locked"), std::string::npos) << text;
  }
}

TEST(Clean, TakesTheExtensionsAskedFor) {
  const TempFolder folder;
  put_zoo(folder);
  DataConfig config = config_of(folder);
  config.extensions = {"h", ".C"};
  const CleanResult result = clean_corpus(config);
  EXPECT_EQ(result.report.files, 4);
  EXPECT_EQ(result.sources.other_extension, 6);
  EXPECT_EQ(extension_of("a/B.HPP"), "hpp");
  EXPECT_EQ(extension_of("a.b/c"), "none");
  EXPECT_EQ(extension_of("a/.profile"), "none");
  EXPECT_EQ(extension_of("a/b."), "none");
}

TEST(Pieces, JoinToTheFileAndCutBetweenCharacters) {
  const TempFolder folder;
  const std::string e = "\xc3\xa9", han = "\xe4\xb8\xad", face = "\xf0\x9f\x98\x80";
  std::string mixed;
  for (int i = 0; i < 500; ++i) mixed += i % 3 == 0 ? e : i % 3 == 1 ? han : face;
  for (const std::string& text : {mixed, words(1, 500), std::string(5000, '\x80'),
                                  std::string("x\n") + std::string(4000, 'y'), std::string()}) {
    const std::string path = folder.put("f", text);
    for (const int64_t limit :
         {int64_t{4}, int64_t{7}, int64_t{64}, int64_t{1000}, int64_t{1} << 20}) {
      PieceReader reader(path, limit);
      std::string joined;
      for (std::string_view piece; reader.next(piece);) {
        EXPECT_FALSE(piece.empty());
        EXPECT_LE(std::ssize(piece), limit);
        EXPECT_TRUE(text != mixed || is_valid_utf8(piece));
        joined += piece;
      }
      EXPECT_FALSE(reader.failed());
      EXPECT_EQ(joined, text);
    }
  }
  PieceReader missing(folder.file("none"), 100);
  EXPECT_TRUE(missing.failed());
}

}  // namespace
}  // namespace ingot::data::clean_test
