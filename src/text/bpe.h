// SPDX-License-Identifier: Apache-2.0
// Byte-level byte pair encoding (Sennrich 2016; bytes as in GPT-2, Radford 2019). A word starts as
// its bytes; the adjacent pair with the lowest rank, leftmost first, is merged until none is left.
// Short words scan an array, long ones keep a heap over a linked list, so a word of n bytes costs
// O(n log n). The ids equal those of the PyPI `tokenizers` package for words below kMaxWordBytes.
// Not here: reading and writing files (tokenizer_json.h), training (bpe_train.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/added_tokens.h"
#include "text/tokenizer.h"

namespace ingot::text {

struct MergePair {
  int32_t left = 0;
  int32_t right = 0;
  bool operator==(const MergePair&) const = default;
};

/// Everything tokenizer.json says about a byte-level BPE, as plain data.
struct BpeModel {
  std::vector<std::string> tokens;  ///< bytes of each id
  std::vector<MergePair> merges;    ///< in rank order
  std::vector<AddedToken> added;    ///< each id is below tokens.size()
  bool add_prefix_space = false;
  bool split_words = true;                      ///< `use_regex` of the ByteLevel pre-tokenizer
  bool ignore_merges = false;                   ///< a word that is a token is that token
  std::string eos_token, bos_token, pad_token;  ///< "" where there is none

  /// Throws kInvalidArgument naming the broken rule: ids in range, all 256 bytes present, every
  /// merge's result present, no two tokens alike.
  void check() const;
};

/// Open-addressing table (left, right) -> (rank, merged id); built once, then only read.
class MergeTable {
 public:
  static constexpr uint32_t kNone = 0xFFFFFFFFU;
  struct Slot {
    uint64_t key;
    uint32_t rank;
    int32_t merged;
  };

  MergeTable() = default;
  explicit MergeTable(int64_t merges);
  void insert(MergePair pair, uint32_t rank, int32_t merged);  ///< the last rank of a pair stays
  /// The slot of a pair; rank is kNone where the pair has no merge.
  [[nodiscard]] const Slot& find(int32_t left, int32_t right) const;

 private:
  std::vector<Slot> slots_;
  uint64_t mask_ = 0;
  int shift_ = 0;
};

class ByteBpe final : public Tokenizer {
 public:
  /// Checks the model first (see BpeModel::check).
  explicit ByteBpe(BpeModel model);

  using Tokenizer::encode;
  void encode(std::string_view text, Added added, EncodeScratch& scratch,
              std::vector<int32_t>& out) const override;
  [[nodiscard]] int64_t vocab_size() const override;
  [[nodiscard]] std::string_view token_bytes(int32_t id) const override;
  [[nodiscard]] std::optional<int32_t> token_id(std::string_view bytes) const override;
  void save(FileSystem& files, const std::string& directory) const override;

  [[nodiscard]] const BpeModel& model() const { return model_; }

 private:
  void encode_segment(std::string_view segment, EncodeScratch& scratch,
                      std::vector<int32_t>& out) const;
  void encode_word(std::string_view word, EncodeScratch& scratch, std::vector<int32_t>& out) const;
  void merge_short(EncodeScratch& scratch, std::vector<int32_t>& out) const;
  void merge_long(EncodeScratch& scratch, std::vector<int32_t>& out) const;
  [[nodiscard]] uint32_t rank(int32_t left, int32_t right) const;

  BpeModel model_;
  std::unordered_map<std::string_view, int32_t> ids_;  // views into model_.tokens
  int32_t byte_ids_[256] = {};
  MergeTable merges_;
  AddedTokenMatcher matcher_;
  uint64_t fingerprint_ = 0;
};

}  // namespace ingot::text
