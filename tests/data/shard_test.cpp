// SPDX-License-Identifier: Apache-2.0
// Round trips, then files that are cut or that lie: every field is changed, with a check sum that
// fits, and the message is read.
#include "data/shard.h"

#include <cstring>
#include <numeric>

#include <gtest/gtest.h>

#include "base/faulty_files.h"
#include "base/hash.h"
#include "data/temp_folder.h"

namespace ingot::data::shard_test {
namespace {

const std::string kSha = sha256_hex("tokenizer");

ShardInfo write_shard(FileSystem& files, const std::string& path, int64_t vocab,
                      const std::vector<std::vector<int32_t>>& documents) {
  ShardInfo info;
  write_atomically(files, path, [&](WritableFile& file) {
    ShardWriter writer(file, vocab, 0, kSha);
    for (const auto& ids : documents) writer.add_document(ids, 10 * std::ssize(ids));
    info = writer.finish();
  });
  return info;
}

std::vector<int32_t> read_all(const ShardReader& shard) {
  std::vector<int32_t> ids(static_cast<size_t>(shard.tokens()));
  shard.read(0, ids);
  return ids;
}

TEST(Shard, RoundTripsInBothWidths) {
  const TempFolder folder;
  const auto files = real_files();
  for (const int64_t vocab : {int64_t{300}, int64_t{65536}, int64_t{65537}, int64_t{1000000}}) {
    const auto big = static_cast<int32_t>(vocab - 1);
    write_shard(*files, folder.file("s"), vocab, {{1, 2, big}, {}, {5}});
    const ShardReader shard(folder.file("s"));
    EXPECT_EQ(shard.info().bytes_per_token, vocab <= 65536 ? 2 : 4);
    EXPECT_EQ(shard.info().vocab_size, vocab);
    EXPECT_EQ(shard.info().tokenizer_sha256, kSha);
    EXPECT_EQ(shard.info().text_bytes, 40);
    EXPECT_EQ(shard.info().documents, 3);
    EXPECT_EQ(read_all(shard), (std::vector<int32_t>{1, 2, big, 0, 0, 5, 0}));
    EXPECT_EQ(shard.document_start(1), 4);
    EXPECT_EQ(shard.document_start(3), 7);
    EXPECT_EQ(shard.document_bytes(0), 30);
    const std::vector<int64_t> owner{0, 0, 0, 0, 1, 2, 2};
    for (int64_t i = 0; i < 7; ++i) EXPECT_EQ(shard.document_of(i), owner[static_cast<size_t>(i)]);
  }
}

TEST(Shard, ReadsAcrossBlocks) {
  const TempFolder folder;
  std::vector<int32_t> ids(700000);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = 1 + static_cast<int32_t>(i * 7919 % 59999);
  write_shard(*real_files(), folder.file("s"), 60000, {ids});
  const ShardReader shard(folder.file("s"));
  std::vector<int32_t> part(10001);
  shard.read(12345, part);
  EXPECT_TRUE(std::equal(part.begin(), part.end(), ids.begin() + 12345));
}

TEST(Shard, HoldsNothing) {
  const TempFolder folder;
  write_shard(*real_files(), folder.file("s"), 300, {});
  const ShardReader shard(folder.file("s"));
  EXPECT_EQ(shard.tokens(), 0);
  EXPECT_EQ(shard.info().documents, 0);
}

TEST(Shard, WriterRefusesWrongIds) {
  const TempFolder folder;
  const auto files = real_files();
  const auto put = [&](std::vector<int32_t> ids) {
    return message_of(Code::kInvalidArgument,
                      [&] { write_shard(*files, folder.file("s"), 300, {std::move(ids)}); });
  };
  EXPECT_EQ(put({300}), "shard: document 0 holds id 300, which is outside vocab_size 300");
  EXPECT_EQ(put({-1}), "shard: document 0 holds id -1, which is outside vocab_size 300");
  EXPECT_EQ(put({0}), "shard: document 0 holds id 0, which is eos: encode text as plain text");
  EXPECT_FALSE(file_exists(folder.file("s")));
  const auto open = [&](int64_t vocab, int32_t eos, const std::string& sha) {
    return message_of(Code::kInvalidArgument, [&] {
      const auto file = files->open(folder.file("x"), OpenMode::kTruncate);
      const ShardWriter writer(*file, vocab, eos, sha);
    });
  };
  EXPECT_EQ(open(0, 0, kSha), "shard: vocab_size 0 is not in [1, 2147483647]");
  EXPECT_EQ(open(5, 5, kSha), "shard: eos 5 is not below vocab_size 5");
  EXPECT_EQ(open(5, 0, "abc"),
            "shard: tokenizer hash \"abc\" is not 64 lower-case hexadecimal digits");
}

TEST(Shard, AFullDiskLeavesThePreviousFile) {
  const TempFolder folder;
  const auto files = real_files();
  write_shard(*files, folder.file("s"), 300, {{1, 2, 3}});
  FaultyFiles faulty(*files, {Fault{.op = FileOp::kWrite, .nth = 1, .tear = true}});
  EXPECT_TRUE(
      contains(message_of(Code::kIo, [&] { write_shard(faulty, folder.file("s"), 300, {{4}}); }),
               folder.file("s")));
  EXPECT_EQ(read_all(ShardReader(folder.file("s"))), (std::vector<int32_t>{1, 2, 3, 0}));
}

class LyingShard : public ::testing::Test {
 protected:
  void SetUp() override {
    write_shard(*real_files(), path_, 300, {{1, 2, 3}, {4, 5}});
    good_ = read_file(path_);
  }
  /// Changes bytes of the footer and gives it a fitting check sum.
  template <class T>
  std::string lie(size_t field, T value, Code code = Code::kCorruptFile) {
    std::string bytes = good_;
    const size_t footer = bytes.size() - 128;
    std::memcpy(bytes.data() + footer + field, &value, sizeof(value));
    const uint32_t crc = crc32c(std::string_view(bytes).substr(footer, 124));
    std::memcpy(bytes.data() + footer + 124, &crc, 4);
    return open(bytes, code);
  }
  /// Changes a border, with fitting check sums.
  std::string lie_border(size_t index, int64_t value) {
    std::string bytes = good_;
    const size_t footer = bytes.size() - 128;
    const size_t borders = footer - 32;
    std::memcpy(bytes.data() + borders + 8 * index, &value, 8);
    uint32_t crc = crc32c(std::string_view(bytes).substr(borders, 32));
    std::memcpy(bytes.data() + footer + 52, &crc, 4);
    crc = crc32c(std::string_view(bytes).substr(footer, 124));
    std::memcpy(bytes.data() + footer + 124, &crc, 4);
    return open(bytes, Code::kCorruptFile);
  }
  std::string open(const std::string& bytes, Code code) {
    folder_.put("s", bytes);
    std::string message = message_of(code, [&] { const ShardReader shard(path_); });
    // The path differs from run to run.
    const size_t at = message.find(path_);
    return at == std::string::npos ? message : message.replace(at, path_.size(), "S");
  }

  TempFolder folder_;
  std::string path_ = folder_.file("s");
  std::string good_;
};

TEST_F(LyingShard, NamesTheFieldAndBothValues) {
  EXPECT_EQ(lie<uint32_t>(8, 9, Code::kUnsupported),
            "shard: S has format version 9, this program reads 1; tokenize again");
  EXPECT_EQ(lie<uint32_t>(12, 4), "shard: S: bytes per token is 2 in the head and 4 in the footer");
  EXPECT_EQ(lie<uint64_t>(16, 9),
            "shard: S: 9 tokens and 2 documents need 200 bytes, the file has 192");
}

TEST_F(LyingShard, RefusesSizesThatOverflow) {
  EXPECT_TRUE(contains(lie<uint64_t>(16, ~uint64_t{0}), "tokens: 18446744073709551615 is outside"));
  EXPECT_TRUE(contains(lie<uint64_t>(16, INT64_MAX), "does not fit in 64 bits"));
  EXPECT_TRUE(contains(lie<uint64_t>(24, INT64_MAX / 8), "does not fit in 64 bits"));
  EXPECT_TRUE(contains(lie<uint64_t>(24, 1000), "and 1000 documents need"));
  EXPECT_TRUE(contains(lie<uint64_t>(16, 1000000), "1000000 tokens and 2 documents need"));
  EXPECT_EQ(lie<uint64_t>(32, 51),
            "shard: S: the documents have 50 bytes of text, the footer says 51");
  EXPECT_EQ(lie<uint64_t>(40, 0), "shard: S: eos 0 and vocab_size 0 do not fit together");
  EXPECT_EQ(lie<int32_t>(48, -1), "shard: S: eos -1 and vocab_size 300 do not fit together");
}

TEST_F(LyingShard, RefusesBordersThatDoNotGrow) {
  EXPECT_EQ(lie_border(0, 1), "shard: S: the first document starts at token 1 instead of 0");
  EXPECT_EQ(lie_border(1, 7), "shard: S: document 1 starts at token 7 and ends at 7");
  EXPECT_EQ(lie_border(1, -5), "shard: S: document 0 starts at token 0 and ends at -5");
  EXPECT_EQ(lie_border(2, -1), "shard: S: document 0 has -1 bytes");
  EXPECT_TRUE(contains(lie_border(2, INT64_MAX), "does not fit in 64 bits"));
}

TEST_F(LyingShard, RefusesEveryTruncationAndEveryFlippedFooterByte) {
  for (size_t size = 0; size < good_.size(); ++size) {
    EXPECT_FALSE(open(good_.substr(0, size), Code::kCorruptFile).empty()) << size;
  }
  for (size_t at = good_.size() - 128 - 32; at < good_.size(); ++at) {
    std::string bytes = good_;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    EXPECT_FALSE(open(bytes, Code::kCorruptFile).empty()) << at;
  }
}

TEST_F(LyingShard, SaysWhatIsNoShard) {
  EXPECT_EQ(open("{}", Code::kCorruptFile),
            "shard: S has 2 bytes, fewer than head and footer (144): truncated, or no shard");
  EXPECT_EQ(open(std::string(500, 'x'), Code::kCorruptFile),
            "shard: S does not start with \"INGOTSHD\": not a token shard");
  EXPECT_EQ(open(good_.substr(0, 160), Code::kCorruptFile),
            "shard: S has no footer \"INGOTEND\": truncated; tokenize again");
  EXPECT_TRUE(contains(message_of(Code::kNotFound, [] { const ShardReader r("/no/such/shard"); }),
                       "/no/such/shard"));
}

TEST_F(LyingShard, RefusesATokenBeyondTheVocabularyWhenItIsRead) {
  std::string bytes = good_;
  bytes[16 + 2] = '\xff';
  bytes[16 + 3] = '\xff';
  folder_.put("s", bytes);
  const ShardReader shard(path_);
  EXPECT_TRUE(contains(message_of(Code::kCorruptFile, [&] { (void)read_all(shard); }),
                       "token 65535 near position 0 is not below vocab_size 300"));
}

TEST_F(LyingShard, ChecksEveryToken) {
  const ShardReader good(path_);
  good.check_tokens();
  const size_t tokens = 7 * 2;  // 1 2 3 eos 4 5 eos
  for (size_t at = 16; at < 16 + tokens; ++at) {
    std::string bytes = good_;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    folder_.put("s", bytes);
    const ShardReader shard(path_);
    EXPECT_TRUE(contains(message_of(Code::kCorruptFile, [&] { shard.check_tokens(); }),
                         "s: check sum of the tokens is "))
        << at;
  }
}

TEST(Shard, ChecksTokensOfManyBlocks) {
  const TempFolder folder;
  std::vector<int32_t> ids(700'001);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = 1 + static_cast<int32_t>(i % 299);
  for (const int64_t vocab : {300, 70'000}) {
    write_shard(*real_files(), folder.file("s"), vocab, {ids, {7}, ids});
    ShardReader(folder.file("s")).check_tokens();
  }
  StopFlag stop;
  stop.request();
  (void)message_of(Code::kCancelled, [&] { ShardReader(folder.file("s")).check_tokens(&stop); });
}

TEST_F(LyingShard, TakesThoseOfEarlierWritersWithoutACheckSum) {
  std::string bytes = good_;
  const size_t footer = bytes.size() - 128;
  bytes.replace(footer + 88, 8, 8, '\0');
  const uint32_t crc = crc32c(std::string_view(bytes).substr(footer, 124));
  std::memcpy(bytes.data() + footer + 124, &crc, 4);
  bytes[16] = 2;
  folder_.put("s", bytes);
  const ShardReader shard(path_);
  shard.check_tokens();
  EXPECT_EQ(read_all(shard)[0], 2);
}

}  // namespace
}  // namespace ingot::data::shard_test
