// SPDX-License-Identifier: Apache-2.0
// Layout (little-endian; docs/formats/shard.md):
//   0        "INGOTSHD" u32 version u32 bytes_per_token
//   16       tokens, u16 or u32, padded with zero bytes to a multiple of 8
//   then     documents x u64 first token, documents x u64 text bytes
//   size-128 "INGOTEND" u32 version u32 bytes_per_token u64 tokens u64 documents u64 text_bytes
//            u64 vocab_size u32 eos u32 crc of the borders, 32 bytes SHA-256 of the tokenizer,
//            u32 1 where the next field is kept, u32 crc of the tokens, 28 zero bytes, u32 crc of
//            the 124 bytes before it
// The numbers stand at the end because the writer streams and files are only appended to.
#include "data/shard.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/hash.h"

namespace ingot::data {
namespace {

static_assert(std::endian::native == std::endian::little, "shards are read without swapping");

constexpr uint32_t kShardVersion = 1;
constexpr std::string_view kHeadMagic = "INGOTSHD";
constexpr std::string_view kEndMagic = "INGOTEND";
constexpr int64_t kHeadBytes = 16;
constexpr int64_t kFooterBytes = 128;
constexpr size_t kShaAt = 56;
constexpr size_t kHasTokensCrcAt = 88;
constexpr size_t kTokensCrcAt = 92;
constexpr size_t kFooterCrcAt = 124;
constexpr size_t kWriteBlock = size_t{1} << 20;
constexpr int64_t kSmallVocab = 65536;

template <class T>
T get(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}
template <class T>
void put(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::byte nibble(char c) { return static_cast<std::byte>(c <= '9' ? c - '0' : c - 'a' + 10); }

int64_t padding(int64_t token_bytes) { return (8 - token_bytes % 8) % 8; }

}  // namespace

ShardWriter::ShardWriter(WritableFile& file, int64_t vocab_size, int32_t eos,
                         const std::string& tokenizer_sha256)
    : file_(file) {
  require(vocab_size > 0 && vocab_size <= INT32_MAX, Code::kInvalidArgument,
          "shard: vocab_size {} is not in [1, {}]", vocab_size, INT32_MAX);
  require(eos >= 0 && eos < vocab_size, Code::kInvalidArgument,
          "shard: eos {} is not below vocab_size {}", eos, vocab_size);
  require(is_sha256(tokenizer_sha256), Code::kInvalidArgument,
          "shard: tokenizer hash \"{}\" is not 64 lower-case hexadecimal digits", tokenizer_sha256);
  info_.vocab_size = vocab_size;
  info_.eos = eos;
  info_.bytes_per_token = vocab_size <= kSmallVocab ? 2 : 4;
  info_.tokenizer_sha256 = tokenizer_sha256;
  buffer_.reserve(kWriteBlock + 64);
  buffer_.resize(static_cast<size_t>(kHeadBytes));
  std::memcpy(buffer_.data(), kHeadMagic.data(), kHeadMagic.size());
  put<uint32_t>(buffer_.data() + 8, kShardVersion);
  put<uint32_t>(buffer_.data() + 12, static_cast<uint32_t>(info_.bytes_per_token));
  summed_ = buffer_.size();
}

void ShardWriter::flush() {
  file_.write(buffer_);
  buffer_.clear();
  summed_ = 0;
}

void ShardWriter::sum_tokens() {
  tokens_crc_ = crc32c(std::span<const std::byte>(buffer_).subspan(summed_), tokens_crc_);
  summed_ = buffer_.size();
}

void ShardWriter::flush_if_full() {
  if (buffer_.size() >= kWriteBlock) flush();
}

void ShardWriter::put_token(int32_t id) {
  const size_t at = buffer_.size();
  buffer_.resize(at + static_cast<size_t>(info_.bytes_per_token));
  std::memcpy(buffer_.data() + at, &id, static_cast<size_t>(info_.bytes_per_token));
  if (buffer_.size() < kWriteBlock) return;
  sum_tokens();
  flush();
}

void ShardWriter::put_u64(uint64_t value) {
  const size_t at = buffer_.size();
  buffer_.resize(at + sizeof(value));
  put(buffer_.data() + at, value);
  flush_if_full();
}

void ShardWriter::add_document(std::span<const int32_t> ids, int64_t text_bytes) {
  for (const int32_t id : ids) {
    require(id >= 0 && id < info_.vocab_size && id != info_.eos, Code::kInvalidArgument,
            "shard: document {} holds id {}, which is {}", info_.documents, id,
            id == info_.eos ? std::string("eos: encode text as plain text")
                            : fmt::format("outside vocab_size {}", info_.vocab_size));
  }
  INGOT_ASSERT(text_bytes >= 0);
  starts_.push_back(info_.tokens);
  bytes_.push_back(text_bytes);
  for (const int32_t id : ids) put_token(id);
  put_token(info_.eos);
  info_.tokens += static_cast<int64_t>(ids.size()) + 1;
  info_.documents += 1;
  info_.text_bytes += text_bytes;
}

ShardInfo ShardWriter::finish() {
  sum_tokens();
  const int64_t pad = padding(info_.tokens * info_.bytes_per_token);
  buffer_.resize(buffer_.size() + static_cast<size_t>(pad));
  for (const int64_t start : starts_) put_u64(static_cast<uint64_t>(start));
  for (const int64_t bytes : bytes_) put_u64(static_cast<uint64_t>(bytes));
  uint32_t borders_crc = crc32c(std::as_bytes(std::span(starts_)));
  borders_crc = crc32c(std::as_bytes(std::span(bytes_)), borders_crc);

  std::array<std::byte, kFooterBytes> footer{};
  std::byte* f = footer.data();
  std::memcpy(f, kEndMagic.data(), kEndMagic.size());
  put<uint32_t>(f + 8, kShardVersion);
  put<uint32_t>(f + 12, static_cast<uint32_t>(info_.bytes_per_token));
  put<int64_t>(f + 16, info_.tokens);
  put<int64_t>(f + 24, info_.documents);
  put<int64_t>(f + 32, info_.text_bytes);
  put<int64_t>(f + 40, info_.vocab_size);
  put<int32_t>(f + 48, info_.eos);
  put<uint32_t>(f + 52, borders_crc);
  for (size_t i = 0; i < 32; ++i) {
    f[kShaAt + i] =
        (nibble(info_.tokenizer_sha256[2 * i]) << 4) | nibble(info_.tokenizer_sha256[2 * i + 1]);
  }
  put<uint32_t>(f + kHasTokensCrcAt, 1);
  put<uint32_t>(f + kTokensCrcAt, tokens_crc_);
  put<uint32_t>(f + kFooterCrcAt, crc32c(std::span<const std::byte>(footer).first(kFooterCrcAt)));
  buffer_.insert(buffer_.end(), footer.begin(), footer.end());
  flush();
  return info_;
}

ShardReader::ShardReader(const std::string& path) : file_(path) {
  read_footer();
  read_borders();
}

void ShardReader::read_footer() {
  const std::string& name = file_.path();
  require(file_.size() >= kHeadBytes + kFooterBytes, Code::kCorruptFile,
          "shard: {} has {} bytes, fewer than head and footer ({}): truncated, or no shard", name,
          file_.size(), kHeadBytes + kFooterBytes);
  std::array<std::byte, kHeadBytes> head;
  std::array<std::byte, kFooterBytes> footer;
  file_.read_at(0, head);
  file_.read_at(file_.size() - kFooterBytes, footer);
  const std::byte* f = footer.data();
  require(std::memcmp(head.data(), kHeadMagic.data(), kHeadMagic.size()) == 0, Code::kCorruptFile,
          "shard: {} does not start with \"{}\": not a token shard", name, kHeadMagic);
  require(std::memcmp(f, kEndMagic.data(), kEndMagic.size()) == 0, Code::kCorruptFile,
          "shard: {} has no footer \"{}\": truncated; tokenize again", name, kEndMagic);
  const auto crc = get<uint32_t>(f + kFooterCrcAt);
  const uint32_t computed = crc32c(std::span<const std::byte>(footer).first(kFooterCrcAt));
  require(crc == computed, Code::kCorruptFile,
          "shard: {}: check sum of the footer is {:08x}, computed {:08x}", name, crc, computed);
  const auto version = get<uint32_t>(f + 8);
  require(version == kShardVersion && get<uint32_t>(head.data() + 8) == kShardVersion,
          Code::kUnsupported,
          "shard: {} has format version {}, this program reads {}; tokenize again", name, version,
          kShardVersion);
  const auto width = get<uint32_t>(f + 12);
  require((width == 2 || width == 4) && width == get<uint32_t>(head.data() + 12),
          Code::kCorruptFile, "shard: {}: bytes per token is {} in the head and {} in the footer",
          name, get<uint32_t>(head.data() + 12), width);
  info_.bytes_per_token = static_cast<int32_t>(width);
  info_.tokens = checked_cast<int64_t>(get<uint64_t>(f + 16), name + ": tokens");
  info_.documents = checked_cast<int64_t>(get<uint64_t>(f + 24), name + ": documents");
  info_.text_bytes = checked_cast<int64_t>(get<uint64_t>(f + 32), name + ": text bytes");
  info_.vocab_size = checked_cast<int64_t>(get<uint64_t>(f + 40), name + ": vocab_size");
  info_.eos = get<int32_t>(f + 48);
  require(info_.vocab_size > 0 && info_.vocab_size <= INT32_MAX && info_.eos >= 0 &&
              info_.eos < info_.vocab_size,
          Code::kCorruptFile, "shard: {}: eos {} and vocab_size {} do not fit together", name,
          info_.eos, info_.vocab_size);
  has_tokens_crc_ = get<uint32_t>(f + kHasTokensCrcAt) == 1;
  tokens_crc_ = get<uint32_t>(f + kTokensCrcAt);
  for (size_t i = 0; i < 32; ++i) {
    info_.tokenizer_sha256 += fmt::format("{:02x}", std::to_integer<unsigned>(f[kShaAt + i]));
  }
}

void ShardReader::read_borders() {
  const std::string& name = file_.path();
  const int64_t token_bytes =
      checked_mul<int64_t>(info_.tokens, info_.bytes_per_token, name + ": tokens");
  const int64_t border_bytes = checked_mul<int64_t>(info_.documents, 16, name + ": documents");
  int64_t expected = checked_add(token_bytes, padding(token_bytes), name + ": tokens");
  const int64_t borders_at = checked_add(expected, kHeadBytes, name + ": tokens");
  expected = checked_add(borders_at, border_bytes, name + ": documents");
  expected = checked_add(expected, kFooterBytes, name + ": size");
  require(expected == file_.size(), Code::kCorruptFile,
          "shard: {}: {} tokens and {} documents need {} bytes, the file has {}", name,
          info_.tokens, info_.documents, expected, file_.size());

  const auto count = static_cast<size_t>(info_.documents);
  starts_.resize(count);
  bytes_.resize(count);
  file_.read_at(borders_at, std::as_writable_bytes(std::span(starts_)));
  file_.read_at(borders_at + border_bytes / 2, std::as_writable_bytes(std::span(bytes_)));
  std::array<std::byte, 4> stored;
  file_.read_at(file_.size() - kFooterBytes + 52, stored);
  uint32_t crc = crc32c(std::as_bytes(std::span(starts_)));
  crc = crc32c(std::as_bytes(std::span(bytes_)), crc);
  require(crc == get<uint32_t>(stored.data()), Code::kCorruptFile,
          "shard: {}: check sum of the document borders is {:08x}, computed {:08x}", name,
          get<uint32_t>(stored.data()), crc);

  starts_.push_back(info_.tokens);
  require(starts_[0] == 0, Code::kCorruptFile,
          "shard: {}: the first document starts at token {} instead of 0", name, starts_[0]);
  int64_t text = 0;
  for (size_t i = 0; i < count; ++i) {
    require(starts_[i] < starts_[i + 1], Code::kCorruptFile,
            "shard: {}: document {} starts at token {} and ends at {}", name, i, starts_[i],
            starts_[i + 1]);
    require(bytes_[i] >= 0, Code::kCorruptFile, "shard: {}: document {} has {} bytes", name, i,
            bytes_[i]);
    text = checked_add(text, bytes_[i], name + ": text bytes");
  }
  require(text == info_.text_bytes, Code::kCorruptFile,
          "shard: {}: the documents have {} bytes of text, the footer says {}", name, text,
          info_.text_bytes);
}

int64_t ShardReader::document_of(int64_t position) const {
  INGOT_ASSERT(position >= 0 && position < info_.tokens);
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), position);
  return after - starts_.begin() - 1;
}

void ShardReader::read(int64_t begin, std::span<int32_t> out) const {
  INGOT_ASSERT(begin >= 0 && begin + static_cast<int64_t>(out.size()) <= info_.tokens);
  alignas(8) std::array<std::byte, 8192> block;
  const auto width = static_cast<size_t>(info_.bytes_per_token);
  const size_t per_block = block.size() / width;
  uint32_t largest = 0;
  for (size_t done = 0; done < out.size(); done += per_block) {
    const size_t count = std::min(per_block, out.size() - done);
    const int64_t at = kHeadBytes + (begin + static_cast<int64_t>(done)) * info_.bytes_per_token;
    file_.read_at(at, std::span(block).first(count * width));
    for (size_t i = 0; i < count; ++i) {
      const uint32_t id = width == 2 ? get<uint16_t>(&block[i * 2]) : get<uint32_t>(&block[i * 4]);
      largest = std::max(largest, id);
      out[done + i] = static_cast<int32_t>(id);
    }
  }
  require(largest < static_cast<uint64_t>(info_.vocab_size) || out.empty(), Code::kCorruptFile,
          "shard: {}: token {} near position {} is not below vocab_size {}", file_.path(), largest,
          begin, info_.vocab_size);
}

void ShardReader::check_tokens(const StopFlag* stop) const {
  if (!has_tokens_crc_) return;
  std::vector<std::byte> block(kWriteBlock);
  uint32_t crc = 0;
  const int64_t end = kHeadBytes + info_.tokens * info_.bytes_per_token;
  for (int64_t at = kHeadBytes; at < end;) {
    throw_if_stopped(stop);
    const std::span<std::byte> part =
        std::span(block).first(static_cast<size_t>(std::min(end - at, std::ssize(block))));
    file_.read_at(at, part);
    crc = crc32c(part, crc);
    at += std::ssize(part);
  }
  require(crc == tokens_crc_, Code::kCorruptFile,
          "shard: {}: check sum of the tokens is {:08x}, computed {:08x}", file_.path(),
          tokens_crc_, crc);
}

}  // namespace ingot::data
