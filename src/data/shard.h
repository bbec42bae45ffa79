// SPDX-License-Identifier: Apache-2.0
// Token shard: the token ids of one split in one file, with document borders and the bytes of
// text each document stands for. Format: docs/formats/shard.md. The writer streams; the reader
// trusts nothing: every number of the footer is checked with checked arithmetic against the size
// of the file before it is used. Tokens are read with pread into the caller's buffer, so a
// training step neither allocates nor faults pages in. Written by tokenize.cpp, read by loader.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/signals.h"

namespace ingot::data {

struct ShardInfo {
  int64_t tokens = 0;  ///< eos of every document included
  int64_t documents = 0;
  int64_t text_bytes = 0;        ///< bytes of text the tokens stand for (eos stands for none)
  int64_t vocab_size = 0;        ///< every id is below it
  int32_t eos = 0;               ///< ends every document
  int32_t bytes_per_token = 2;   ///< 2 when vocab_size <= 65536, else 4
  std::string tokenizer_sha256;  ///< 64 hexadecimal digits: SHA-256 of tokenizer.json
};

/// Streams documents into an open file. For a file that is whole or absent:
///   write_atomically(files, path, [&](WritableFile& file) {
///     ShardWriter writer(file, vocab, eos, sha256); writer.add_document(...); writer.finish(); });
class ShardWriter {
 public:
  /// Throws kInvalidArgument when eos or the digest does not fit.
  ShardWriter(WritableFile& file, int64_t vocab_size, int32_t eos,
              const std::string& tokenizer_sha256);

  /// Appends ids, then eos. `text_bytes` is the size of the text that was encoded.
  /// Throws kInvalidArgument on an id outside [0, vocab_size) or equal to eos, kIo.
  void add_document(std::span<const int32_t> ids, int64_t text_bytes);
  /// Writes borders and footer; returns what the shard holds. Call once, last.
  ShardInfo finish();

 private:
  void put_token(int32_t id);
  void put_u64(uint64_t value);
  void flush_if_full();
  void flush();
  void sum_tokens();

  WritableFile& file_;
  ShardInfo info_;
  std::vector<std::byte> buffer_;
  size_t summed_ = 0;            // so much of the buffer is head or in tokens_crc_
  uint32_t tokens_crc_ = 0;      // of the tokens so far
  std::vector<int64_t> starts_;  // first token of each document
  std::vector<int64_t> bytes_;   // text bytes of each document
};

/// One shard, read only. const members may be called from any thread.
class ShardReader {
 public:
  /// Throws kNotFound, kIo, or kCorruptFile naming the field that lies and both values.
  explicit ShardReader(const std::string& path);

  [[nodiscard]] const ShardInfo& info() const { return info_; }
  [[nodiscard]] const std::string& path() const { return file_.path(); }
  [[nodiscard]] int64_t tokens() const { return info_.tokens; }
  /// First token of document `index`; document_start(documents) == tokens().
  [[nodiscard]] int64_t document_start(int64_t index) const {
    return starts_[static_cast<size_t>(index)];
  }
  /// Bytes of text of document `index`.
  [[nodiscard]] int64_t document_bytes(int64_t index) const {
    return bytes_[static_cast<size_t>(index)];
  }
  /// The document that holds token `position`: binary search.
  [[nodiscard]] int64_t document_of(int64_t position) const;
  /// Copies tokens [begin, begin + out.size()) without allocating.
  /// Throws kCorruptFile on an id >= vocab_size or a file that became shorter.
  void read(int64_t begin, std::span<int32_t> out) const;
  /// Reads every token once and compares their check sum. Files of earlier writers have none and
  /// are not read. Throws kCorruptFile naming both sums, kCancelled. Cost: a pass over the file,
  /// whose pages the system then has at hand; the sum itself is a fraction of a second per GiB.
  void check_tokens(const StopFlag* stop = nullptr) const;

 private:
  void read_footer();
  void read_borders();

  ReadableFile file_;
  ShardInfo info_;
  bool has_tokens_crc_ = false;
  uint32_t tokens_crc_ = 0;
  std::vector<int64_t> starts_;
  std::vector<int64_t> bytes_;
};

}  // namespace ingot::data
