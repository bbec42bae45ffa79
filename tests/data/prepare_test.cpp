// SPDX-License-Identifier: Apache-2.0
// Folders made up by hand go through listing, inspection, cleaning, splitting and writing.
#include "data/prepare.h"

#include <fstream>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/faulty_files.h"
#include "base/hash.h"
#include "base/machine.h"
#include "base/message_of.h"
#include "base/team.h"
#include "base/text.h"
#include "data/corpus_file.h"
#include "data/inspect.h"
#include "data/temp_folder.h"
#include "data/tokenize.h"
#include "text/bpe_train.h"

namespace ingot::data::prepare_test {
namespace {

std::string words(uint64_t seed, int count) {
  std::mt19937_64 random(seed);
  std::string text;
  for (int i = 0; i < count; ++i)
    text += "w" + std::to_string(random() % 10000) + (i % 8 == 7 ? "\n" : " ");
  return text;
}

DataConfig config_of(const TempFolder& folder) {
  DataConfig config;
  config.path = folder.path();
  return config;
}

/// One of everything that can be wrong with a file.
void put_zoo(const TempFolder& folder) {
  folder.put("good.txt", words(1, 100));
  folder.put("copy/good.txt", words(1, 100));
  folder.put("licensed.h", "// Copyright (C) 2020 A\n" + words(2, 100));
  folder.put("same_but_licence.h", words(2, 100));
  folder.put("mail.c", words(3, 50) + "ask a@b.org or c@d.net\n");
  folder.put("empty", "");
  folder.put("short.md", "hi\n");
  folder.put("only_licence.h", "/* Copyright 2020 A. All rights reserved. */\n");
  folder.put("binary.bin", std::string("ELF\0\1\2", 6) + words(4, 100));
  folder.put("latin1.txt", words(5, 100) + "caf\xe9\n");
  folder.put(".hidden/x.txt", words(6, 100));
}

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

// Every byte a token: the most that ids take. What is measured is the process.
TEST(Prepare, HoldsNoMoreCopiesOfAPieceThanItSays) {
  if (testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory is part of the program's";
  constexpr int64_t kBeside = 24 << 20;  // caches and buffers that do not grow with the piece
  const TempFolder folder, out;
  const std::string text = words(1, 3'000'000);
  const auto size = std::ssize(text);
  folder.put("one.txt", text);
  DataConfig config = config_of(folder);
  config.max_file.bytes = size;
  config.validation = config.test = 0;
  const auto files = real_files();
  const text::ByteBpe bytes(text::BpeTrainer({257, 2, {"<|endoftext|>"}}).train());
  Team team(1);
  const int64_t before = resident_bytes();
  if (!reset_peak_resident()) GTEST_SKIP() << "the kernel does not allow it here";
  (void)prepare_corpus(*files, config, out.path());
  const ShardInfo shard = tokenize_corpus(*files, corpus_path(out.path(), Split::kTrain), bytes,
                                          sha256_hex("tokenizer"), out.file("train.shard"), team);
  EXPECT_EQ(shard.tokens, size + 1);
  EXPECT_LE(peak_resident_bytes() - before, kPieceCopies * size + kBeside);
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

/// Forty families of near duplicates and a hundred single files.
void put_families(const TempFolder& folder) {
  for (int family = 0; family < 40; ++family) {
    for (int copy = 0; copy < 3; ++copy) {
      folder.put("f" + std::to_string(copy) + "/" + std::to_string(family) + ".txt",
                 words(static_cast<uint64_t>(family), 300) + "copy number " + std::to_string(copy));
    }
  }
  for (int i = 0; i < 100; ++i) {
    folder.put("single/" + std::to_string(i), words(static_cast<uint64_t>(1000 + i), 200));
  }
}

TEST(Prepare, KeepsNearDuplicatesInOneSplitAndLosesNothing) {
  const TempFolder folder;
  put_families(folder);
  const TempFolder out;
  const auto files = real_files();
  DataConfig config = config_of(folder);
  config.validation = 0.2;
  config.test = 0.1;
  const PrepareReport report = prepare_corpus(*files, config, out.file("clean"));
  EXPECT_EQ(report.split.groups.groups, 40);
  EXPECT_EQ(report.split.groups.documents, 120);
  EXPECT_EQ(report.split.exact_across, 0);
  EXPECT_EQ(report.split.near_pairs_across, 0);

  std::map<std::string, Split> family_split;
  std::set<std::string> paths;
  int64_t total = 0;
  for (int i = 0; i < kSplits; ++i) {
    const auto split = static_cast<Split>(i);
    int64_t bytes = 0;
    for (const Document& d : read_corpus(corpus_path(out.file("clean"), split))) {
      EXPECT_EQ(d.text, read_file(folder.file(d.path)));
      EXPECT_TRUE(paths.insert(d.path).second);
      bytes += std::ssize(d.text);
      if (d.path[0] != 'f') continue;
      const auto [at, added] = family_split.try_emplace(base_name(d.path), split);
      EXPECT_EQ(at->second, split) << d.path;
    }
    EXPECT_EQ(bytes, report.split.bytes[static_cast<size_t>(i)]);
    total += bytes;
  }
  EXPECT_EQ(paths.size(), 220U);
  EXPECT_EQ(total, report.clean.kept_bytes);
  const auto share = [&](Split s) {
    return static_cast<double>(report.split.bytes[static_cast<size_t>(s)]) /
           static_cast<double>(total);
  };
  // fill_split aims at 90 % to 105 % of the share.
  EXPECT_NEAR(share(Split::kTest), 0.1, 0.01);
  EXPECT_NEAR(share(Split::kValidation), 0.2, 0.02);
  EXPECT_EQ(report.to_json()["split"]["train"]["documents"], report.split.documents[0]);
  EXPECT_TRUE(contains(report.table(), "(after cleaning)"));
}

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

TEST(Prepare, SaysWhyThereIsNoText) {
  const TempFolder folder;
  folder.put("a", "");
  folder.put("b", std::string("\0", 1));
  const auto files = real_files();
  const TempFolder out;
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [&] { prepare_corpus(*files, config_of(folder), out.path()); }),
            "data: no usable text in '" + folder.path() +
                "': 2 files, of them 1 empty, 0 near-empty, 1 binary, 0 not UTF-8, 0 too large, 0 "
                "unreadable; 0 have other extensions, 0 run directories are left out. Check "
                "data.path and data.extensions");
  DataConfig config = config_of(folder);
  config.path = folder.file("none");
  EXPECT_TRUE(
      contains(message_of(Code::kNotFound, [&] { prepare_corpus(*files, config, out.path()); }),
               folder.file("none")));
}

TEST(Prepare, AFullDiskLeavesThePreviousSplit) {
  const TempFolder folder;
  put_families(folder);
  const TempFolder out;
  const auto files = real_files();
  prepare_corpus(*files, config_of(folder), out.path());
  const std::string before = read_file(corpus_path(out.path(), Split::kTrain));
  FaultyFiles faulty(*files, {Fault{.op = FileOp::kWrite, .nth = 20, .tear = true}});
  DataConfig config = config_of(folder);
  config.seed = 5;
  EXPECT_TRUE(contains(message_of(Code::kIo, [&] { prepare_corpus(faulty, config, out.path()); }),
                       "train.jsonl"));
  EXPECT_EQ(read_file(corpus_path(out.path(), Split::kTrain)), before);
}

/// Goes on by one second per look, and may ask for a stop at one of them.
class CountingClock final : public Clock {
 public:
  explicit CountingClock(StopFlag* stop = nullptr, int64_t stop_at = 0)
      : stop_(stop), stop_at_(stop_at) {}
  [[nodiscard]] double now_s() const override {
    if (++looks_ == stop_at_) stop_->request();
    return static_cast<double>(looks_);
  }
  [[nodiscard]] double wall_s() const override { return now_s(); }
  [[nodiscard]] int64_t looks() const { return looks_; }

 private:
  StopFlag* stop_;
  int64_t stop_at_;
  mutable int64_t looks_ = 0;
};

TEST(Prepare, MeasuresCleaningMaskingAndSplittingWhereTheyHappen) {
  const TempFolder folder;
  for (int i = 0; i < 10; ++i) folder.put(std::to_string(i), words(static_cast<uint64_t>(i), 100));
  const TempFolder out;
  const auto files = real_files();
  const CountingClock clock;
  const PrepareSeconds s =
      prepare_corpus(*files, config_of(folder), out.path(), nullptr, &clock).seconds;
  EXPECT_EQ(s.mask, 20.0);   // every text in both passes, one second each
  EXPECT_EQ(s.clean, 11.0);  // 21 looks from the start to the end of the first pass
  EXPECT_EQ(s.split, 11.0);  // the same for the second
  EXPECT_EQ(s.clean + s.mask + s.split, static_cast<double>(clock.looks() - 1));
}

TEST(Prepare, AStopBetweenFilesLeavesThePreviousSplits) {
  const TempFolder folder;
  put_families(folder);
  const TempFolder out;
  const auto files = real_files();
  const CountingClock whole;
  prepare_corpus(*files, config_of(folder), out.path(), nullptr, &whole);
  const std::string before = read_file(corpus_path(out.path(), Split::kTrain));
  DataConfig config = config_of(folder);
  config.seed = 5;
  for (const int64_t look : {int64_t{3}, whole.looks() / 2 + 5}) {  // in the first and second pass
    StopFlag stop;
    const CountingClock clock(&stop, look);
    EXPECT_EQ(message_of(Code::kCancelled,
                         [&] { prepare_corpus(*files, config, out.path(), &stop, &clock); }),
              "stopped by a signal");
    EXPECT_LT(clock.looks(), look + 5);
    EXPECT_EQ(read_file(corpus_path(out.path(), Split::kTrain)), before);
  }
}

TEST(SlowPrepare, ALineOfMoreThanTwoGibibytesIsSplitOrSkipped) {
  constexpr int64_t kLine = (int64_t{1} << 31) + 1;  // no int32 holds it
  constexpr int64_t kNeeded = int64_t{6} << 30;
  const TempFolder folder;
  if (free_disk_bytes(folder.path()) < kNeeded) {
    GTEST_SKIP() << "needs 6 GiB free in " << folder.path();
  }
  folder.put("small.txt", words(1, 100));
  {
    std::ofstream line(folder.file("line.txt"), std::ios::binary);
    std::string block;
    for (int64_t left = kLine, number = 0; left > 0; left -= std::ssize(block)) {
      block.clear();
      while (std::ssize(block) < 1 << 20) block += "w" + std::to_string(number++) + " ";
      block.resize(static_cast<size_t>(std::min<int64_t>(left, std::ssize(block))));
      line.write(block.data(), std::ssize(block));
    }
    ASSERT_TRUE(line.good());
  }
  ASSERT_EQ(file_size(folder.file("line.txt")), kLine);
  const TempFolder out;
  const auto files = real_files();
  DataConfig config = config_of(folder);
  config.validation = config.test = 0;
  const CleanReport split = prepare_corpus(*files, config, out.path()).clean;
  EXPECT_EQ(split.large_split.count, 1);
  EXPECT_EQ(split.large_split.bytes, kLine);
  EXPECT_EQ(split.near_empty.count, 1);  // the one byte that is left for the last piece
  EXPECT_EQ(split.kept_bytes, kLine - 1 + file_size(folder.file("small.txt")));
  EXPECT_EQ(split.kept_documents, 1 + kLine / config.max_file.bytes);
  EXPECT_GT(file_size(corpus_path(out.path(), Split::kTrain)), kLine);
  config.large_files = LargeFiles::kSkip;
  const CleanReport skipped = prepare_corpus(*files, config, out.path()).clean;
  EXPECT_EQ(skipped.large_skipped.count, 1);
  EXPECT_EQ(skipped.large_skipped.bytes, kLine);
  EXPECT_EQ(skipped.kept_documents, 1);
}

TEST(DataConfig, RangesAreChecked) {
  const auto refuse = [](auto change) {
    DataConfig config;
    change(config);
    return message_of(Code::kInvalidArgument, [&] { check(config); });
  };
  EXPECT_EQ(refuse([](DataConfig& c) { c.max_file.bytes = 10; }),
            "data.max_file: 10 bytes is below the smallest piece of 1024");
  EXPECT_EQ(refuse([](DataConfig& c) { c.min_bytes = -1; }), "data.min_bytes: -1 is negative");
  EXPECT_TRUE(contains(refuse([](DataConfig& c) { c.near_duplicate = 0; }),
                       "data.near_duplicate: 0 is not in (0, 1]"));
  EXPECT_TRUE(contains(refuse([](DataConfig& c) { c.test = 0.96; }),
                       "data.validation and data.test: 0.05 and 0.96 must be"));
  EXPECT_TRUE(contains(refuse([](DataConfig& c) { c.extensions = {""}; }),
                       "data.extensions: \"\" is no extension"));
  check(DataConfig{});
}

TEST(DataConfig, BindsFromARecipe) {
  DataConfig config;
  const std::string recipe =
      "path: /x\nextensions: [h, cpp]\nmax_file: 1MiB\ninvalid_utf8: replace\nlarge_files: skip\n";
  bind_text(recipe, "recipe", config);
  EXPECT_EQ(config.extensions, (std::vector<std::string>{"h", "cpp"}));
  EXPECT_EQ(config.max_file.bytes, 1 << 20);
  EXPECT_EQ(config.invalid_utf8, InvalidUtf8::kReplace);
  EXPECT_EQ(config.large_files, LargeFiles::kSkip);
}

}  // namespace
}  // namespace ingot::data::prepare_test
